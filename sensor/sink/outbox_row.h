/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox_row.h - one state change as one row: the table's columns, writing and reading them.
 *
 * The column table is the only definition: the schema, the statements, binding and reading come
 * from it.  Part of the outbox; needs sqlite3.h.
 */
#ifndef SINK_OUTBOX_ROW_H
#define SINK_OUTBOX_ROW_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "sink/queue.h"

/* "CREATE TABLE records(...)" in the very words that sqlite_master will hold. */
void row_schema(char *out, size_t size);
/* "INSERT INTO records(...) VALUES(...)": parameters 1 sequence, 2 wall ns, then the fields. */
void row_insert_sql(char *out, size_t size);
/* "SELECT sequence, ... FROM records WHERE sequence > ?1 ORDER BY sequence LIMIT ?2". */
void row_select_sql(char *out, size_t size);

/* SQLITE_OK or the error. */
int row_bind(sqlite3_stmt *insert, uint64_t wall_ns, const struct stored *record);
/* False when the row is none of ours: a wrong type, too long, not printable ASCII. */
bool row_read(sqlite3_stmt *select, struct stored *record);

#endif
