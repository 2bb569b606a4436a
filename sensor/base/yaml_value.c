/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_value.c - what yaml_doc.h offers over a finished tree: look-ups, typed values, names. */
#include "base/yaml_doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 63 /* nothing longer is compared with known names */

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

void yaml_problem(const struct yaml_doc *doc, const struct yaml_node *node,
		  enum problem_level level, struct problems *problems, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a long message may be cut */
	va_end(args);
	problem_add(problems, level, doc->file, node == NULL ? 0 : node->line,
		    node == NULL ? 0 : node->col, "%s", text);
}

void yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map,
		     const char *const *known, struct problems *problems)
{
	if (map == NULL || map->kind != YAML_MAP)
		return;
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
		const char *const *name = known;
		const char *near;

		while (*name != NULL && strcmp(*name, n->key) != 0)
			name++;
		if (*name != NULL)
			continue;
		near = nearest_name(n->key, known);
		problem_add(problems, PROBLEM_ERROR, doc->file, n->key_line, n->key_col,
			    "unknown key \"%.60s\"%s%s%s", n->key,
			    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			    near != NULL ? "\"?" : "");
	}
}

static const char *kind_name(const struct yaml_node *node)
{
	static const char *const names[] = {"a single value", "a list", "a map"};

	return names[node->kind];
}

static bool is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && !node->quoted &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}

/* Reports that node is not what is wanted, naming the key it stands under. */
static bool wrong(const struct yaml_doc *doc, const struct yaml_node *node, const char *wanted,
		  struct problems *problems)
{
	const char *key = node->key != NULL ? node->key : "this";

	if (is_null(node))
		yaml_problem(doc, node, PROBLEM_ERROR, problems, "%.60s is empty; it wants %s", key,
			     wanted);
	else if (node->kind == YAML_SCALAR)
		yaml_problem(doc, node, PROBLEM_ERROR, problems, "%.60s is %s%.60s%s; it wants %s",
			     key, node->quoted ? "the text \"" : "", node->text,
			     node->quoted ? "\"" : "", wanted);
	else
		yaml_problem(doc, node, PROBLEM_ERROR, problems, "%.60s is %s; it wants %s", key,
			     kind_name(node), wanted);
	return false;
}

bool yaml_text(const struct yaml_doc *doc, const struct yaml_node *node, const char **out,
	       struct problems *problems)
{
	if (node == NULL)
		return false;
	if (node->kind != YAML_SCALAR || is_null(node))
		return wrong(doc, node, "a text", problems);
	*out = node->text;
	return true;
}

bool yaml_uint(const struct yaml_doc *doc, const struct yaml_node *node, uint64_t min, uint64_t max,
	       uint64_t *out, struct problems *problems)
{
	char wanted[96];
	uint64_t value = 0;
	const char *p;

	if (node == NULL)
		return false;
	(void)snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu",
		       (unsigned long long)min, (unsigned long long)max);
	if (node->kind != YAML_SCALAR || node->quoted || node->text[0] == '\0' ||
	    (node->text[0] == '0' && node->text[1] != '\0'))
		return wrong(doc, node, wanted, problems);
	for (p = node->text; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*p - '0'), &value))
			break;
	if (*p != '\0' || value < min || value > max)
		return wrong(doc, node, wanted, problems);
	*out = value;
	return true;
}

bool yaml_bool(const struct yaml_doc *doc, const struct yaml_node *node, bool *out,
	       struct problems *problems)
{
	if (node == NULL)
		return false;
	if (node->kind != YAML_SCALAR || node->quoted ||
	    (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0))
		return wrong(doc, node, "true or false", problems);
	*out = node->text[0] == 't';
	return true;
}

bool yaml_is_list(const struct yaml_doc *doc, const struct yaml_node *node,
		  struct problems *problems)
{
	if (node == NULL)
		return false;
	return node->kind == YAML_LIST || wrong(doc, node, "a list", problems);
}

bool yaml_is_map(const struct yaml_doc *doc, const struct yaml_node *node,
		 struct problems *problems)
{
	if (node == NULL)
		return false;
	return node->kind == YAML_MAP || wrong(doc, node, "a map (key: value)", problems);
}

bool yaml_check_version(const struct yaml_doc *doc, struct problems *problems)
{
	const struct yaml_node *version = yaml_get(doc->root, "version");
	uint64_t number;

	if (!yaml_is_map(doc, doc->root, problems))
		return false;
	if (version == NULL) {
		yaml_problem(doc, doc->root, PROBLEM_ERROR, problems,
			     "version is missing; begin with \"version: 1\"");
		return false;
	}
	return yaml_uint(doc, version, 1, 1, &number, problems);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance where swapping two neighbours is one edit (optimal string alignment). */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][LONGEST_NAME + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (unsigned j = 0; j <= b_len; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

const char *nearest_name(const char *word, const char *const *names)
{
	size_t len = strnlen(word, LONGEST_NAME + 1);
	size_t best_distance = len / 2 < 3 ? len / 2 : 3;
	const char *best = NULL;

	if (len > LONGEST_NAME)
		return NULL;
	for (; *names != NULL; names++) {
		size_t name_len = strnlen(*names, LONGEST_NAME + 1);
		size_t distance;

		if (name_len > LONGEST_NAME)
			continue;
		distance = edit_distance(word, len, *names, name_len);
		if (distance < best_distance + (best == NULL)) {
			best_distance = distance;
			best = *names;
		}
	}
	return best;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A whole number and one of units (ends with name NULL). */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*p - '0'), &value))
			return -1;
	if (p == text)
		return -1;
	for (; units->name != NULL; units++) {
		if (strcmp(p, units->name) != 0)
			continue;
		if (__builtin_mul_overflow(value, units->factor, &value))
			return -1;
		*out = value;
		return 0;
	}
	return -1;
}

int parse_size(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
	    {"", 1},
	    {"B", 1},
	    {"Ki", UINT64_C(1) << 10},
	    {"KiB", UINT64_C(1) << 10},
	    {"Mi", UINT64_C(1) << 20},
	    {"MiB", UINT64_C(1) << 20},
	    {"Gi", UINT64_C(1) << 30},
	    {"GiB", UINT64_C(1) << 30},
	    {"Ti", UINT64_C(1) << 40},
	    {"TiB", UINT64_C(1) << 40},
	    {NULL, 0},
	};

	return parse_with_unit(text, units, out);
}

int parse_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
	    {"ns", 1},
	    {"us", 1000},
	    {"ms", 1000000},
	    {"s", UINT64_C(1000000000)},
	    {"m", UINT64_C(60) * 1000000000},
	    {"h", UINT64_C(3600) * 1000000000},
	    {"d", UINT64_C(86400) * 1000000000},
	    {NULL, 0},
	};

	return strcmp(text, "0") == 0 ? parse_with_unit("0s", units, ns)
				      : parse_with_unit(text, units, ns);
}
