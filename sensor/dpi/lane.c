/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - see lane.h.  A record is its length, 4 bytes, then itself, padded to 8 bytes. */
#include "dpi/lane.h"

#include <string.h>

#define LENGTH_SIZE sizeof(uint32_t)

static uint64_t space_for(size_t len)
{
	return (LENGTH_SIZE + len + 7) & ~(uint64_t)7;
}

void lane_clear(struct lane_ends *ends)
{
	atomic_store_explicit(&ends->head, 0, memory_order_relaxed);
	atomic_store_explicit(&ends->tail, 0, memory_order_relaxed);
}

void lane_open(struct lane *lane, struct lane_ends *ends, uint8_t *bytes, uint64_t size)
{
	*lane = (struct lane){.ends = ends, .bytes = bytes, .size = size};
}

/* The bytes at a position may go on at the beginning. */
static void copy_in(struct lane *lane, uint64_t position, const void *from, size_t len)
{
	size_t at = position & (lane->size - 1);
	size_t first = len < lane->size - at ? len : lane->size - at;

	memcpy(lane->bytes + at, from, first);
	memcpy(lane->bytes, (const uint8_t *)from + first, len - first);
}

static void copy_out(const struct lane *lane, uint64_t position, void *to, size_t len)
{
	size_t at = position & (lane->size - 1);
	size_t first = len < lane->size - at ? len : lane->size - at;

	memcpy(to, lane->bytes + at, first);
	memcpy((uint8_t *)to + first, lane->bytes, len - first);
}

bool lane_has_room(struct lane *lane, size_t len)
{
	uint64_t need = space_for(len);

	if (lane->broken)
		return false;
	if (lane->size - (lane->mine - lane->theirs) >= need)
		return true;
	lane->theirs = atomic_load_explicit(&lane->ends->tail, memory_order_acquire);
	if (lane->mine - lane->theirs > lane->size) {
		lane->broken = true;
		return false;
	}
	return lane->size - (lane->mine - lane->theirs) >= need;
}

bool lane_put(struct lane *lane, const void *head, size_t head_len, const void *body,
	      size_t body_len)
{
	uint32_t len = (uint32_t)(head_len + body_len);

	if (!lane_has_room(lane, len))
		return false;
	copy_in(lane, lane->mine, &len, LENGTH_SIZE);
	copy_in(lane, lane->mine + LENGTH_SIZE, head, head_len);
	if (body != NULL)
		copy_in(lane, lane->mine + LENGTH_SIZE + head_len, body, body_len);
	lane->mine += space_for(len);
	atomic_store_explicit(&lane->ends->head, lane->mine, memory_order_release);
	return true;
}

size_t lane_get(struct lane *lane, void *out, size_t room)
{
	uint64_t there;
	uint32_t len;

	if (lane->broken)
		return 0;
	if (lane->mine == lane->theirs)
		lane->theirs = atomic_load_explicit(&lane->ends->head, memory_order_acquire);
	there = lane->theirs - lane->mine;
	if (there == 0)
		return 0;
	if (there > lane->size || there < LENGTH_SIZE)
		goto broken;
	copy_out(lane, lane->mine, &len, LENGTH_SIZE);
	if (len == 0 || len > room || space_for(len) > there)
		goto broken;
	copy_out(lane, lane->mine + LENGTH_SIZE, out, len);
	lane->mine += space_for(len);
	atomic_store_explicit(&lane->ends->tail, lane->mine, memory_order_release);
	return len;
broken:
	lane->broken = true;
	return 0;
}

bool lane_waits(const struct lane *lane)
{
	return !lane->broken &&
	       atomic_load_explicit(&lane->ends->head, memory_order_acquire) != lane->mine;
}
