/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armour.c - see armour.h.
 *
 * Writers of such text break it into lines that hold whole bytes (xxd: 30 of them, base64: 57 in
 * 76 characters), so that after a gap reading goes on with the next line.
 */
#include "detect/armour.h"

#include <string.h>

#include "detect/export_mark.h"

#define BITS_HEX 4
#define BITS_BASE64 6

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4648 4 and 5. */
static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

size_t armour_strip(struct armour *a, const uint8_t **data, size_t *len, uint8_t *out, size_t room)
{
	bool hex = a->coding == ARMOUR_HEX;
	unsigned step = hex ? BITS_HEX : BITS_BASE64;
	size_t count = 0;

	for (; *len > 0 && count < room; (*data)++, (*len)--) {
		uint8_t c = **data;
		int value = hex ? hex_value(c) : base64_value(c);

		if (c == '\n') {
			a->lost = false;
			a->bits = 0;
		}
		if (a->lost || value < 0) /* white space, and what pads the end */
			continue;
		a->value = (a->value << step | (uint32_t)value) & 0xfff;
		a->bits = (uint8_t)(a->bits + step);
		if (a->bits < 8)
			continue;
		a->bits = (uint8_t)(a->bits - 8);
		out[count++] = (uint8_t)(a->value >> a->bits);
	}
	return count;
}

static bool file_at(enum armour_coding coding, const uint8_t *data, size_t len)
{
	struct armour a = {.coding = (uint8_t)coding};
	struct mark file = {0};
	uint8_t head[PCAP_FILE_HEADER];
	size_t count = armour_strip(&a, &data, &len, head, sizeof head);

	return count == sizeof head && mark_file(head, count, &file);
}

/* What the magic numbers of pcap and pcapng are as text. */
static enum armour_coding coding_of(const uint8_t *p, size_t len)
{
	static const char *const hex[] = {"a1b2", "d4c3", "4d3c", "0a0d"};
	static const char *const base64[] = {"obLD", "1MOy", "obI8", "TTyy", "Cg0N"};

	if (len < 4)
		return ARMOUR_NONE;
	for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++)
		if ((p[0] | 0x20) == (uint8_t)(hex[i][0] | 0x20) && p[1] == (uint8_t)hex[i][1] &&
		    (p[2] | 0x20) == (uint8_t)(hex[i][2] | 0x20) && file_at(ARMOUR_HEX, p, len))
			return ARMOUR_HEX;
	for (size_t i = 0; i < sizeof base64 / sizeof base64[0]; i++)
		if (memcmp(p, base64[i], 4) == 0 && file_at(ARMOUR_BASE64, p, len))
			return ARMOUR_BASE64;
	return ARMOUR_NONE;
}

bool armour_begins(struct armour *a, const uint8_t *data, size_t len, size_t *at)
{
	static const char end_of_head[] = "\r\n\r\n";
	const uint8_t *body = data;

	if (len >= 5 && data[0] == 'P' &&
	    (memcmp(data, "POST ", 5) == 0 || memcmp(data, "PUT ", 4) == 0)) {
		body = memmem(data, len, end_of_head, sizeof end_of_head - 1);
		if (body == NULL)
			return false;
		body += sizeof end_of_head - 1;
	}
	*at = (size_t)(body - data);
	*a = (struct armour){.coding = (uint8_t)coding_of(body, len - *at)};
	return a->coding != ARMOUR_NONE;
}

void armour_gap(struct armour *a)
{
	a->lost = true;
	a->bits = 0;
}
