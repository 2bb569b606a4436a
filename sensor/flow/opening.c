/* SPDX-License-Identifier: Apache-2.0 */
/* opening.c - see opening.h. */
#include "flow/opening.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

#define WORD sizeof(uint64_t)
#define BYTES_LEAST ((size_t)1 << 20)
/* About what the packets of two short flows take. */
#define BUCKET_BYTES 512
/* Parts of the ring, of which a reader that is behind sees the last SEGMENTS_SEEN, ... */
#define SEGMENTS 16
#define SEGMENTS_SEEN 11
/* ... as long as the writer is ahead by no more than these; an entry may hang over into one more.
 */
#define SEGMENTS_AHEAD 4
_Static_assert(SEGMENTS_SEEN + SEGMENTS_AHEAD < SEGMENTS, "what is seen is not written to");
/* Entries of a bucket that are looked at: four times what there are when all are full. */
#define HOPS_MAX 256
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* spreads ids over buckets (Knuth 6.4) */

enum { ENTRY_FLOW, ENTRY_BEFORE, ENTRY_NUMBER, ENTRY_TIME, ENTRY_LEN, ENTRY_DATA };

/* Positions count words since the start and never fall; their low bits are the place. */
struct openings {
	_Atomic uint64_t *word;
	_Atomic uint64_t *bucket; /* position + 1 of the newest entry, 0 none */
	uint64_t mask;		  /* words - 1 */
	size_t buckets;
	unsigned shift;	       /* from a spread id to its bucket */
	uint64_t head;	       /* the writer's: the next entry's position */
	_Atomic uint64_t tail; /* entries before it are overwritten, or about to be */
	unsigned segment_shift;
	_Atomic uint64_t segment;	  /* that head is in, counted since the start */
	_Atomic uint64_t first[SEGMENTS]; /* frames from this number on are in it */
};

struct openings *openings_new(size_t bytes)
{
	struct openings *o = calloc(1, sizeof *o);
	size_t size = BYTES_LEAST;

	if (o == NULL)
		return NULL;
	while (size < bytes)
		size *= 2;
	o->mask = size / WORD - 1;
	o->buckets = size / BUCKET_BYTES;
	o->shift = 64 - (unsigned)__builtin_ctzll(o->buckets);
	o->segment_shift = (unsigned)__builtin_ctzll(size / WORD / SEGMENTS);
	o->word = pages_new(size / WORD, WORD);
	o->bucket = pages_new(o->buckets, WORD);
	if (o->word == NULL || o->bucket == NULL) {
		openings_free(o);
		return NULL;
	}
	return o;
}

void openings_free(struct openings *o)
{
	if (o == NULL)
		return;
	pages_free(o->word, o->mask + 1, WORD);
	pages_free(o->bucket, o->buckets, WORD);
	free(o);
}

static size_t bucket_of(const struct openings *o, uint64_t flow_id)
{
	return (flow_id * GOLDEN) >> o->shift;
}

/* ---- the writer ------------------------------------------------------------------------------ */

static void put(struct openings *o, uint64_t at, uint64_t value)
{
	atomic_store_explicit(&o->word[at & o->mask], value, memory_order_release);
}

static void put_bytes(struct openings *o, uint64_t at, const uint8_t *data, size_t len)
{
	uint64_t value;

	for (; len >= WORD; len -= WORD, data += WORD) {
		memcpy(&value, data, WORD);
		put(o, at++, value);
	}
	if (len == 0)
		return;
	value = 0;
	memcpy(&value, data, len);
	put(o, at, value);
}

/* The bucket is anywhere; the place of the packet itself is behind that of the one before. */
void openings_prefetch(const struct openings *o, uint64_t flow_id)
{
	__builtin_prefetch((const void *)&o->bucket[bucket_of(o, flow_id)], 1);
}

/* A frame's own packets are in the segment before, however many it holds: who asks as of that frame
 * gets the same whether they are kept already or not. */
static bool turn(struct openings *o, uint64_t number)
{
	uint64_t segment = o->head >> o->segment_shift;

	if (segment == atomic_load_explicit(&o->segment, memory_order_relaxed))
		return false;
	atomic_store_explicit(&o->first[segment % SEGMENTS], number + 1, memory_order_relaxed);
	atomic_store_explicit(&o->segment, segment, memory_order_release);
	return true;
}

bool openings_keep(struct openings *o, uint64_t flow_id, uint32_t nth, uint64_t number,
		   uint64_t ts_ns, const uint8_t *data, size_t len)
{
	_Atomic uint64_t *bucket = &o->bucket[bucket_of(o, flow_id)];
	uint64_t at = o->head;

	if (len > OPENING_PACKET_MAX)
		len = OPENING_PACKET_MAX;
	o->head = at + ENTRY_DATA + (len + WORD - 1) / WORD;
	if (o->head > o->mask + 1)
		atomic_store_explicit(&o->tail, o->head - (o->mask + 1), memory_order_relaxed);
	put(o, at + ENTRY_FLOW, flow_id);
	put(o, at + ENTRY_BEFORE, atomic_load_explicit(bucket, memory_order_relaxed));
	put(o, at + ENTRY_NUMBER, number);
	put(o, at + ENTRY_TIME, ts_ns);
	put(o, at + ENTRY_LEN, len | (uint64_t)nth << 32);
	put_bytes(o, at + ENTRY_DATA, data, len);
	atomic_store_explicit(bucket, at + 1, memory_order_release);
	return turn(o, number);
}

uint64_t openings_wait_for(const struct openings *o)
{
	uint64_t segment = atomic_load_explicit(&o->segment, memory_order_relaxed);

	return segment < SEGMENTS_AHEAD
		   ? 0
		   : atomic_load_explicit(&o->first[(segment - SEGMENTS_AHEAD) % SEGMENTS],
					  memory_order_relaxed);
}

/* ---- readers --------------------------------------------------------------------------------- */

static uint64_t word_at(const struct openings *o, uint64_t at)
{
	return atomic_load_explicit(&o->word[at & o->mask], memory_order_acquire);
}

/* Whether words of the entry that were read are of this entry. */
static bool stands(const struct openings *o, uint64_t at)
{
	return atomic_load_explicit(&o->tail, memory_order_relaxed) <= at;
}

/* Where what counts as of the frame begins: it depends on frames up to this one only. */
static uint64_t floor_of(const struct openings *o, uint64_t until)
{
	uint64_t newest = atomic_load_explicit(&o->segment, memory_order_acquire);
	uint64_t segment = newest;

	if (until == UINT64_MAX)
		return 0;
	while (segment > 0 && newest - segment < SEGMENTS - 1 &&
	       atomic_load_explicit(&o->first[segment % SEGMENTS], memory_order_relaxed) > until)
		segment--;
	return segment < SEGMENTS_SEEN ? 0 : (segment - SEGMENTS_SEEN + 1) << o->segment_shift;
}

unsigned openings_find(const struct openings *o, uint64_t flow_id, uint64_t until,
		       uint64_t at[static OPENING_PACKETS], bool *gone)
{
	uint64_t floor = floor_of(o, until);
	uint64_t next =
	    atomic_load_explicit(&o->bucket[bucket_of(o, flow_id)], memory_order_acquire);
	uint64_t found[OPENING_PACKETS];
	unsigned count = 0;

	*gone = false;
	for (unsigned hops = 0; next != 0 && hops < HOPS_MAX && count < OPENING_PACKETS;) {
		uint64_t entry = next - 1;
		uint64_t id = word_at(o, entry + ENTRY_FLOW);
		uint64_t number = word_at(o, entry + ENTRY_NUMBER);

		next = word_at(o, entry + ENTRY_BEFORE);
		if (entry < floor || !stands(o, entry)) {
			*gone = true;
			break;
		}
		if (number > until)
			continue;
		hops++;
		if (id == flow_id)
			found[count++] = entry;
	}
	for (unsigned i = 0; i < count; i++)
		at[i] = found[count - 1 - i];
	return count;
}

bool openings_read(const struct openings *o, uint64_t at, struct opening *out)
{
	uint64_t nth_len = word_at(o, at + ENTRY_LEN);
	size_t len = nth_len & UINT32_MAX;

	out->number = word_at(o, at + ENTRY_NUMBER);
	out->ts_ns = word_at(o, at + ENTRY_TIME);
	if (!stands(o, at) || len > sizeof out->data)
		return false;
	out->len = (uint32_t)len;
	out->nth = (uint32_t)(nth_len >> 32);
	for (size_t i = 0; i < len; i += WORD) {
		uint64_t value = word_at(o, at + ENTRY_DATA + i / WORD);

		memcpy(out->data + i, &value, len - i < WORD ? len - i : WORD);
	}
	return stands(o, at);
}
