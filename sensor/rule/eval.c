/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval.c - whether a condition holds for a finding.
 *
 * A field that the finding does not have equals nothing and compares with nothing: `=`, `in`,
 * `within`, `<` and the like are false, `!=`, `not in` and `not within` are true.  An unknown
 * text is the empty one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "ruleset.h"

bool glob_match(const char *pattern, const char *text, size_t len, bool fold)
{
	const char *star = NULL; /* behind the last "*" seen */
	size_t at = 0, mark = 0; /* where that "*" stops swallowing */

	while (at < len) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = at;
		} else if (*pattern != '\0' &&
			   order_byte(*pattern, fold) == order_byte(text[at], fold)) {
			pattern++;
			at++;
		} else if (star != NULL) {
			pattern = star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool equals_text(const struct test *test, const struct field_value *value)
{
	bool fold = order_folds(test->left.field->type);
	uint32_t low = 0, high = test->texts;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = order_text(test->text[middle], value->text, value->len, fold);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (uint32_t i = 0; i < test->globs; i++) {
		if (glob_match(test->glob[i], value->text, value->len, fold))
			return true;
	}
	return false;
}

static bool has_number(const struct test *test, int64_t n)
{
	uint32_t low = 0, high = test->numbers;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (test->number[middle] == n)
			return true;
		if (test->number[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool has_vlan(const struct test *test, const struct finding *finding)
{
	if (finding->vlan_count == 0)
		return has_number(test, 0);
	for (unsigned i = 0; i < finding->vlan_count; i++) {
		if (has_number(test, finding->vlan[i]))
			return true;
	}
	return false;
}

static bool in_prefixes(const struct test *test, const struct ip_addr *ip)
{
	for (uint32_t i = 0; i < test->prefixes; i++) {
		if (prefix_contains(&test->prefix[i], ip))
			return true;
	}
	return false;
}

static bool equals_values(const struct test *test, const struct finding *finding,
			  const struct field_value *value)
{
	if (test->left.field->store == STORE_VLANS)
		return has_vlan(test, finding);
	if (!value->present)
		return false;
	switch (field_class(test->left.field->type)) {
	case CLASS_TEXT:
		return equals_text(test, value);
	case CLASS_NUMBER:
		return has_number(test, value->number);
	case CLASS_IP:
		return in_prefixes(test, &value->ip);
	default: /* CLASS_BITS */
		return (value->bits & test->bits) != 0;
	}
}

static bool equals_field(const struct test *test, const struct finding *finding,
			 const struct field_value *left)
{
	struct field_value right;

	field_get(&test->right, finding, &right);
	if (!left->present || !right.present)
		return false;
	switch (field_class(test->left.field->type)) {
	case CLASS_TEXT:
		return left->len == right.len &&
		       order_bytes(left->text, right.text, left->len,
				   order_folds(test->left.field->type)) == 0;
	case CLASS_NUMBER:
		return left->number == right.number;
	case CLASS_IP:
		return ip_equal(&left->ip, &right.ip);
	default:
		return (left->bits & right.bits) != 0;
	}
}

/* A detail is text; where a rule compares it with a number, it must be one. */
static bool detail_number(const struct field_value *value, int64_t *out)
{
	char *end;

	if (value->len == 0 || value->text[0] < '0' || value->text[0] > '9')
		return false;
	*out = strtoll(value->text, &end, 10); /* detail texts are terminated */
	return *end == '\0';
}

static bool compares(const struct test *test, const struct finding *finding,
		     const struct field_value *value)
{
	struct field_value right;
	int64_t a = value->number, b;

	if (!value->present)
		return false;
	if (test->left.field->type == FIELD_DETAIL && !detail_number(value, &a))
		return false;
	if (test->right.field != NULL) {
		field_get(&test->right, finding, &right);
		if (!right.present)
			return false;
		b = right.number;
		if (test->right.field->type == FIELD_DETAIL && !detail_number(&right, &b))
			return false;
	} else {
		b = test->number[0];
	}
	switch (test->op) {
	case TEST_LESS:
		return a < b;
	case TEST_LESS_EQUAL:
		return a <= b;
	case TEST_MORE:
		return a > b;
	default:
		return a >= b;
	}
}

static bool within(const struct test *test, const struct field_value *value)
{
	struct ip_addr ip = value->ip;

	if (!value->present)
		return false;
	if (test->left.field->type == FIELD_DETAIL && !ip_parse(value->text, &ip))
		return false;
	return in_prefixes(test, &ip);
}

bool test_run(const struct test *test, const struct finding *finding)
{
	struct field_value value;
	bool holds;

	if (test->any)
		return true;
	field_get(&test->left, finding, &value);
	switch (test->op) {
	case TEST_EQUAL:
		holds = test->right.field != NULL ? equals_field(test, finding, &value)
						  : equals_values(test, finding, &value);
		break;
	case TEST_WITHIN:
		holds = within(test, &value);
		break;
	default:
		holds = compares(test, finding, &value);
		break;
	}
	return holds != test->negate;
}

bool program_run(const struct program *program, const struct finding *finding)
{
	bool truth = true;
	uint32_t at = 0;

	while (at < program->steps) {
		const struct step *step = &program->step[at++];

		switch (step->op) {
		case STEP_TEST:
			truth = test_run(program->test[step->arg], finding);
			break;
		case STEP_NOT:
			truth = !truth;
			break;
		case STEP_JUMP_IF_TRUE:
			if (truth)
				at = step->arg;
			break;
		default: /* STEP_JUMP_IF_FALSE */
			if (!truth)
				at = step->arg;
			break;
		}
	}
	return truth;
}
