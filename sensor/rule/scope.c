/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c - the names a condition may use, and where in a file its words stand.
 */
#include <string.h>

#include "ruleset.h"

struct list *scope_list(const struct scope *scope, const char *name)
{
	struct list *list = scope->lists;

	while (list != NULL && strcmp(list->name, name) != 0)
		list = list->next;
	return list;
}

struct macro *scope_macro(const struct scope *scope, const char *name)
{
	struct macro *macro = scope->macros;

	while (macro != NULL && strcmp(macro->name, name) != 0)
		macro = macro->next;
	return macro;
}

const char *scope_nearest(const struct scope *scope, const char *name, bool macros, bool lists)
{
	const char *names[2 * RULES_MAX_NAMES + 1];
	unsigned count = 0;

	for (const struct macro *m = scope->macros; macros && m != NULL; m = m->next)
		names[count++] = m->name;
	for (const struct list *l = scope->lists; lists && l != NULL; l = l->next)
		names[count++] = l->name;
	names[count] = NULL;
	return nearest_name(name, names);
}

static const struct source *source_of(const struct scope *scope, const struct yaml_doc *doc)
{
	for (unsigned i = 0; i < scope->source_count; i++) {
		if (&scope->sources[i].doc == doc)
			return &scope->sources[i];
	}
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct walker {
	const char *at, *end;
	unsigned line, col;
};

static void step(struct walker *w)
{
	if (*w->at == '\n') {
		w->line++;
		w->col = 1;
	} else if ((*w->at & 0xc0) != 0x80) { /* columns count characters, not bytes of UTF-8 */
		w->col++;
	}
	w->at++;
}

static void skip_blanks(struct walker *w)
{
	while (w->at < w->end && is_blank(*w->at))
		step(w);
}

/* To the first character of the scalar, behind its quote or its | or > and the line's rest. */
static void enter_scalar(struct walker *w, bool quoted)
{
	if (!quoted || w->at == w->end)
		return;
	if (*w->at == '|' || *w->at == '>') {
		while (w->at < w->end && *w->at != '\n')
			step(w);
		skip_blanks(w);
	} else if (*w->at == '"' || *w->at == '\'') {
		step(w);
	}
}

/*
 * The parsed text and the file's are walked together.  They differ in blanks (YAML folds lines)
 * and in escapes (a backslash or a second quote the text does not have); where they differ
 * otherwise, as with \u escapes, the walk ends and the nearest place known is given.
 */
void source_position(const struct scope *scope, const struct yaml_doc *doc,
		     const struct yaml_node *node, size_t at, unsigned *line, unsigned *col)
{
	const struct source *source = source_of(scope, doc);
	struct walker w = {.line = 1, .col = 1};

	*line = node->line;
	*col = node->col;
	if (source == NULL)
		return;
	w.at = source->text;
	w.end = w.at + source->len;
	while (w.at < w.end && w.line < node->line) {
		const char *feed = memchr(w.at, '\n', (size_t)(w.end - w.at));

		w.at = feed == NULL ? w.end : feed + 1;
		w.line++;
	}
	while (w.at < w.end && w.col < node->col)
		step(&w);
	enter_scalar(&w, node->quoted);
	for (const char *p = node->text; w.at < w.end; p++) {
		if (is_blank(*p)) {
			if ((size_t)(p - node->text) >= at)
				break;
			skip_blanks(&w);
			continue;
		}
		if ((*p != '\0' && *w.at != *p && (*w.at == '\\' || *w.at == '\'')) ||
		    (*p == '\'' && node->quoted && w.at + 1 < w.end && w.at[1] == '\''))
			step(&w);
		if ((size_t)(p - node->text) == at || *p == '\0' || *w.at != *p)
			break;
		step(&w);
	}
	*line = w.line;
	*col = w.col;
}
