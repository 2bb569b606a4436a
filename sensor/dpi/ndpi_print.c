/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndpi_print.c - snprintf() for the three formats by which nDPI spells fingerprints.
 *
 * A TLS hello costs nDPI some sixty calls of snprintf() with "%s%u", "%02x" or "%02X", a fifth of
 * all the time that new flows take.  The library, built with FORTIFY_SOURCE, calls the checked
 * variant through the dynamic linker, so the program's definition takes its place: it spells these
 * three by hand and passes everything else on to the C library, checks included.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined __USE_FORTIFY_LEVEL && __USE_FORTIFY_LEVEL > 0

#define DIGITS 10 /* of a 32-bit number */

static int spell(char *out, size_t size, const char *before, const char *text, size_t len)
{
	size_t first = strlen(before);
	size_t room = size > 0 ? size - 1 : 0;
	size_t one = first < room ? first : room;
	size_t two = len < room - one ? len : room - one;

	if (size == 0)
		return (int)(first + len);
	memcpy(out, before, one);
	memcpy(out + one, text, two);
	out[one + two] = '\0';
	return (int)(first + len);
}

static int spell_hex(char *out, size_t size, unsigned value, const char *digit)
{
	char text[8];
	size_t at = sizeof text;

	do {
		text[--at] = digit[value & 15];
		value >>= 4;
	} while (value != 0 || at > sizeof text - 2);
	return spell(out, size, "", text + at, sizeof text - at);
}

static int spell_decimal(char *out, size_t size, const char *before, unsigned value)
{
	char text[DIGITS];
	size_t at = sizeof text;

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	return spell(out, size, before, text + at, sizeof text - at);
}

int __snprintf_chk(char *out, size_t size, int flag, size_t known, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	if (known < size || format[0] != '%') {
		len = __vsnprintf_chk(out, size, flag, known, format, args);
	} else if (strcmp(format, "%s%u") == 0) {
		const char *before = va_arg(args, const char *);

		len = spell_decimal(out, size, before != NULL ? before : "(null)",
				    va_arg(args, unsigned));
	} else if (strcmp(format, "%02x") == 0) {
		len = spell_hex(out, size, va_arg(args, unsigned), "0123456789abcdef");
	} else if (strcmp(format, "%02X") == 0) {
		len = spell_hex(out, size, va_arg(args, unsigned), "0123456789ABCDEF");
	} else {
		len = __vsnprintf_chk(out, size, flag, known, format, args);
	}
	va_end(args);
	return len;
}

#endif
