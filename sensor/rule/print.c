/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.c - a rule as it is in force, in YAML's flow style, for "rules show".
 *
 * What is printed is the tree the rule was read from with overrides laid over it, so it can be
 * pasted into a file again.  Texts are made safe for a terminal.
 */
#include <string.h>

#include "ruleset.h"

static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._/-";

	return *text != '\0' && *text != '-' && text[strspn(text, letters)] == '\0';
}

/* YAML's double quotes; what is not printable ASCII goes byte by byte, as \xNN. */
static void print_quoted(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			(void)fprintf(out, "\\x%02x", (unsigned)(unsigned char)*text);
		else
			(void)fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "",
				      *text);
	}
	(void)fputc('"', out);
}

static void print_scalar(const struct yaml_node *node, FILE *out)
{
	if (!node->quoted && is_plain(node->text))
		(void)fputs(node->text, out);
	else
		print_quoted(node->text, out);
}

/* Walks the tree by its links and a stack of parents: yaml_doc bounds the depth. */
static void print_node(const struct yaml_node *root, FILE *out)
{
	const struct yaml_node *parent[YAML_MAX_DEPTH + 1];
	const struct yaml_node *node = root;
	unsigned depth = 0;

	for (;;) {
		if (node->key != NULL && node != root)
			(void)fprintf(out, "%s: ", node->key);
		if (node->kind != YAML_SCALAR && node->first != NULL) {
			(void)fputs(node->kind == YAML_MAP ? "{ " : "[", out);
			parent[depth++] = node;
			node = node->first;
			continue;
		}
		if (node->kind == YAML_SCALAR)
			print_scalar(node, out);
		else
			(void)fputs(node->kind == YAML_MAP ? "{}" : "[]", out);
		while (depth > 0 && node->next == NULL) {
			node = parent[--depth];
			(void)fputs(node->kind == YAML_MAP ? " }" : "]", out);
		}
		if (depth == 0)
			return;
		(void)fputs(", ", out);
		node = node->next;
	}
}

static void print_items(const struct yaml_node *list, FILE *out)
{
	for (const struct yaml_node *n = list->first; n != NULL; n = n->next) {
		(void)fputs("\n    - ", out);
		print_node(n, out);
	}
	(void)fputc('\n', out);
}

void rules_print(const struct ruleset *rules, const struct rule *rule, FILE *out)
{
	static const char *const keys[] = {
	    "id",	"rev",	  "on",	    "title",	"condition", "group_by",   "threshold",
	    "severity", "attack", "output", "evidence", "enabled",   "exceptions", "tests"};
	const struct compiled *compiled = (const void *)rule;
	const struct written *written = compiled->written;

	(void)rules;
	(void)fprintf(out, "# %s:%u\n", rule->file, rule->line);
	for (const struct override *o = written->overrides; o != NULL; o = o->next) {
		(void)fprintf(out, "# overridden at %s:%u: ", o->doc->file, (unsigned)o->set->line);
		print_quoted(o->reason == NULL ? "no reason given" : o->reason, out);
		(void)fputc('\n', out);
	}
	(void)fprintf(out, "- rule: %s\n", rule->name);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const struct yaml_doc *doc;
		const struct yaml_node *node = written_get(written, true, keys[i], &doc);
		bool items = strcmp(keys[i], "exceptions") == 0 || strcmp(keys[i], "tests") == 0;

		if (node == NULL)
			continue;
		(void)fprintf(out, "  %s:", keys[i]);
		if (items && node->first != NULL) {
			print_items(node, out);
			continue;
		}
		(void)fputc(' ', out);
		print_node(node, out);
		(void)fputc('\n', out);
	}
}
