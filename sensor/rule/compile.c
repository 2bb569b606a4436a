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

#include "parse.h"

#define NO_JUMP UINT32_MAX

void parser_wrong_at(struct parser *p, size_t at, const char *fmt, ...)
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

void parser_stop(struct parser *p)
{
	p->wrong = true;
	p->stopped = true;
	p->token = (struct lex_token){.type = LEX_END, .text = "the end"};
}

void parser_advance(struct parser *p)
{
	if (p->stopped)
		return;
	p->token = lex_next(&p->lexer);
	if (p->token.type == LEX_BAD) {
		parser_wrong_at(p, p->token.at, "condition has %s", p->token.text);
		parser_stop(p);
	} else if (p->token.type == LEX_NO_MEMORY) {
		p->scope->no_memory = true;
		parser_stop(p);
	}
}

void parser_unexpected(struct parser *p, const char *wanted)
{
	const char *quote = p->token.type == LEX_END ? "" : "\"";

	if (p->stopped)
		return;
	parser_wrong_at(p, p->token.at, "expected %s, found %s%.60s%s", wanted, quote,
			p->token.text, quote);
	parser_stop(p);
}

/* ---- emitting ------------------------------------------------------------------------------ */

static void emit(struct parser *p, enum step_op op, uint32_t arg)
{
	if (p->stopped)
		return;
	if (p->steps == RULE_MAX_STEPS) {
		parser_wrong_at(p, p->token.at,
				"condition has more than %d steps, macros written out",
				RULE_MAX_STEPS);
		parser_stop(p);
		return;
	}
	p->step[p->steps++] = (struct step){.op = (uint8_t)op, .arg = arg};
}

void parser_emit_test(struct parser *p, struct test *test)
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
			parser_emit_test(p, program->test[s->arg]);
		else
			emit(p, s->op, s->op == STEP_NOT ? 0 : s->arg + steps);
	}
}

/* ---- expressions --------------------------------------------------------------------------- */

static void compile_macro(struct scope *scope, struct macro *macro, unsigned depth);

/* Calls go round as far as parentheses and macros are inside each other: RULE_MAX_DEPTH. */
/* NOLINTBEGIN(misc-no-recursion) */

static void use_macro(struct parser *p, const struct lex_token *name)
{
	struct macro *macro = scope_macro(p->scope, name->text);
	const char *near;

	if (macro == NULL) {
		near = scope_nearest(p->scope, name->text, true, true);
		if (scope_list(p->scope, name->text) != NULL)
			parser_wrong_at(p, name->at, "\"%s\" is a list; write \"FIELD in (%s)\"",
					name->text, name->text);
		else if (near != NULL)
			parser_wrong_at(p, name->at, "no macro \"%.60s\"; did you mean \"%s\"?",
					name->text, near);
		else
			parser_wrong_at(p, name->at,
					"no macro \"%.60s\"; a comparison reads \"field = value\"",
					name->text);
		return;
	}
	if (macro->state == MACRO_OPEN) {
		parser_wrong_at(p, name->at, "macro \"%s\" uses itself", name->text);
		return;
	}
	if (p->depth >= RULE_MAX_DEPTH) {
		parser_wrong_at(p, name->at, "macros inside each other more than %d deep",
				RULE_MAX_DEPTH);
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
		parser_wrong_at(p, name->at, "macros inside each other more than %d deep",
				RULE_MAX_DEPTH);
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
			parser_wrong_at(p, name.at, "parentheses more than %d deep",
					RULE_MAX_DEPTH);
			parser_stop(p);
			return;
		}
		parser_advance(p);
		parse_or(p);
		if (p->token.type != LEX_CLOSE)
			parser_unexpected(p, "and, or, or \")\"");
		parser_advance(p);
		p->depth--;
		return;
	}
	for (const char *const *k = keywords; *k != NULL; k++) {
		if (lex_is_word(&name, *k))
			name.type = LEX_END;
	}
	if (name.type != LEX_WORD) {
		parser_unexpected(p, "a field, a macro or \"(\"");
		return;
	}
	parser_advance(p);
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
		parser_advance(p);
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
		parser_advance(p);
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
		parser_advance(p);
		parse_and(p);
	}
	land(p, pending);
}

/* ---- programs ------------------------------------------------------------------------------ */

static bool keep_program(struct parser *p, struct program *out)
{
	struct scope *scope = p->scope;

	if (p->steps > RULES_MAX_STEPS - scope->steps) {
		parser_wrong_at(
		    p, 0, "all conditions together have more than %d steps, macros written out",
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
	parser_advance(&p);
	parse_or(&p);
	if (p.token.type != LEX_END)
		parser_unexpected(&p, "and, or, or the end");
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
/* NOLINTEND(misc-no-recursion) */
