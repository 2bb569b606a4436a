/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comparison.c - one comparison of a condition: a field, an operator, and a value of the field's
 * type, another field, or several values.
 *
 * Everything is checked here, when the file is loaded, so that evaluation has nothing left to
 * refuse.
 */
#include <string.h>

#include "parse.h"

static bool comparable(const struct field *a, const struct field *b)
{
	static const uint64_t texts =
	    1u << FIELD_TEXT | 1u << FIELD_NAME | 1u << FIELD_DETAIL | 1u << FIELD_KIND;

	if (a->store == STORE_VLANS) /* b is a name with a dot, which vlan is not */
		return false;
	return a->type == b->type || ((texts >> a->type & 1) != 0 && (texts >> b->type & 1) != 0);
}

static void unknown_field(struct parser *p, const struct lex_token *token)
{
	const char *near = field_nearest(token->text);

	if (near != NULL)
		parser_wrong_at(p, token->at, "unknown field \"%.60s\"; did you mean \"%s\"?",
				token->text, near);
	else
		parser_wrong_at(p, token->at,
				"unknown field \"%.60s\"; \"bulkhead list fields\" names all",
				token->text);
}

/* A bare word with a dot that begins like a field is a field, never a value. */
static bool means_field(const struct lex_token *token)
{
	return token->type == LEX_WORD && field_rooted(token->text);
}

static void compare_field(struct parser *p, struct test *test, const struct lex_token *token)
{
	if (!field_find(token->text, p->scope->arena, &test->right)) {
		unknown_field(p, token);
		return;
	}
	if (!comparable(test->left.field, test->right.field))
		parser_wrong_at(p, token->at,
				"\"%s\" is a %s, \"%s\" is a %s: they cannot be compared",
				test->left.field->name, field_type_name(test->left.field->type),
				token->text, field_type_name(test->right.field->type));
}

/* A value must not be spelled like a list or macro, or nearly so: that is a typing error. */
static bool bare_word_is_fine(struct parser *p, const struct values *values,
			      const struct lex_token *token, bool among)
{
	const struct scope *scope = p->scope;
	const char *near;

	if (token->type != LEX_WORD)
		return true;
	if (!among && scope_list(scope, token->text) != NULL) {
		parser_wrong_at(p, token->at, "\"%s\" is a list; write \"in (%s)\"", token->text,
				token->text);
		return false;
	}
	if (scope_macro(scope, token->text) != NULL) {
		parser_wrong_at(p, token->at,
				"\"%s\" is a macro, not a value; put a value of that name "
				"in quotes",
				token->text);
		return false;
	}
	if (!among || field_class(values->type) != CLASS_TEXT)
		return true;
	near = scope_nearest(scope, token->text, false, true);
	if (near == NULL)
		return true;
	parser_wrong_at(p, token->at,
			"no list \"%.60s\"; did you mean \"%s\"?  A value so named goes in quotes",
			token->text, near);
	return false;
}

static void add_value(struct parser *p, struct values *values, const struct lex_token *token,
		      bool among)
{
	char why[256];

	if (!bare_word_is_fine(p, values, token, among))
		return;
	if (!values_add(values, token->text, why, sizeof why))
		parser_wrong_at(p, token->at, "%s", why);
}

static bool is_value(const struct lex_token *token)
{
	return token->type == LEX_WORD || token->type == LEX_QUOTED;
}

/* op value */
static void parse_scalar(struct parser *p, struct test *test)
{
	struct values values = {.scope = p->scope, .type = test->left.field->type};
	struct lex_token token = p->token;

	if (!is_value(&token)) {
		parser_unexpected(p, "a value");
		return;
	}
	parser_advance(p);
	if (means_field(&token)) {
		compare_field(p, test, &token);
		return;
	}
	if (test->op != TEST_EQUAL && values.type == FIELD_DETAIL)
		values.type = FIELD_NUMBER;
	add_value(p, &values, &token, false);
	if (values.count == 1 && values.type == FIELD_IP && values.literal[0].prefix.length < 128)
		parser_wrong_at(p, token.at, "\"%.60s\" is a prefix; write \"within %.60s\"",
				token.text, token.text);
	(void)values_finish(&values, values.count == 0 ? NULL : test);
}

static void parse_item(struct parser *p, struct values *values)
{
	struct lex_token token = p->token;
	struct list *list;

	if (!is_value(&token)) {
		parser_unexpected(p, "a value or the name of a list");
		return;
	}
	parser_advance(p);
	list = token.type == LEX_WORD ? scope_list(p->scope, token.text) : NULL;
	if (list != NULL)
		p->wrong |= !values_add_list(values, list);
	else if (means_field(&token))
		parser_wrong_at(p, token.at,
				"a field cannot stand in a list; compare with = and or");
	else
		add_value(p, values, &token, true);
}

/* in (...), within (...), within CIDR */
static void parse_members(struct parser *p, struct test *test)
{
	struct values values = {.scope = p->scope, .type = test->left.field->type};
	bool within = test->op == TEST_WITHIN;

	if (within && values.type == FIELD_DETAIL)
		values.type = FIELD_IP;
	if (within && p->token.type != LEX_OPEN) {
		parse_item(p, &values);
	} else if (p->token.type != LEX_OPEN) {
		parser_unexpected(p, "\"(\" after in");
	} else {
		do {
			parser_advance(p);
			parse_item(p, &values);
		} while (p->token.type == LEX_COMMA);
		if (p->token.type != LEX_CLOSE)
			parser_unexpected(p, "\",\" or \")\"");
		parser_advance(p);
	}
	(void)values_finish(&values, values.count == 0 ? NULL : test);
}

static bool parse_operator(struct parser *p, struct test *test)
{
	static const struct {
		enum lexeme mark;
		enum test_op op;
		bool negate;
	} operators[] = {
	    {LEX_EQUAL, TEST_EQUAL, false}, {LEX_NOT_EQUAL, TEST_EQUAL, true},
	    {LEX_LESS, TEST_LESS, false},   {LEX_LESS_EQUAL, TEST_LESS_EQUAL, false},
	    {LEX_MORE, TEST_MORE, false},   {LEX_MORE_EQUAL, TEST_MORE_EQUAL, false},
	};

	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		if (operators[i].mark != p->token.type)
			continue;
		test->op = (uint8_t)operators[i].op;
		test->negate = operators[i].negate;
		if (test->op != TEST_EQUAL && !field_ordered(test->left.field->type))
			parser_wrong_at(
			    p, p->token.at,
			    "\"%s\" is a %s, which is neither less nor more; use = or !=",
			    test->left.field->name, field_type_name(test->left.field->type));
		return true;
	}
	return false;
}

void parse_comparison(struct parser *p, const struct lex_token *name)
{
	struct test *test = arena_alloc(p->scope->arena, sizeof *test);

	if (test == NULL) {
		p->scope->no_memory = true;
		parser_stop(p);
		return;
	}
	if (!field_find(name->text, p->scope->arena, &test->left)) {
		unknown_field(p, name);
		/* Something to go on with: any type of value is told only for fields that exist. */
		(void)field_find("detail.x", p->scope->arena, &test->left);
	}
	if (parse_operator(p, test)) {
		parser_advance(p);
		parse_scalar(p, test);
	} else {
		if (lex_is_word(&p->token, "not")) {
			test->negate = true;
			parser_advance(p);
		}
		test->op = lex_is_word(&p->token, "within") ? TEST_WITHIN : TEST_EQUAL;
		if (test->op == TEST_WITHIN && test->left.field->type != FIELD_IP &&
		    test->left.field->type != FIELD_DETAIL)
			parser_wrong_at(p, p->token.at, "\"%s\" is a %s, not an address; use in",
					test->left.field->name,
					field_type_name(test->left.field->type));
		if (test->op != TEST_WITHIN && !lex_is_word(&p->token, "in")) {
			parser_unexpected(p, test->negate ? "in or within"
							  : "= != < <= > >= in or within");
			return;
		}
		parser_advance(p);
		parse_members(p, test);
	}
	parser_emit_test(p, test);
}
