/* SPDX-License-Identifier: Apache-2.0 */
/* test_gunzip.c - gzip streams in pieces, damaged, too many of them, and none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "detect/gunzip.h"

#define PLAIN 100000

static uint8_t plain[PLAIN], packed[2 * PLAIN];
static size_t packed_len;

static int make(void **state)
{
	z_stream z = {0};

	(void)state;
	for (size_t i = 0; i < PLAIN; i++) /* compressible, and longer than the window */
		plain[i] = (uint8_t)(i * i >> (i % 7));
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.avail_in = PLAIN;
	z.next_out = packed;
	z.avail_out = sizeof packed;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed_len = sizeof packed - z.avail_out;
	return deflateEnd(&z);
}

/* How many right bytes come out when the stream is given in steps. */
static size_t unpack(struct gunzip_pool *pool, uint64_t name, const uint8_t *data, size_t len,
		     size_t step)
{
	size_t total = 0;
	bool broken = false;

	for (size_t at = 0; at < len && !broken; at += step) {
		size_t part = len - at < step ? len - at : step;
		uint8_t *copy = malloc(part), out[777];
		const uint8_t *p = copy;
		size_t count;

		assert_non_null(copy);
		memcpy(copy, data + at, part);
		do {
			count = gunzip_read(pool, name, &p, &part, out, sizeof out, &broken);
			if (total + count > PLAIN || memcmp(out, plain + total, count) != 0)
				broken = true;
			else
				total += count;
		} while ((part > 0 || count == sizeof out) && !broken);
		free(copy);
	}
	return total;
}

static void in_pieces(void **state)
{
	struct gunzip_pool *pool = gunzip_pool_new();

	(void)state;
	assert_non_null(pool);
	assert_true(gunzip_begins(packed, packed_len));
	for (size_t step = 1; step < packed_len; step = step * 3 + 1) {
		assert_true(gunzip_start(pool, step));
		assert_int_equal(unpack(pool, step, packed, packed_len, step), PLAIN);
	}
	gunzip_pool_free(pool);
}

static void damaged(void **state)
{
	struct gunzip_pool *pool = gunzip_pool_new();

	(void)state;
	assert_non_null(pool);
	for (size_t at = 0; at < 400; at++) {
		packed[at] ^= 0x55;
		(void)gunzip_begins(packed, packed_len);
		if (gunzip_start(pool, at))
			(void)unpack(pool, at, packed, packed_len, 500);
		packed[at] ^= 0x55;
	}
	for (size_t cut = 0; cut < 12; cut++)
		assert_true(!gunzip_begins(packed, cut) || cut > 10);
	gunzip_pool_free(pool);
}

static void too_many(void **state)
{
	struct gunzip_pool *pool = gunzip_pool_new();
	const uint8_t *p = packed;
	uint8_t out[64];
	size_t len = 200;
	bool broken;

	(void)state;
	assert_non_null(pool);
	for (uint64_t name = 1; name <= 9; name++)
		assert_true(gunzip_start(pool, name));
	assert_int_equal(gunzip_read(pool, 1, &p, &len, out, sizeof out, &broken), 0);
	assert_true(broken);
	assert_int_equal(gunzip_evicted(pool), 1);
	assert_int_not_equal(gunzip_read(pool, 9, &p, &len, out, sizeof out, &broken), 0);
	assert_false(broken);
	/* What is given up makes room: nobody is pushed out. */
	for (uint64_t name = 10; name <= 40; name++) {
		gunzip_end(pool, name == 10 ? 5 : name - 1);
		assert_true(gunzip_start(pool, name));
	}
	assert_int_equal(gunzip_evicted(pool), 1);
	p = packed;
	len = 200;
	assert_int_not_equal(gunzip_read(pool, 2, &p, &len, out, sizeof out, &broken), 0);
	assert_false(broken);
	gunzip_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_pieces),
	    cmocka_unit_test(damaged),
	    cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
