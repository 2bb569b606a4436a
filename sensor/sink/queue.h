/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - what the judge has said and the disk does not have yet.
 *
 * A fixed ring of whole alerts.  The judge copies in under a lock held for one copy; the writer
 * reads the slots in place, without the lock, because a taken slot is not reused before
 * queue_release().
 *
 * Who gives way when the disk is slow: updates may fill three quarters, the rest is kept for
 * opens and closes; these wait when even that is full, up to the patience given, and once one has
 * waited in vain the next do not wait until the writer has moved again.
 */
#ifndef SINK_QUEUE_H
#define SINK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/alert.h"

/* An alert that owns its JSON: alert.json points to json. */
struct stored {
	uint64_t sequence; /* 0 until the outbox has numbered it */
	struct alert alert;
	char json[ALERT_JSON_SIZE];
};

void stored_copy(struct stored *to, const struct alert *alert);

struct queue;

/* lossless: updates wait too (a replay). */
struct queue *queue_new(uint32_t capacity, bool lossless, uint64_t patience_ns);
void queue_free(struct queue *queue);

/* Judge.  False: dropped. */
bool queue_put(struct queue *queue, const struct alert *alert);
/* Nothing more will be put. */
void queue_close(struct queue *queue);

/* Writer: waits for records; *first..+n are contiguous and stay until released.  0: closed and
 * empty. */
uint32_t queue_take(struct queue *queue, struct stored **first);
void queue_release(struct queue *queue, uint32_t count);

uint32_t queue_used(struct queue *queue);

#endif
