/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.c - rows of an outbox, and outbox files, that somebody else wrote.
 *
 *	input: 0 | columns: type, length (be16), bytes		rows
 *	       1 | the file					files
 */
#include "common.h"

#include <sqlite3.h>
#include <unistd.h>

#include "bulkhead/sink.h"
#include "sink/outbox.h"
#include "sink/outbox_row.h"

#define COLUMNS_MAX 40
#define SQL_SIZE 4096

static char path[128];
static sqlite3 *db;
static sqlite3_stmt *select_row, *insert_row;
static int columns;

static void check_record(const struct stored *r)
{
	const struct alert *a = &r->alert;

	fuzz_check_alert_texts(a);
	FUZZ_CHECK(a->op <= ALERT_CLOSE && a->severity < SEVERITY_MAX);
	FUZZ_CHECK(a->json == r->json && a->json_len < sizeof r->json);
	FUZZ_CHECK(strlen(a->json) == a->json_len);
	fuzz_check_plain(r->json, sizeof r->json);
}

static void bind_column(struct cursor *c, int at)
{
	uint8_t type = cursor_u8(c);
	size_t len = cursor_be16(c);
	const char *bytes;

	if (len > cursor_left(c))
		len = cursor_left(c);
	bytes = (const char *)cursor_take(c, len);
	switch (bytes == NULL ? 0 : type % 5) {
	case 1:
		(void)sqlite3_bind_int64(select_row, at, (int16_t)len);
		break;
	case 2:
		(void)sqlite3_bind_text(select_row, at, bytes, (int)len, SQLITE_TRANSIENT);
		break;
	case 3:
		(void)sqlite3_bind_blob(select_row, at, bytes, (int)len, SQLITE_TRANSIENT);
		break;
	case 4:
		(void)sqlite3_bind_double(select_row, at, (double)len / 7);
		break;
	default:
		(void)sqlite3_bind_null(select_row, at);
	}
}

static void read_row(const uint8_t *data, size_t size)
{
	static struct stored record, again;
	struct cursor c = cursor_over(data, size);

	for (int i = 1; i <= columns; i++)
		bind_column(&c, i);
	FUZZ_CHECK(sqlite3_step(select_row) == SQLITE_ROW);
	if (row_read(select_row, &record)) {
		check_record(&record);
		/* What was read can be written, and reads the same. */
		FUZZ_CHECK(row_bind(insert_row, 1, &record) == SQLITE_OK);
		FUZZ_CHECK(sqlite3_step(insert_row) == SQLITE_ROW);
		FUZZ_CHECK(row_read(insert_row, &again));
		FUZZ_CHECK(strcmp(record.json, again.json) == 0);
		again.alert.json = record.alert.json;
		FUZZ_CHECK(memcmp(&record.alert, &again.alert, offsetof(struct alert, json)) == 0);
		(void)sqlite3_reset(insert_row);
	}
	(void)sqlite3_reset(select_row);
}

static void remove_files(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
	char name[sizeof path + 16];

	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		(void)unlink(name);
	}
}

static bool each_record(void *context, const struct sink_record *record)
{
	(void)context;
	FUZZ_CHECK(record->alert->json != NULL);
	return true;
}

static void open_file(const uint8_t *data, size_t size)
{
	static struct stored record[4];
	struct outbox_config config = {.path = path, .quota = 1 << 20};
	struct outbox *outbox = NULL;
	struct err err = {0};
	uint64_t skipped = 0, dropped = 0, sequence;
	uint32_t count = 0;
	FILE *out;

	remove_files();
	out = fopen(path, "w");
	FUZZ_CHECK(out != NULL && fwrite(data, 1, size, out) == size);
	FUZZ_CHECK(fclose(out) == 0);
	(void)outbox_each(path, each_record, NULL, &skipped, &err);
	if (outbox_open(&outbox, &config, &err) == 0) {
		if (outbox_read(outbox, 0, record, 4, &count, &skipped, &err) == 0)
			for (uint32_t i = 0; i < count; i++)
				check_record(&record[i]);
		(void)(outbox_marked(outbox, "redis", &sequence, NULL) != 0);
		memset(&record[0].alert, 0, sizeof record[0].alert);
		record[0].alert.json = record[0].json;
		if (outbox_append(outbox, record, 1, 1, &dropped, &err) == 0)
			FUZZ_CHECK(outbox_last(outbox) > 0 || dropped > 0);
		outbox_close(outbox);
	} else {
		FUZZ_CHECK(err.text[0] != '\0');
	}
}

static void close_database(void)
{
	(void)sqlite3_finalize(select_row);
	(void)sqlite3_finalize(insert_row);
	(void)sqlite3_close(db);
}

/* "SELECT ?, ?, ..." with a parameter for each column of a row. */
static void prepare(void)
{
	char sql[SQL_SIZE], list[SQL_SIZE] = "SELECT ?";
	sqlite3_stmt *select;

	FUZZ_CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
	row_schema(sql, sizeof sql);
	FUZZ_CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	row_select_sql(sql, sizeof sql);
	FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, &select, NULL) == SQLITE_OK);
	columns = sqlite3_column_count(select);
	(void)sqlite3_finalize(select);
	FUZZ_CHECK(columns < COLUMNS_MAX);
	for (int i = 1; i < columns; i++)
		memcpy(list + strlen(list), ", ?", 4);
	FUZZ_CHECK(sqlite3_prepare_v2(db, list, -1, &select_row, NULL) == SQLITE_OK);
	FUZZ_CHECK(sqlite3_prepare_v2(db, list, -1, &insert_row, NULL) == SQLITE_OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)snprintf(path, sizeof path, "%s/outbox", fuzz_folder());
	prepare();
	FUZZ_CHECK(atexit(close_database) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] == 1)
		open_file(data + 1, size - 1);
	else
		read_row(data + 1, size - 1);
	return 0;
}
