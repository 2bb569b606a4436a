/* SPDX-License-Identifier: Apache-2.0 */
/* test_small.c - counters, errors, problems, clocks, arena, hash, log lines: the small ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "bulkhead/clock.h"
#include "bulkhead/err.h"
#include "bulkhead/stats.h"

static void counters_have_one_name_each(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STAT_MAX; i++) {
		assert_non_null(stat_name((enum stat)i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(stat_name((enum stat)i), stat_name((enum stat)k));
	}
	assert_string_equal(stat_name(STAT_FRAMES), "frames");
	assert_string_equal(stat_name(STAT_UNATTRIBUTED_TRUNCATED), "unattributed_truncated");
	assert_string_equal(stat_name((enum stat)(STAT_MAX - 1)), "cycles_judge");
}

static void counters_add_up(void **state)
{
	struct stats total = {0}, part = {0};

	(void)state;
	stat_add(&part, STAT_FRAMES, 3);
	stat_add(&part, STAT_CYCLES_JUDGE, 5);
	stats_sum(&total, &part);
	stats_sum(&total, &part);
	assert_int_equal(stat_get(&total, STAT_FRAMES), 6);
	assert_int_equal(stat_get(&total, STAT_CYCLES_JUDGE), 10);
	assert_int_equal(stat_get(&total, STAT_BYTES), 0);
}

static void errors_carry_text(void **state)
{
	struct err err;
	char text[1000];

	(void)state;
	assert_int_equal(err_set(&err, ERR_CONFIG, "bad %s", "key"), ERR_CONFIG);
	assert_int_equal(err_prefix(&err, "file.yaml:%d", 7), ERR_CONFIG);
	assert_string_equal(err.text, "file.yaml:7: bad key");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)err_set(&err, ERR_RUN, "%s", text);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	assert_string_equal(err.text + sizeof err.text - 4, "...");
	assert_int_equal(err_set(NULL, ERR_RUN, "nobody asks"), ERR_RUN);
	assert_int_equal(err_exit_status(ERR_CONFIG), 78);
	assert_int_equal(err_exit_status(ERR_NONE), 0);
	assert_int_equal(err_exit_status(ERR_MEMORY), 1);
}

static void problems_are_kept_up_to_a_bound(void **state)
{
	struct problems p = {0};

	(void)state;
	problem_add(&p, PROBLEM_ERROR, "f", 1, 2, "a");
	problem_add(&p, PROBLEM_WARNING, "f", 3, 0, "b");
	problem_add(&p, PROBLEM_ERROR, "f", 0, 0, "c");
	assert_string_equal(p.text, "f:1:2: a\nf:3: warning: b\nf: c\n");
	for (int i = 0; i < 1000; i++)
		problem_add(&p, PROBLEM_ERROR, "f", 1, 1, "x");
	assert_int_equal(p.errors, 1002);
	assert_int_equal(p.dropped, 1003 - 200);
	problems_fini(&p);
	assert_null(p.text);
}

static void times(void **state)
{
	char buf[CLOCK_TEXT_SIZE];
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(clock_parse_date("2026-01-01T09:48:00Z", &ns), 0);
	assert_string_equal(clock_format_z(ns + 400999, buf), "2026-01-01T09:48:00.000400Z");
	assert_string_equal(clock_format_eve(ns, buf), "2026-01-01T09:48:00.000000+0000");
	assert_string_equal(clock_format_day(ns, buf), "20260101");
	assert_int_equal(clock_parse_date("2027-01-31", &ns), 0);
	assert_int_equal(ns, UINT64_C(1801353600) * NS_PER_SEC);
	assert_int_equal(clock_parse_date("2027-02-29", &ns), -1);
	assert_int_equal(clock_parse_date("2027-13-01", &ns), -1);
	assert_int_equal(clock_parse_date("tomorrow", &ns), -1);
	assert_int_equal(clock_parse_date("2027-01-01x", &ns), -1);
	assert_true(clock_monotonic() <= clock_monotonic());
	assert_true(clock_wall() > ns / 2);
}

static void arena_memory_is_zeroed_and_apart(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *blocks[300];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		blocks[i] = arena_alloc(arena, i * 37);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		for (size_t k = 0; k < i * 37; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)i, i * 37);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t k = 0; k < i * 37; k++)
			assert_int_equal(blocks[i][k], i & 255);
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_null(arena_array(arena, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(arena, SIZE_MAX - 8));
	arena_free(arena);
	arena_free(NULL);
}

static void hashes_follow_their_seed(void **state)
{
	struct hash_key a, b;
	uint8_t bytes[40];

	(void)state;
	hash_key_init(&a, 1);
	hash_key_init(&b, 2);
	assert_true(hash64(&a, "x", 1) != hash64(&b, "x", 1));
	hash_key_init(&b, 1);
	assert_true(hash64(&a, "x", 1) == hash64(&b, "x", 1));
	assert_true(hash_word(&a, 1) != hash_word(&a, 2));
	assert_true(hash128(&a, "x", 1).hi != hash128(&a, "y", 1).hi);
	assert_true(hash128_plain("x", 1).lo != hash128_plain("y", 1).lo);
	assert_true(hash_random_seed() != hash_random_seed());
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + 1);
	assert_true(hash64_40(&a, bytes) == hash64(&a, bytes, sizeof bytes));
}

/* What log_line() writes, read back from a file that stands in for stderr. */
static void log_lines_are_limited_by_site(void **state)
{
	char text[8192];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	unsigned lines = 0;
	ssize_t n;

	(void)state;
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_INFO);
	for (int i = 0; i < 100; i++)
		log_warn("number=%d name=%s", i, "a\nb\x1b");
	log_debug("not at this level");
	log_err("another site");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	n = pread(fileno(file), text, sizeof text - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 11);
	assert_non_null(strstr(text, "warning: number=9 name=a?b?\n"));
	assert_null(strstr(text, "number=10"));
	assert_null(strstr(text, "not at this level"));
	assert_non_null(strstr(text, "error: another site\n"));
	(void)fclose(file);
}

static void held_lines_are_told(void **state)
{
	struct log_site site = {0};
	char text[8192];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	for (int i = 0; i < 15; i++)
		log_line(&site, LOG_LEVEL_ERR, "line");
	site.window = 0; /* as if it began long ago */
	log_line(&site, LOG_LEVEL_ERR, "later");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	n = pread(fileno(file), text, sizeof text - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "later (5 more held back)\n"));
	(void)fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counters_have_one_name_each),
	    cmocka_unit_test(counters_add_up),
	    cmocka_unit_test(errors_carry_text),
	    cmocka_unit_test(problems_are_kept_up_to_a_bound),
	    cmocka_unit_test(times),
	    cmocka_unit_test(arena_memory_is_zeroed_and_apart),
	    cmocka_unit_test(hashes_follow_their_seed),
	    cmocka_unit_test(log_lines_are_limited_by_site),
	    cmocka_unit_test(held_lines_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
