/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h - one-way queue between two processes that do not trust each other, in shared memory.
 *
 *	shared:   | head | tail |      bytes, size of them, used round and round      |
 *	          written by
 *	          sender  receiver
 *
 * Records are copied in and copied out, so nobody looks at memory that another may change.  Each
 * side keeps its own position to itself and only publishes it; what the other published counts for
 * as much as it can be true: no further from ours than there is room.  Else, and when a record's
 * length cannot be, the lane is broken: it gives and takes nothing any more until lane_open().
 *
 * invariant: positions count bytes since lane_open(), and are multiples of 8.
 */
#ifndef DPI_LANE_H
#define DPI_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANE_LINE 64

struct lane_ends { /* shared; each on a cache line of its own */
	_Alignas(LANE_LINE) _Atomic uint64_t head;
	_Alignas(LANE_LINE) _Atomic uint64_t tail;
};

struct lane { /* one side's view */
	struct lane_ends *ends;
	uint8_t *bytes;
	uint64_t size;	 /* a power of two */
	uint64_t mine;	 /* our position */
	uint64_t theirs; /* the other's, as far as it was looked at */
	bool broken;
};

/* Both positions 0: the side that does it must know that the other does not use it yet. */
void lane_clear(struct lane_ends *ends);
/* size: a power of two. */
void lane_open(struct lane *lane, struct lane_ends *ends, uint8_t *bytes, uint64_t size);

/* Sender: a record of two parts, body may be NULL.  False when there is no room, or broken. */
bool lane_put(struct lane *lane, const void *head, size_t head_len, const void *body,
	      size_t body_len);
/* Sender: whether a record of len bytes has room. */
bool lane_has_room(struct lane *lane, size_t len);
/* Receiver: copies the oldest record to out; its length, 0 when there is none, or broken. */
size_t lane_get(struct lane *lane, void *out, size_t room);
/* Receiver: whether there is something to get, or to find broken. */
bool lane_waits(const struct lane *lane);

#endif
