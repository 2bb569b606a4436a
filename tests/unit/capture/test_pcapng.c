/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pcapng.c - block-structured captures: sections, interfaces, time units, hostile lengths.
 */
#include "bytes.h"

static struct bytes b;
static struct outcome out;
static char names[256];

static void section(bool big)
{
	b.big = big;
	put(&b, 0x0a0d0d0a, 4);
	put(&b, 28, 4);
	put(&b, 0x1a2b3c4d, 4);
	put(&b, 1, 2);
	put(&b, 0, 2);
	put(&b, UINT64_MAX, 8);
	put(&b, 28, 4);
}

static void option(unsigned code, const void *value, unsigned len)
{
	put(&b, code, 2);
	put(&b, len, 2);
	assert_true(b.len + len + 4 <= MAX_BYTES);
	memcpy(b.at + b.len, value, len);
	b.len += len;
	put_fill(&b, 0, (4 - len % 4) % 4);
}

static void set_length(size_t start)
{
	size_t end = b.len;

	put(&b, end + 4 - start, 4);
	b.len = start + 4;
	put(&b, end + 4 - start, 4);
	b.len = end + 4;
}

static void interface(unsigned linktype, const char *name, int tsresol, int64_t offset)
{
	size_t start = b.len;
	uint8_t resolution = (uint8_t)tsresol;
	struct bytes number = {.at = (uint8_t[8]){0}, .big = b.big};

	put(&b, 1, 4);
	put(&b, 0, 4);
	put(&b, linktype, 2);
	put(&b, 0, 2);
	put(&b, 0, 4);
	if (name != NULL)
		option(2, name, (unsigned)strlen(name));
	if (tsresol >= 0)
		option(9, &resolution, 1);
	if (offset != 0) {
		put(&number, (uint64_t)offset, 8);
		option(14, number.at, 8);
	}
	option(0, "", 0);
	set_length(start);
}

static void enhanced(uint32_t id, uint64_t ts, uint32_t caplen, uint32_t len)
{
	size_t start = b.len;

	put(&b, 6, 4);
	put(&b, 0, 4);
	put(&b, id, 4);
	put(&b, ts >> 32, 4);
	put(&b, ts & UINT32_MAX, 4);
	put(&b, caplen, 4);
	put(&b, len, 4);
	put_fill(&b, 5, caplen);
	put_fill(&b, 0, (4 - caplen % 4) % 4);
	option(2, "\0\0\0\1", 4); /* flags */
	set_length(start);
}

static void simple(uint32_t len)
{
	size_t start = b.len;

	put(&b, 3, 4);
	put(&b, 0, 4);
	put(&b, len, 4);
	put_fill(&b, 6, len);
	put_fill(&b, 0, (4 - len % 4) % 4);
	set_length(start);
}

static void obsolete(uint16_t id, uint64_t ts, uint32_t caplen)
{
	size_t start = b.len;

	put(&b, 2, 4);
	put(&b, 0, 4);
	put(&b, id, 2);
	put(&b, 0, 2);
	put(&b, ts >> 32, 4);
	put(&b, ts & UINT32_MAX, 4);
	put(&b, caplen, 4);
	put(&b, caplen, 4);
	put_fill(&b, 7, caplen);
	put_fill(&b, 0, (4 - caplen % 4) % 4);
	set_length(start);
}

static void unknown(uint32_t len)
{
	size_t start = b.len;

	put(&b, 0x0bad, 4);
	put(&b, 0, 4);
	put_fill(&b, 0xff, len);
	set_length(start);
}

static void read_named(void)
{
	char name[NAME_SIZE];
	int fd = as_file(b.at, b.len, name);
	struct capture_options options = {
	    .name = name, .tap = 7, .tap_of = tap_by_name, .tap_context = names};

	names[0] = '\0';
	read_capture(&options, &out);
	assert_int_equal(close(fd), 0);
}

static void everything(bool big)
{
	bytes_begin(&b, big);
	section(big);
	interface(LINK_ETHERNET, "eth1", -1, 0);
	interface(LINK_LINUX_SLL, "any", 9, 0);
	unknown(2000);
	enhanced(0, UINT64_C(1700000000123456), 61, 61);
	enhanced(1, UINT64_C(1700000000123456789), 40, 1500);
	simple(33);
	obsolete(1, 5, 34);
	interface(LINK_RAW, NULL, 0x8a, 1000); /* 1024 ticks a second */
	enhanced(2, 1024 + 512, 20, 20);
	section(!big);
	interface(LINK_ETHERNET, "eth22", 3, -5);
	enhanced(0, 10000, 14, 14);
	enhanced(0, 1000, 14, 14); /* before 1970: 0 */
}

static void blocks(void **state)
{
	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		const struct frame *f = out.frame;

		everything(big);
		read_named();
		assert_int_equal(out.open, 0);
		assert_string_equal(out.err.text, "");
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 7);
		assert_string_equal(names, "eth1 any eth22 ");
		assert_true(f[0].ts_ns == UINT64_C(1700000000123456000));
		assert_int_equal(f[0].tap, 104);
		assert_int_equal(f[0].linktype, LINK_ETHERNET);
		assert_true(f[1].ts_ns == UINT64_C(1700000000123456789));
		assert_int_equal(f[1].tap, 103);
		assert_int_equal(f[1].linktype, LINK_LINUX_SLL);
		assert_int_equal(f[1].len, 1500);
		assert_int_equal(f[2].caplen, 33);
		assert_true(f[2].ts_ns == f[1].ts_ns); /* has none of its own */
		assert_int_equal(f[3].caplen, 34);
		assert_int_equal(f[3].ts_ns, 5);
		assert_int_equal(f[4].linktype, LINK_RAW);
		assert_int_equal(f[4].tap, 7);
		assert_true(f[4].ts_ns == UINT64_C(1001500000000));
		assert_int_equal(f[5].tap, 105);
		assert_true(f[5].ts_ns == UINT64_C(5000000000));
		assert_int_equal(f[6].ts_ns, 0);
		assert_int_equal(f[6].number, 7);
		assert_int_equal(out.sum, 5 * (61 + 40 + 20 + 28) + 6 * 33 + 7 * 34);
	}
}

static void cut_anywhere(void **state)
{
	(void)state;
	everything(false);
	for (size_t cut = 0; cut < b.len; cut++) {
		read_bytes(b.at, cut, &out);
		if (cut < 4) {
			assert_int_equal(out.open, ERR_DATA);
			continue;
		}
		assert_int_equal(out.open, 0);
		assert_true(out.count <= 7);
		assert_true(out.verdict == CAPTURE_END || out.err.code == ERR_DATA);
		if (cut % 4 != 0) /* blocks end at multiples of 4 */
			assert_int_equal(out.verdict, CAPTURE_ERROR);
	}
}

static void assert_refused(unsigned frames)
{
	read_bytes(b.at, b.len, &out);
	assert_int_equal(out.open, 0);
	assert_int_equal(out.count, frames);
	assert_int_equal(out.verdict, CAPTURE_ERROR);
	assert_int_equal(out.err.code, ERR_DATA);
}

static void hostile_blocks(void **state)
{
	static const uint32_t lengths[] = {0, 4, 8, 11, 13, 0x7ffffffc, UINT32_MAX};

	(void)state;
	for (unsigned n = 0; n < sizeof lengths / sizeof lengths[0]; n++) {
		bytes_begin(&b, false);
		section(false);
		interface(LINK_ETHERNET, "eth1", -1, 0);
		enhanced(0, 1, 60, 60);
		put(&b, n % 2 ? 6 : 99, 4);
		put(&b, lengths[n], 4);
		put_fill(&b, 0, 100);
		assert_refused(n % 2 && lengths[n] == 0x7ffffffc ? 2 : 1);
	}
	bytes_begin(&b, false);
	section(false);
	enhanced(0, 1, 60, 60); /* no interface */
	assert_refused(0);
	bytes_begin(&b, false);
	section(false);
	simple(60);
	assert_refused(0);
	bytes_begin(&b, false);
	section(false);
	interface(LINK_ETHERNET, "eth1", -1, 0);
	enhanced(0, 1, 60, 60);
	b.at[b.len - 4 - 8 - 60 - 8] = 200; /* captured length beyond the block */
	assert_refused(0);
}

static void too_many_interfaces(void **state)
{
	(void)state;
	bytes_begin(&b, false);
	section(false);
	for (unsigned n = 0; n < 1024; n++)
		interface(LINK_ETHERNET, NULL, -1, 0);
	enhanced(1023, 1, 60, 60);
	read_bytes(b.at, b.len, &out);
	assert_int_equal(out.verdict, CAPTURE_END);
	interface(LINK_ETHERNET, NULL, -1, 0);
	assert_refused(1);
}

static void odd_options(void **state)
{
	(void)state;
	for (unsigned resolution = 0; resolution < 256; resolution++) {
		bytes_begin(&b, false);
		section(false);
		interface(LINK_ETHERNET, "", (int)resolution, INT64_MIN + resolution);
		enhanced(0, UINT64_MAX, 14, 14);
		read_named();
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 1);
	}
}

/* More blocks without a frame than are passed over in one call, through every kind of input. */
static void many_unknown_blocks(void **state)
{
	(void)state;
	bytes_begin(&b, false);
	section(false);
	interface(LINK_ETHERNET, "eth1", -1, 0);
	for (unsigned n = 0; n < 20000; n++)
		unknown(n % 50 == 0 ? 4000 : 0);
	enhanced(0, 1, 60, 60);
	read_bytes(b.at, b.len, &out);
	assert_int_equal(out.verdict, CAPTURE_END);
	assert_int_equal(out.count, 1);
}

static void mutated(void **state)
{
	uint64_t seed = 20260101;

	(void)state;
	for (unsigned n = 0; n < 5000; n++) {
		everything(n % 2);
		for (unsigned i = 0; i < 3; i++)
			b.at[next_random(&seed) % b.len] = (uint8_t)next_random(&seed);
		read_named();
		assert_true(out.open == 0 ? out.verdict != CAPTURE_OK : out.open == ERR_DATA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks),	      cmocka_unit_test(cut_anywhere),
	    cmocka_unit_test(hostile_blocks), cmocka_unit_test(too_many_interfaces),
	    cmocka_unit_test(odd_options),    cmocka_unit_test(many_unknown_blocks),
	    cmocka_unit_test(mutated),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(b.at);
	return failed;
}
