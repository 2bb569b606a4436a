/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c - see lex.h. */
#include "lex.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define NOT_IN_WORD BLANKS "(),\"=!<>"

static const struct {
	const char *text;
	enum lexeme type;
} marks[] = {
    /* The longer ones first. */
    {"==", LEX_EQUAL}, {"!=", LEX_NOT_EQUAL}, {"<=", LEX_LESS_EQUAL}, {">=", LEX_MORE_EQUAL},
    {"=", LEX_EQUAL},  {"<", LEX_LESS},	      {">", LEX_MORE},	      {"(", LEX_OPEN},
    {")", LEX_CLOSE},  {",", LEX_COMMA},
};

static struct lex_token bad(size_t at, const char *what)
{
	return (struct lex_token){.type = LEX_BAD, .text = what, .at = at};
}

static struct lex_token quoted(struct lexer *lexer)
{
	size_t from = lexer->at, used = 0;
	const char *open = lexer->text + from;
	const char *close = open + 1;
	char *text;

	while (*close != '"') {
		if (*close == '\0')
			return bad(from, "a quote that is not closed");
		if (*close == '\\' && close[1] != '"' && close[1] != '\\')
			return bad((size_t)(close - lexer->text),
				   "a backslash before neither \" nor \\");
		close += *close == '\\' ? 2 : 1;
	}
	text = arena_alloc(lexer->arena, (size_t)(close - open));
	if (text == NULL)
		return (struct lex_token){.type = LEX_NO_MEMORY, .text = "", .at = from};
	for (const char *p = open + 1; p < close; p++) {
		if (*p == '\\')
			p++;
		text[used++] = *p;
	}
	lexer->at = (size_t)(close + 1 - lexer->text);
	return (struct lex_token){.type = LEX_QUOTED, .text = text, .at = from};
}

static struct lex_token word(struct lexer *lexer)
{
	const char *p = lexer->text + lexer->at;
	size_t from = lexer->at, len = strcspn(p, NOT_IN_WORD);
	char *text;

	if (len == 0)
		return bad(from, "a stray \"!\"");
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '!' || p[i] > '~')
			return bad(from + i, "a character beyond ASCII outside quotes");
	}
	text = arena_strndup(lexer->arena, p, len);
	lexer->at += len;
	if (text == NULL)
		return (struct lex_token){.type = LEX_NO_MEMORY, .text = "", .at = from};
	return (struct lex_token){.type = LEX_WORD, .text = text, .at = from};
}

struct lex_token lex_next(struct lexer *lexer)
{
	const char *p;

	lexer->at += strspn(lexer->text + lexer->at, BLANKS);
	p = lexer->text + lexer->at;
	if (*p == '\0')
		return (struct lex_token){.type = LEX_END, .text = "the end", .at = lexer->at};
	if (*p == '"')
		return quoted(lexer);
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		size_t len = strlen(marks[i].text);

		if (strncmp(p, marks[i].text, len) == 0) {
			lexer->at += len;
			return (struct lex_token){
			    .type = marks[i].type, .text = marks[i].text, .at = lexer->at - len};
		}
	}
	return word(lexer);
}

bool lex_is_word(const struct lex_token *token, const char *text)
{
	return token->type == LEX_WORD && strcmp(token->text, text) == 0;
}
