/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c - the outbox and delivery into files when memory is short, or the disk, a thread or
 * a database call fails: refused with a reason, or nothing is lost and nothing comes twice.
 */
#include "unit/sink/support.h"

#include "sink/list.h"
#include "sink/outbox.h"
#include "unit/faults.h"

#define RECORDS 4
#define LINE "{\"event_type\":\"alert\"}\n"

static void fill(struct stored record[RECORDS])
{
	struct alert alert;

	for (unsigned i = 0; i < RECORDS; i++) {
		make_alert(&alert, i + 1, i % 2 == 0 ? ALERT_OPEN : ALERT_UPDATE);
		stored_copy(&record[i], &alert);
	}
}

/* Records 1 to count and no others. */
static void holds_once_each(struct outbox *o, uint32_t count)
{
	struct stored *got = calloc(64, sizeof *got);
	struct err err = {0};
	uint64_t skipped = 0;
	uint32_t n;

	assert_non_null(got);
	assert_int_equal(outbox_read(o, 0, got, 64, &n, &skipped, &err), 0);
	assert_int_equal(n, count);
	assert_int_equal(skipped, 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(got[i].sequence, i + 1);
	free(got);
}

static void an_outbox_opens_or_says_why_not(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	const struct outbox_config config = {.path = in_folder(f, "o.db", path), .quota = 1 << 20};
	struct stored record[RECORDS];
	struct outbox *o;
	struct err err;
	uint64_t dropped = 0;
	uint32_t there = 0;
	int code;

	FAULTS_EACH((err = (struct err){0}, code = outbox_open(&o, &config, &err)), hit)
	{
		assert_int_equal(code != 0, o == NULL);
		if (code != 0) {
			assert_true(hit && err.text[0] != '\0');
			continue;
		}
		fill(record);
		if (outbox_append(o, record, RECORDS, 1, &dropped, &err) != 0)
			fail_msg("%s failed; then: %s", fault_name(), err.text);
		there += RECORDS;
		if (there <= 64)
			holds_once_each(o, there);
		outbox_close(o);
	}
	assert_true(there >= RECORDS);
}

/* Each append is all or nothing, and what failed once goes through afterwards. */
static void an_outbox_takes_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	const struct outbox_config config = {.path = in_folder(f, "o.db", path), .quota = 1 << 20};
	struct stored record[RECORDS];
	struct err err = {0};
	struct outbox *o;
	uint64_t dropped = 0;
	uint32_t there = 0;
	int code;

	assert_int_equal(outbox_open(&o, &config, &err), 0);
	fill(record);
	FAULTS_EACH(code = outbox_append(o, record, RECORDS, 1, &dropped, &err), hit)
	{
		assert_true(hit || code == 0);
		there += code == 0 ? RECORDS : 0;
		assert_int_equal(outbox_last(o), there);
	}
	assert_int_equal(there % RECORDS, 0);
	holds_once_each(o, there);
	assert_int_equal(dropped, 0);
	outbox_close(o);
}

static uint32_t count_opens(struct outbox *o)
{
	struct stored *got = calloc(64, sizeof *got);
	uint64_t after = 0, skipped = 0;
	uint32_t n, opens = 0;
	struct err err;

	do {
		assert_int_equal(outbox_read(o, after, got, 64, &n, &skipped, &err), 0);
		for (uint32_t i = 0; i < n; i++)
			opens += got[i].alert.op == ALERT_OPEN;
		after = n > 0 ? got[n - 1].sequence : after;
	} while (n > 0);
	free(got);
	return opens;
}

/* At its quota: updates make room for opens, and a call that fails costs neither. */
static void a_full_outbox_gives_up_no_opening(void **state)
{
	const struct outbox_config config = {.quota = 96 << 10};
	struct stored record[RECORDS];
	struct err err = {0};
	struct outbox *o;
	uint64_t dropped = 0;
	uint32_t opens = 0;
	int code;

	(void)state;
	assert_int_equal(outbox_open(&o, &config, &err), 0);
	fill(record);
	for (unsigned i = 0; i < 400 && dropped == 0; i++) {
		assert_int_equal(outbox_append(o, record, RECORDS, 1, &dropped, &err), 0);
		opens += RECORDS / 2;
	}
	assert_true(dropped > 0);
	FAULTS_EACH(code = outbox_append(o, record, RECORDS, 1, &dropped, &err), hit)
	{
		assert_true(hit || code == 0);
		opens += code == 0 ? RECORDS / 2 : 0;
		if (count_opens(o) != opens)
			fail_msg("%s: %u openings of %u", fault_name(), count_opens(o), opens);
	}
	outbox_close(o);
}

static int look_after(struct outbox *o, struct stored *got, struct err *err)
{
	uint64_t skipped = 0;
	uint32_t count;
	uint64_t marked = 0;
	int code = outbox_mark(o, "here", 2, err);

	if (code == 0)
		code = outbox_marked(o, "here", &marked, err);
	if (code == 0) {
		assert_int_equal(marked, 2);
		code = outbox_read(o, 0, got, RECORDS, &count, &skipped, err);
	}
	if (code == 0) {
		outbox_delivered(o, 2);
		code = outbox_expire(o, OUTBOX_KEEP_NS + NS_PER_SEC, err);
	}
	return code;
}

static void an_outbox_says_what_it_could_not_do(void **state)
{
	struct stored record[RECORDS], *got = calloc(RECORDS, sizeof *got);
	const struct outbox_config config = {.quota = 1 << 20};
	struct err err = {0};
	struct outbox *o;
	uint64_t dropped = 0;
	int code;

	(void)state;
	assert_int_equal(outbox_open(&o, &config, &err), 0);
	fill(record);
	assert_int_equal(outbox_append(o, record, RECORDS, 1, &dropped, &err), 0);
	FAULTS_EACH((err = (struct err){0}, code = look_after(o, got, &err)), hit)
	{
		assert_true(hit || code == 0);
		assert_true(code == 0 || err.text[0] != '\0');
	}
	assert_int_equal(outbox_first(o), 3);
	assert_int_equal(outbox_last(o), RECORDS);
	outbox_close(o);
	free(got);
}

static bool count_each(void *context, const struct sink_record *record)
{
	(void)record;
	++*(unsigned *)context;
	return true;
}

static int read_all(const char *path, unsigned *count, uint64_t *skipped, struct err *err)
{
	*count = 0;
	*err = (struct err){0};
	return outbox_each(path, count_each, count, skipped, err);
}

static void an_outbox_is_listed_or_says_why_not(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	const struct outbox_config config = {.path = in_folder(f, "o.db", path), .quota = 1 << 20};
	struct stored record[RECORDS];
	struct outbox *o;
	struct err err;
	uint64_t dropped = 0, skipped = 0;
	unsigned count;
	int code;

	assert_int_equal(outbox_open(&o, &config, NULL), 0);
	fill(record);
	assert_int_equal(outbox_append(o, record, RECORDS, 1, &dropped, NULL), 0);
	outbox_close(o);
	FAULTS_EACH(code = read_all(path, &count, &skipped, &err), hit)
	{
		assert_int_equal(code != 0, hit);
		assert_true(!hit || err.text[0] != '\0');
		assert_true(hit || count == RECORDS);
	}
}

/* Below what an empty outbox takes: each append has to make room, and none that fails may cost more
 * than one that does not. */
static void an_outbox_that_is_always_full(void **state)
{
	const struct outbox_config config = {.quota = 4096};
	struct stored record[RECORDS];
	struct err err = {0};
	struct outbox *o;
	uint64_t dropped = 0;
	uint32_t opens = 0;
	int code;

	(void)state;
	assert_int_equal(outbox_open(&o, &config, &err), 0);
	fill(record);
	outbox_delivered(o, 2);
	FAULTS_EACH(code = outbox_append(o, record, RECORDS, 1, &dropped, &err), hit)
	{
		assert_true(hit || code == 0);
		opens += code == 0 ? RECORDS / 2 : 0;
		/* The first two were delivered and may go. */
		assert_in_range(count_opens(o), opens < 2 ? 0 : opens - 2, opens);
	}
	outbox_close(o);
}

/* ---- files ---- */

static enum sink_verdict write_one(void *state, const struct sink_setup *setup, unsigned *done,
				   struct err *err)
{
	struct alert alert;
	const struct sink_record record = {1, &alert};

	make_alert(&alert, 1, ALERT_OPEN);
	memset(state, 0, jsonl_sink.state_size);
	*done = 0;
	if (jsonl_sink.open(state, setup, err) != 0)
		return SINK_FATAL;
	return jsonl_sink.deliver(state, &record, 1, done, err);
}

/* Behind a line that was cut short: it is ended first, and what is not on the disk does not count.
 */
static void a_line_is_written_and_synced(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	const struct sink_setup setup = {.options = &f->options,
					 .target = in_folder(f, "out", path)};
	void *sink = calloc(1, jsonl_sink.state_size);
	enum sink_verdict verdict;
	struct err err;
	unsigned done, failed = 0;

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	(void)fputs("{\"torn", file);
	(void)fclose(file);
	FAULTS_EACH((err = (struct err){0}, verdict = write_one(sink, &setup, &done, &err)), hit)
	{
		failed += verdict != SINK_OK;
		assert_int_equal(done, verdict == SINK_OK);
		assert_true(verdict == SINK_OK || (hit && err.text[0] != '\0'));
		jsonl_sink.close(sink);
		assert_int_equal(truncate(path, 6), 0); /* torn again */
	}
	assert_in_range(failed, 3, 10); /* the line's end, the line, the disk */
	/* A signal in between is none of its business, nor is a place that cannot be synced. */
	for (unsigned i = 0; i < 2; i++) {
		atomic_store(&fault_error, i == 0 ? EINTR : EROFS);
		FAULTS_EACH((err = (struct err){0}, verdict = write_one(sink, &setup, &done, &err)),
			    hit)
		{
			const char *harmless = i == 0 ? "writev" : "fdatasync";

			assert_true(verdict == SINK_OK || strcmp(fault_name(), harmless) != 0);
			jsonl_sink.close(sink);
			assert_int_equal(truncate(path, 6), 0);
		}
	}
	atomic_store(&fault_error, 0);
	free(sink);
}

/* ---- delivery -------------------------------------------------------------------------------- */

static unsigned lines_of(const char *path)
{
	char *text = access(path, F_OK) == 0 ? slurp(path) : NULL;
	unsigned lines = 0;

	for (const char *p = text; p != NULL && (p = strstr(p, LINE)) != NULL; p += strlen(LINE))
		lines++;
	free(text);
	return lines;
}

/* Opens, hands over three state changes, closes; what the counters say is in stats. */
static int deliver_three(const struct delivery_config *config, struct stats *stats, struct err *err)
{
	struct delivery *d;
	int code = delivery_open(&d, config, err);

	memset(stats, 0, sizeof *stats);
	if (code != 0)
		return code;
	for (uint64_t n = 1; n <= 3; n++)
		submit(d, n, ALERT_OPEN);
	code = delivery_drain(d, 5 * NS_PER_SEC, err);
	delivery_stats(d, stats);
	(void)delivery_close(d, 0, NULL);
	return code;
}

static void each_call_fails(struct delivery_config *config, const char *path)
{
	struct stats stats;
	struct err err;
	unsigned lines;
	int code;

	FAULTS_EACH((err = (struct err){0}, code = deliver_three(config, &stats, &err)), hit)
	{
		lines = lines_of(path);
		if (code != 0)
			assert_true(hit && err.text[0] != '\0');
		else if (lines < 3 && stat_get(&stats, STAT_OUTBOX_DROPPED) == 0)
			fail_msg("%s failed: %u lines of 3, and not a word", fault_name(), lines);
		/* Rather twice than never, where it is not known whether it is on the disk. */
		assert_true(lines == 3 || hit);
		(void)unlink(path);
	}
}

static void a_replay_into_a_file(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .jsonl_path = in_folder(f, "out", path),
					 .wait_at_end = true};

	each_call_fails(&config, path);
}

static void a_sensor_with_an_outbox(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], outbox[PATH_SIZE];
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .jsonl_path = in_folder(f, "out", path),
					 .outbox_file = in_folder(f, "o.db", outbox)};

	each_call_fails(&config, path);
}

static void outputs_of_the_settings(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], outbox[PATH_SIZE];
	const struct delivery_config config = {.options = &f->options,
					       .cursor_name = "x",
					       .outbox_file = in_folder(f, "o.db", outbox)};
	struct delivery *d;
	struct err err;
	int code;

	f->options.output[0].file = in_folder(f, "out", path);
	f->options.output[1].syslog = true;
	f->options.output_count = 2;
	FAULTS_EACH((err = (struct err){0}, code = delivery_open(&d, &config, &err)), hit)
	{
		assert_int_equal(code != 0, d == NULL);
		assert_true(code == 0 || (hit && err.text[0] != '\0'));
		(void)delivery_close(d, 0, NULL);
	}
}

/* The disk does not heal before the end: what is lost is counted, and a replay fails for it. */
static void a_disk_that_stays_broken(void **state)
{
	struct fixture *f = *state;
	char outbox[PATH_SIZE];
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .outbox_file = in_folder(f, "o.db", outbox)};
	struct stats stats = {0};
	struct delivery *d;
	struct err err;
	int code;

	for (unsigned replay = 0; replay < 2; replay++) {
		config.wait_at_end = replay != 0;
		assert_int_equal(delivery_open(&d, &config, &err), 0);
		fault_keep("sqlite3_step");
		for (uint64_t n = 1; n <= 3; n++)
			submit(d, n, ALERT_OPEN);
		code = delivery_drain(d, NS_PER_SEC / 5, &err);
		assert_true(fault_disarm());
		delivery_stats(d, &stats);
		assert_int_equal(stat_get(&stats, STAT_OUTBOX_DROPPED), 3);
		assert_int_equal(code, replay ? ERR_RUN : 0);
		(void)delivery_close(d, 0, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_outbox_opens_or_says_why_not, fixture_new,
					    fixture_free),
	    cmocka_unit_test_setup_teardown(an_outbox_takes_all_or_nothing, fixture_new,
					    fixture_free),
	    cmocka_unit_test(a_full_outbox_gives_up_no_opening),
	    cmocka_unit_test(an_outbox_says_what_it_could_not_do),
	    cmocka_unit_test_setup_teardown(an_outbox_is_listed_or_says_why_not, fixture_new,
					    fixture_free),
	    cmocka_unit_test(an_outbox_that_is_always_full),
	    cmocka_unit_test_setup_teardown(a_line_is_written_and_synced, fixture_new,
					    fixture_free),
	    cmocka_unit_test_setup_teardown(outputs_of_the_settings, fixture_new, fixture_free),
	    cmocka_unit_test_setup_teardown(a_disk_that_stays_broken, fixture_new, fixture_free),
	    cmocka_unit_test_setup_teardown(a_replay_into_a_file, fixture_new, fixture_free),
	    cmocka_unit_test_setup_teardown(a_sensor_with_an_outbox, fixture_new, fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
