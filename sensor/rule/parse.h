/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - a condition half read: shared by compile.c (expressions, programs) and comparison.c
 * (a field, an operator and its values).
 */
#ifndef RULE_PARSE_H
#define RULE_PARSE_H

#include "lex.h"
#include "ruleset.h"

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

/* Tells what is wrong at a byte of the text; parsing goes on. */
void parser_wrong_at(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Syntax: what stands here cannot stand here.  Nothing behind it is looked at. */
void parser_unexpected(struct parser *p, const char *wanted);
void parser_stop(struct parser *p);
void parser_advance(struct parser *p);
void parser_emit_test(struct parser *p, struct test *test);

/* From behind the field's name. */
void parse_comparison(struct parser *p, const struct lex_token *name);

#endif
