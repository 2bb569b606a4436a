/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values.c - the right-hand side of a comparison: values are gathered, checked against the
 * field's type, and laid out sorted, so that a list of thousands is a binary search.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "ruleset.h"

static bool grow(struct values *values)
{
	uint32_t room = values->room == 0 ? 8 : values->room * 2;
	struct literal *literal = realloc(values->literal, room * sizeof *literal);

	if (literal == NULL) {
		values->scope->no_memory = true;
		return false;
	}
	values->literal = literal;
	values->room = room;
	return true;
}

bool values_add(struct values *values, const char *text, char *why, size_t size)
{
	struct literal literal = {.text = text};
	bool glob =
	    values->globs && field_class(values->type) == CLASS_TEXT && strchr(text, '*') != NULL;

	if (values->count == RULE_MAX_VALUES) {
		(void)snprintf(why, size, "more than %d values", RULE_MAX_VALUES);
		return false;
	}
	if (values->scope->values == RULES_MAX_VALUES) {
		values->scope->exhausted = true;
		(void)snprintf(why, size, "all rules together have more than %d values",
			       RULES_MAX_VALUES);
		return false;
	}
	if (!glob && !literal_parse(values->type, text, values->scope->kinds, &literal, why, size))
		return false;
	if (values->count == values->room && !grow(values)) {
		(void)snprintf(why, size, "out of memory");
		return false;
	}
	values->literal[values->count++] = literal;
	values->scope->values++;
	return true;
}

bool values_add_list(struct values *values, struct list *list)
{
	const struct scope *scope = values->scope;
	uint32_t type = 1u << values->type;
	char why[256];

	/* What is wrong with a list for a type is told at its first use: it may be used often. */
	if ((list->wrong_for & type) != 0 || scope->exhausted)
		return false;
	for (const struct yaml_node *item = list->node->first; item != NULL; item = item->next) {
		if (item->kind != YAML_SCALAR) /* told where the list was read */
			return false;
		if (values_add(values, item->text, why, sizeof why))
			continue;
		yaml_problem(list->doc, item, PROBLEM_ERROR, scope->problems,
			     "list \"%s\" is compared with %s values: %s", list->name,
			     field_type_name(values->type), why);
		list->wrong_for |= type;
		if (values->count == RULE_MAX_VALUES || scope->exhausted)
			return false;
	}
	return (list->wrong_for & type) == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_folded_text(const void *a, const void *b)
{
	const char *text = *(const char *const *)b;

	return order_text(*(const char *const *)a, text, strlen(text), true);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static bool lay_texts(const struct values *values, struct test *test)
{
	struct arena *arena = values->scope->arena;

	test->text = arena_array(arena, values->count, sizeof *test->text);
	test->glob = arena_array(arena, values->globs ? values->count : 0, sizeof *test->glob);
	if (test->text == NULL || test->glob == NULL)
		return false;
	for (uint32_t i = 0; i < values->count; i++) {
		const char *text = values->literal[i].text; /* in the arena as it is */

		if (values->globs && strchr(text, '*') != NULL)
			test->glob[test->globs++] = text;
		else
			test->text[test->texts++] = text;
	}
	qsort(test->text, test->texts, sizeof *test->text,
	      order_folds(values->type) ? by_folded_text : by_text);
	return true;
}

static bool lay_numbers(const struct values *values, struct test *test)
{
	test->number = arena_array(values->scope->arena, values->count, sizeof *test->number);
	if (test->number == NULL)
		return false;
	for (uint32_t i = 0; i < values->count; i++)
		test->number[i] = values->literal[i].number;
	test->numbers = values->count;
	qsort(test->number, test->numbers, sizeof *test->number, by_number);
	return true;
}

static bool lay_prefixes(const struct values *values, struct test *test)
{
	test->prefix = arena_array(values->scope->arena, values->count, sizeof *test->prefix);
	if (test->prefix == NULL)
		return false;
	for (uint32_t i = 0; i < values->count; i++)
		test->prefix[i] = values->literal[i].prefix;
	test->prefixes = values->count;
	return true;
}

bool values_finish(struct values *values, struct test *test)
{
	bool good = true;

	if (test != NULL) {
		switch (field_class(values->type)) {
		case CLASS_TEXT:
			good = lay_texts(values, test);
			break;
		case CLASS_NUMBER:
			good = lay_numbers(values, test);
			break;
		case CLASS_IP:
			good = lay_prefixes(values, test);
			break;
		default: /* CLASS_BITS */
			for (uint32_t i = 0; i < values->count; i++)
				test->bits |= values->literal[i].bits;
			break;
		}
	}
	if (!good)
		values->scope->no_memory = true;
	free(values->literal);
	values->literal = NULL;
	return good;
}
