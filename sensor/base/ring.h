/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - single-producer single-consumer queue of variable-size records in fixed memory.
 *
 * One thread writes, one reads.  A record is contiguous; it becomes visible to the reader on
 * ring_publish(), which may cover several records (publish once a batch).  A record takes at most
 * half of the ring, less 8 bytes.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

struct ring *ring_new(size_t bytes); /* rounded up to a power of two; NULL when memory is short */
void ring_free(struct ring *ring);
/* Producer: room for len bytes, 8-byte aligned, or NULL when full (caller waits or counts; what
 * is committed but not published stays in the way).  Reserving again forgets the last one. */
void *ring_reserve(struct ring *ring, size_t len);
void ring_commit(struct ring *ring, size_t len); /* len <= reserved */
void ring_publish(struct ring *ring);
/* Consumer: the oldest published record, or NULL; borrowed until ring_pop(). */
const void *ring_peek(struct ring *ring, size_t *len);
/* Records may be looked at early, to prefetch what they will need: gives each once, in order, as
 * long as it is not more than `most` behind the oldest; else NULL.  Never sees a newer publication
 * than ring_peek(). */
const void *ring_look_ahead(struct ring *ring, unsigned most);
void ring_pop(struct ring *ring);
/* Published and not yet popped, in bytes; any thread, a little behind. */
size_t ring_used(const struct ring *ring);

#endif
