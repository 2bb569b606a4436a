/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndpi_speed.c - functions that nDPI calls so often that they are worth writing again, faster.
 *
 * Libraries call exported functions, their own included, through the dynamic linker, so that the
 * program's definition takes the place of theirs.  Where it does not, nothing changes but the time.
 */
#include "dpi/ndpi_speed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dpi/ndpi_compat.h"

#if NDPI_RELEASE <= 402
/*
 * Whether two sets have a protocol in common: the innermost loop of nDPI.  For every packet it asks
 * this of each of its 240 dissectors, a third of all it does with traffic that it does not know.
 */
int NDPI_BITMASK_COMPARE(NDPI_PROTOCOL_BITMASK a, NDPI_PROTOCOL_BITMASK b)
{
	typedef uint64_t words __attribute__((vector_size(16)));
	words x[sizeof a / sizeof(words)];
	words y[sizeof b / sizeof(words)];
	words both;

	_Static_assert(sizeof x == sizeof a && sizeof x == 64, "512 protocols");
	memcpy(x, &a, sizeof x);
	memcpy(y, &b, sizeof y);
	both = (x[0] & y[0]) | (x[1] & y[1]) | (x[2] & y[2]) | (x[3] & y[3]);
	return (both[0] | both[1]) != 0;
}
#endif

/* ---- numbers as text ------------------------------------------------------------------------- */

#define DECIMALS 10 /* of 2^32 - 1 */

struct text {
	char *at;
	size_t room; /* with the zero byte at the end */
	size_t len;  /* what there would be, had there been room */
};

static void put(struct text *t, const char *bytes, size_t len)
{
	size_t left = t->len + 1 < t->room ? t->room - 1 - t->len : 0;

	if (left > 0)
		memcpy(t->at + t->len, bytes, len < left ? len : left);
	t->len += len;
}

static void put_decimal(struct text *t, unsigned value)
{
	char digits[DECIMALS];
	size_t at = DECIMALS;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	put(t, digits + at, DECIMALS - at);
}

static void put_hex(struct text *t, unsigned value, const char digit[static 16])
{
	char digits[2 * sizeof value];
	size_t at = sizeof digits;

	do {
		digits[--at] = digit[value & 15];
		value >>= 4;
	} while (value != 0 || at > sizeof digits - 2);
	put(t, digits + at, sizeof digits - at);
}

/* False when the format is none of those that a TLS hello is hashed with: JA3 is a list of numbers
 * in text, a hundred calls a hello, a fifth of all that nDPI does with TLS. */
static bool format_quickly(struct text *t, const char *format, va_list args)
{
	if (strcmp(format, "%s%u") == 0) {
		const char *before = va_arg(args, const char *);

		put(t, before, strlen(before));
		put_decimal(t, va_arg(args, unsigned));
	} else if (strcmp(format, "%02x") == 0) {
		put_hex(t, va_arg(args, unsigned), "0123456789abcdef");
	} else if (strcmp(format, "%02X") == 0) {
		put_hex(t, va_arg(args, unsigned), "0123456789ABCDEF");
	} else {
		return false;
	}
	if (t->room > 0)
		t->at[t->len < t->room ? t->len : t->room - 1] = '\0';
	return true;
}

/* What snprintf() is in a program that is compiled with _FORTIFY_SOURCE: room is the size of the
 * array, as far as the compiler knows it (Linux Standard Base 5.0, __snprintf_chk). */
int __snprintf_chk(char *s, size_t size, int flag, size_t room, const char *format, ...)
{
	struct text text = {.at = s, .room = size};
	va_list args;
	int len;

	va_start(args, format);
	if (size <= room && format_quickly(&text, format, args))
		len = (int)text.len;
	else
		len = __vsnprintf_chk(s, size, flag, room, format, args);
	va_end(args);
	return len;
}
