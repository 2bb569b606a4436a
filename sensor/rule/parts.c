/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.c - a rule's exceptions and its output template.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bulkhead/clock.h"
#include "ruleset.h"

#define WARN_AHEAD_DAYS 14
#define NS_PER_DAY (UINT64_C(86400) * NS_PER_SEC)

/* ---- exceptions ---------------------------------------------------------------------------- */

static bool add_scalar(struct values *values, const struct yaml_doc *doc,
		       const struct yaml_node *node, bool *any)
{
	struct scope *scope = values->scope;
	struct list *list = node->quoted ? NULL : scope_list(scope, node->text);
	char why[256];

	if (strcmp(node->text, "*") == 0) {
		*any = true;
		return true;
	}
	if (list != NULL)
		return values_add_list(values, list);
	if (values_add(values, node->text, why, sizeof why))
		return true;
	yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "%s", why);
	return false;
}

/* One place of a tuple: a value, the name of a list, or a list of those. */
static bool compile_place(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *node, struct test *test)
{
	struct values values = {.scope = scope, .type = test->left.field->type, .globs = true};
	bool good = true, empty;

	if (node->kind == YAML_SCALAR) {
		good = add_scalar(&values, doc, node, &test->any);
	} else if (node->kind == YAML_LIST) {
		for (const struct yaml_node *n = node->first; n != NULL; n = n->next) {
			const char *text;

			good &= yaml_text(doc, n, &text, scope->problems) &&
				add_scalar(&values, doc, n, &test->any);
		}
	} else {
		good = yaml_is_list(doc, node, scope->problems);
	}
	empty = good && values.count == 0 && !test->any;
	if (empty)
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "no value here; \"*\" stands for any");
	return values_finish(&values, test) && good && !empty;
}

static bool compile_tuple(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *node, const struct exception *exception,
			  struct test *test)
{
	const struct yaml_node *place = node->first;
	bool good = true;

	if (exception->fields == 1 && node->kind == YAML_SCALAR)
		return compile_place(scope, doc, node, test);
	if (node->kind != YAML_LIST || node->count != exception->fields) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "write [%s]: one value for each of the %u field%s",
			     exception->fields == 1 ? "value" : "value, ...", exception->fields,
			     exception->fields == 1 ? "" : "s");
		return false;
	}
	for (unsigned i = 0; i < exception->fields; i++, place = place->next)
		good &= compile_place(scope, doc, place, &test[i]);
	return good;
}

static bool compile_field(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *node, struct field_ref *out)
{
	const char *name, *near;

	if (!yaml_text(doc, node, &name, scope->problems))
		return false;
	if (field_find(name, scope->arena, out))
		return true;
	near = field_nearest(name);
	yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "unknown field \"%.60s\"%s%s%s",
		     name, near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		     near == NULL ? "; \"bulkhead list fields\" names all" : "\"?");
	return false;
}

bool fields_compile(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		    struct field_ref out[static RULE_MAX_FIELDS], unsigned *count)
{
	bool good = true;

	*count = 0;
	if (node->kind == YAML_SCALAR) {
		*count = 1;
		return compile_field(scope, doc, node, &out[0]);
	}
	if (!yaml_is_list(doc, node, scope->problems))
		return false;
	if (node->count == 0 || node->count > RULE_MAX_FIELDS) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "%u fields; name 1 to %d",
			     (unsigned)node->count, RULE_MAX_FIELDS);
		return false;
	}
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next)
		good &= compile_field(scope, doc, n, &out[(*count)++]);
	return good;
}

static bool compile_values(struct scope *scope, const struct yaml_doc *doc,
			   const struct yaml_node *node, const struct field_ref *fields,
			   struct exception *out)
{
	bool good = true;
	struct test *test;

	if (node == NULL || !yaml_is_list(doc, node, scope->problems))
		return false;
	if (node->count == 0 || node->count > RULE_MAX_TUPLES) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "%u tuples of values; write 1 to %d", (unsigned)node->count,
			     RULE_MAX_TUPLES);
		return false;
	}
	out->tuple =
	    arena_array(scope->arena, (size_t)node->count * out->fields, sizeof *out->tuple);
	if (out->tuple == NULL) {
		scope->no_memory = true;
		return false;
	}
	test = out->tuple;
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next) {
		for (unsigned i = 0; i < out->fields; i++)
			test[i].left = fields[i];
		good &= compile_tuple(scope, doc, n, out, test);
		test += out->fields;
	}
	out->tuples = node->count;
	return good;
}

static bool compile_until(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *node, uint64_t wall_now_ns, struct exception *out)
{
	const char *text;

	out->until_ns = UINT64_MAX;
	if (node == NULL)
		return true;
	if (!yaml_text(doc, node, &text, scope->problems))
		return false;
	if (clock_parse_date(text, &out->until_ns) != 0) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "\"%.60s\" is no date; write 2027-01-31", text);
		return false;
	}
	if (wall_now_ns == 0)
		return true;
	if (out->until_ns <= wall_now_ns)
		yaml_problem(doc, node, PROBLEM_WARNING, scope->problems,
			     "exception \"%.60s\" ended on %.30s and no longer excuses", out->name,
			     text);
	else if (out->until_ns - wall_now_ns <= WARN_AHEAD_DAYS * NS_PER_DAY)
		yaml_problem(doc, node, PROBLEM_WARNING, scope->problems,
			     "exception \"%.60s\" ends on %.30s, in %" PRIu64 " days", out->name,
			     text, (out->until_ns - wall_now_ns) / NS_PER_DAY);
	return true;
}

static bool compile_exception(struct scope *scope, const struct yaml_doc *doc,
			      const struct yaml_node *node, uint64_t wall_now_ns,
			      struct exception *out)
{
	static const char *const keys[] = {"name", "fields", "values", "reason", "until", NULL};
	static const char *const needed[] = {"name", "fields", "values", NULL};
	struct field_ref fields[RULE_MAX_FIELDS];
	const struct yaml_node *reason;
	const char *text;
	bool good = true;

	if (!yaml_is_map(doc, node, scope->problems))
		return false;
	yaml_check_keys(doc, node, keys, scope->problems);
	for (const char *const *key = needed; *key != NULL; key++) {
		if (yaml_get(node, *key) != NULL)
			continue;
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "exception without \"%s\"",
			     *key);
		good = false;
	}
	if (!good)
		return false;
	reason = yaml_get(node, "reason");
	good = yaml_text(doc, yaml_get(node, "name"), &out->name, scope->problems);
	if (reason != NULL)
		good &= yaml_text(doc, reason, &text, scope->problems);
	good = good && compile_until(scope, doc, yaml_get(node, "until"), wall_now_ns, out);
	return fields_compile(scope, doc, yaml_get(node, "fields"), fields, &out->fields) &&
	       compile_values(scope, doc, yaml_get(node, "values"), fields, out) && good;
}

bool exceptions_compile(struct scope *scope, const struct yaml_doc *doc,
			const struct yaml_node *node, uint64_t wall_now_ns, struct compiled *out)
{
	bool good = true;

	if (!yaml_is_list(doc, node, scope->problems))
		return false;
	out->exception = arena_array(scope->arena, node->count, sizeof *out->exception);
	if (out->exception == NULL) {
		scope->no_memory = true;
		return false;
	}
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next)
		good &= compile_exception(scope, doc, n, wall_now_ns,
					  &out->exception[out->exceptions++]);
	return good;
}

/* ---- output templates ---------------------------------------------------------------------- */

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return true;
}

/* The author's own words: quotes and apostrophes in them are meant. */
static bool add_literal(struct scope *scope, struct compiled *out, const char *text, size_t len)
{
	char clean[RULE_MESSAGE_SIZE];

	if (len == 0)
		return true;
	if (is_printable(text, len))
		(void)snprintf(clean, sizeof clean, "%.*s", (int)len, text); /* of 16 MiB at most */
	else
		(void)text_sanitise(clean, sizeof clean, text, len);
	out->output[out->outputs].literal = arena_strdup(scope->arena, clean);
	if (out->output[out->outputs].literal == NULL) {
		scope->no_memory = true;
		return false;
	}
	out->outputs++;
	return true;
}

static bool add_field(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		      const char *open, size_t len, struct compiled *out)
{
	char name[RULE_MAX_NAME + 1];
	const char *near;
	unsigned line, col;

	(void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name),
		       open + 1);
	if (len < sizeof name && field_find(name, scope->arena, &out->output[out->outputs].ref)) {
		out->outputs++;
		return true;
	}
	near = field_nearest(name);
	source_position(scope, doc, node, (size_t)(open - node->text), &line, &col);
	problem_add(scope->problems, PROBLEM_ERROR, doc->file, line, col,
		    "unknown field \"%s\" in the output%s%s%s", name,
		    near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		    near == NULL ? "" : "\"?");
	return false;
}

bool output_compile(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		    const char *text, struct compiled *out)
{
	bool good = true;
	const char *p = text;

	out->output = arena_array(scope->arena, RULE_MAX_SEGMENTS, sizeof *out->output);
	if (out->output == NULL) {
		scope->no_memory = true;
		return false;
	}
	if (node == NULL)
		return add_literal(scope, out, text, strlen(text));
	while (*p != '\0') {
		size_t len = strcspn(p, "{}");
		const char *mark = p + len;
		const char *close;

		if (out->outputs + 2 > RULE_MAX_SEGMENTS) {
			yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
				     "output of more than %d pieces", RULE_MAX_SEGMENTS / 2);
			return false;
		}
		good &= add_literal(scope, out, p, len);
		if (*mark == '\0')
			break;
		close = *mark == '{' ? strchr(mark, '}') : NULL;
		if (close == NULL) {
			yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
				     "output has a \"%c\" without its other half", *mark);
			return false;
		}
		good &= add_field(scope, doc, node, mark, (size_t)(close - mark - 1), out);
		p = close + 1;
	}
	return good;
}

void output_fill(const struct compiled *rule, const struct finding *finding,
		 char out[static RULE_MESSAGE_SIZE])
{
	struct field_value value;
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < rule->outputs && used + 1 < RULE_MESSAGE_SIZE; i++) {
		const struct segment_of_text *segment = &rule->output[i];
		size_t room = RULE_MESSAGE_SIZE - used;

		if (segment->literal != NULL) {
			(void)snprintf(out + used, room, "%s", segment->literal);
		} else {
			const char *text = field_print(&segment->ref, finding, &value);

			(void)text_sanitise(out + used, room, text, strlen(text));
		}
		used += strlen(out + used);
	}
}
