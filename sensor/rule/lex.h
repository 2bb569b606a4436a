/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex.h - the words of a condition.
 *
 *	word	anything printable but blanks and ( ) , " = ! < >
 *	"..."	any text; \" and \\ inside
 *	( ) ,	= == != < <= > >=
 */
#ifndef RULE_LEX_H
#define RULE_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum lexeme {
	LEX_END,
	LEX_WORD,
	LEX_QUOTED,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_COMMA,
	LEX_EQUAL,
	LEX_NOT_EQUAL,
	LEX_LESS,
	LEX_LESS_EQUAL,
	LEX_MORE,
	LEX_MORE_EQUAL,
	LEX_BAD, /* text says what is wrong */
	LEX_NO_MEMORY
};

struct lex_token {
	enum lexeme type;
	const char *text; /* WORD, QUOTED: the text; otherwise as messages name it */
	size_t at;	  /* where it begins */
};

struct lexer {
	struct arena *arena;
	const char *text;
	size_t at;
};

struct lex_token lex_next(struct lexer *lexer);
bool lex_is_word(const struct lex_token *token, const char *word);

#endif
