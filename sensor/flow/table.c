/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - see table.h. */
#include "flow/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/pages.h"
#include "base/word.h"

#define BUCKET_ENTRIES 16
/* The index begins with so many, which fit into a second-level cache, and grows with its flows. */
#define FEW_BUCKETS 4096
/* Flows a bucket, on average, from which on it grows: of two buckets, 32 places, more than that
 * want a place once in a million. */
#define CROWDED 6
/* How many slots an eviction looks at: enough to find a cheap one, little enough to be bounded. */
#define EVICT_CANDIDATES 16
/* Slots swept for idle flows with every new flow: the sweep keeps up with any rate of arrivals. */
#define SWEEP_STEP 2

/* The upper bits are a tag, the lower ones the slot + 1; 0 empty. */
struct bucket {
	uint32_t entry[BUCKET_ENTRIES];
};

_Static_assert(BUCKET_ENTRIES == 16, "candidates() counts them");
_Static_assert(sizeof(struct bucket) == 64, "one cache line");

struct flow_table {
	struct bucket *bucket;
	struct flow *slot;
	uint32_t mask;	    /* buckets in use - 1 */
	uint32_t most;	    /* buckets - 1 */
	uint32_t slot_bits; /* of a bucket's entry, as a mask */
	uint32_t capacity;
	uint32_t fresh; /* slots never used start here */
	uint32_t free_count;
	uint32_t *free_slot; /* stack */
	uint32_t hand;
	uint32_t used;
	uint64_t idle_ns;
	flow_gone *gone;
	void *context;
	struct stats *stats;
};

struct flow_table *flow_table_new(uint32_t capacity, uint64_t idle_ns, flow_gone *gone,
				  void *context, struct stats *stats)
{
	struct flow_table *t = calloc(1, sizeof *t);
	uint32_t buckets = 2;

	if (t == NULL)
		return NULL;
	while (buckets < UINT32_MAX / 16 &&
	       (uint64_t)buckets * BUCKET_ENTRIES < (uint64_t)capacity * 2)
		buckets *= 2;
	t->most = buckets - 1;
	t->mask = buckets < FEW_BUCKETS ? buckets - 1 : FEW_BUCKETS - 1;
	t->slot_bits = 1;
	while (t->slot_bits < capacity)
		t->slot_bits = t->slot_bits * 2 + 1;
	t->capacity = capacity;
	t->idle_ns = idle_ns;
	t->gone = gone;
	t->context = context;
	t->stats = stats;
	t->bucket = pages_new(buckets, sizeof *t->bucket);
	t->slot = pages_new(capacity, sizeof *t->slot);
	t->free_slot = malloc((size_t)capacity * sizeof *t->free_slot);
	if (t->bucket == NULL || t->slot == NULL || t->free_slot == NULL) {
		flow_table_free(t);
		return NULL;
	}
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (t == NULL)
		return;
	pages_free(t->bucket, (size_t)t->most + 1, sizeof *t->bucket);
	pages_free(t->slot, t->capacity, sizeof *t->slot);
	free(t->free_slot);
	free(t);
}

void flow_table_prefetch_bucket(const struct flow_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->bucket[hash & t->mask]);
}

/* Upper bits of the hash, never 0: an empty entry is no candidate. */
static inline uint32_t tag_of(const struct flow_table *t, uint32_t hash)
{
	uint32_t tag = hash & ~t->slot_bits;

	return tag != 0 ? tag : t->slot_bits + 1;
}

#ifdef __SSE2__
static inline __m128i equal(const uint32_t *entry, __m128i tag_bits, __m128i tag)
{
	__m128i four = _mm_loadu_si128((const __m128i *)entry);

	return _mm_cmpeq_epi32(_mm_and_si128(four, tag_bits), tag);
}

/* The entries that may be of this hash, a bit each. */
static inline unsigned candidates(const struct flow_table *t, const struct bucket *b, uint32_t hash)
{
	const __m128i tag = _mm_set1_epi32((int)tag_of(t, hash));
	const __m128i tag_bits = _mm_set1_epi32((int)~t->slot_bits);
	const uint32_t *e = b->entry;
	__m128i low = _mm_packs_epi32(equal(e, tag_bits, tag), equal(e + 4, tag_bits, tag));
	__m128i high = _mm_packs_epi32(equal(e + 8, tag_bits, tag), equal(e + 12, tag_bits, tag));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
#else
static inline unsigned candidates(const struct flow_table *t, const struct bucket *b, uint32_t hash)
{
	const uint32_t tag = tag_of(t, hash), tag_bits = ~t->slot_bits;
	unsigned found = 0;

	for (unsigned i = 0; i < BUCKET_ENTRIES; i++)
		found |= (unsigned)((b->entry[i] & tag_bits) == tag) << i;
	return found;
}
#endif

static inline struct flow *flow_of(const struct flow_table *t, uint32_t entry)
{
	return &t->slot[(entry & t->slot_bits) - 1];
}

const struct flow *flow_table_prefetch_slot(const struct flow_table *t, uint32_t hash, bool tcp)
{
	const struct bucket *b = &t->bucket[hash & t->mask];
	unsigned found = candidates(t, b, hash);
	const struct flow *flow;

	if (found == 0) {
		__builtin_prefetch(&t->bucket[(hash & t->mask) ^ 1]); /* there, then */
		return NULL;
	}
	flow = flow_of(t, b->entry[__builtin_ctz(found)]);
	__builtin_prefetch(flow);
	__builtin_prefetch((const char *)flow + 64);
	__builtin_prefetch((const char *)flow + 128);
	if (tcp)
		__builtin_prefetch((const char *)flow + 192);
	return flow;
}

static inline bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return ((word_at(a, 0) ^ word_at(b, 0)) | (word_at(a, 8) ^ word_at(b, 8)) |
		(word_at(a, 16) ^ word_at(b, 16)) | (word_at(a, 24) ^ word_at(b, 24)) |
		(word_at(a, 32) ^ word_at(b, 32))) == 0;
}

static uint32_t entry_of(const struct flow_table *t, const struct flow *flow)
{
	return tag_of(t, flow->hash) | ((uint32_t)(flow - t->slot) + 1);
}

static uint32_t *find_entry(struct bucket *b, uint32_t entry)
{
	for (unsigned i = 0; i < BUCKET_ENTRIES; i++)
		if (b->entry[i] == entry)
			return &b->entry[i];
	return NULL;
}

static void end(struct flow_table *t, struct flow *flow)
{
	t->gone(t->context, flow);
	flow->used = 0;
	t->used--;
}

static void drop(struct flow_table *t, struct flow *flow)
{
	uint32_t home = flow->hash & t->mask;
	uint32_t *entry = find_entry(&t->bucket[home], entry_of(t, flow));

	if (entry == NULL)
		entry = find_entry(&t->bucket[home ^ 1], entry_of(t, flow));
	assert(entry != NULL); /* invariant 1 */
	*entry = 0;
	end(t, flow);
	t->free_slot[t->free_count++] = (uint32_t)(flow - t->slot);
}

/* Lower is cheaper to lose: what a stranger can make for nothing goes first. */
static unsigned worth(const struct flow *flow)
{
	if (flow->watch != 0)
		return 3;
	if (flow->packets[0] != 0 && flow->packets[1] != 0)
		return 2;
	return flow->packets[0] + flow->packets[1] > 1 ? 1 : 0;
}

static bool idle(const struct flow_table *t, const struct flow *flow, uint64_t now_ns)
{
	return now_ns > flow->last_ns && now_ns - flow->last_ns > t->idle_ns;
}

static void expire(struct flow_table *t, struct flow *flow)
{
	drop(t, flow);
	stat_add(t->stats, STAT_FLOWS_EXPIRED, 1);
}

static void sweep(struct flow_table *t, uint64_t now_ns)
{
	for (unsigned i = 0; i < SWEEP_STEP && t->fresh > 0; i++) {
		struct flow *flow = &t->slot[t->hand];

		t->hand = t->hand + 1 < t->fresh ? t->hand + 1 : 0;
		if (flow->used && idle(t, flow, now_ns))
			expire(t, flow);
	}
}

static void evict_one(struct flow_table *t)
{
	struct flow *victim = NULL;

	for (unsigned i = 0; i < EVICT_CANDIDATES; i++) {
		struct flow *flow = &t->slot[t->hand];

		t->hand = t->hand + 1 < t->fresh ? t->hand + 1 : 0;
		if (!flow->used)
			continue;
		if (victim == NULL || worth(flow) < worth(victim) ||
		    (worth(flow) == worth(victim) && flow->last_ns < victim->last_ns))
			victim = flow;
	}
	assert(victim != NULL); /* only called when every slot is used */
	drop(t, victim);
	stat_add(t->stats, STAT_FLOWS_EVICTED, 1);
}

static struct flow *cheapest_of(const struct flow_table *t, uint32_t hash)
{
	struct flow *victim = NULL;

	for (unsigned k = 0; k < 2; k++) {
		const struct bucket *b = &t->bucket[(hash & t->mask) ^ k];

		for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
			struct flow *flow = flow_of(t, b->entry[i]);

			if (victim == NULL || worth(flow) < worth(victim) ||
			    (worth(flow) == worth(victim) && flow->last_ns < victim->last_ns))
				victim = flow;
		}
	}
	return victim;
}

/* A free bucket entry for hash; when both buckets are full the cheapest flow of them goes.  Flows
 * are looked at only then: each is a cache line that nobody needs. */
static uint32_t *free_entry(struct flow_table *t, uint32_t hash)
{
	for (;;) {
		for (unsigned k = 0; k < 2; k++) {
			struct bucket *b = &t->bucket[(hash & t->mask) ^ k];
			uint32_t *entry = find_entry(b, 0);

			if (entry != NULL)
				return entry;
		}
		drop(t, cheapest_of(t, hash));
		stat_add(t->stats, STAT_FLOWS_EVICTED, 1);
	}
}

/* Twice the buckets.  Flows are read in the order in which they lie: some ten ns each, once in the
 * time that it took to fill the half of the table. */
static void grow(struct flow_table *t)
{
	t->mask = t->mask * 2 + 1;
	memset(t->bucket, 0, ((size_t)t->mask + 1) * sizeof *t->bucket);
	for (uint32_t i = 0; i < t->fresh; i++)
		if (t->slot[i].used)
			*free_entry(t, t->slot[i].hash) = entry_of(t, &t->slot[i]);
}

static struct flow *insert(struct flow_table *t, const struct flow_key *key, uint32_t hash,
			   uint64_t now_ns)
{
	uint32_t *entry;
	uint32_t slot;
	struct flow *flow;

	sweep(t, now_ns);
	if (t->free_count == 0 && t->fresh == t->capacity)
		evict_one(t);
	if (t->mask < t->most && t->used >= (t->mask + 1) * CROWDED)
		grow(t);
	entry = free_entry(t, hash);
	slot = t->free_count > 0 ? t->free_slot[--t->free_count] : t->fresh++;
	flow = &t->slot[slot];
	memset(flow, 0, sizeof *flow);
	flow->key = *key;
	flow->hash = hash;
	*entry = entry_of(t, flow);
	flow->used = 1;
	flow->first_ns = now_ns;
	flow->last_ns = now_ns;
	t->used++;
	stat_add(t->stats, STAT_FLOWS_NEW, 1);
	return flow;
}

static struct flow *look_up(const struct flow_table *t, const struct flow_key *key, uint32_t hash)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct bucket *b = &t->bucket[(hash & t->mask) ^ k];

		for (unsigned found = candidates(t, b, hash); found != 0; found &= found - 1) {
			struct flow *flow = flow_of(t, b->entry[__builtin_ctz(found)]);

			if (same_key(&flow->key, key))
				return flow;
		}
	}
	return NULL;
}

static __attribute__((noinline)) struct flow *get_slowly(struct flow_table *t,
							 const struct flow_key *key, uint32_t hash,
							 uint64_t now_ns, bool *fresh)
{
	struct flow *flow = look_up(t, key, hash);

	if (flow != NULL && idle(t, flow, now_ns)) { /* the same tuple, another conversation */
		expire(t, flow);
		flow = NULL;
	}
	*fresh = flow == NULL;
	return flow != NULL ? flow : insert(t, key, hash, now_ns);
}

struct flow *flow_table_get(struct flow_table *t, const struct flow_key *key, uint32_t hash,
			    const struct flow *guess, uint64_t now_ns, bool *fresh)
{
	/* A flow has one slot: when the guess is still of this key, it is the one. */
	if (guess != NULL && guess->used && same_key(&guess->key, key) && !idle(t, guess, now_ns)) {
		*fresh = false;
		return &t->slot[guess - t->slot];
	}
	return get_slowly(t, key, hash, now_ns, fresh);
}

uint32_t flow_table_slot(const struct flow_table *t, const struct flow *flow)
{
	return (uint32_t)(flow - t->slot);
}

struct flow *flow_table_at(struct flow_table *t, uint32_t slot)
{
	return &t->slot[slot];
}

struct ending {
	uint64_t id;
	uint32_t slot;
};

static int by_id(const void *a, const void *b)
{
	const struct ending *x = a;
	const struct ending *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void flow_table_end_all(struct flow_table *t)
{
	/* Only at the end of a capture: an allocation is in order.  Flows that have nothing to tell
	 * need no order. */
	struct ending *ending = malloc(((size_t)t->used + 1) * sizeof *ending);
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->fresh; i++) {
		if (!t->slot[i].used)
			continue;
		if (ending != NULL && t->slot[i].watch != 0)
			ending[count++] = (struct ending){.id = t->slot[i].id, .slot = i};
		else
			end(t, &t->slot[i]);
	}
	if (ending == NULL)
		return;
	qsort(ending, count, sizeof *ending, by_id);
	for (uint32_t i = 0; i < count; i++)
		end(t, &t->slot[ending[i].slot]);
	free(ending);
}

uint32_t flow_table_used(const struct flow_table *t)
{
	return t->used;
}
