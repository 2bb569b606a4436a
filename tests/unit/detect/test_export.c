/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_export.c - captures are read out of streams however these are cut, and survive gaps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bulkhead/frame.h"
#include "detect/export.h"

#define NOW_S 1767312000u
#define NOW_NS (NOW_S * UINT64_C(1000000000))
#define PACKETS 5
#define SPACE 4096

struct stream {
	uint8_t bytes[SPACE];
	size_t len;
	size_t record[PACKETS]; /* where each begins */
};

struct seen {
	unsigned count;
	uint32_t bytes;
	uint16_t linktype;
	uint8_t last; /* last byte of the newest packet */
};

static void each(void *context, const struct export_packet *packet)
{
	struct seen *seen = context;

	seen->count++;
	seen->bytes += packet->caplen;
	seen->linktype = packet->linktype;
	seen->last = packet->data[packet->caplen - 1];
	assert_true(packet->caplen <= packet->len);
}

static void put(struct stream *s, uint32_t value, unsigned size, bool big)
{
	for (unsigned i = 0; i < size; i++)
		s->bytes[s->len++] = (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
}

static uint32_t size_of(unsigned n)
{
	return 60 + 37 * n;
}

static void put_packet(struct stream *s, unsigned n)
{
	static const uint8_t head[15] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};

	memcpy(s->bytes + s->len, head, sizeof head);
	for (uint32_t i = sizeof head; i < size_of(n); i++)
		s->bytes[s->len + i] = (uint8_t)(i * 7 + n);
	s->len += size_of(n);
}

static void make_pcap(struct stream *s, bool big, bool nano, bool header)
{
	if (header) {
		put(s, nano ? 0xa1b23c4d : 0xa1b2c3d4, 4, big);
		put(s, 2, 2, big);
		put(s, 4, 2, big);
		put(s, 0, 4, big);
		put(s, 0, 4, big);
		put(s, 65535, 4, big);
		put(s, LINK_ETHERNET, 4, big);
	}
	for (unsigned n = 0; n < PACKETS; n++) {
		s->record[n] = s->len;
		put(s, NOW_S + n, 4, big);
		put(s, 1000 * n, 4, big);
		put(s, size_of(n), 4, big);
		put(s, size_of(n), 4, big);
		put_packet(s, n);
	}
}

static void make_pcapng(struct stream *s, bool big)
{
	put(s, 0x0a0d0d0a, 4, big);
	put(s, 28, 4, big);
	put(s, 0x1a2b3c4d, 4, big);
	put(s, 1, 2, big);
	put(s, 0, 2, big);
	put(s, UINT32_MAX, 4, big);
	put(s, UINT32_MAX, 4, big);
	put(s, 28, 4, big);
	put(s, 1, 4, big);
	put(s, 20, 4, big);
	put(s, LINK_ETHERNET, 2, big);
	put(s, 0, 2, big);
	put(s, 65535, 4, big);
	put(s, 20, 4, big);
	for (unsigned n = 0; n < PACKETS; n++) {
		uint32_t padded = (size_of(n) + 3) / 4 * 4;
		uint64_t micro = (uint64_t)(NOW_S + n) * 1000000;

		s->record[n] = s->len;
		put(s, 6, 4, big);
		put(s, padded + 32, 4, big);
		put(s, 0, 4, big);
		put(s, (uint32_t)(micro >> 32), 4, big);
		put(s, (uint32_t)micro, 4, big);
		put(s, size_of(n), 4, big);
		put(s, size_of(n), 4, big);
		put_packet(s, n);
		s->len += padded - size_of(n);
		put(s, padded + 32, 4, big);
	}
}

static void make_rpcap(struct stream *s)
{
	for (unsigned n = 0; n < PACKETS; n++) {
		s->record[n] = s->len;
		put(s, 7, 2, true);
		put(s, 0, 2, true);
		put(s, size_of(n) + 20, 4, true);
		put(s, NOW_S, 4, true);
		put(s, n, 4, true);
		put(s, size_of(n), 4, true);
		put(s, size_of(n), 4, true);
		put(s, n + 1, 4, true);
		put_packet(s, n);
	}
}

static uint32_t all_bytes(unsigned from)
{
	uint32_t bytes = 0;

	for (unsigned n = from; n < PACKETS; n++)
		bytes += size_of(n);
	return bytes;
}

/* From a copy that ends with its heap block, so that a sanitizer sees a read behind it. */
static void feed(struct export_stream *in, const uint8_t *data, size_t len, struct seen *seen)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, data, len);
	export_feed(in, copy, len, NOW_NS, each, seen);
	free(copy);
}

/* Whole, in pieces of every size (the first long enough to be recognised), and after a loss. */
static void check(const struct stream *s, enum export_format format)
{
	for (size_t cut = 1; cut <= s->len; cut++) {
		struct export_stream in = {0};
		struct seen seen = {0};
		size_t first = cut < 64 ? 64 : cut;

		feed(&in, s->bytes, first < s->len ? first : s->len, &seen);
		for (size_t at = first; at < s->len; at += cut)
			feed(&in, s->bytes + at, s->len - at < cut ? s->len - at : cut, &seen);
		assert_int_equal(in.format, format);
		assert_int_equal(seen.count, PACKETS);
		assert_int_equal(seen.bytes, all_bytes(0));
		assert_int_equal(seen.linktype, LINK_ETHERNET);
	}
	for (size_t lost = s->record[1] + 1; lost < s->record[2]; lost++) {
		struct export_stream in = {0};
		struct seen seen = {0};

		/* From somewhere in the second record to somewhere in the third. */
		feed(&in, s->bytes, lost, &seen);
		export_gap(&in, s->record[2] + 50 - lost, each, &seen);
		feed(&in, s->bytes + s->record[2] + 50, s->len - s->record[2] - 50, &seen);
		assert_in_range(seen.count, 3, 4);
		assert_int_equal(seen.last, (uint8_t)((size_of(4) - 1) * 7 + 4));
	}
}

static void test_pcap(void **state)
{
	(void)state;
	for (unsigned form = 0; form < 4; form++) {
		struct stream s = {.len = 0};

		make_pcap(&s, form & 1, form & 2, true);
		assert_true(export_begins(s.bytes, s.len, s.len, NOW_NS));
		check(&s, EXPORT_PCAP);
	}
}

/* As xxd -p or base64 writes it: 30 bytes a line, or 57. */
static size_t as_text(const struct stream *s, bool hex, char *out)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = 0;

	for (size_t i = 0; i < s->len; i += hex ? 1 : 3) {
		size_t left = s->len - i;
		uint32_t three = (uint32_t)s->bytes[i] << 16 |
				 (uint32_t)(left > 1 ? s->bytes[i + 1] : 0) << 8 |
				 (left > 2 ? s->bytes[i + 2] : 0);

		if (i > 0 && i % (hex ? 30 : 57) == 0)
			out[len++] = '\n';
		if (hex) {
			out[len++] = digits[s->bytes[i] >> 4];
			out[len++] = digits[s->bytes[i] & 15];
			continue;
		}
		for (unsigned k = 0; k < 4; k++)
			out[len++] = k > left ? '=' : letters[three >> (18 - 6 * k) & 63];
	}
	return len;
}

static void test_text(void **state)
{
	static char text[4 * sizeof(((struct stream *)NULL)->bytes)];

	(void)state;
	for (unsigned form = 0; form < 4; form++) {
		struct stream s = {.len = 0};
		size_t len;

		if (form & 1)
			make_pcapng(&s, false);
		else
			make_pcap(&s, false, false, true);
		len = as_text(&s, form & 2, text);
		assert_true(export_begins((uint8_t *)text, len, len, NOW_NS));
		for (size_t cut = 80; cut < len; cut += 7) {
			struct export_stream in = {0};
			struct seen seen = {0};

			for (size_t at = 0; at < len; at += cut)
				feed(&in, (uint8_t *)text + at, len - at < cut ? len - at : cut,
				     &seen);
			assert_int_equal(seen.count, PACKETS);
			assert_int_equal(seen.bytes, all_bytes(0));
		}
		for (size_t lost = 80; lost + 90 < len / 2; lost++) {
			struct export_stream in = {0};
			struct seen seen = {0};

			feed(&in, (uint8_t *)text, lost, &seen);
			export_gap(&in, 90, each, &seen);
			feed(&in, (uint8_t *)text + lost + 90, len - lost - 90, &seen);
			assert_in_range(seen.count, 1, PACKETS);
			assert_int_equal(seen.last, (uint8_t)((size_of(4) - 1) * 7 + 4));
		}
	}
}

static void test_pcapng(void **state)
{
	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		struct stream s = {.len = 0};

		make_pcapng(&s, big);
		assert_true(export_begins(s.bytes, s.len, s.len, NOW_NS));
		check(&s, EXPORT_PCAPNG);
	}
}

static void test_rpcap(void **state)
{
	struct stream s = {.len = 0};

	(void)state;
	make_rpcap(&s);
	assert_true(export_begins(s.bytes, s.len, s.len, NOW_NS));
	check(&s, EXPORT_RPCAP);
}

static void test_banner_and_late(void **state)
{
	struct stream s = {.len = 30};
	struct stream late = {.len = 0};
	struct export_stream in = {0};
	struct seen seen = {0};

	(void)state;
	memcpy(s.bytes, "220 here comes what you asked\n", 30);
	make_pcap(&s, false, false, true);
	assert_true(export_begins(s.bytes, s.len, s.len, NOW_NS));
	feed(&in, s.bytes, s.len, &seen);
	assert_int_equal(seen.count, PACKETS);

	make_pcap(&late, false, false, false);
	assert_true(export_begins(late.bytes + 9, late.len - 9, late.len - 9, NOW_NS));
	memset(&in, 0, sizeof in);
	memset(&seen, 0, sizeof seen);
	feed(&in, late.bytes + 9, late.len - 9, &seen);
	assert_int_equal(seen.count, PACKETS - 1);
	/* Times of another year: such a record may be anything. */
	assert_false(
	    export_begins(late.bytes + 9, late.len - 9, late.len - 9, NOW_NS + NOW_NS / 40));
}

/* Frames cut by the capture: the header is there, and the packet's beginning. */
static void test_cut_frames(void **state)
{
	struct export_stream in = {0};
	struct stream s = {.len = 0};
	struct seen seen = {0};

	(void)state;
	make_pcap(&s, true, false, true);
	feed(&in, s.bytes, s.record[0], &seen);
	for (unsigned n = 0; n < PACKETS; n++) {
		size_t end = n + 1 < PACKETS ? s.record[n + 1] : s.len;

		feed(&in, s.bytes + s.record[n], 58, &seen);
		export_gap(&in, end - s.record[n] - 58, each, &seen);
		assert_true(in.synced);
	}
	assert_int_equal(seen.count, PACKETS);
	assert_int_equal(seen.bytes, PACKETS * 42);
}

static void test_sflow(void **state)
{
	struct stream s = {.len = 0};
	struct seen seen = {0};

	(void)state;
	put(&s, 5, 4, true);
	put(&s, 1, 4, true);
	put(&s, 0x0a000001, 4, true);
	put(&s, 0, 4, true);
	put(&s, 1, 4, true);
	put(&s, 1, 4, true);
	put(&s, 1, 4, true); /* samples */
	put(&s, 1, 4, true);
	put(&s, 32 + 8 + 16 + 60, 4, true);
	for (unsigned i = 0; i < 7; i++)
		put(&s, i, 4, true);
	put(&s, 1, 4, true); /* records */
	put(&s, 1, 4, true);
	put(&s, 16 + 60, 4, true);
	put(&s, 1, 4, true);
	put(&s, 1000, 4, true);
	put(&s, 4, 4, true);
	put(&s, 60, 4, true);
	put_packet(&s, 0);
	assert_true(export_begins(s.bytes, s.len, s.len, NOW_NS));
	assert_true(export_sflow(s.bytes, s.len, each, &seen));
	assert_int_equal(seen.count, 1);
	for (size_t cut = 0; cut < s.len; cut++) {
		uint8_t *copy = malloc(cut == 0 ? 1 : cut);

		assert_non_null(copy);
		memcpy(copy, s.bytes, cut);
		memset(&seen, 0, sizeof seen);
		(void)export_sflow(copy, cut, each, &seen);
		assert_int_equal(seen.count, 0);
		free(copy);
	}
}

static void test_hostile(void **state)
{
	uint32_t seed = 11;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct export_stream in = {0};
		struct stream s = {.len = 0};
		struct seen seen = {0};

		if (round % 3 == 0)
			make_pcap(&s, round & 1, false, round & 2);
		else if (round % 3 == 1)
			make_pcapng(&s, round & 1);
		else
			make_rpcap(&s);
		for (unsigned i = 0; i < 6; i++) {
			seed = seed * 1664525u + 1013904223u;
			s.bytes[(seed >> 8) % s.len] = (uint8_t)(seed >> 24);
		}
		for (size_t at = 0; at < s.len; at += 97)
			feed(&in, s.bytes + at, s.len - at < 97 ? s.len - at : 97, &seen);
		(void)export_sflow(s.bytes, s.len, each, &seen);
	}
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t bytes[300];

		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		assert_false(export_begins(bytes, sizeof bytes, sizeof bytes, NOW_NS));
	}
	assert_false(
	    export_begins((const uint8_t *)"GET / HTTP/1.1\r\nHost: M\r\n\r\n", 28, 28, NOW_NS));
}

/* An Ethernet frame with UDP over IPv4 whose checksum holds, and no more. */
static const uint8_t bare[] = {
    2,	0, 0, 0,  0, 1, 2, 0,  0, 0, 0, 2,  8,	  0,	0x45, 0, 0,  32, 0, 9,	 0,   0,   64,
    17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 16, 0x92, 0x10, 0x93, 0, 12, 0,	 0, 'b', 'a', 'r', 'e'};

static void test_bare_packets(void **state)
{
	static const uint8_t arp[42] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0,
					2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
	uint8_t data[8 + 2 * sizeof bare] = {8, 0, 0, 0, 0, 0, 77, 0};
	struct seen seen = {0};
	uint32_t sum = 0;
	uint8_t *frame = data + 8;

	(void)state;
	memcpy(frame, bare, sizeof bare);
	for (unsigned i = 14; i < 34; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	frame[24] = (uint8_t)(~sum >> 8);
	frame[25] = (uint8_t)~sum;
	memcpy(frame + sizeof bare, frame, sizeof bare);
	assert_int_equal(export_bare(frame, sizeof bare, each, &seen), EXPORT_FRAMES);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last, 'e');
	/* Two in one segment, the second cut. */
	seen.count = 0;
	assert_int_equal(export_bare(frame, 2 * sizeof bare - 2, each, &seen), EXPORT_FRAMES);
	assert_int_equal(seen.count, 2);
	/* Behind a VXLAN header; without Ethernet. */
	assert_int_equal(export_bare(data, 8 + sizeof bare, each, &seen), EXPORT_TUNNEL);
	assert_int_equal(seen.linktype, LINK_ETHERNET);
	assert_int_equal(export_bare(frame + 14, sizeof bare - 14, each, &seen), EXPORT_TUNNEL);
	assert_int_equal(seen.linktype, LINK_RAW);
	assert_true(export_begins(frame, sizeof bare, sizeof bare, NOW_NS));
	/* Behind three bytes of something: whole, and cut. */
	seen.count = 0;
	assert_int_equal(export_behind(frame - 3, sizeof bare + 3, sizeof bare + 3, each, &seen),
			 EXPORT_TUNNEL);
	assert_int_equal(export_behind(frame - 3, sizeof bare - 5, sizeof bare + 3, each, &seen),
			 EXPORT_TUNNEL);
	assert_int_equal(export_behind(frame - 3, sizeof bare + 3, sizeof bare + 4, each, &seen),
			 EXPORT_NONE);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.linktype, LINK_ETHERNET);
	frame[25] ^= 1;
	assert_int_equal(export_bare(frame, sizeof bare, each, &seen), EXPORT_NONE);
	assert_int_equal(export_behind(frame - 3, sizeof bare + 3, sizeof bare + 3, each, &seen),
			 EXPORT_NONE);
	/* ARP, as the first thing that a listener hears. */
	assert_int_equal(export_bare(arp, sizeof arp, each, &seen), EXPORT_FRAMES);
	assert_int_equal(export_bare(arp, sizeof arp - 1, each, &seen), EXPORT_NONE);
	for (size_t cut = 0; cut < sizeof bare; cut++) {
		uint8_t *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, bare, cut);
		(void)export_bare(copy, cut, each, &seen);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pcap),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_pcapng),
	    cmocka_unit_test(test_rpcap),
	    cmocka_unit_test(test_banner_and_late),
	    cmocka_unit_test(test_cut_frames),
	    cmocka_unit_test(test_sflow),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_bare_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
