/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect.c - what the rule files define: lists, macros, rules and overrides, from all of them
 * together.
 *
 * Names are shared by all files that are loaded together.  A list or macro may be defined in
 * several files if it is the same in each, so that every file can stand alone.
 */
#include <stdlib.h>
#include <string.h>

#include "ruleset.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static void *take(struct scope *scope, size_t size)
{
	void *p = arena_alloc(scope->arena, size);

	if (p == NULL)
		scope->no_memory = true;
	return p;
}

/* The child under a key that must be there, as a text; NULL after telling. */
static const char *need_text(struct scope *scope, const struct yaml_doc *doc,
			     const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text = NULL;

	if (node == NULL)
		yaml_problem(doc, map, PROBLEM_ERROR, scope->problems, "no \"%s\" here", key);
	else if (!yaml_text(doc, node, &text, scope->problems))
		return NULL;
	return text;
}

static bool name_is_good(struct scope *scope, const struct yaml_doc *doc,
			 const struct yaml_node *node, const char *name)
{
	static const char *const keywords[] = {"and", "or", "not", "in", "within", NULL};
	struct field_ref ref;

	if (strlen(name) > RULE_MAX_NAME || strspn(name, LOWER UPPER "_") == 0 ||
	    name[strspn(name, LOWER UPPER DIGITS "_-")] != '\0') {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "\"%.70s\" is no name; use letters, digits, _ and -, a letter first",
			     name);
		return false;
	}
	for (const char *const *k = keywords; *k != NULL; k++) {
		if (strcmp(*k, name) == 0) {
			yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
				     "\"%s\" is a word of conditions, not a name", name);
			return false;
		}
	}
	if (field_find(name, NULL, &ref)) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "\"%s\" is a field; choose another name", name);
		return false;
	}
	return true;
}

static void told_twice(struct scope *scope, const struct yaml_doc *doc,
		       const struct yaml_node *node, const char *what, const char *name,
		       const struct yaml_doc *first, const struct yaml_node *where)
{
	yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
		     "%s \"%s\" is defined differently at %s:%u:%u", what, name, first->file,
		     (unsigned)where->line, (unsigned)where->col);
}

/* ---- lists --------------------------------------------------------------------------------- */

static bool same_items(const struct yaml_node *a, const struct yaml_node *b)
{
	const struct yaml_node *x = a->first, *y = b->first;

	for (; x != NULL && y != NULL; x = x->next, y = y->next) {
		if (x->kind != YAML_SCALAR || y->kind != YAML_SCALAR ||
		    strcmp(x->text, y->text) != 0)
			return false;
	}
	return x == y;
}

static void collect_list(struct scope *scope, const struct yaml_doc *doc,
			 const struct yaml_node *node, unsigned *count)
{
	static const char *const keys[] = {"list", "items", NULL};
	const struct yaml_node *items = yaml_get(node, "items");
	const struct list *before;
	const char *name, *text;
	struct list *list;

	yaml_check_keys(doc, node, keys, scope->problems);
	name = need_text(scope, doc, node, "list");
	if (items == NULL)
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "no \"items\" here");
	if (name == NULL || items == NULL || !yaml_is_list(doc, items, scope->problems) ||
	    !name_is_good(scope, doc, yaml_get(node, "list"), name))
		return;
	for (const struct yaml_node *n = items->first; n != NULL; n = n->next)
		(void)yaml_text(doc, n, &text, scope->problems);
	before = scope_list(scope, name);
	if (before != NULL || scope_macro(scope, name) != NULL) {
		if (before == NULL)
			yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
				     "\"%s\" is already a macro", name);
		else if (!same_items(before->node, items))
			told_twice(scope, doc, node, "list", name, before->doc, before->node);
		return;
	}
	if (++*count > RULES_MAX_NAMES) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "more than %d lists",
			     RULES_MAX_NAMES);
		return;
	}
	list = take(scope, sizeof *list);
	if (list == NULL)
		return;
	*list = (struct list){.next = scope->lists, .name = name, .doc = doc, .node = items};
	scope->lists = list;
}

/* ---- macros -------------------------------------------------------------------------------- */

static void collect_macro(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *node, unsigned *count)
{
	static const char *const keys[] = {"macro", "condition", NULL};
	const struct macro *before;
	const char *name, *text;
	struct macro *macro;

	yaml_check_keys(doc, node, keys, scope->problems);
	name = need_text(scope, doc, node, "macro");
	text = need_text(scope, doc, node, "condition");
	if (name == NULL || text == NULL ||
	    !name_is_good(scope, doc, yaml_get(node, "macro"), name))
		return;
	before = scope_macro(scope, name);
	if (before != NULL || scope_list(scope, name) != NULL) {
		if (before == NULL)
			yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
				     "\"%s\" is already a list", name);
		else if (strcmp(before->node->text, text) != 0)
			told_twice(scope, doc, node, "macro", name, before->doc, before->node);
		return;
	}
	if (++*count > RULES_MAX_NAMES) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "more than %d macros",
			     RULES_MAX_NAMES);
		return;
	}
	macro = take(scope, sizeof *macro);
	if (macro == NULL)
		return;
	*macro = (struct macro){
	    .next = scope->macros, .name = name, .doc = doc, .node = yaml_get(node, "condition")};
	scope->macros = macro;
}

/* ---- rules --------------------------------------------------------------------------------- */

static bool rule_name_is_good(const char *name)
{
	return *name != '\0' && strlen(name) <= RULE_MAX_NAME &&
	       name[strspn(name, LOWER UPPER DIGITS "._-")] == '\0';
}

static void collect_rule(struct scope *scope, const struct yaml_doc *doc,
			 const struct yaml_node *node, struct collected *out)
{
	static const char *const keys[] = {"rule",	 "id",	      "rev",	  "on",
					   "title",	 "condition", "group_by", "threshold",
					   "severity",	 "attack",    "output",	  "evidence",
					   "exceptions", "enabled",   "tests",	  NULL};
	struct written *written;
	const char *name, *id;

	yaml_check_keys(doc, node, keys, scope->problems);
	name = need_text(scope, doc, node, "rule");
	id = need_text(scope, doc, node, "id");
	if (name != NULL && !rule_name_is_good(name)) {
		yaml_problem(doc, yaml_get(node, "rule"), PROBLEM_ERROR, scope->problems,
			     "\"%.70s\" is no name for a rule; use letters, digits, . _ and -",
			     name);
		return;
	}
	if (name == NULL || id == NULL)
		return;
	if (out->count == RULES_MAX) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "more than %d rules",
			     RULES_MAX);
		return;
	}
	written = take(scope, sizeof *written);
	if (written == NULL)
		return;
	*written =
	    (struct written){.place = out->count, .doc = doc, .node = node, .name = name, .id = id};
	*out->last = written;
	out->last = &written->next;
	out->count++;
}

/* ---- overrides ----------------------------------------------------------------------------- */

static struct written *find_written(const struct collected *rules, const char *name)
{
	struct written *w = rules->first;

	while (w != NULL && strcmp(w->name, name) != 0 && strcmp(w->id, name) != 0)
		w = w->next;
	return w;
}

static void unknown_rule(struct scope *scope, const struct yaml_doc *doc,
			 const struct yaml_node *node, const char *name,
			 const struct collected *rules)
{
	const char **names = calloc(2 * (size_t)rules->count + 1, sizeof *names);
	unsigned used = 0;
	const char *near;

	if (names == NULL) {
		scope->no_memory = true;
		return;
	}
	for (const struct written *w = rules->first; w != NULL; w = w->next) {
		names[used++] = w->name;
		names[used++] = w->id;
	}
	near = nearest_name(name, names);
	yaml_problem(doc, node, PROBLEM_WARNING, scope->problems,
		     "no rule \"%.60s\"%s%s%s: this changes nothing", name,
		     near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		     near == NULL ? "" : "\"?");
	free(names);
}

static void collect_override(struct scope *scope, const struct yaml_doc *doc,
			     const struct yaml_node *node, const struct collected *rules)
{
	static const char *const keys[] = {"rule", "set", "reason", NULL};
	static const char *const settable[] = {
	    "on",     "title",	  "condition", "group_by", "threshold",	 "severity", "attack",
	    "output", "evidence", "enabled",   "tests",	   "exceptions", NULL};
	const struct yaml_node *set = yaml_get(node, "set");
	const struct yaml_node *reason = yaml_get(node, "reason");
	struct override *override;
	struct written *rule;
	const char *name, *why = NULL;

	yaml_check_keys(doc, node, keys, scope->problems);
	name = need_text(scope, doc, node, "rule");
	if (reason != NULL)
		(void)yaml_text(doc, reason, &why, scope->problems);
	if (set == NULL)
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "no \"set\" here");
	if (name == NULL || set == NULL || !yaml_is_map(doc, set, scope->problems))
		return;
	yaml_check_keys(doc, set, settable, scope->problems);
	rule = find_written(rules, name);
	if (rule == NULL) {
		unknown_rule(scope, doc, yaml_get(node, "rule"), name, rules);
		return;
	}
	override = take(scope, sizeof *override);
	if (override == NULL)
		return;
	*override =
	    (struct override){.next = rule->overrides, .doc = doc, .set = set, .reason = why};
	rule->overrides = override;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The maps of a list under a key of the root; other things in it are told. */
static const struct yaml_node *first_map(struct scope *scope, const struct yaml_doc *doc,
					 const char *key)
{
	const struct yaml_node *list = yaml_get(doc->root, key);

	return list != NULL && yaml_is_list(doc, list, scope->problems) ? list->first : NULL;
}

static void collect_root(struct scope *scope, const struct yaml_doc *doc)
{
	static const char *const keys[] = {"version", "ruleset",  "lists", "macros",
					   "rules",   "override", NULL};
	const struct yaml_node *ruleset = yaml_get(doc->root, "ruleset");
	const char *text;

	yaml_check_keys(doc, doc->root, keys, scope->problems);
	(void)yaml_check_version(doc, scope->problems);
	if (ruleset != NULL)
		(void)yaml_text(doc, ruleset, &text, scope->problems);
}

void collect(struct scope *scope, struct collected *out)
{
	unsigned lists = 0, macros = 0;

	*out = (struct collected){.last = &out->first};
	for (unsigned i = 0; i < scope->source_count; i++) {
		const struct yaml_doc *doc = &scope->sources[i].doc;
		const struct yaml_node *n;

		if (doc->root == NULL || !yaml_is_map(doc, doc->root, scope->problems))
			continue;
		collect_root(scope, doc);
		for (n = first_map(scope, doc, "lists"); n != NULL; n = n->next) {
			if (yaml_is_map(doc, n, scope->problems))
				collect_list(scope, doc, n, &lists);
		}
		for (n = first_map(scope, doc, "macros"); n != NULL; n = n->next) {
			if (yaml_is_map(doc, n, scope->problems))
				collect_macro(scope, doc, n, &macros);
		}
		for (n = first_map(scope, doc, "rules"); n != NULL; n = n->next) {
			if (yaml_is_map(doc, n, scope->problems))
				collect_rule(scope, doc, n, out);
		}
	}
	/* An override may stand in a file before its rule's. */
	for (unsigned i = 0; i < scope->source_count; i++) {
		const struct yaml_doc *doc = &scope->sources[i].doc;
		const struct yaml_node *n;

		if (doc->root == NULL || doc->root->kind != YAML_MAP)
			continue;
		for (n = first_map(scope, doc, "override"); n != NULL; n = n->next) {
			if (yaml_is_map(doc, n, scope->problems))
				collect_override(scope, doc, n, out);
		}
	}
}
