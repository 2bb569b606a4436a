/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - see ring.h.
 *
 *	| head | record | head | record | ...free... | head | record | wrap mark |
 *
 * A head is 8 bytes: the record's length, or WRAP when the rest up to the end of the memory is
 * unused because the next record did not fit there.  Everything is a multiple of 8 bytes, so a
 * head always fits before the end.  Positions count bytes since the start and never wrap.
 *
 * invariants:
 *  1. tail <= published <= head <= tail + size.
 *  2. a record takes at most half of the memory: whatever the position, an empty ring has room
 *     for it, unused rest included.
 *
 * Producer and consumer fields lie on cache lines of their own; each side keeps a copy of the
 * other's position and reads it anew only when the copy does not suffice.
 */
#include "base/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64
#define WRAP UINT32_MAX
#define SMALLEST 64

struct head {
	uint32_t len;
	uint32_t unused;
};

#define HEAD_SIZE sizeof(struct head)

_Static_assert(HEAD_SIZE == 8, "records are 8-byte aligned");

struct ring {
	/* producer */
	_Alignas(LINE) size_t head;
	size_t reserved_at; /* where the reserved record's head stands */
	size_t reserved;    /* its room; 0 none */
	size_t known_tail;
	/* consumer */
	_Alignas(LINE) size_t read; /* like tail, but beyond wrap marks */
	size_t known_published;
	size_t ahead;	/* the next record to be looked at early ... */
	unsigned early; /* ... which so many of the oldest ones were; 0: ahead means nothing */
	/* shared, each written by one side */
	_Alignas(LINE) _Atomic size_t published;
	_Alignas(LINE) _Atomic size_t tail;
	/* constant */
	_Alignas(LINE) size_t size;
	unsigned char *memory;
};

static size_t space_for(size_t len)
{
	return HEAD_SIZE + ((len + 7) & ~(size_t)7);
}

struct ring *ring_new(size_t bytes)
{
	size_t size = SMALLEST;
	struct ring *ring;

	if (bytes > SIZE_MAX / 4)
		return NULL;
	while (size < bytes)
		size *= 2;
	ring = aligned_alloc(LINE, sizeof *ring);
	if (ring == NULL)
		return NULL;
	memset(ring, 0, sizeof *ring);
	ring->size = size;
	ring->memory = aligned_alloc(LINE, size);
	if (ring->memory == NULL) {
		free(ring);
		return NULL;
	}
	return ring;
}

void ring_free(struct ring *ring)
{
	if (ring == NULL)
		return;
	free(ring->memory);
	free(ring);
}

static struct head *head_at(const struct ring *ring, size_t position)
{
	return (struct head *)(void *)(ring->memory + (position & (ring->size - 1)));
}

static bool has_room(struct ring *ring, size_t need)
{
	if (ring->size - (ring->head - ring->known_tail) >= need)
		return true;
	ring->known_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return ring->size - (ring->head - ring->known_tail) >= need;
}

void *ring_reserve(struct ring *ring, size_t len)
{
	size_t to_end = ring->size - (ring->head & (ring->size - 1));
	size_t need;
	size_t skip;

	if (len > ring->size / 2 - HEAD_SIZE)
		return NULL;
	need = space_for(len);
	skip = need > to_end ? to_end : 0;
	if (!has_room(ring, need + skip))
		return NULL;
	if (skip > 0)
		head_at(ring, ring->head)->len = WRAP; /* seen only once the record is published */
	ring->reserved_at = ring->head + skip;
	ring->reserved = len;
	return head_at(ring, ring->reserved_at) + 1;
}

void ring_commit(struct ring *ring, size_t len)
{
	assert(len <= ring->reserved);
	head_at(ring, ring->reserved_at)->len = (uint32_t)len;
	ring->head = ring->reserved_at + space_for(len);
	ring->reserved = 0;
}

void ring_publish(struct ring *ring)
{
	atomic_store_explicit(&ring->published, ring->head, memory_order_release);
}

const void *ring_peek(struct ring *ring, size_t *len)
{
	struct head *head;

	if (ring->read == ring->known_published) {
		ring->known_published =
		    atomic_load_explicit(&ring->published, memory_order_acquire);
		if (ring->read == ring->known_published)
			return NULL;
	}
	head = head_at(ring, ring->read);
	if (head->len == WRAP) {
		ring->read += ring->size - (ring->read & (ring->size - 1));
		head = head_at(ring, ring->read);
	}
	*len = head->len;
	return head + 1;
}

const void *ring_look_ahead(struct ring *ring, unsigned most)
{
	struct head *head;

	if (ring->early == 0)
		ring->ahead = ring->read;
	if (ring->early > most || ring->ahead >= ring->known_published)
		return NULL;
	head = head_at(ring, ring->ahead);
	if (head->len == WRAP) {
		ring->ahead += ring->size - (ring->ahead & (ring->size - 1));
		if (ring->ahead >= ring->known_published)
			return NULL;
		head = head_at(ring, ring->ahead);
	}
	ring->ahead += space_for(head->len);
	ring->early++;
	return head + 1;
}

void ring_pop(struct ring *ring)
{
	ring->read += space_for(head_at(ring, ring->read)->len);
	ring->early -= ring->early > 0;
	atomic_store_explicit(&ring->tail, ring->read, memory_order_release);
}

size_t ring_used(const struct ring *ring)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t published = atomic_load_explicit(&ring->published, memory_order_relaxed);

	return published > tail ? published - tail : 0;
}
