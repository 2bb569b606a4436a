/* SPDX-License-Identifier: Apache-2.0 */
/* outbox_row.c - see outbox_row.h. */
#include "sink/outbox_row.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum column_type { COLUMN_TEXT, COLUMN_U32, COLUMN_U64 };

struct column {
	const char *name;
	enum column_type type;
	size_t offset; /* in struct alert */
	size_t size;
};

#define TEXT(field)                                                                                \
	{                                                                                          \
#field, COLUMN_TEXT, offsetof(struct alert, field),                                \
		    sizeof(((struct alert *)0)->field)                                             \
	}
#define U64(field)                                                                                 \
	{                                                                                          \
#field, COLUMN_U64, offsetof(struct alert, field), sizeof(uint64_t)                \
	}
/* Enumerations are as wide as unsigned in both compilers; asserted below. */
#define U32(field)                                                                                 \
	{                                                                                          \
#field, COLUMN_U32, offsetof(struct alert, field), sizeof(uint32_t)                \
	}

static const struct column columns[] = {
    TEXT(id),	     U32(seq),	       U32(op),		  U64(ts_ns),	U64(first_ns),
    U64(last_ns),    U32(severity),    TEXT(sensor),	  TEXT(site),	TEXT(rule),
    TEXT(kind),	     TEXT(confidence), TEXT(status),	  TEXT(actor),	TEXT(actor_host),
    TEXT(actor_mac), TEXT(victim),     TEXT(victim_host), TEXT(app),	TEXT(vlan),
    TEXT(cid),	     U64(count),       U64(bytes),	  U64(exposed), TEXT(message),
};

_Static_assert(sizeof(enum alert_op) == sizeof(uint32_t), "op is stored as 32 bits");
_Static_assert(sizeof(enum severity) == sizeof(uint32_t), "severity is stored as 32 bits");

#define COLUMNS (sizeof columns / sizeof columns[0])
#define FIRST_FIELD 3 /* the parameter number of columns[0]: sequence and written come before */

/* Appends text; the callers' buffers are sized for the fixed text above. */
static void add(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	assert(len + strlen(text) < size);
	memcpy(out + len, text, strlen(text) + 1);
}

void row_schema(char *out, size_t size)
{
	out[0] = '\0';
	add(out, size,
	    "CREATE TABLE records(sequence INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "written INTEGER NOT NULL");
	for (size_t i = 0; i < COLUMNS; i++) {
		add(out, size, ", ");
		add(out, size, columns[i].name);
		add(out, size,
		    columns[i].type == COLUMN_TEXT ? " TEXT NOT NULL" : " INTEGER NOT NULL");
	}
	add(out, size, ", json TEXT NOT NULL)");
}

static void add_names(char *out, size_t size)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		add(out, size, ", ");
		add(out, size, columns[i].name);
	}
	add(out, size, ", json");
}

void row_insert_sql(char *out, size_t size)
{
	out[0] = '\0';
	add(out, size, "INSERT INTO records(sequence, written");
	add_names(out, size);
	add(out, size, ") VALUES(?, ?");
	for (size_t i = 0; i < COLUMNS + 1; i++)
		add(out, size, ", ?");
	add(out, size, ")");
}

void row_select_sql(char *out, size_t size)
{
	out[0] = '\0';
	add(out, size, "SELECT sequence, written");
	add_names(out, size);
	add(out, size, " FROM records WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
}

static int bind_field(sqlite3_stmt *st, int at, const struct column *c, const struct alert *alert)
{
	const char *field = (const char *)alert + c->offset;
	uint64_t wide;
	uint32_t narrow;

	switch (c->type) {
	case COLUMN_TEXT:
		return sqlite3_bind_text(st, at, field, (int)strnlen(field, c->size),
					 SQLITE_STATIC);
	case COLUMN_U32:
		memcpy(&narrow, field, sizeof narrow);
		return sqlite3_bind_int64(st, at, narrow);
	case COLUMN_U64:
		memcpy(&wide, field, sizeof wide);
		return sqlite3_bind_int64(st, at, (sqlite3_int64)wide);
	}
	return SQLITE_MISUSE;
}

int row_bind(sqlite3_stmt *st, uint64_t wall_ns, const struct stored *record)
{
	int rc = sqlite3_bind_int64(st, 1, (sqlite3_int64)record->sequence);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(st, 2, (sqlite3_int64)wall_ns);
	for (size_t i = 0; i < COLUMNS && rc == SQLITE_OK; i++)
		rc = bind_field(st, FIRST_FIELD + (int)i, &columns[i], &record->alert);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, FIRST_FIELD + (int)COLUMNS, record->json,
				       (int)record->alert.json_len, SQLITE_STATIC);
	return rc;
}

/* Copies a text column; a row with anything but printable ASCII was not written by us, and a
 * newline in it would forge a line of JSON. */
static bool read_text(sqlite3_stmt *st, int at, char *out, size_t size, size_t *len)
{
	const unsigned char *text;
	int n;

	if (sqlite3_column_type(st, at) != SQLITE_TEXT)
		return false;
	text = sqlite3_column_text(st, at);
	n = sqlite3_column_bytes(st, at);
	if (text == NULL || n < 0 || (size_t)n >= size)
		return false;
	for (int i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	memcpy(out, text, (size_t)n);
	out[n] = '\0';
	*len = (size_t)n;
	return true;
}

static bool read_field(sqlite3_stmt *st, int at, const struct column *c, struct alert *alert)
{
	char *field = (char *)alert + c->offset;
	sqlite3_int64 value;
	uint32_t narrow;
	size_t len;

	if (c->type == COLUMN_TEXT)
		return read_text(st, at, field, c->size, &len);
	if (sqlite3_column_type(st, at) != SQLITE_INTEGER)
		return false;
	value = sqlite3_column_int64(st, at);
	if (c->type == COLUMN_U64) {
		memcpy(field, &value, sizeof value);
		return true;
	}
	narrow = (uint32_t)value;
	memcpy(field, &narrow, sizeof narrow);
	return value >= 0 && value <= UINT32_MAX;
}

bool row_read(sqlite3_stmt *st, struct stored *record)
{
	memset(&record->alert, 0, sizeof record->alert);
	record->sequence = (uint64_t)sqlite3_column_int64(st, 0);
	for (size_t i = 0; i < COLUMNS; i++)
		if (!read_field(st, FIRST_FIELD - 1 + (int)i, &columns[i], &record->alert))
			return false;
	if (!read_text(st, FIRST_FIELD - 1 + (int)COLUMNS, record->json, sizeof record->json,
		       &record->alert.json_len))
		return false;
	record->alert.json = record->json;
	return record->alert.op <= ALERT_CLOSE && record->alert.severity < SEVERITY_MAX;
}
