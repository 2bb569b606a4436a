/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.c - see outbox.h.
 *
 * Why synchronous=FULL: "accepted" shall hold through a power cut.  A sync costs milliseconds
 * but is paid once a group: while one group is being synced the next one gathers in the queue.
 * The private outbox of a replay dies with its process anyway and syncs nothing.
 *
 * Used room is (pages - free pages) * page size, as SQLite counts it: the file itself does not
 * shrink, its free pages are used again.
 */
#include "sink/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulkhead/clock.h"
#include "bulkhead/sink.h"
#include "sink/file.h"
#include "sink/outbox_row.h"

#define APPLICATION_ID 0x42484f42 /* "BHOB", so that file(1) and we can tell */
#define FORMAT_VERSION 1
#define SQL_SIZE 2048
#define REMOVE_STEP 256 /* rows removed between two looks at the room used */
#define EXPIRE_STEP 1000
#define MAX_ROW_BYTES 65536 /* a stranger's row may not make us allocate more */
#define SIDE_TABLES                                                                                \
	"CREATE TABLE marks(name TEXT PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL) WITHOUT "   \
	"ROWID"
#define SIDE_INDEX "CREATE INDEX records_op ON records(op)"

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_INSERT,
	ST_SELECT,
	ST_FIRST,
	ST_LAST,
	ST_DROP_DELIVERED,
	ST_DROP_OP,
	ST_EXPIRE,
	ST_MARK,
	ST_MARKED,
	ST_PAGES,
	ST_FREE,
	ST_COUNT
};

struct outbox {
	pthread_mutex_t lock;
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	char *path; /* for messages */
	int fd;	    /* holds the lock that keeps a second sensor out; -1 private */
	uint64_t quota, page_size;
	bool lossless;
	uint64_t last, delivered;
};

static const char *const fixed_sql[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
    [ST_FIRST] = "SELECT min(sequence) FROM records",
    [ST_LAST] = "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), "
		"0), coalesce((SELECT max(sequence) FROM records), 0))",
    [ST_DROP_DELIVERED] = "DELETE FROM records WHERE sequence IN (SELECT sequence FROM records "
			  "WHERE sequence <= ?1 ORDER BY sequence LIMIT ?2)",
    [ST_DROP_OP] = "DELETE FROM records WHERE sequence IN (SELECT sequence FROM records "
		   "WHERE op = ?1 ORDER BY sequence LIMIT ?2)",
    [ST_EXPIRE] = "DELETE FROM records WHERE sequence IN (SELECT sequence FROM records "
		  "WHERE sequence <= ?1 ORDER BY sequence LIMIT ?2) AND written < ?3",
    [ST_MARK] = "INSERT OR REPLACE INTO marks(name, sequence) VALUES(?1, ?2)",
    [ST_MARKED] = "SELECT sequence FROM marks WHERE name = ?1",
    [ST_PAGES] = "PRAGMA page_count",
    [ST_FREE] = "PRAGMA freelist_count",
};

static int fail(struct outbox *o, struct err *err, const char *what)
{
	int system = sqlite3_system_errno(o->db);
	int rc = sqlite3_errcode(o->db);

	if (rc == SQLITE_IOERR && system != 0)
		return err_set(err, ERR_RUN, "outbox %s: %s: %s (%s)", o->path, what,
			       sqlite3_errmsg(o->db), strerror(system));
	return err_set(err, ERR_RUN, "outbox %s: %s: %s", o->path, what, sqlite3_errmsg(o->db));
}

/* Runs a statement that gives no rows; its parameters are bound. */
static int run(struct outbox *o, enum statement which, struct err *err, const char *what)
{
	int rc = sqlite3_step(o->st[which]);
	int code = rc == SQLITE_DONE ? 0 : fail(o, err, what);

	(void)sqlite3_reset(o->st[which]); /* repeats the error already told */
	return code;
}

/* The one number a statement gives; 0 for NULL or none. */
static int number(struct outbox *o, enum statement which, uint64_t *value, struct err *err)
{
	int rc = sqlite3_step(o->st[which]);
	int code = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : fail(o, err, "cannot read");

	*value = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(o->st[which], 0) : 0;
	(void)sqlite3_reset(o->st[which]);
	return code;
}

static void bind_number(struct outbox *o, enum statement which, int at, uint64_t value)
{
	/* Cannot fail: the parameter exists and the statement has been reset. */
	(void)sqlite3_bind_int64(o->st[which], at, (sqlite3_int64)value);
}

/* ---- opening ------------------------------------------------------------------------------- */

static int exec(struct outbox *o, const char *sql, struct err *err)
{
	if (sqlite3_exec(o->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(o, err, "cannot prepare it");
	return 0;
}

/* The text of the first column of the first row, or "". */
static void ask(struct outbox *o, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *st = NULL;
	const unsigned char *text;

	out[0] = '\0';
	if (sqlite3_prepare_v2(o->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && (text = sqlite3_column_text(st, 0)) != NULL)
		(void)sqlite3_snprintf((int)size, out, "%s", (const char *)text);
	(void)sqlite3_finalize(st);
}

static int not_ours(struct outbox *o, struct err *err, const char *why)
{
	return err_set(err, ERR_RUN,
		       "outbox %s: %s; move the file away (what it holds can be looked at with "
		       "sqlite3) and start again",
		       o->path, why);
}

/* Tables, indexes, triggers or views that we did not write may hold anybody's SQL. */
static int check_schema(struct outbox *o, struct err *err)
{
	char expected[SQL_SIZE], text[SQL_SIZE];

	row_schema(expected, sizeof expected);
	ask(o, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'records'", text,
	    sizeof text);
	if (strcmp(text, expected) != 0)
		return not_ours(o, err, "its table is not the one this version writes");
	ask(o, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'marks'", text,
	    sizeof text);
	if (strcmp(text, SIDE_TABLES) != 0)
		return not_ours(o, err, "its marks are not those this version writes");
	ask(o,
	    "SELECT count(*) FROM sqlite_master WHERE name NOT IN "
	    "('records', 'marks', 'records_op', 'sqlite_sequence')",
	    text, sizeof text);
	if (strcmp(text, "0") != 0)
		return not_ours(o, err, "it holds tables, triggers or views that are not ours");
	ask(o, "PRAGMA quick_check(1)", text, sizeof text);
	if (strcmp(text, "ok") != 0)
		return not_ours(o, err, "it is damaged");
	return 0;
}

static int create(struct outbox *o, struct err *err)
{
	char sql[2 * SQL_SIZE], schema[SQL_SIZE];

	row_schema(schema, sizeof schema);
	(void)sqlite3_snprintf((int)sizeof sql, sql,
			       "BEGIN; %s; " SIDE_TABLES "; " SIDE_INDEX ";"
			       "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			       schema, APPLICATION_ID, FORMAT_VERSION);
	return exec(o, sql, err);
}

/* Makes a new file ours, or sees that an old one is. */
static int create_or_check(struct outbox *o, struct err *err)
{
	char id[32], version[32], objects[32];

	if (sqlite3_exec(o->db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return not_ours(o, err, sqlite3_errmsg(o->db));
	ask(o, "SELECT count(*) FROM sqlite_master", objects, sizeof objects);
	ask(o, "PRAGMA application_id", id, sizeof id);
	ask(o, "PRAGMA user_version", version, sizeof version);
	if (strcmp(objects, "0") == 0 && strcmp(id, "0") == 0)
		return create(o, err);
	if (strtol(id, NULL, 10) != APPLICATION_ID)
		return not_ours(o, err, "it is a database of another program");
	if (strtol(version, NULL, 10) != FORMAT_VERSION)
		return not_ours(o, err, "it was written by another version");
	return check_schema(o, err);
}

static int prepare(struct outbox *o, struct err *err)
{
	char sql[SQL_SIZE];

	for (int i = 0; i < ST_COUNT; i++) {
		const char *text = fixed_sql[i];

		if (i == ST_INSERT)
			row_insert_sql(sql, sizeof sql);
		else if (i == ST_SELECT)
			row_select_sql(sql, sizeof sql);
		if (text == NULL)
			text = sql;
		if (sqlite3_prepare_v3(o->db, text, -1, SQLITE_PREPARE_PERSISTENT, &o->st[i],
				       NULL) != SQLITE_OK)
			return fail(o, err, "cannot prepare it");
	}
	return 0;
}

/*
 * flock() does not meet SQLite's fcntl() locks, so that readers (sqlite3, `bulkhead alerts`) may
 * still come.  The descriptor must outlive the database: closing it would drop the locks that
 * SQLite holds on the same file.
 */
static int lock_file(struct outbox *o, struct err *err)
{
	o->fd = sink_file_lock(o->path);
	if (o->fd == -2)
		return err_set(err, ERR_RUN, "outbox %s: another sensor is using it", o->path);
	if (o->fd < 0)
		return err_set(err, ERR_RUN, "outbox %s: cannot open: %s", o->path,
			       strerror(errno));
	return 0;
}

/* A database that somebody else may have written gets no trust. */
static void harden(sqlite3 *db)
{
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_busy_timeout(db, 2000);
}

static int open_database(struct outbox *o, const struct outbox_config *config, struct err *err)
{
	/* An empty name is SQLite's own temporary file: no name, gone with the process. */
	const char *name = config->path == NULL ? "" : config->path;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(name, &o->db, flags, NULL) != SQLITE_OK)
		return fail(o, err, "cannot open");
	harden(o->db);
	(void)sqlite3_exec(o->db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL,
			   NULL);
	if (create_or_check(o, err) != 0)
		return err->code;
	if (config->path == NULL)
		return exec(o, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", err);
	return exec(o,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA journal_size_limit = 8388608",
		    err);
}

int outbox_open(struct outbox **outbox, const struct outbox_config *config, struct err *err)
{
	struct outbox *o = calloc(1, sizeof *o);
	struct err local;
	char text[32];

	*outbox = NULL;
	if (err == NULL)
		err = &local;
	if (o == NULL)
		return err_set(err, ERR_MEMORY, "outbox: out of memory");
	o->fd = -1;
	o->quota = config->quota;
	o->lossless = config->lossless;
	(void)pthread_mutex_init(&o->lock, NULL);
	o->path = strdup(config->path == NULL ? "(private)" : config->path);
	if (o->path == NULL) {
		(void)err_set(err, ERR_MEMORY, "outbox: out of memory");
		goto fail;
	}
	if (config->path != NULL && lock_file(o, err) != 0)
		goto fail;
	if (open_database(o, config, err) != 0 || prepare(o, err) != 0)
		goto fail;
	ask(o, "PRAGMA page_size", text, sizeof text);
	o->page_size = strtoull(text, NULL, 10);
	if (o->page_size == 0) { /* the quota is counted in pages */
		(void)fail(o, err, "cannot read");
		goto fail;
	}
	if (number(o, ST_LAST, &o->last, err) != 0)
		goto fail;
	*outbox = o;
	return 0;
fail:
	outbox_close(o);
	return err->code;
}

void outbox_close(struct outbox *o)
{
	if (o == NULL)
		return;
	for (int i = 0; i < ST_COUNT; i++)
		(void)sqlite3_finalize(o->st[i]);
	(void)sqlite3_close(o->db);
	if (o->fd >= 0)
		(void)close(o->fd);
	(void)pthread_mutex_destroy(&o->lock);
	free(o->path);
	free(o);
}

/* ---- writing ------------------------------------------------------------------------------- */

static int used_bytes(struct outbox *o, uint64_t *bytes, struct err *err)
{
	uint64_t pages, unused;
	int code = number(o, ST_PAGES, &pages, err);

	if (code == 0)
		code = number(o, ST_FREE, &unused, err);
	if (code == 0)
		*bytes = (pages - unused) * o->page_size;
	return code;
}

/* Removes oldest rows by a statement with (key, limit) until used falls to the aim or none is
 * left. */
static int remove_until(struct outbox *o, enum statement which, uint64_t key, uint64_t aim,
			uint64_t *removed, struct err *err)
{
	uint64_t used;
	int code;

	while ((code = used_bytes(o, &used, err)) == 0 && used > aim) {
		bind_number(o, which, 1, key);
		bind_number(o, which, 2, REMOVE_STEP);
		if (run(o, which, err, "cannot make room") != 0)
			return err->code;
		if (sqlite3_changes(o->db) == 0)
			return 0;
		*removed += (uint64_t)sqlite3_changes(o->db);
	}
	return code;
}

/* Frees a sixteenth more than needed, so that not every group has to.  *used is what is then. */
static int make_room(struct outbox *o, uint64_t *used, uint64_t *dropped, struct err *err)
{
	uint64_t aim = o->quota - o->quota / 16, delivered = 0;

	if (used_bytes(o, used, err) != 0)
		return err->code;
	if (*used <= o->quota)
		return 0;
	if (remove_until(o, ST_DROP_DELIVERED, o->delivered, aim, &delivered, err) != 0 ||
	    used_bytes(o, used, err) != 0)
		return err->code;
	if (o->lossless || *used <= o->quota)
		return 0;
	if (remove_until(o, ST_DROP_OP, ALERT_UPDATE, aim, dropped, err) != 0 ||
	    remove_until(o, ST_DROP_OP, ALERT_CLOSE, 2 * o->quota, dropped, err) != 0)
		return err->code;
	return used_bytes(o, used, err);
}

static int insert(struct outbox *o, struct stored *record, uint64_t sequence, uint64_t wall_ns,
		  struct err *err)
{
	record->sequence = sequence;
	if (row_bind(o->st[ST_INSERT], wall_ns, record) != SQLITE_OK)
		return fail(o, err, "cannot bind");
	return run(o, ST_INSERT, err, "cannot write");
}

/* Inside the transaction. */
static int append_all(struct outbox *o, struct stored *record, uint32_t count, uint64_t wall_ns,
		      uint64_t *last, uint64_t *dropped, struct err *err)
{
	uint64_t used;
	bool full;

	if (make_room(o, &used, dropped, err) != 0)
		return err->code;
	full = !o->lossless && used > o->quota;
	for (uint32_t i = 0; i < count; i++) {
		if (full && record[i].alert.op == ALERT_UPDATE) {
			record[i].sequence = 0;
			(*dropped)++;
			continue;
		}
		if (insert(o, &record[i], *last + 1, wall_ns, err) != 0)
			return err->code;
		++*last;
	}
	return 0;
}

int outbox_append(struct outbox *o, struct stored *record, uint32_t count, uint64_t wall_ns,
		  uint64_t *dropped, struct err *err)
{
	uint64_t last, lost = 0;
	struct err local;
	int code;

	if (err == NULL)
		err = &local;
	(void)pthread_mutex_lock(&o->lock);
	last = o->last;
	code = run(o, ST_BEGIN, err, "cannot begin");
	if (code == 0)
		code = append_all(o, record, count, wall_ns, &last, &lost, err);
	if (code == 0)
		code = run(o, ST_COMMIT, err, "cannot commit");
	if (code == 0) {
		o->last = last;
		*dropped += lost;
	} else if (sqlite3_get_autocommit(o->db) == 0) {
		(void)run(o, ST_ROLLBACK, NULL, ""); /* the first error is the one to tell */
	}
	(void)pthread_mutex_unlock(&o->lock);
	return code;
}

int outbox_expire(struct outbox *o, uint64_t wall_ns, struct err *err)
{
	int code;

	(void)pthread_mutex_lock(&o->lock);
	bind_number(o, ST_EXPIRE, 1, o->delivered);
	bind_number(o, ST_EXPIRE, 2, EXPIRE_STEP);
	bind_number(o, ST_EXPIRE, 3, wall_ns > OUTBOX_KEEP_NS ? wall_ns - OUTBOX_KEEP_NS : 0);
	code = run(o, ST_EXPIRE, err, "cannot expire");
	(void)pthread_mutex_unlock(&o->lock);
	return code;
}

int outbox_mark(struct outbox *o, const char *name, uint64_t sequence, struct err *err)
{
	int code = 0;

	(void)pthread_mutex_lock(&o->lock);
	if (sqlite3_bind_text(o->st[ST_MARK], 1, name, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		code = fail(o, err, "cannot bind");
	bind_number(o, ST_MARK, 2, sequence);
	if (code == 0)
		code = run(o, ST_MARK, err, "cannot mark");
	(void)pthread_mutex_unlock(&o->lock);
	return code;
}

/* ---- reading ------------------------------------------------------------------------------- */

int outbox_marked(struct outbox *o, const char *name, uint64_t *sequence, struct err *err)
{
	sqlite3_stmt *st = o->st[ST_MARKED];
	int rc, code = 0;

	(void)pthread_mutex_lock(&o->lock);
	rc = sqlite3_bind_text(st, 1, name, -1, SQLITE_TRANSIENT);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		code = fail(o, err, "cannot read its marks");
	else if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER)
		*sequence = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&o->lock);
	return code;
}

/* With parameters bound: reads until max good rows or the end. */
static int read_rows(sqlite3_stmt *st, struct stored *out, uint32_t max, uint32_t *count,
		     uint64_t *skipped, uint64_t *at)
{
	int rc = SQLITE_DONE;

	while (*count < max && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		*at = (uint64_t)sqlite3_column_int64(st, 0);
		if (row_read(st, &out[*count]))
			++*count;
		else
			++*skipped;
	}
	return *count == max || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int outbox_read(struct outbox *o, uint64_t after, struct stored *out, uint32_t max, uint32_t *count,
		uint64_t *skipped, struct err *err)
{
	sqlite3_stmt *st = o->st[ST_SELECT];
	int code = 0;

	*count = 0;
	if (after > INT64_MAX)
		return 0;
	(void)pthread_mutex_lock(&o->lock);
	bind_number(o, ST_SELECT, 1, after);
	bind_number(o, ST_SELECT, 2, INT64_MAX);
	if (read_rows(st, out, max, count, skipped, &after) != SQLITE_OK)
		code = fail(o, err, "cannot read");
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&o->lock);
	return code;
}

uint64_t outbox_last(struct outbox *o)
{
	uint64_t last;

	(void)pthread_mutex_lock(&o->lock);
	last = o->last;
	(void)pthread_mutex_unlock(&o->lock);
	return last;
}

uint64_t outbox_first(struct outbox *o)
{
	uint64_t first;

	(void)pthread_mutex_lock(&o->lock);
	(void)number(o, ST_FIRST, &first, NULL); /* for the log */
	(void)pthread_mutex_unlock(&o->lock);
	return first;
}

void outbox_delivered(struct outbox *o, uint64_t sequence)
{
	(void)pthread_mutex_lock(&o->lock);
	o->delivered = sequence;
	(void)pthread_mutex_unlock(&o->lock);
}

int outbox_each(const char *path, bool (*each)(void *context, const struct sink_record *record),
		void *context, uint64_t *skipped, struct err *err)
{
	struct outbox o = {.path = NULL, .fd = -1};
	struct stored *row = malloc(sizeof *row);
	char sql[SQL_SIZE];
	uint64_t bad = 0, at = 0;
	uint32_t count;
	int rc = SQLITE_OK, code = 0;
	bool more = true;

	o.path = (char *)(uintptr_t)path; /* only for messages */
	if (row == NULL)
		return err_set(err, ERR_MEMORY, "outbox: out of memory");
	if (access(path, R_OK) != 0) {
		code = err_set(err, ERR_NOINPUT, "outbox %s: %s", path, strerror(errno));
		goto out;
	}
	if (sqlite3_open_v2(path, &o.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		code = fail(&o, err, "cannot open");
		goto out;
	}
	harden(o.db);
	row_select_sql(sql, sizeof sql);
	if (sqlite3_prepare_v2(o.db, sql, -1, &o.st[ST_SELECT], NULL) != SQLITE_OK) {
		code = fail(&o, err, "not an outbox");
		goto out;
	}
	bind_number(&o, ST_SELECT, 1, 0);
	bind_number(&o, ST_SELECT, 2, INT64_MAX);
	while (more) {
		count = 0;
		rc = read_rows(o.st[ST_SELECT], row, 1, &count, &bad, &at);
		more = rc == SQLITE_OK && count == 1 &&
		       each(context, &(struct sink_record){row->sequence, &row->alert});
	}
	if (rc != SQLITE_OK)
		code = fail(&o, err, "cannot read");
	if (skipped != NULL)
		*skipped = bad;
out:
	(void)sqlite3_finalize(o.st[ST_SELECT]);
	(void)sqlite3_close(o.db);
	free(row);
	return code;
}
