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
 *
 * The sets come by value, pushed word by word just before.  A load that is wider than the stores it
 * reads waits until they have left the store buffer, three times as long as all the rest here
 * takes: volatile keeps the compiler from making vectors of it.
 */
int NDPI_BITMASK_COMPARE(NDPI_PROTOCOL_BITMASK a, NDPI_PROTOCOL_BITMASK b)
{
	typedef uint64_t __attribute__((may_alias)) word;
	const volatile word *x = (const volatile word *)&a;
	const volatile word *y = (const volatile word *)&b;
	word both;

	_Static_assert(sizeof a == 64, "512 protocols");
	if ((x[0] & y[0]) != 0) /* every other time: "unknown" is bit 0 */
		return 1;
	both = x[1] & y[1];
	both |= x[2] & y[2];
	both |= x[3] & y[3];
	both |= x[4] & y[4];
	both |= x[5] & y[5];
	both |= x[6] & y[6];
	both |= x[7] & y[7];
	return both != 0;
}
#endif

/*
 * Whether a payload begins with a word.  One dissector alone (FTP) asks this for sixty words of
 * every packet that nobody knows; most answers are in the first byte.
 */
int ndpi_match_prefix(const uint8_t *payload, size_t payload_len, const char *word, size_t len)
{
	if (len == 0 || len > payload_len)
		return len == 0;
	return payload[0] == (uint8_t)word[0] && memcmp(payload, word, len) == 0;
}

/*
 * Where a text is found in another that ends with `slen` bytes or a zero.  Dissectors look through
 * whole payloads for their words.
 */
char *ndpi_strnstr(const char *s, const char *find, size_t slen)
{
	return memmem(s, strnlen(s, slen), find, strlen(find));
}

/* ---- numbers as text ------------------------------------------------------------------------- */

#define DECIMALS 10 /* of 2^32 - 1 */
#define HEX_DIGITS 8

static size_t put_decimal(char *to, unsigned value)
{
	char digits[DECIMALS];
	size_t at = DECIMALS;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	for (size_t i = at; i < DECIMALS; i++)
		to[i - at] = digits[i];
	return DECIMALS - at;
}

static size_t put_hex(char *to, unsigned value, const char digit[static 16])
{
	char digits[HEX_DIGITS];
	size_t at = HEX_DIGITS;

	do {
		digits[--at] = digit[value & 15];
		value >>= 4;
	} while (value != 0 || at > HEX_DIGITS - 2);
	for (size_t i = at; i < HEX_DIGITS; i++)
		to[i - at] = digits[i];
	return HEX_DIGITS - at;
}

/*
 * The formats that a TLS hello is hashed with: JA3 is a list of numbers in text, a hundred calls a
 * hello, a third of all that nDPI does with TLS.  Only where there is room for sure, so that
 * nothing need be cut; -1: not done.
 */
static int format_quickly(char *s, size_t size, const char *format, va_list args)
{
	size_t len = 0;

	if (size <= DECIMALS || format[0] != '%')
		return -1;
	if (format[1] == 's' && format[2] == '%' && format[3] == 'u' && format[4] == '\0') {
		const char *before = va_arg(args, const char *);

		if (before[0] != '\0' && (before[1] != '\0' || size <= DECIMALS + 1))
			return -1;
		if (before[0] != '\0')
			s[len++] = before[0];
		len += put_decimal(s + len, va_arg(args, unsigned));
	} else if (format[1] == '0' && format[2] == '2' && format[3] == 'x' && format[4] == '\0') {
		len = put_hex(s, va_arg(args, unsigned), "0123456789abcdef");
	} else if (format[1] == '0' && format[2] == '2' && format[3] == 'X' && format[4] == '\0') {
		len = put_hex(s, va_arg(args, unsigned), "0123456789ABCDEF");
	} else {
		return -1;
	}
	s[len] = '\0';
	return (int)len;
}

/* What snprintf() is in a program that is compiled with _FORTIFY_SOURCE: room is the size of the
 * array, as far as the compiler knows it (Linux Standard Base 5.0, __snprintf_chk). */
int __snprintf_chk(char *s, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;
	int len = -1;

	if (size <= room) {
		va_start(args, format);
		len = format_quickly(s, size, format, args);
		va_end(args);
	}
	if (len >= 0)
		return len;
	va_start(args, format);
	len = __vsnprintf_chk(s, size, flag, room, format, args);
	va_end(args);
	return len;
}
