/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile.c - a condition's text becomes a program (see ruleset.h for the machine).
 *
 *	expr := conj {"or" conj}      conj := neg {"and" neg}      neg := {"not"} atom
 *	atom := "(" expr ")" | MACRO | field op value | field ["not"] in-or-within values
 *
 * Recursive descent; the recursion is on parentheses and macros alone and ends at RULE_MAX_DEPTH,
 * so a file cannot exhaust the stack.  A wrong name or value is told and parsing goes on; a
 * syntax error ends the condition it is in.
 *
 * Macros are compiled once and copied where they are used.  Programs, values and depth are
 * bounded one by one and all together: macros of macros double with every line.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lex.h"
#include "ruleset.h"

#define NO_JUMP UINT32_MAX

struct parser {
	struct scope *scope;
	const struct yaml_doc *doc;
	const struct yaml_node *node;
	struct lexer lexer;
	struct lex_token token;
	unsigned depth;	      /* of parentheses, and of macros above this text */
	unsigned macro_depth; /* the deepest macro used in it */
	bool wrong;	      /* something was told */
	bool stopped;	      /* syntax error: what follows is not looked at */
	struct step *step;    /* RULE_MAX_STEPS of them, as is test */
	struct test **test;
	uint32_t steps, tests;
};

__attribute__((format(printf, 3, 4))) static void wrong_at(struct parser *p, size_t at,
							   const char *fmt, ...)
{
	char text[512];
	unsigned line, col;
	va_list args;

	p->wrong = true;
	source_position(p->scope, p->doc, p->node, at, &line, &col);
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	problem_add(p->scope->problems, PROBLEM_ERROR, p->doc->file, line, col, "%s", text);
}

static void stop(struct parser *p)
{
	p->wrong = true;
	p->stopped = true;
	p->token = (struct lex_token){.type = LEX_END, .text = "the end"};
}

static void advance(struct parser *p)
{
	if (p->stopped)
		return;
	p->token = lex_next(&p->lexer);
	if (p->token.type == LEX_BAD) {
		wrong_at(p, p->token.at, "condition has %s", p->token.text);
		stop(p);
	} else if (p->token.type == LEX_NO_MEMORY) {
		p->scope->no_memory = true;
		stop(p);
	}
}

/* Syntax: what stands here cannot stand here. */
static void unexpected(struct parser *p, const char *wanted)
{
	const char *quote = p->token.type == LEX_END ? "" : "\"";

	if (p->stopped)
		return;
	wrong_at(p, p->token.at, "expected %s, found %s%.60s%s", wanted, quote, p->token.text,
		 quote);
	stop(p);
}

/* ---- emitting ------------------------------------------------------------------------------ */

static void emit(struct parser *p, enum step_op op, uint32_t arg)
{
	if (p->stopped)
		return;
	if (p->steps == RULE_MAX_STEPS) {
		wrong_at(p, p->token.at, "condition has more than %d steps, macros written out",
			 RULE_MAX_STEPS);
		stop(p);
		return;
	}
	p->step[p->steps++] = (struct step){.op = (uint8_t)op, .arg = arg};
}

static void emit_test(struct parser *p, struct test *test)
{
	uint32_t number = p->tests;

	/* Never more tests than steps, so a full program is told by emit(). */
	emit(p, STEP_TEST, number);
	if (!p->stopped)
		p->test[p->tests++] = test;
}

/* A jump whose target is not known yet is linked to the one before it by its arg. */
static void emit_jump(struct parser *p, enum step_op op, uint32_t *pending)
{
	emit(p, op, *pending);
	if (!p->stopped)
		*pending = p->steps - 1;
}

static void land(struct parser *p, uint32_t pending)
{
	while (pending != NO_JUMP && !p->stopped) {
		uint32_t before = p->step[pending].arg;

		p->step[pending].arg = p->steps;
		pending = before;
	}
}

static void emit_program(struct parser *p, const struct program *program)
{
	uint32_t steps = p->steps;

	for (uint32_t i = 0; i < program->steps; i++) {
		const struct step *s = &program->step[i];

		if (s->op == STEP_TEST)
			emit_test(p, program->test[s->arg]);
		else
			emit(p, s->op, s->op == STEP_NOT ? 0 : s->arg + steps);
	}
}

/* ---- comparisons --------------------------------------------------------------------------- */

static bool comparable(const struct field *a, const struct field *b)
{
	static const uint64_t texts =
	    1u << FIELD_TEXT | 1u << FIELD_NAME | 1u << FIELD_DETAIL | 1u << FIELD_KIND;

	if (a->store == STORE_VLANS || b->store == STORE_VLANS)
		return false;
	return a->type == b->type || ((texts >> a->type & 1) != 0 && (texts >> b->type & 1) != 0);
}

static void unknown_field(struct parser *p, const struct lex_token *token)
{
	const char *near = field_nearest(token->text);

	if (near != NULL)
		wrong_at(p, token->at, "unknown field \"%.60s\"; did you mean \"%s\"?", token->text,
			 near);
	else
		wrong_at(p, token->at,
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
		wrong_at(p, token->at, "\"%s\" is a %s, \"%s\" is a %s: they cannot be compared",
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
		wrong_at(p, token->at, "\"%s\" is a list; write \"in (%s)\"", token->text,
			 token->text);
		return false;
	}
	if (scope_macro(scope, token->text) != NULL) {
		wrong_at(p, token->at,
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
	wrong_at(p, token->at,
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
		wrong_at(p, token->at, "%s", why);
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
		unexpected(p, "a value");
		return;
	}
	advance(p);
	if (means_field(&token)) {
		compare_field(p, test, &token);
		return;
	}
	if (test->op != TEST_EQUAL && values.type == FIELD_DETAIL)
		values.type = FIELD_NUMBER;
	add_value(p, &values, &token, false);
	if (values.count == 1 && values.type == FIELD_IP && values.literal[0].prefix.length < 128 &&
	    strchr(token.text, '/') != NULL)
		wrong_at(p, token.at, "\"%.60s\" is a prefix; write \"within %.60s\"", token.text,
			 token.text);
	(void)values_finish(&values, values.count == 0 ? NULL : test);
}

static void parse_item(struct parser *p, struct values *values)
{
	struct lex_token token = p->token;
	const struct list *list;

	if (!is_value(&token)) {
		unexpected(p, "a value or the name of a list");
		return;
	}
	advance(p);
	list = token.type == LEX_WORD ? scope_list(p->scope, token.text) : NULL;
	if (list != NULL)
		p->wrong |= !values_add_list(values, list);
	else if (means_field(&token))
		wrong_at(p, token.at, "a field cannot stand in a list; compare with = and or");
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
		unexpected(p, "\"(\" after in");
	} else {
		do {
			advance(p);
			parse_item(p, &values);
		} while (p->token.type == LEX_COMMA);
		if (p->token.type != LEX_CLOSE)
			unexpected(p, "\",\" or \")\"");
		advance(p);
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
			wrong_at(p, p->token.at,
				 "\"%s\" is a %s, which is neither less nor more; use = or !=",
				 test->left.field->name, field_type_name(test->left.field->type));
		return true;
	}
	return false;
}

static void parse_comparison(struct parser *p, const struct lex_token *name)
{
	struct test *test = arena_alloc(p->scope->arena, sizeof *test);

	if (test == NULL) {
		p->scope->no_memory = true;
		stop(p);
		return;
	}
	if (!field_find(name->text, p->scope->arena, &test->left)) {
		unknown_field(p, name);
		/* Something to go on with: any type of value is told only for fields that exist. */
		(void)field_find("detail.x", p->scope->arena, &test->left);
	}
	if (parse_operator(p, test)) {
		advance(p);
		parse_scalar(p, test);
	} else {
		if (lex_is_word(&p->token, "not")) {
			test->negate = true;
			advance(p);
		}
		test->op = lex_is_word(&p->token, "within") ? TEST_WITHIN : TEST_EQUAL;
		if (test->op == TEST_WITHIN && test->left.field->type != FIELD_IP &&
		    test->left.field->type != FIELD_DETAIL)
			wrong_at(p, p->token.at, "\"%s\" is a %s, not an address; use in",
				 test->left.field->name, field_type_name(test->left.field->type));
		if (test->op != TEST_WITHIN && !lex_is_word(&p->token, "in")) {
			unexpected(p,
				   test->negate ? "in or within" : "= != < <= > >= in or within");
			return;
		}
		advance(p);
		parse_members(p, test);
	}
	emit_test(p, test);
}

/* ---- expressions --------------------------------------------------------------------------- */

static void compile_macro(struct scope *scope, struct macro *macro, unsigned depth);

static void use_macro(struct parser *p, const struct lex_token *name)
{
	struct macro *macro = scope_macro(p->scope, name->text);
	const char *near;

	if (macro == NULL) {
		near = scope_nearest(p->scope, name->text, true, true);
		if (scope_list(p->scope, name->text) != NULL)
			wrong_at(p, name->at, "\"%s\" is a list; write \"FIELD in (%s)\"",
				 name->text, name->text);
		else if (near != NULL)
			wrong_at(p, name->at, "no macro \"%.60s\"; did you mean \"%s\"?",
				 name->text, near);
		else
			wrong_at(p, name->at,
				 "no macro \"%.60s\"; a comparison reads \"field = value\"",
				 name->text);
		return;
	}
	if (macro->state == MACRO_OPEN) {
		wrong_at(p, name->at, "macro \"%s\" uses itself", name->text);
		return;
	}
	if (p->depth >= RULE_MAX_DEPTH) {
		wrong_at(p, name->at, "macros inside each other more than %d deep", RULE_MAX_DEPTH);
		return;
	}
	compile_macro(p->scope, macro, p->depth + 1);
	if (macro->state == MACRO_BROKEN) {
		p->wrong = true; /* told where the macro stands */
		return;
	}
	if (macro->depth + 1 > p->macro_depth)
		p->macro_depth = macro->depth + 1;
	if (p->macro_depth > RULE_MAX_DEPTH)
		wrong_at(p, name->at, "macros inside each other more than %d deep", RULE_MAX_DEPTH);
	else
		emit_program(p, &macro->program);
}

static void parse_or(struct parser *p);

static void parse_atom(struct parser *p)
{
	static const char *const keywords[] = {"and", "or", "in", "within", NULL};
	struct lex_token name = p->token;
	struct field_ref ref;

	if (name.type == LEX_OPEN) {
		if (++p->depth > RULE_MAX_DEPTH) {
			wrong_at(p, name.at, "parentheses more than %d deep", RULE_MAX_DEPTH);
			stop(p);
			return;
		}
		advance(p);
		parse_or(p);
		if (p->token.type != LEX_CLOSE)
			unexpected(p, "and, or, or \")\"");
		advance(p);
		p->depth--;
		return;
	}
	for (const char *const *k = keywords; *k != NULL; k++) {
		if (lex_is_word(&name, *k))
			name.type = LEX_END;
	}
	if (name.type != LEX_WORD) {
		unexpected(p, "a field, a macro or \"(\"");
		return;
	}
	advance(p);
	if (strchr(name.text, '.') != NULL || field_find(name.text, p->scope->arena, &ref) ||
	    p->token.type >= LEX_EQUAL || lex_is_word(&p->token, "in") ||
	    lex_is_word(&p->token, "within") || lex_is_word(&p->token, "not"))
		parse_comparison(p, &name);
	else
		use_macro(p, &name);
}

static void parse_not(struct parser *p)
{
	bool negate = false;

	while (lex_is_word(&p->token, "not")) {
		negate = !negate;
		advance(p);
	}
	parse_atom(p);
	if (negate)
		emit(p, STEP_NOT, 0);
}

static void parse_and(struct parser *p)
{
	uint32_t pending = NO_JUMP;

	parse_not(p);
	while (lex_is_word(&p->token, "and")) {
		emit_jump(p, STEP_JUMP_IF_FALSE, &pending);
		advance(p);
		parse_not(p);
	}
	land(p, pending);
}

static void parse_or(struct parser *p)
{
	uint32_t pending = NO_JUMP;

	parse_and(p);
	while (lex_is_word(&p->token, "or")) {
		emit_jump(p, STEP_JUMP_IF_TRUE, &pending);
		advance(p);
		parse_and(p);
	}
	land(p, pending);
}

/* ---- programs ------------------------------------------------------------------------------ */

static bool keep_program(struct parser *p, struct program *out)
{
	struct scope *scope = p->scope;

	if (p->steps > RULES_MAX_STEPS - scope->steps) {
		wrong_at(p, 0,
			 "all conditions together have more than %d steps, macros written out",
			 RULES_MAX_STEPS);
		return false;
	}
	scope->steps += p->steps;
	out->step = arena_array(scope->arena, p->steps, sizeof *out->step);
	out->test = arena_array(scope->arena, p->tests, sizeof *out->test);
	if (out->step == NULL || out->test == NULL) {
		scope->no_memory = true;
		return false;
	}
	memcpy(out->step, p->step, p->steps * sizeof *out->step);
	memcpy(out->test, p->test, p->tests * sizeof *out->test);
	out->steps = p->steps;
	out->tests = p->tests;
	return true;
}

static bool compile(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		    unsigned depth, unsigned *macro_depth, struct program *out)
{
	struct parser p = {.scope = scope,
			   .doc = doc,
			   .node = node,
			   .depth = depth,
			   .lexer = {.arena = scope->arena, .text = node->text}};
	bool good = false;

	if (strlen(node->text) > RULE_MAX_CONDITION) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
			     "condition is longer than %zu bytes", RULE_MAX_CONDITION);
		return false;
	}
	p.step = calloc(RULE_MAX_STEPS, sizeof *p.step);
	p.test = calloc(RULE_MAX_STEPS, sizeof *p.test);
	if (p.step == NULL || p.test == NULL) {
		scope->no_memory = true;
		goto out;
	}
	advance(&p);
	parse_or(&p);
	if (p.token.type != LEX_END)
		unexpected(&p, "and, or, or the end");
	good = !p.wrong && keep_program(&p, out);
	*macro_depth = p.macro_depth;
out:
	free(p.step);
	free(p.test);
	return good;
}

static void compile_macro(struct scope *scope, struct macro *macro, unsigned depth)
{
	if (macro->state != MACRO_UNCHECKED)
		return;
	macro->state = MACRO_OPEN;
	macro->state =
	    compile(scope, macro->doc, macro->node, depth, &macro->depth, &macro->program)
		? MACRO_GOOD
		: MACRO_BROKEN;
}

void macro_compile(struct scope *scope, struct macro *macro)
{
	compile_macro(scope, macro, 0);
}

bool condition_compile(struct scope *scope, const struct yaml_doc *doc,
		       const struct yaml_node *node, struct program *out)
{
	unsigned macro_depth;

	return compile(scope, doc, node, 0, &macro_depth, out);
}
