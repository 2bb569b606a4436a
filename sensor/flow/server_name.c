/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_name.c - see server_name.h.
 *
 *	record (5) | handshake (4) | version (2) | random (32) | session id | cipher suites |
 *	compression | extensions: type (2), length (2) ...	RFC 5246 7.4.1.2
 *	extension 0: list length (2), type (1), length (2), name	RFC 6066 3
 */
#include "flow/server_name.h"

#include "base/cursor.h"

#define EXTENSIONS 64 /* that are looked at */
#define HOST_NAME 0

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

bool server_name(const uint8_t *payload, size_t len, char *out, size_t size)
{
	struct cursor c = cursor_over(payload, len);

	if (cursor_be16(&c) >> 8 != 22)
		return false;
	cursor_skip(&c, 3);
	if (cursor_u8(&c) != 1)
		return false;
	cursor_skip(&c, 3 + 2 + 32);
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, cursor_be16(&c));
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 2);
	for (unsigned i = 0; i < EXTENSIONS && cursor_left(&c) >= 4; i++) {
		uint16_t type = cursor_be16(&c);
		uint16_t room = cursor_be16(&c);
		const uint8_t *body = cursor_take(&c, room);

		if (body == NULL)
			return false;
		if (type == 0)
			return copy_name(cursor_over(body, room), out, size);
	}
	return false;
}
