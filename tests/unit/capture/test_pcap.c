/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pcap.c - classic capture files: byte orders, compression, pipes, truncation, filters.
 */
#include "bytes.h"

#include <fcntl.h>
#include <zlib.h>
#include <zstd.h>

static struct bytes b, packed;
static struct outcome out;

static void header(bool big, uint32_t magic)
{
	bytes_begin(&b, big);
	put(&b, magic, 4);
	put(&b, 2, 2);
	put(&b, 4, 2);
	put(&b, 0, 8);
	put(&b, 65535, 4);
	put(&b, LINK_ETHERNET, 4);
}

static void record(uint32_t sec, uint32_t fraction, uint32_t caplen, uint32_t len, uint8_t fill)
{
	put(&b, sec, 4);
	put(&b, fraction, 4);
	put(&b, caplen, 4);
	put(&b, len, 4);
	put_fill(&b, fill, caplen);
}

static void three_frames(void)
{
	header(false, 0xa1b2c3d4);
	record(1, 2, 60, 60, 1);
	record(3, 999999, 54, 1500, 2);
	record(4, 0, 74, 60, 3); /* more captured than there was: occurs */
}

static void byte_orders_and_resolutions(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		bool big = n & 1, nano = n & 2;

		header(big, nano ? 0xa1b23c4d : 0xa1b2c3d4);
		record(1700000000, 123456, 60, 61, 9);
		read_bytes(b.at, b.len, &out);
		assert_int_equal(out.open, 0);
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 1);
		assert_int_equal(out.frame[0].caplen, 60);
		assert_int_equal(out.frame[0].len, 61);
		assert_int_equal(out.frame[0].linktype, LINK_ETHERNET);
		assert_int_equal(out.frame[0].tap, 7);
		assert_int_equal(out.frame[0].number, 1);
		assert_true(out.frame[0].ts_ns ==
			    UINT64_C(1700000000000000000) + (nano ? 123456 : 123456000));
		assert_int_equal(out.stats.truncated, 1);
		assert_int_equal(out.stats.bytes, 61);
		assert_true(out.progress > 0.99);
	}
}

static void cut_anywhere(void **state)
{
	static const size_t ends[] = {24, 24 + 76, 24 + 76 + 70, 24 + 76 + 70 + 90};

	(void)state;
	three_frames();
	for (size_t cut = 0; cut <= b.len; cut++) {
		unsigned whole = 0;
		bool boundary = cut == 24;

		for (unsigned n = 1; n < 4; n++) {
			whole += cut >= ends[n];
			boundary |= cut == ends[n];
		}
		read_bytes(b.at, cut, &out);
		if (cut < 24) {
			assert_int_equal(out.open, ERR_DATA);
			continue;
		}
		assert_int_equal(out.open, 0);
		assert_int_equal(out.count, whole);
		assert_int_equal(out.verdict, boundary ? CAPTURE_END : CAPTURE_ERROR);
		if (!boundary)
			assert_int_equal(out.err.code, ERR_DATA);
	}
}

static void hostile_record(void **state)
{
	(void)state;
	three_frames();
	put(&b, 0, 8);
	put(&b, 0x7fffffff, 4);
	put(&b, 60, 4);
	put_fill(&b, 0, 100);
	read_bytes(b.at, b.len, &out);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.verdict, CAPTURE_ERROR);
	assert_int_equal(out.err.code, ERR_DATA);
	assert_non_null(strstr(out.err.text, "after frame 3"));
}

static void no_captures(void **state)
{
	struct capture_options options = {.name = "/nonexistent/x.pcap"};

	(void)state;
	read_capture(&options, &out);
	assert_int_equal(out.open, ERR_NOINPUT);
	assert_non_null(strstr(out.err.text, "/nonexistent/x.pcap"));
	options.name = "/";
	read_capture(&options, &out);
	assert_int_equal(out.open, ERR_NOINPUT);
	read_bytes((const uint8_t *)"", 0, &out);
	assert_int_equal(out.open, ERR_DATA);
	assert_non_null(strstr(out.err.text, "empty"));
	read_bytes((const uint8_t *)"no capture at all, only text", 28, &out);
	assert_int_equal(out.open, ERR_DATA);
	three_frames();
	b.at[4] = 3; /* version */
	read_bytes(b.at, b.len, &out);
	assert_int_equal(out.open, ERR_DATA);
}

static void pack_gzip(const uint8_t *data, size_t len)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = packed.at + packed.len;
	z.avail_out = (uInt)(MAX_BYTES - packed.len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.len += z.total_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
}

static void pack_zstd(const uint8_t *data, size_t len)
{
	size_t n = ZSTD_compress(packed.at + packed.len, MAX_BYTES - packed.len, data, len, 1);

	assert_false(ZSTD_isError(n));
	packed.len += n;
}

static void pack(bool gzip, const uint8_t *data, size_t len)
{
	if (gzip)
		pack_gzip(data, len);
	else
		pack_zstd(data, len);
}

static void compressed(void **state)
{
	(void)state;
	for (unsigned gzip = 0; gzip < 2; gzip++) {
		three_frames();
		bytes_begin(&packed, false);
		pack(gzip, b.at, 100); /* two members, cut within a record */
		pack(gzip, b.at + 100, b.len - 100);
		read_bytes(packed.at, packed.len, &out);
		assert_int_equal(out.open, 0);
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 3);
		assert_int_equal(out.sum, 60 + 2 * 54 + 3 * 74);
		for (size_t cut = 0; cut < packed.len; cut++) {
			read_bytes(packed.at, cut, &out);
			assert_true(out.open == ERR_DATA || out.verdict != CAPTURE_OK);
			assert_true(out.count < 3 || out.verdict == CAPTURE_ERROR ||
				    cut > packed.len - 12);
		}
	}
}

/* Far larger than the window, with frames as large as they get. */
static void large_compressed(void **state)
{
	(void)state;
	for (unsigned gzip = 0; gzip < 2; gzip++) {
		uint32_t sum = 0;

		header(false, 0xa1b2c3d4);
		for (unsigned n = 0; n < 80; n++) {
			uint32_t len = n % 3 == 0 ? 262144 : 1500 + n;

			record(n, 0, len, len, (uint8_t)n);
			sum += len * n;
		}
		bytes_begin(&packed, false);
		pack(gzip, b.at, b.len);
		read_bytes(packed.at, packed.len, &out);
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 80);
		assert_int_equal(out.sum, sum);
	}
}

static void corrupt_compressed(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		three_frames();
		bytes_begin(&packed, false);
		pack(n % 2, b.at, b.len);
		packed.at[next_random(&seed) % packed.len] ^=
		    (uint8_t)(1 + next_random(&seed) % 255);
		read_bytes(packed.at, packed.len, &out);
		assert_true(out.open != 0 || out.verdict != CAPTURE_OK);
	}
}

/* What a pipe has, it gives; its end is the end. */
static void through_a_pipe(void **state)
{
	struct capture_options options = {.name = "-"};
	int ends[2], saved = dup(STDIN_FILENO);

	(void)state;
	three_frames();
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], b.at, b.len), (ssize_t)b.len);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(ends[0]), 0);
	read_capture(&options, &out);
	if (saved >= 0) {
		assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
		assert_int_equal(close(saved), 0);
	}
	assert_int_equal(out.verdict, CAPTURE_END);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.sum, 60 + 2 * 54 + 3 * 74);
	assert_true(out.progress < 0);
}

/* A pipe that has half a record now is asked again, and does not hold back the frame before it. */
static void slow_pipe(void **state)
{
	char name[NAME_SIZE];
	struct capture_options options = {.name = name};
	struct capture *c;
	struct frame_batch batch;
	int ends[2];

	(void)state;
	three_frames();
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], b.at, 110), 110);
	assert_int_equal(capture_savefile.open(&c, &options, &out.err), 0);
	assert_int_equal(capture_savefile.next(c, &batch, &out.err), CAPTURE_OK);
	assert_int_equal(batch.count, 1);
	assert_int_equal(capture_savefile.next(c, &batch, &out.err), CAPTURE_OK);
	assert_int_equal(batch.count, 0);
	assert_int_equal(write(ends[1], b.at + 110, b.len - 110), (ssize_t)b.len - 110);
	assert_int_equal(capture_savefile.next(c, &batch, &out.err), CAPTURE_OK);
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.frame[1].number, 3);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(capture_savefile.next(c, &batch, &out.err), CAPTURE_END);
	capture_savefile.close(c);
	assert_int_equal(close(ends[0]), 0);
}

static void shrinking_file(void **state)
{
	char name[NAME_SIZE];
	struct capture_options options = {.name = name};
	struct capture *c;
	struct frame_batch batch;
	enum capture_verdict verdict;
	int fd;

	(void)state;
	header(false, 0xa1b2c3d4);
	while (b.len < (size_t)12 << 20)
		record(0, 0, 1400, 1400, 1);
	fd = as_file(b.at, b.len, name);
	assert_int_equal(capture_savefile.open(&c, &options, &out.err), 0);
	assert_int_equal(capture_savefile.next(c, &batch, &out.err), CAPTURE_OK);
	assert_int_equal(ftruncate(fd, 5 << 20), 0);
	do
		verdict = capture_savefile.next(c, &batch, &out.err);
	while (verdict == CAPTURE_OK);
	assert_int_equal(verdict, CAPTURE_ERROR);
	assert_int_equal(out.err.code, ERR_DATA);
	capture_savefile.close(c);
	assert_int_equal(close(fd), 0);
}

/* A window ends at any byte of a record, or has to be larger than usual for one. */
static void window_borders(void **state)
{
	const uint32_t most = 256 << 10;

	(void)state;
	for (uint32_t shift = 0; shift <= 60; shift++) {
		header(false, 0xa1b2c3d4);
		record(0, 0, most - 16 - shift, most, 1);
		for (uint8_t n = 0; n < 4; n++)
			record(1, n, 40u - n, 60, (uint8_t)(2 + n));
		record(2, 0, most, most, 9);
		record(3, 0, most, most, 10);
		record(4, 0, 1, 60, 11);
		read_bytes(b.at, b.len, &out);
		assert_int_equal(out.verdict, CAPTURE_END);
		assert_int_equal(out.count, 8);
		read_bytes(b.at, b.len - 1, &out);
		assert_int_equal(out.verdict, CAPTURE_ERROR);
		assert_int_equal(out.count, 7);
	}
}

/* Frames that a filter takes out fill no window; the frame behind them comes all the same. */
static void windows_and_filters(void **state)
{
	char name[NAME_SIZE];
	struct capture_options options = {.name = name, .filter = "greater 1000"};
	int fd;

	(void)state;
	header(false, 0xa1b2c3d4);
	for (unsigned n = 0; n < 20000; n++)
		record(n, 0, 60, 60, 1);
	record(20000, 0, 60, 1500, 2);
	fd = as_file(b.at, b.len, name);
	read_windows(&options, &out);
	assert_int_equal(close(fd), 0);
	assert_int_equal(out.verdict, CAPTURE_END);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.sum, 120);
	assert_int_equal(out.frame[0].number, 20001);
}

static void filters(void **state)
{
	char name[NAME_SIZE];
	struct capture_options options = {.name = name, .filter = "greater 1000"};
	int fd;

	(void)state;
	three_frames();
	fd = as_file(b.at, b.len, name);
	read_capture(&options, &out);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.frame[0].number, 2); /* as Wireshark counts */
	assert_int_equal(out.stats.received, 1);
	assert_int_equal(out.stats.numbered, 3);
	options.filter = "tcp prot 80";
	read_capture(&options, &out);
	assert_int_equal(out.open, ERR_USAGE);
	assert_int_equal(close(fd), 0);
	assert_int_equal(capture_check_filter("tcp port 80", &out.err), 0);
	assert_int_equal(capture_check_filter("tcp prot 80", &out.err), ERR_USAGE);
	assert_non_null(strstr(out.err.text, "tcp prot 80"));
}

static void mutated(void **state)
{
	uint64_t seed = 20260101;

	(void)state;
	for (unsigned n = 0; n < 5000; n++) {
		three_frames();
		for (unsigned i = 0; i < 3; i++)
			b.at[next_random(&seed) % b.len] = (uint8_t)next_random(&seed);
		read_bytes(b.at, b.len, &out);
		assert_true(out.open == 0 ? out.verdict != CAPTURE_OK : out.open == ERR_DATA);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(byte_orders_and_resolutions),
	    cmocka_unit_test(cut_anywhere),
	    cmocka_unit_test(hostile_record),
	    cmocka_unit_test(no_captures),
	    cmocka_unit_test(compressed),
	    cmocka_unit_test(large_compressed),
	    cmocka_unit_test(corrupt_compressed),
	    cmocka_unit_test(through_a_pipe),
	    cmocka_unit_test(slow_pipe),
	    cmocka_unit_test(shrinking_file),
	    cmocka_unit_test(window_borders),
	    cmocka_unit_test(windows_and_filters),
	    cmocka_unit_test(filters),
	    cmocka_unit_test(mutated),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(b.at);
	free(packed.at);
	return failed;
}
