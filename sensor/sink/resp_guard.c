/* SPDX-License-Identifier: Apache-2.0 */
/* resp_guard.c - see resp_guard.h. */
#include "sink/resp_guard.h"

#include <stdbool.h>
#include <string.h>

void resp_guard_init(struct resp_guard *g)
{
	memset(g, 0, sizeof *g);
}

void resp_guard_exchange(struct resp_guard *g)
{
	g->bytes = 0;
	g->elements = 0;
}

/* The length in a header line: -1 for nil, -2 when it is none. */
static int64_t header_length(const struct resp_guard *g)
{
	uint32_t digits = g->line_len - 1; /* without the CR */
	int64_t value = 0;

	if (digits == 2 && g->digits[0] == '-' && g->digits[1] == '1')
		return -1;
	if (digits == 0 || digits > 10)
		return -2;
	for (uint32_t i = 0; i < digits; i++) {
		if (g->digits[i] < '0' || g->digits[i] > '9')
			return -2;
		value = value * 10 + (g->digits[i] - '0');
	}
	return value;
}

/* The line of a header is complete. */
static const char *end_line(struct resp_guard *g)
{
	int64_t length;

	if (g->type != '$' && g->type != '*')
		return NULL;
	length = header_length(g);
	if (length == -2)
		return "a length that is no number";
	if (length == -1)
		return NULL;
	if (g->type == '$') {
		if (length > RESP_MAX_BULK)
			return "a string longer than any answer to us";
		g->body = (uint64_t)length + 2;
		return NULL;
	}
	if (length > RESP_MAX_ELEMENTS - g->elements)
		return "more elements than any answer to us";
	g->elements += (uint32_t)length;
	return NULL;
}

static const char *feed_byte(struct resp_guard *g, char c)
{
	const char *wrong;
	bool is_header = g->type == '$' || g->type == '*';

	if (g->type == '\0') {
		if (c == '\0' || strchr("+-:$*", c) == NULL)
			return "a byte that starts no reply";
		g->type = c;
		g->line_len = 0;
		return NULL;
	}
	if (c == '\n') {
		if (g->line_len == 0 || g->digits[sizeof g->digits - 1] != '\r')
			return "a line that does not end in CR LF";
		wrong = end_line(g);
		g->type = '\0';
		return wrong;
	}
	if (g->line_len > 0 && g->digits[sizeof g->digits - 1] == '\r')
		return "a CR inside a line";
	if (g->line_len >= (is_header ? sizeof g->digits - 1 : RESP_MAX_LINE))
		return "a line longer than any answer to us";
	if (g->line_len < sizeof g->digits - 1)
		g->digits[g->line_len] = c;
	g->digits[sizeof g->digits - 1] = c; /* the last cell remembers the byte before */
	g->line_len++;
	return NULL;
}

const char *resp_guard_feed(struct resp_guard *g, const char *data, size_t len)
{
	const char *wrong;

	g->bytes += len;
	if (g->bytes > RESP_MAX_BYTES)
		return "more bytes than any answer to us";
	while (len > 0) {
		if (g->body > 0) {
			size_t skip = g->body < len ? (size_t)g->body : len;

			g->body -= skip;
			data += skip;
			len -= skip;
			continue;
		}
		wrong = feed_byte(g, *data++);
		if (wrong != NULL)
			return wrong;
		len--;
	}
	return NULL;
}
