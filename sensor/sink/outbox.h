/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h - the sensor's own record of what it has said: a table in SQLite, write-ahead.
 *
 * A state change counts as accepted once outbox_append() has returned: it is on the disk, synced
 * (synchronous=FULL, one sync a group of records), and stays until every sink has had it and age
 * or quota asks for its room.  Delivered rows are kept so that a server that was restored from an
 * old snapshot can be filled up again.
 *
 * The file is readable by anyone with sqlite3 and the rights: one row a state change, one column
 * a field of struct alert.  It may have been written by a stranger: it is checked when opened,
 * and every row again when read.
 *
 * Threads: any; each call takes the outbox's lock.
 */
#ifndef SINK_OUTBOX_H
#define SINK_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"
#include "sink/queue.h"

/* Delivered rows older than this go even when there is room. */
#define OUTBOX_KEEP_NS (UINT64_C(7) * 24 * 3600 * NS_PER_SEC)

struct outbox;

struct outbox_config {
	const char *path; /* NULL: a private temporary file that goes with the process */
	uint64_t quota;	  /* bytes */
	bool lossless;	  /* never drop what is not delivered, whatever the quota says */
};

int outbox_open(struct outbox **outbox, const struct outbox_config *config, struct err *err)
    __attribute__((warn_unused_result));
void outbox_close(struct outbox *outbox); /* NULL is fine */

/*
 * Appends all or nothing and numbers the records; a record the quota has no room for keeps
 * sequence 0.  Makes room first: delivered rows, then updates, beyond twice the quota closes,
 * never an open.  *dropped is how many state changes were given up.  On error (a full disk)
 * nothing was written and the call can be repeated.
 */
int outbox_append(struct outbox *outbox, struct stored *record, uint32_t count, uint64_t wall_ns,
		  uint64_t *dropped, struct err *err) __attribute__((warn_unused_result));

/* The next records behind `after`, in order.  *skipped grows by rows that make no sense. */
int outbox_read(struct outbox *outbox, uint64_t after, struct stored *out, uint32_t max,
		uint32_t *count, uint64_t *skipped, struct err *err)
    __attribute__((warn_unused_result));

/* The highest sequence ever given; 0 none. */
uint64_t outbox_last(struct outbox *outbox);
/* The lowest sequence still held; 0 none. */
uint64_t outbox_first(struct outbox *outbox);

/* Every sink has what is up to here: it may go when room is needed. */
void outbox_delivered(struct outbox *outbox, uint64_t sequence);
/* Removes some delivered rows beyond OUTBOX_KEEP_NS. */
int outbox_expire(struct outbox *outbox, uint64_t wall_ns, struct err *err);

/* A named number that is kept with the records; one that is not there leaves *sequence alone. */
int outbox_mark(struct outbox *outbox, const char *name, uint64_t sequence, struct err *err)
    __attribute__((warn_unused_result));
int outbox_marked(struct outbox *outbox, const char *name, uint64_t *sequence, struct err *err)
    __attribute__((warn_unused_result));

#endif
