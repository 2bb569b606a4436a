/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_name.c - see server_name.h.
 *
 *	record (5) | handshake (4) | version (2) | random (32) | session id | cipher suites |
 *	compression | extensions: type (2), length (2) ...	RFC 5246 7.4.1.2
 *	extension 0: list length (2), type (1), length (2), name	RFC 6066 3
 */
#include "flow/server_name.h"

#include <stdlib.h>

#include "base/cursor.h"

#define EXTENSIONS 64 /* that are looked at */
#define HOST_NAME 0
#define VALUES_MAX 126 /* of each kind that a print is made of */

enum extension {
	SERVER_NAME = 0,
	GROUPS = 10,
	POINT_FORMATS = 11,
	PADDING = 21,
	PRE_SHARED_KEY = 41, /* this and the next: only when a session is taken up again */
	EARLY_DATA = 42,
};

static bool copy_name(struct cursor body, char *out, size_t size)
{
	const uint8_t *name;
	size_t len;

	cursor_skip(&body, 2);
	if (cursor_u8(&body) != HOST_NAME)
		return false;
	len = cursor_be16(&body);
	name = cursor_take(&body, len);
	if (name == NULL || len == 0)
		return false;
	if (len >= size) {
		name += len - (size - 1);
		len = size - 1;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	out[len] = '\0';
	return true;
}

/* Up to the cipher suites. */
static bool begin(struct cursor *c, const uint8_t *payload, size_t len)
{
	*c = cursor_over(payload, len);
	if (cursor_be16(c) >> 8 != 22)
		return false;
	cursor_skip(c, 3);
	if (cursor_u8(c) != 1)
		return false;
	cursor_skip(c, 3 + 2 + 32);
	cursor_skip(c, cursor_u8(c));
	return !c->failed;
}

bool server_name(const uint8_t *payload, size_t len, char *out, size_t size)
{
	struct cursor c;

	if (!begin(&c, payload, len))
		return false;
	cursor_skip(&c, cursor_be16(&c));
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 2);
	for (unsigned i = 0; i < EXTENSIONS && cursor_left(&c) >= 4; i++) {
		uint16_t type = cursor_be16(&c);
		uint16_t room = cursor_be16(&c);
		const uint8_t *body = cursor_take(&c, room);

		if (body == NULL)
			return false;
		if (type == SERVER_NAME)
			return copy_name(cursor_over(body, room), out, size);
	}
	return false;
}

/* ---- the print ------------------------------------------------------------------------------- */

struct values { /* hashed as bytes: no padding */
	uint32_t count;
	uint16_t value[VALUES_MAX];
};

static void add(struct values *v, uint16_t value)
{
	bool grease = (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);

	if (!grease && v->count < VALUES_MAX)
		v->value[v->count++] = value;
}

static void add_list(struct values *v, const uint8_t *list, size_t len)
{
	struct cursor c = cursor_over(list, len);

	while (cursor_left(&c) >= 2)
		add(v, cursor_be16(&c));
	add(v, UINT16_MAX); /* the list's end */
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Lists are by kind, not by the place of their extension. */
struct print {
	struct values ciphers, types, groups, formats;
};

static void add_extension(struct print *p, uint16_t type, const uint8_t *body, size_t len)
{
	if (type == PADDING || type == PRE_SHARED_KEY || type == EARLY_DATA)
		return;
	add(&p->types, type);
	if (type == GROUPS && len > 2)
		add_list(&p->groups, body + 2, len - 2);
	else if (type == POINT_FORMATS)
		add_list(&p->formats, body, len);
}

static bool read_print(struct cursor *c, struct print *p)
{
	size_t len = cursor_be16(c);
	const uint8_t *body = cursor_take(c, len);

	if (body == NULL)
		return false;
	add_list(&p->ciphers, body, len);
	cursor_skip(c, cursor_u8(c));
	cursor_skip(c, 2);
	for (unsigned i = 0; i < EXTENSIONS && cursor_left(c) >= 4; i++) {
		uint16_t type = cursor_be16(c);

		len = cursor_be16(c);
		body = cursor_take(c, len);
		if (body == NULL)
			return false;
		add_extension(p, type, body, len);
	}
	return !c->failed;
}

uint64_t hello_print(const uint8_t *payload, size_t len, const struct hash_key *key)
{
	struct print p = {.ciphers = {.count = 0}};
	struct cursor c;

	if (!begin(&c, payload, len))
		return 0;
	add(&p.ciphers, read_be16(payload + 9)); /* the version */
	if (!read_print(&c, &p))
		return 0;
	qsort(p.types.value, p.types.count, sizeof p.types.value[0], by_value);
	return hash64(key, &p, sizeof p) | 1;
}
