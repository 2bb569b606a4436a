/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - see err.h. */
#include "bulkhead/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEMS_KEPT 200

static void mark_truncation(char *text, size_t size, int wanted)
{
	if (wanted >= 0 && (size_t)wanted >= size)
		memcpy(text + size - 4, "...", 4);
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return code;
	err->code = code;
	va_start(args, fmt);
	mark_truncation(err->text, sizeof err->text,
			vsnprintf(err->text, sizeof err->text, fmt, args));
	va_end(args);
	return code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char prefix[256];
	char old[sizeof err->text];
	va_list args;

	if (err == NULL)
		return ERR_RUN;
	va_start(args, fmt);
	mark_truncation(prefix, sizeof prefix, vsnprintf(prefix, sizeof prefix, fmt, args));
	va_end(args);
	memcpy(old, err->text, sizeof old);
	mark_truncation(err->text, sizeof err->text,
			snprintf(err->text, sizeof err->text, "%s: %s", prefix, old));
	return err->code;
}

int err_exit_status(int code)
{
	switch (code) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_THRESHOLD:
		return 10;
	case ERR_DATA:
		return 65;
	case ERR_NOINPUT:
		return 66;
	case ERR_NOREDIS:
		return 69;
	case ERR_PERM:
		return 77;
	case ERR_CONFIG:
		return 78;
	default:
		return 1;
	}
}

static void append(struct problems *problems, const char *line, size_t len)
{
	char *text = realloc(problems->text, problems->len + len + 2);

	if (text == NULL) {
		problems->dropped++;
		return;
	}
	memcpy(text + problems->len, line, len);
	problems->len += len;
	text[problems->len++] = '\n';
	text[problems->len] = '\0';
	problems->text = text;
}

void problem_add(struct problems *problems, enum problem_level level, const char *file,
		 unsigned line, unsigned col, const char *fmt, ...)
{
	struct err text;
	char where[320];
	char message[1024];
	va_list args;
	int n;

	if (level == PROBLEM_ERROR)
		problems->errors++;
	else
		problems->warnings++;
	if (problems->errors + problems->warnings > PROBLEMS_KEPT) {
		problems->dropped++;
		return;
	}
	va_start(args, fmt);
	mark_truncation(text.text, sizeof text.text,
			vsnprintf(text.text, sizeof text.text, fmt, args));
	va_end(args);
	if (line == 0)
		(void)snprintf(where, sizeof where, "%s", file);
	else if (col == 0)
		(void)snprintf(where, sizeof where, "%s:%u", file, line);
	else
		(void)snprintf(where, sizeof where, "%s:%u:%u", file, line, col);
	n = snprintf(message, sizeof message, "%s: %s%s", where,
		     level == PROBLEM_WARNING ? "warning: " : "", text.text);
	if (n > 0)
		append(problems, message,
		       (size_t)n < sizeof message ? (size_t)n : sizeof message - 1);
}

void problems_fini(struct problems *problems)
{
	free(problems->text);
	*problems = (struct problems){0};
}
