/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c - TLS 1.2 and 1.3 as browsers and servers begin them (RFC 8446, RFC 5246), with a
 * certificate in DER whose key and signature are random bytes.
 */
#include <string.h>

#include "talk.h"

struct bytes {
	uint8_t at[PAYLOAD_MAX];
	size_t len;
};

static void add(struct bytes *b, const void *bytes, size_t len)
{
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

static void add8(struct bytes *b, unsigned value)
{
	b->at[b->len++] = (uint8_t)value;
}

static void add16(struct bytes *b, unsigned value)
{
	put16(b->at + b->len, value);
	b->len += 2;
}

static size_t gap(struct bytes *b, size_t len)
{
	memset(b->at + b->len, 0, len);
	b->len += len;
	return b->len - len;
}

/* Begins something with a length in front of it; close() fills the length in. */
static size_t open16(struct bytes *b)
{
	return gap(b, 2);
}

static void close16(struct bytes *b, size_t at)
{
	put16(b->at + at, (uint32_t)(b->len - at - 2));
}

static size_t open24(struct bytes *b)
{
	return gap(b, 3) + 1;
}

static void record(struct bytes *b, unsigned type, unsigned version)
{
	add8(b, type);
	add16(b, version);
}

static void server_name(struct bytes *b, const char *name)
{
	size_t extension, list, entry;

	add16(b, 0);
	extension = open16(b);
	list = open16(b);
	add8(b, 0);
	entry = open16(b);
	add(b, name, strlen(name));
	close16(b, entry);
	close16(b, list);
	close16(b, extension);
}

static const uint8_t more_extensions[] = {
    0x00, 0x17, 0x00, 0x00, 0xff, 0x01, 0x00, 0x01, 0x00, 0x00, 0x0a, 0x00, 0x0a, 0x00, 0x08,
    0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19, 0x00, 0x0b, 0x00, 0x02, 0x01, 0x00, 0x00,
    0x23, 0x00, 0x00, 0x00, 0x10, 0x00, 0x0e, 0x00, 0x0c, 0x02, 'h',  '2',  0x08, 'h',	't',
    't',  'p',	'/',  '1',  '.',  '1',	0x00, 0x0d, 0x00, 0x12, 0x00, 0x10, 0x04, 0x03, 0x08,
    0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01};
static const uint8_t for_13[] = {0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,
				 0x00, 0x2d, 0x00, 0x02, 0x01, 0x01, 0x00, 0x33, 0x00,
				 0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20};
static const uint8_t suites[] = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f,
				 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0xc0, 0x13,
				 0xc0, 0x14, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x2f, 0x00, 0x35};

static void client_hello(struct script *s, const char *name, bool v13)
{
	struct bytes b = {.len = 0};
	struct message *m;
	size_t outer, inner, list, random, session, key = 0;

	record(&b, 22, 0x0301);
	outer = open16(&b);
	add8(&b, 1);
	inner = open24(&b);
	add16(&b, 0x0303);
	random = gap(&b, 32);
	add8(&b, 32);
	session = gap(&b, 32);
	add16(&b, sizeof suites - (v13 ? 0 : 6));
	add(&b, suites + (v13 ? 0 : 6), sizeof suites - (v13 ? 0 : 6));
	add16(&b, 0x0100);
	list = open16(&b);
	server_name(&b, name);
	add(&b, more_extensions, sizeof more_extensions);
	if (v13) {
		add(&b, for_13, sizeof for_13);
		key = gap(&b, 32);
		if (b.len < 517 - 4) { /* browsers fill up to 517 bytes */
			add16(&b, 21);
			add16(&b, (unsigned)(517 - 2 - b.len));
			(void)gap(&b, 517 - b.len);
		}
	}
	close16(&b, list);
	close16(&b, inner);
	close16(&b, outer);
	m = talk_add(s, 0, b.at, b.len);
	talk_blank(m, random, 32, 1, false);
	talk_blank(m, session, 32, 2, false);
	if (v13)
		talk_blank(m, key, 32, 3, false);
}

static size_t der_open(struct bytes *b, unsigned tag)
{
	add8(b, tag);
	add8(b, 0x82);
	return open16(b);
}

static void der_name(struct bytes *b, const char *organisation, const char *common)
{
	const char *value[] = {"FR", organisation, common};
	static const uint8_t type[] = {6, 10, 3};
	size_t all = der_open(b, 0x30);

	for (unsigned i = 0; i < 3; i++) {
		size_t set = der_open(b, 0x31);
		size_t pair = der_open(b, 0x30);
		const uint8_t oid[] = {
		    0x06, 0x03, 0x55, 0x04, type[i], 0x0c, (uint8_t)strlen(value[i])};

		add(b, oid, sizeof oid);
		add(b, value[i], strlen(value[i]));
		close16(b, pair);
		close16(b, set);
	}
	close16(b, all);
}

static void certificate(struct bytes *b, const char *name)
{
	static const uint8_t head[] = {0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x08, 0x11, 0x22, 0x33,
				       0x44, 0x55, 0x66, 0x77, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x2a,
				       0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
	static const char validity[] = "\x30\x1e\x17\x0d"
				       "250101000000Z\x17\x0d"
				       "270101000000Z";
	size_t whole = der_open(b, 0x30);
	size_t signed_part = der_open(b, 0x30);
	size_t key;

	add(b, head, sizeof head);
	der_name(b, "Example Trust Services", "Example CA R3");
	add(b, validity, sizeof validity - 1);
	der_name(b, "A Customer", name);
	key = der_open(b, 0x30);
	add(b, head + 15, 15);
	for (unsigned i = 0; i < 256; i++)
		add8(b, (unsigned)mix64(i + strlen(name)) & 255);
	close16(b, key);
	close16(b, signed_part);
	add(b, head + 15, 15);
	for (unsigned i = 0; i < 256; i++)
		add8(b, (unsigned)mix64(i + 1000) & 255);
	close16(b, whole);
}

static void server_hello(struct script *s, const char *name, bool v13)
{
	struct bytes b = {.len = 0};
	struct message *m;
	size_t outer, inner, list, entry, random, session;

	record(&b, 22, 0x0303);
	outer = open16(&b);
	add8(&b, 2);
	inner = open24(&b);
	add16(&b, 0x0303);
	random = gap(&b, 32);
	add8(&b, 32);
	session = gap(&b, 32);
	add16(&b, v13 ? 0x1301 : 0xc02f);
	add8(&b, 0);
	list = open16(&b);
	if (v13)
		add(&b, "\x00\x2b\x00\x02\x03\x04", 6);
	else
		add(&b, "\xff\x01\x00\x01\x00\x00\x0b\x00\x02\x01\x00", 11);
	close16(&b, list);
	close16(&b, inner);
	close16(&b, outer);
	if (!v13) {
		record(&b, 22, 0x0303);
		outer = open16(&b);
		add8(&b, 11);
		inner = open24(&b);
		list = open24(&b);
		entry = open24(&b);
		certificate(&b, name);
		close16(&b, entry);
		close16(&b, list);
		close16(&b, inner);
		close16(&b, outer);
		add(&b, "\x16\x03\x03\x00\x04\x0e\x00\x00\x00", 9);
	}
	m = talk_add(s, 1, b.at, b.len);
	talk_blank(m, random, 32, 4, false);
	talk_blank(m, session, 32, 2, false);
}

static void application_data(struct script *s, unsigned from, unsigned type, size_t len,
			     uint8_t key)
{
	struct bytes b = {.len = 0};
	struct message *m;

	record(&b, type, 0x0303);
	add16(&b, (unsigned)len);
	(void)gap(&b, len);
	m = talk_add(s, from, b.at, b.len);
	talk_blank(m, 5, len, key, false);
}

void tls_scripts(struct scripts *all, bool whole)
{
	static const uint16_t size[] = {90, 1300, 1300, 620, 240, 1300, 1380, 40, 300, 900};

	for (unsigned i = 0; i < talk_name_count * 2; i++) {
		bool v13 = i % 2 == 0;
		struct script *s =
		    talk_new(all, v13 ? "tls13" : "tls12", PROTO_TCP, 443, whole ? 6 : 2);
		unsigned data = whole ? 3 + i % 7 : 0;

		client_hello(s, talk_names[i / 2], v13);
		if (whole || i % 4 == 0)
			server_hello(s, talk_names[i / 2], v13);
		if (whole) {
			application_data(s, 0, 20, 1, 9);
			application_data(s, 1, 20, 1, 10);
		}
		for (unsigned k = 0; k < data; k++)
			application_data(s, k % 3 != 0, 23, size[(k + i) % 10], (uint8_t)(20 + k));
		talk_finish(s, whole);
	}
}
