/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - writing JSON into a fixed buffer, printable ASCII only.
 *
 * Strings may come from the wire: control, DEL, bidirectional and format characters, the
 * characters < > & ' and everything beyond ASCII leave as \uXXXX; bytes that are not UTF-8
 * leave as \\xNN (a literal backslash, x, two digits).  At most 255 bytes of a string are written,
 * counted as a JSON reader gets them back; a character is never cut in two.
 *
 * invariant: len < size and buf is terminated; once something did not fit, overflow is set and
 * nothing more is written.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_STRING 255

struct json {
	char *buf;
	size_t size;
	size_t len;
	bool overflow;
	bool sanitised; /* a string was cut, or held control, bidi or format characters or no UTF-8
			 */
	bool comma;	/* the next member needs one */
};

void json_init(struct json *j, char *buf, size_t size);
/* key NULL inside arrays and at top level. */
void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);
void json_string(struct json *j, const char *key, const char *text);
void json_bytes(struct json *j, const char *key, const void *bytes, size_t len);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* A double with up to 6 significant decimals; NaN and infinities are written as 0. */
void json_double(struct json *j, const char *key, double value);

/* Writes text made safe for JSON, terminals and Redis into out as plain printable ASCII (the
 * same escapes, \" and \\ among them, without the quotes around), whole characters only.  Returns
 * true when something was changed or cut. */
bool text_sanitise(char *out, size_t size, const void *bytes, size_t len);

#endif
