/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - files and folders of rules become one ruleset.
 *
 * Everything is read before anything is compiled, so that names work across files and all
 * mistakes are told at once.  A ruleset exists only when there was none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ruleset.h"

struct loader {
	struct arena *arena;
	struct scope *scope;
	struct source *source; /* RULES_MAX_FILES of them */
	struct err *err;
	int code; /* the first failure that is not a mistake in a file */
};

static int fail(struct loader *loader, enum err_code code, const char *file, const char *why)
{
	if (loader->code == 0)
		loader->code = err_set(loader->err, code, "%s: %s", file, why);
	else
		problem_add(loader->scope->problems, PROBLEM_ERROR, file, 0, 0, "%s", why);
	return code;
}

/* ---- files --------------------------------------------------------------------------------- */

static int read_all(FILE *in, struct loader *loader, const char *file, char **text, size_t *len)
{
	size_t room = 65536, used = 0;
	char *buf = malloc(room);

	while (buf != NULL) {
		char *more;

		used += fread(buf + used, 1, room - used, in);
		if (used < room || used > RULES_MAX_FILE)
			break;
		room *= 2;
		more = realloc(buf, room);
		if (more == NULL)
			free(buf);
		buf = more;
	}
	*text = buf == NULL ? NULL : arena_strndup(loader->arena, buf, used);
	*len = used;
	free(buf);
	if (ferror(in))
		return fail(loader, ERR_NOINPUT, file, strerror(errno));
	if (*text == NULL)
		return fail(loader, ERR_MEMORY, file, "out of memory");
	if (used > RULES_MAX_FILE)
		return fail(loader, ERR_CONFIG, file, "larger than 16 MiB");
	return 0;
}

static int add_source(struct loader *loader, const char *file, const char *text, size_t len)
{
	struct scope *scope = loader->scope;
	struct source *source;

	if (scope->source_count == RULES_MAX_FILES)
		return fail(loader, ERR_CONFIG, file, "more rule files than can be loaded (1000)");
	source = &loader->source[scope->source_count];
	source->text = text;
	source->len = len;
	/* Mistakes in it are in problems; the other files are looked at all the same. */
	if (yaml_read_text(&source->doc, file, text, len, loader->arena, scope->problems, NULL) ==
	    ERR_MEMORY)
		return fail(loader, ERR_MEMORY, file, "out of memory");
	scope->source_count++;
	return 0;
}

static void load_file(struct loader *loader, const char *file)
{
	FILE *in = fopen(file, "rbe");
	char *text;
	size_t len;

	if (in == NULL) {
		(void)fail(loader, ERR_NOINPUT, file, strerror(errno));
		return;
	}
	if (read_all(in, loader, file, &text, &len) == 0)
		(void)add_source(loader, file, text, len);
	(void)fclose(in);
}

static int is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Not alphasort(): the order of rules must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A folder when it can be read as one (stat() cannot be had beside enum stat). */
static void load_path(struct loader *loader, const char *path)
{
	struct dirent **entries = NULL;
	size_t len = strlen(path);
	const char *slash = len > 0 && path[len - 1] == '/' ? "" : "/";
	int count = scandir(path, &entries, is_yaml, by_name);

	if (count < 0 && errno == ENOTDIR) {
		load_file(loader, path);
		return;
	}
	if (count < 0) {
		(void)fail(loader, ERR_NOINPUT, path, strerror(errno));
		return;
	}
	if (count == 0)
		problem_add(loader->scope->problems, PROBLEM_ERROR, path, 0, 0,
			    "no rules in this folder; they end in .yaml or .yml");
	for (int i = 0; i < count; i++) {
		char *file = arena_printf(loader->arena, "%s%s%s", path, slash, entries[i]->d_name);

		if (file == NULL)
			(void)fail(loader, ERR_MEMORY, path, "out of memory");
		else
			load_file(loader, file);
		free(entries[i]);
	}
	free(entries);
}

static void load_core(struct loader *loader)
{
	unsigned count;
	const struct core_rules *core = core_rules(&count);

	for (unsigned i = 0; i < count; i++)
		(void)add_source(loader, core[i].file, core[i].text, core[i].len);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int in_file_order(const struct written *a, const struct written *b)
{
	return a->place < b->place ? -1 : 1;
}

static int by_written_name(const void *a, const void *b)
{
	const struct written *x = *(const struct written *const *)a;
	const struct written *y = *(const struct written *const *)b;

	int order = strcmp(x->name, y->name);

	return order != 0 ? order : in_file_order(x, y);
}

static int by_written_id(const void *a, const void *b)
{
	const struct written *x = *(const struct written *const *)a;
	const struct written *y = *(const struct written *const *)b;

	int order = strcmp(x->id, y->id);

	return order != 0 ? order : in_file_order(x, y);
}

static void tell_twins(const struct scope *scope, const struct written *first,
		       const struct written *later, bool ids)
{
	const char *key = ids ? "id" : "rule";

	yaml_problem(later->doc, yaml_get(later->node, key), PROBLEM_ERROR, scope->problems,
		     "%s \"%s\" is taken by the rule at %s:%u", ids ? "id" : "name",
		     ids ? later->id : later->name, first->doc->file, (unsigned)first->node->line);
}

static void check_twins(struct scope *scope, const struct collected *rules)
{
	struct written **sorted = calloc((size_t)rules->count + 1, sizeof(struct written *));
	unsigned count = 0;

	if (sorted == NULL) {
		scope->no_memory = true;
		return;
	}
	for (struct written *w = rules->first; w != NULL; w = w->next)
		sorted[count++] = w;
	qsort(sorted, count, sizeof(struct written *), by_written_name);
	for (unsigned i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			tell_twins(scope, sorted[i - 1], sorted[i], false);
	}
	qsort(sorted, count, sizeof(struct written *), by_written_id);
	for (unsigned i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
			tell_twins(scope, sorted[i - 1], sorted[i], true);
	}
	free(sorted);
}

static struct compiled *compile_written(struct scope *scope, const struct written *written,
					uint64_t wall_now_ns)
{
	struct compiled *rule = arena_alloc(scope->arena, sizeof *rule);
	bool overridden = written->overrides != NULL;

	if (rule == NULL) {
		scope->no_memory = true;
		return NULL;
	}
	if (!rule_compile(scope, written, overridden, wall_now_ns, rule))
		return NULL;
	if (!overridden)
		return rule;
	rule->shipped = arena_alloc(scope->arena, sizeof *rule->shipped);
	if (rule->shipped == NULL)
		scope->no_memory = true;
	else if (!rule_compile(scope, written, false, 0, rule->shipped))
		return NULL;
	return rule;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool takes(const struct compiled *rule, const char *kind)
{
	for (const char **on = rule->on; rule->rule.enabled && *on != NULL; on++) {
		if (strcmp(*on, kind) == 0)
			return true;
	}
	return false;
}

static bool index_kind(struct ruleset *rules, struct kind_index *index)
{
	for (unsigned i = 0; i < rules->rules; i++)
		index->rules += takes(rules->rule[i], index->kind);
	index->rule = arena_array(rules->arena, index->rules, sizeof(struct compiled *));
	if (index->rule == NULL)
		return false;
	index->rules = 0;
	for (unsigned i = 0; i < rules->rules; i++) {
		if (takes(rules->rule[i], index->kind))
			index->rule[index->rules++] = rules->rule[i];
	}
	return true;
}

static bool index_kinds(struct ruleset *rules)
{
	const char *const *kinds = rules->scope.kinds;
	const char **sorted;
	bool good = true;

	while (kinds[rules->kinds] != NULL)
		rules->kinds++;
	sorted = arena_array(rules->arena, rules->kinds, sizeof *sorted);
	rules->kind = arena_array(rules->arena, rules->kinds, sizeof *rules->kind);
	if (sorted == NULL || rules->kind == NULL)
		return false;
	memcpy(sorted, kinds, rules->kinds * sizeof *sorted);
	qsort(sorted, rules->kinds, sizeof *sorted, by_text);
	for (unsigned i = 0; i < rules->kinds; i++) {
		rules->kind[i].kind = sorted[i];
		good &= index_kind(rules, &rules->kind[i]);
	}
	return good;
}

static bool make_thresholds(struct ruleset *rules)
{
	bool wanted = false;

	for (unsigned i = 0; i < rules->rules; i++)
		wanted |= rules->rule[i]->threshold_count > 1;
	if (!wanted)
		return true;
	rules->thresholds = thresholds_new(THRESHOLD_GROUPS, hash_random_seed());
	return rules->thresholds != NULL;
}

static void set_revision(struct ruleset *rules)
{
	struct hash128 chain[2] = {{0, 0}, {0, 0}};

	for (unsigned i = 0; i < rules->scope.source_count; i++) {
		chain[1] = hash128_plain(rules->scope.sources[i].text, rules->scope.sources[i].len);
		chain[0] = hash128_plain(chain, sizeof chain);
	}
	(void)snprintf(rules->revision, sizeof rules->revision, "%016llx",
		       (unsigned long long)chain[0].lo);
}

static bool compile_all(struct ruleset *rules, uint64_t wall_now_ns)
{
	struct scope *scope = &rules->scope;
	struct collected collected;

	collect(scope, &collected);
	check_twins(scope, &collected);
	for (struct macro *m = scope->macros; m != NULL; m = m->next)
		macro_compile(scope, m);
	rules->rule = arena_array(rules->arena, collected.count, sizeof(struct compiled *));
	if (rules->rule == NULL)
		scope->no_memory = true;
	for (struct written *w = collected.first; w != NULL && !scope->no_memory; w = w->next) {
		rules->rule[rules->rules] = compile_written(scope, w, wall_now_ns);
		rules->rules += rules->rule[rules->rules] != NULL;
	}
	return rules->rules == collected.count;
}

static int finish(struct ruleset *rules, bool whole, unsigned errors_before, struct loader *loader)
{
	unsigned errors = rules->scope.problems->errors - errors_before;

	if (rules->scope.no_memory)
		return err_set(loader->err, ERR_MEMORY, "rules: out of memory");
	if (loader->code != 0)
		return loader->code;
	if (errors > 0 || !whole)
		return err_set(loader->err, ERR_CONFIG, "rules: %u error%s", errors,
			       errors == 1 ? "" : "s");
	if (!index_kinds(rules) || !make_thresholds(rules))
		return err_set(loader->err, ERR_MEMORY, "rules: out of memory");
	set_revision(rules);
	return 0;
}

int rules_load(const char *const *paths, unsigned count, const char *const *kinds,
	       uint64_t wall_now_ns, struct ruleset **out, struct problems *problems,
	       struct err *err)
{
	struct arena *arena = arena_new();
	struct ruleset *rules = arena == NULL ? NULL : arena_alloc(arena, sizeof *rules);
	struct loader loader = {.arena = arena, .err = err};
	unsigned errors_before = problems->errors;
	bool whole;
	int code;

	*out = NULL;
	if (rules != NULL)
		loader.source = arena_array(arena, RULES_MAX_FILES, sizeof *loader.source);
	if (loader.source == NULL) {
		arena_free(arena);
		return err_set(err, ERR_MEMORY, "rules: out of memory");
	}
	rules->arena = arena;
	rules->scope = (struct scope){
	    .arena = arena, .problems = problems, .kinds = kinds, .sources = loader.source};
	loader.scope = &rules->scope;
	for (unsigned i = 0; i < count; i++)
		load_path(&loader, paths[i]);
	if (count == 0)
		load_core(&loader);
	whole = compile_all(rules, wall_now_ns);
	code = finish(rules, whole, errors_before, &loader);
	rules->scope.problems = NULL; /* the caller's, for the load only */
	if (code != 0)
		rules_free(rules);
	else
		*out = rules;
	return code;
}
