/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - see json.h.
 *
 * Text is read as UTF-8, strictly (no overlong forms, no surrogates): what passes leaves as
 * itself or as \uXXXX, every byte that does not as \\xNN.  The limit of 255 bytes counts what a
 * reader gets back after parsing, so that 255 bytes of garbage do not become 1020.
 */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

static const char hex[] = "0123456789abcdef";

/* One character of text turned into ASCII. */
struct escaped {
	char text[12];	 /* a surrogate pair at most */
	uint8_t len;	 /* of text */
	uint8_t used;	 /* bytes of input */
	uint8_t decoded; /* bytes that a JSON reader gets back */
	bool changed;	 /* not written as itself */
	bool unsafe;	 /* control, bidi or format character, or not UTF-8 */
};

/* Length of the valid UTF-8 sequence at p and its code point; 0 when it is none (RFC 3629). */
static unsigned utf8_sequence(const uint8_t *p, size_t len, uint32_t *code)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (n == 1) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
		return 0;
	*code = p[0] & (0x7fU >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

/* Characters that a reader does not see but that change what is seen: C0, DEL, C1, and Unicode's
 * format characters (bidirectional overrides, joiners, tags ...), line and paragraph separators. */
static bool is_unsafe(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	    {0x00, 0x1f},     {0x7f, 0x9f},	{0xad, 0xad},	    {0x0600, 0x0605},
	    {0x061c, 0x061c}, {0x06dd, 0x06dd}, {0x070f, 0x070f},   {0x180b, 0x180f},
	    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfe00, 0xfe0f},
	    {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static void put_u(struct escaped *e, uint32_t unit)
{
	char *at = e->text + e->len;

	at[0] = '\\';
	at[1] = 'u';
	for (unsigned i = 0; i < 4; i++)
		at[2 + i] = hex[unit >> (12 - 4 * i) & 15];
	e->len = (uint8_t)(e->len + 6);
}

static struct escaped escape_one(const uint8_t *p, size_t len)
{
	struct escaped e = {.used = 1, .decoded = 1, .changed = true};
	uint32_t code = 0;
	unsigned n = utf8_sequence(p, len, &code);

	if (n == 0) {
		memcpy(e.text, "\\\\x", 3);
		e.text[3] = hex[p[0] >> 4];
		e.text[4] = hex[p[0] & 15];
		e.len = 5;
		e.decoded = 4;
		e.unsafe = true;
		return e;
	}
	e.used = e.decoded = (uint8_t)n;
	e.unsafe = is_unsafe(code);
	if (code == '"' || code == '\\') {
		e.text[e.len++] = '\\';
		e.text[e.len++] = (char)code;
	} else if (code < 0x20 || code > 0x7e || strchr("<>&'", (int)code) != NULL) {
		if (code > 0xffff) {
			put_u(&e, 0xd800 | (code - 0x10000) >> 10);
			put_u(&e, 0xdc00 | ((code - 0x10000) & 0x3ff));
		} else {
			put_u(&e, code);
		}
	} else {
		e.text[e.len++] = (char)code;
		e.changed = false;
	}
	return e;
}

/* What leaves as itself: printable ASCII but for " \ < > & '. */
static const bool plain[256] = {
    [' '] = true, ['!'] = true,		['#' ... '%'] = true, ['(' ... ';'] = true,
    ['='] = true, ['?' ... '['] = true, [']' ... '~'] = true,
};

/* How many of the bytes from p on, at most len, leave as themselves. */
static size_t plain_run(const uint8_t *p, size_t len)
{
	size_t run = 0;

	while (run < len && plain[p[run]])
		run++;
	return run;
}

static void put(struct json *j, const char *text, size_t len)
{
	if (j->overflow || j->size - j->len <= len) {
		j->overflow = true;
		return;
	}
	memcpy(j->buf + j->len, text, len);
	j->len += len;
	j->buf[j->len] = '\0';
}

static void put_string(struct json *j, const uint8_t *p, size_t len)
{
	size_t room = JSON_MAX_STRING;

	put(j, "\"", 1);
	while (len > 0) {
		size_t run = plain_run(p, len < room ? len : room);
		struct escaped e;

		put(j, (const char *)p, run);
		p += run;
		len -= run;
		room -= run;
		if (len == 0)
			break;
		e = escape_one(p, len);
		if (e.decoded > room) {
			j->sanitised = true;
			break;
		}
		put(j, e.text, e.len);
		j->sanitised |= e.unsafe;
		p += e.used;
		len -= e.used;
		room -= e.decoded;
	}
	put(j, "\"", 1);
}

/* What stands before a value: a comma where one is due, and the key. */
static void begin(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key == NULL)
		return;
	put_string(j, (const uint8_t *)key, strlen(key));
	put(j, ":", 1);
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
	begin(j, key);
	put(j, bracket, 1);
	j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
	put(j, bracket, 1);
	j->comma = true;
}

void json_init(struct json *j, char *buf, size_t size)
{
	*j = (struct json){.buf = buf, .size = size, .overflow = size == 0};
	if (size > 0)
		buf[0] = '\0';
}

void json_open_object(struct json *j, const char *key)
{
	open_with(j, key, "{");
}

void json_close_object(struct json *j)
{
	close_with(j, "}");
}

void json_open_array(struct json *j, const char *key)
{
	open_with(j, key, "[");
}

void json_close_array(struct json *j)
{
	close_with(j, "]");
}

void json_bytes(struct json *j, const char *key, const void *bytes, size_t len)
{
	begin(j, key);
	put_string(j, bytes, len);
}

void json_string(struct json *j, const char *key, const char *text)
{
	json_bytes(j, key, text, strlen(text));
}

/* Writes the digits of value so that they end at end; returns their start. */
static char *digits(char *end, uint64_t value)
{
	do
		*--end = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	return end;
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	char text[24];
	char *end = text + sizeof text;
	char *start = digits(end, value);

	begin(j, key);
	put(j, start, (size_t)(end - start));
}

void json_int(struct json *j, const char *key, int64_t value)
{
	char text[24];
	char *end = text + sizeof text;
	char *start = digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		*--start = '-';
	begin(j, key);
	put(j, start, (size_t)(end - start));
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_double(struct json *j, const char *key, double value)
{
	char text[32];
	int len;

	if (!__builtin_isfinite(value))
		value = 0;
	len = snprintf(text, sizeof text, "%.6g", value);
	begin(j, key);
	put(j, text, (size_t)len);
}

bool text_sanitise(char *out, size_t size, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	bool changed = false;
	size_t at = 0;

	if (size == 0)
		return len > 0;
	while (len > 0) {
		struct escaped e = escape_one(p, len);

		changed |= e.changed;
		if (size - at <= e.len) {
			changed = true;
			break;
		}
		memcpy(out + at, e.text, e.len);
		at += e.len;
		p += e.used;
		len -= e.used;
	}
	out[at] = '\0';
	return changed;
}
