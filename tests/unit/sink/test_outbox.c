/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox.c - what the outbox keeps, gives up, and refuses to believe. */
#include "unit/sink/support.h"

#include <sqlite3.h>

#include "sink/outbox.h"

static struct outbox *open_it(struct fixture *f, const char *path)
{
	const struct outbox_config config = {.path = path, .quota = f->options.outbox.quota};
	struct outbox *o;
	struct err err = {0};

	if (outbox_open(&o, &config, &err) != 0)
		fail_msg("%s", err.text);
	return o;
}

static void append(struct outbox *o, uint64_t n, enum alert_op op, uint64_t wall_ns,
		   uint64_t *dropped)
{
	struct stored *record = calloc(1, sizeof *record);
	struct alert alert;
	struct err err = {0};

	make_alert(&alert, n, op);
	stored_copy(record, &alert);
	if (outbox_append(o, record, 1, wall_ns, dropped, &err) != 0)
		fail_msg("%s", err.text);
	free(record);
}

static uint32_t read_from(struct outbox *o, uint64_t after, struct stored *out, uint32_t max,
			  uint64_t *skipped)
{
	struct err err = {0};
	uint32_t count;

	if (outbox_read(o, after, out, max, &count, skipped, &err) != 0)
		fail_msg("%s", err.text);
	return count;
}

static void test_gives_back_what_it_got(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	struct outbox *o = open_it(f, in_folder(f, "o.db", path));
	struct stored *got = calloc(4, sizeof *got);
	struct alert alert;
	uint64_t dropped = 0, skipped = 0, mark = 0;

	append(o, 1, ALERT_OPEN, 1, &dropped);
	append(o, UINT64_MAX, ALERT_CLOSE, 2, &dropped);
	assert_int_equal(outbox_mark(o, "here", UINT64_MAX >> 1, NULL), 0);
	outbox_close(o);
	o = open_it(f, path);
	assert_int_equal(outbox_last(o), 2);
	assert_int_equal(outbox_first(o), 1);
	assert_int_equal(outbox_marked(o, "here", &mark, NULL), 0);
	assert_int_equal(mark, UINT64_MAX >> 1);
	assert_int_equal(outbox_marked(o, "there", &mark, NULL), 0);
	assert_int_equal(mark, UINT64_MAX >> 1); /* none: as it was */
	assert_int_equal(read_from(o, 0, got, 4, &skipped), 2);
	for (uint32_t i = 0; i < 2; i++) {
		make_alert(&alert, i == 0 ? 1 : UINT64_MAX, i == 0 ? ALERT_OPEN : ALERT_CLOSE);
		alert.json = got[i].alert.json; /* the pointer differs, the text must not */
		assert_int_equal(got[i].sequence, i + 1);
		assert_string_equal(got[i].json, "{\"event_type\":\"alert\"}");
		assert_memory_equal(&got[i].alert, &alert, sizeof alert);
	}
	assert_int_equal(read_from(o, 1, got, 4, &skipped), 1);
	assert_int_equal(read_from(o, 2, got, 4, &skipped), 0);
	assert_int_equal(read_from(o, UINT64_MAX, got, 4, &skipped), 0);
	assert_int_equal(dropped + skipped, 0);
	outbox_close(o);
	free(got);
}

/* Numbers are never used twice, also when the newest rows are gone. */
static void test_sequences_go_on(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	struct outbox *o = open_it(f, in_folder(f, "o.db", path));
	uint64_t dropped = 0;

	append(o, 1, ALERT_OPEN, 1, &dropped);
	append(o, 2, ALERT_OPEN, 1, &dropped);
	outbox_delivered(o, 2);
	assert_int_equal(outbox_expire(o, OUTBOX_KEEP_NS + 2, NULL), 0);
	assert_int_equal(outbox_first(o), 0);
	outbox_close(o);
	o = open_it(f, path);
	append(o, 3, ALERT_OPEN, 1, &dropped);
	assert_int_equal(outbox_last(o), 3);
	assert_int_equal(outbox_first(o), 3);
	outbox_close(o);
}

static void test_expires_only_old_and_delivered(void **state)
{
	struct fixture *f = *state;
	struct outbox *o = open_it(f, NULL);
	uint64_t dropped = 0;

	append(o, 1, ALERT_OPEN, NS_PER_SEC, &dropped);
	append(o, 2, ALERT_OPEN, 10 * NS_PER_SEC, &dropped);
	append(o, 3, ALERT_OPEN, NS_PER_SEC, &dropped);
	outbox_delivered(o, 2);
	assert_int_equal(outbox_expire(o, OUTBOX_KEEP_NS + 5 * NS_PER_SEC, NULL), 0);
	assert_int_equal(outbox_first(o), 2);
	assert_int_equal(outbox_expire(o, OUTBOX_KEEP_NS + 20 * NS_PER_SEC, NULL), 0);
	assert_int_equal(outbox_first(o), 3);
	outbox_close(o);
}

static unsigned count_op(struct outbox *o, enum alert_op op)
{
	struct stored *got = calloc(1, sizeof *got);
	uint64_t after = 0, skipped = 0;
	unsigned n = 0;

	while (read_from(o, after, got, 1, &skipped) == 1) {
		n += got->alert.op == op;
		after = got->sequence;
	}
	free(got);
	return n;
}

static void test_quota_drops_delivered_then_updates(void **state)
{
	struct fixture *f = *state;
	struct outbox *o;
	uint64_t dropped = 0;

	f->options.outbox.quota = 200000;
	o = open_it(f, NULL);
	for (uint64_t n = 1; n <= 1000; n++) {
		append(o, n, n % 2 ? ALERT_OPEN : ALERT_UPDATE, n, &dropped);
		outbox_delivered(o, n <= 600 ? n : 600);
	}
	assert_int_equal(dropped, 0);
	for (uint64_t n = 1001; n <= 2000; n++)
		append(o, n, n % 2 ? ALERT_OPEN : ALERT_UPDATE, n, &dropped);
	assert_true(outbox_first(o) > 600);
	assert_true(dropped > 0);
	/* 701 opens are not delivered: 200 of 601..1000, 500 of 1001..2000. */
	assert_int_equal(count_op(o, ALERT_OPEN), 200 + 500);
	assert_int_equal(count_op(o, ALERT_UPDATE) + dropped, 200 + 500);
	outbox_close(o);
}

static void expect_refusal(struct fixture *f, const char *path, const char *why)
{
	const struct outbox_config config = {.path = path, .quota = f->options.outbox.quota};
	struct outbox *o;
	struct err err = {0};

	assert_int_equal(outbox_open(&o, &config, &err), ERR_RUN);
	assert_null(o);
	if (strstr(err.text, why) == NULL || strstr(err.text, path) == NULL)
		fail_msg("%s", err.text);
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void make_outbox(struct fixture *f, const char *path, unsigned rows)
{
	struct outbox *o;
	uint64_t dropped = 0;

	(void)unlink(path);
	o = open_it(f, path);
	for (uint64_t n = 1; n <= rows; n++)
		append(o, n, ALERT_OPEN, n, &dropped);
	outbox_close(o);
}

static void test_refuses_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	FILE *file = fopen(in_folder(f, "o.db", path), "w");

	for (int i = 0; i < 4096; i++)
		(void)fputc(i * 7 % 251, file);
	(void)fclose(file);
	expect_refusal(f, path, "not a database");
	(void)unlink(path);
	sql(path, "CREATE TABLE mine(x)");
	expect_refusal(f, path, "another program");
	make_outbox(f, path, 1);
	sql(path, "PRAGMA user_version = 99");
	expect_refusal(f, path, "another version");
	make_outbox(f, path, 1);
	sql(path, "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END");
	expect_refusal(f, path, "not ours");
	make_outbox(f, path, 1);
	sql(path, "DROP TABLE marks; CREATE VIEW marks AS SELECT 'x' AS name, 1 AS sequence");
	expect_refusal(f, path, "marks");
	make_outbox(f, path, 1);
	sql(path, "ALTER TABLE records ADD COLUMN more TEXT");
	expect_refusal(f, path, "table");
	(void)unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_refusal(f, path, "cannot open");
	expect_refusal(f, "/nonexistent/outbox.db", "cannot open");
}

static void test_refuses_a_damaged_file(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	FILE *file;

	make_outbox(f, in_folder(f, "o.db", path), 200);
	file = fopen(path, "r+");
	assert_int_equal(fseek(file, 3 * 4096, SEEK_SET), 0);
	for (int i = 0; i < 8192; i++)
		(void)fputc(0xa5, file);
	(void)fclose(file);
	expect_refusal(f, path, "damaged");
}

static void test_skips_rows_that_make_no_sense(void **state)
{
	static const char *const harm[] = {
	    "op = 7",
	    "severity = 9",
	    "severity = -1",
	    "seq = 'x'",
	    "id = x'00ff'",
	    "actor = 'a' || char(10) || 'b'",
	    "message = 'a' || char(27)",
	    "actor = printf('%.*c', 200, 'x')",
	    "json = printf('%.*c', 7000, 'x')",
	    "kind = 5",
	    "json = x'7b7d'",
	    "message = 'a' || char(127)",
	    "seq = 4294967296",
	    "seq = -1",
	};
	struct fixture *f = *state;
	char path[PATH_SIZE], text[256];
	struct stored *got = calloc(32, sizeof *got);
	uint64_t skipped = 0;
	unsigned rows = sizeof harm / sizeof harm[0];
	struct outbox *o;

	make_outbox(f, in_folder(f, "o.db", path), rows + 1);
	for (unsigned i = 0; i < rows; i++) {
		(void)snprintf(text, sizeof text, "UPDATE records SET %s WHERE sequence = %u",
			       harm[i], i + 1);
		sql(path, text);
	}
	o = open_it(f, path);
	/* kind = 5 becomes the text '5' by the column's affinity: that one is harmless. */
	assert_int_equal(read_from(o, 0, got, 32, &skipped), 2);
	assert_int_equal(skipped, rows - 1);
	assert_string_equal(got[0].alert.kind, "5");
	assert_int_equal(got[1].sequence, rows + 1);
	outbox_close(o);
	free(got);
}

static bool count_each(void *context, const struct sink_record *record)
{
	unsigned *n = context;

	++*n;
	return record->sequence < 3;
}

static void test_can_be_read_while_in_use(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE];
	struct outbox *o = open_it(f, in_folder(f, "o.db", path));
	uint64_t dropped = 0, skipped = 9;
	unsigned n = 0;
	struct err err = {0};

	for (uint64_t i = 1; i <= 5; i++)
		append(o, i, ALERT_OPEN, i, &dropped);
	assert_int_equal(outbox_each(path, count_each, &n, &skipped, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(skipped, 0);
	outbox_close(o);
	assert_int_equal(outbox_each("/nonexistent/o.db", count_each, &n, NULL, &err), ERR_NOINPUT);
	assert_int_equal(outbox_each("/etc/passwd", count_each, &n, NULL, &err), ERR_RUN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)
	const struct CMUnitTest tests[] = {
	    TEST(test_gives_back_what_it_got),
	    TEST(test_sequences_go_on),
	    TEST(test_expires_only_old_and_delivered),
	    TEST(test_quota_drops_delivered_then_updates),
	    TEST(test_refuses_what_is_not_ours),
	    TEST(test_refuses_a_damaged_file),
	    TEST(test_skips_rows_that_make_no_sense),
	    TEST(test_can_be_read_while_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
