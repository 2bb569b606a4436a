/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meet.c - see meet.h.
 *
 * Legs lie in a ring in the order in which they came: the newest takes the place of the oldest, and
 * nothing has to be looked for, unlinked or moved to make room.  Buckets of one cache line each
 *lead to a token's first leg, that to its next one.
 *
 *	buckets: 8 x (tag, number)		ring: | leg | leg | leg | leg | ...
 *	+----+----+----+----+----+----+----+----+        first ----------> next
 *	|t,n |t,n |    |    |    |    |    |    |  ----->
 *	+----+----+----+----+----+----+----+----+
 *
 * Legs are numbered since the start, and known by the low 32 bits of their number; 0 is none.
 *
 * invariants:
 *  1. a number is alive as long as fewer legs came after it than the ring has places;
 *  2. what an alive number leads to is that leg, or after 2^32 others a leg of another token: who
 *     follows a number compares the token.
 */
#include "detect/meet.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"
#include "base/table.h"
#include "bulkhead/clock.h"

#define BUCKET_ENTRIES 8
/* Legs that come soon: their memory is on its way before it is written. */
#define AHEAD 4
#define LINE 64

struct bucket {
	uint32_t tag[BUCKET_ENTRIES];
	uint32_t number[BUCKET_ENTRIES];
};

_Static_assert(sizeof(struct bucket) == 64, "one cache line");

struct entry {
	uint64_t lo, hi; /* the token */
	uint32_t next;	 /* number of its next leg */
	struct leg leg;
};

/* The same leg again so soon is a copy of a second mirror session, or a retransmission. */
#define REPEAT_NS (100 * NS_PER_MS)
/* Requests on their way: an answer takes seconds at most, and most are told apart by then. */
#define ASKED 4096

struct asked {
	uint64_t asked_ns;
	struct meet_answer answer, before; /* of the last request, of the one before */
};

struct meet {
	struct table *asked; /* by flow_tuple */
	struct entry *ring;
	struct bucket *buckets;
	uint32_t capacity;
	uint32_t mask;	/* buckets - 1 */
	uint64_t count; /* number of the newest leg */
	uint64_t evicted;
	struct hash_key key; /* the workers' */
};

struct meet *meet_new(uint32_t tokens, uint64_t seed)
{
	struct meet *m = calloc(1, sizeof *m);
	uint32_t buckets = 1;

	if (m == NULL)
		return NULL;
	hash_key_init(&m->key, seed);
	m->capacity = tokens > 0 ? tokens : 1;
	/* Two legs a bucket when the ring is full: one in ten thousand finds no room there. */
	while (buckets < m->capacity / 2)
		buckets *= 2;
	m->mask = buckets - 1;
	m->ring = pages_new(m->capacity, sizeof *m->ring);
	m->buckets = pages_new(buckets, sizeof *m->buckets);
	m->asked = table_new(ASKED, sizeof(struct flow_tuple), sizeof(struct asked), seed);
	if (m->ring == NULL || m->buckets == NULL || m->asked == NULL) {
		meet_free(m);
		return NULL;
	}
	return m;
}

void meet_free(struct meet *m)
{
	if (m == NULL)
		return;
	pages_free(m->ring, m->capacity, sizeof *m->ring);
	pages_free(m->buckets, (size_t)m->mask + 1, sizeof *m->buckets);
	table_free(m->asked);
	free(m);
}

uint64_t meet_evicted(const struct meet *m)
{
	return m->evicted;
}

/* ---- the ring -------------------------------------------------------------------------------- */

static uint32_t age_of(const struct meet *m, uint32_t number)
{
	return (uint32_t)m->count - number;
}

static bool is_alive(const struct meet *m, uint32_t number)
{
	return number != 0 && age_of(m, number) < m->capacity && age_of(m, number) < m->count;
}

/* The leg of an alive number; NULL when it is not one of this token. */
static struct entry *follow(const struct meet *m, uint32_t number, const struct token *token)
{
	struct entry *entry;

	if (!is_alive(m, number))
		return NULL;
	entry = &m->ring[(m->count - age_of(m, number)) % m->capacity];
	return entry->lo == token->lo && entry->hi == token->hi ? entry : NULL;
}

static struct entry *next_place(const struct meet *m)
{
	return &m->ring[(m->count + 1) % m->capacity];
}

/* Returns the leg's number. */
static uint32_t append(struct meet *m, const struct token *token, const struct leg *leg)
{
	struct entry *entry = next_place(m);
	const char *soon = (const char *)&m->ring[(m->count + AHEAD) % m->capacity];

	for (size_t at = 0; at < sizeof *entry; at += LINE)
		__builtin_prefetch(soon + at, 1);
	m->evicted += m->count >= m->capacity;
	m->count++;
	entry->lo = token->lo;
	entry->hi = token->hi;
	entry->next = 0;
	entry->leg = *leg;
	return (uint32_t)m->count;
}

/* ---- the index ------------------------------------------------------------------------------- */

static struct bucket *bucket_of(const struct meet *m, const struct token *token)
{
	return &m->buckets[(uint32_t)token->lo & m->mask];
}

static uint32_t tag_of(const struct token *token)
{
	return (uint32_t)token->hi;
}

static struct entry *first_leg(const struct meet *m, const struct token *token)
{
	const struct bucket *b = bucket_of(m, token);

	for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
		struct entry *entry =
		    b->tag[i] == tag_of(token) ? follow(m, b->number[i], token) : NULL;

		if (entry != NULL)
			return entry;
	}
	return NULL;
}

/* A place without a living leg, else the oldest one's. */
static void put_first(struct meet *m, const struct token *token, uint32_t number)
{
	struct bucket *b = bucket_of(m, token);
	unsigned at = 0;

	for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
		if (!is_alive(m, b->number[i])) {
			at = i;
			break;
		}
		if (age_of(m, b->number[i]) > age_of(m, b->number[at]))
			at = i;
	}
	m->evicted += is_alive(m, b->number[at]);
	b->tag[at] = tag_of(token);
	b->number[at] = number;
}

/* ---- legs ------------------------------------------------------------------------------------ */

static bool same_tuple(const struct flow_tuple *a, const struct flow_tuple *b)
{
	return a->sport == b->sport && a->dport == b->dport && ip_equal(&a->src, &b->src) &&
	       ip_equal(&a->dst, &b->dst);
}

bool leg_same_flow(const struct leg *a, const struct leg *b)
{
	return same_tuple(&a->tuple, &b->tuple);
}

static bool same_leg(const struct leg *a, const struct leg *b)
{
	return mac_equal(a->smac, b->smac) && mac_equal(a->dmac, b->dmac) &&
	       a->segment == b->segment && same_tuple(&a->tuple, &b->tuple);
}

struct leg_view leg_view(const struct leg *leg, const struct event *ev)
{
	uint16_t domain = leg->tuple.domain;
	struct path_parties p = {
	    .src = bindings_owner(ev->bindings, ev->inv, domain, &leg->tuple.src, ev->ts_ns),
	    .dst = bindings_owner(ev->bindings, ev->inv, domain, &leg->tuple.dst, ev->ts_ns),
	    .from = inventory_carrier(ev->inv, leg->smac),
	    .to = inventory_carrier(ev->inv, leg->dmac),
	    .to_group = mac_is_group(leg->dmac),
	};

	/* Where its packets begin, an address that nobody registered is its NIC's. */
	if (p.from.tenant >= TENANT_FIRST && owner_undecided(&p.src, &leg->tuple.src)) {
		p.src.tenant = p.from.tenant;
		p.src.host = p.from.host;
		p.src.kind = OWNER_HOST;
	}
	return (struct leg_view){
	    .leg = leg,
	    .from = p.from,
	    .to = p.to,
	    .src = p.src,
	    .dst = p.dst,
	    .path = path_judge(ev->inv, ev->tap, &p, &leg->tuple.src, &leg->tuple.dst),
	};
}

unsigned meet_note(struct meet *m, const struct token *token, const struct leg *now,
		   uint64_t window_ns, const struct leg *earlier[static MEET_LEGS])
{
	struct entry *entry = first_leg(m, token);
	struct entry *last = NULL;
	bool in_the_way = false;
	unsigned count = 0;

	if (entry == NULL) { /* almost always */
		put_first(m, token, append(m, token, now));
		return 0;
	}
	while (entry != NULL && count < MEET_LEGS) {
		if (same_leg(&entry->leg, now) && now->ts_ns >= entry->leg.ts_ns &&
		    now->ts_ns - entry->leg.ts_ns < REPEAT_NS)
			return 0;
		/* Said again, or much later: it takes the old one's place. */
		if (same_leg(&entry->leg, now) ||
		    (now->ts_ns > entry->leg.ts_ns && now->ts_ns - entry->leg.ts_ns > window_ns)) {
			entry->leg = *now;
			return count;
		}
		in_the_way |= entry == next_place(m);
		earlier[count++] = &entry->leg;
		last = entry;
		entry = follow(m, entry->next, token);
	}
	/* One more must not overwrite what is given out. */
	if (count < MEET_LEGS && !in_the_way)
		last->next = append(m, token, now);
	return count;
}

/* Without the padding that a tuple may have. */
static struct flow_tuple tuple_key(const struct flow_tuple *t, bool back)
{
	struct flow_tuple key;

	memset(&key, 0, sizeof key);
	key.src = back ? t->dst : t->src;
	key.dst = back ? t->src : t->dst;
	key.sport = back ? t->dport : t->sport;
	key.dport = back ? t->sport : t->dport;
	key.proto = t->proto;
	key.domain = t->domain;
	return key;
}

void meet_asked(struct meet *m, const struct flow_tuple *tuple, uint64_t ts_ns)
{
	struct flow_tuple key = tuple_key(tuple, false);
	struct asked *asked = table_put(m->asked, &key, NULL);

	if (asked->answer.ts_ns == 0) {
		asked->asked_ns = ts_ns;
		return;
	}
	if (ts_ns < asked->asked_ns + REPEAT_NS)
		return;
	asked->asked_ns = ts_ns;
	asked->before = asked->answer;
	asked->answer = (struct meet_answer){.ts_ns = 0};
}

void meet_said(struct meet *m, const struct flow_tuple *tuple, const struct token *token,
	       uint64_t ts_ns)
{
	struct flow_tuple key;
	struct asked *asked;

	if (table_used(m->asked) == 0)
		return;
	key = tuple_key(tuple, true);
	asked = table_find(m->asked, &key);
	if (asked != NULL && asked->answer.ts_ns == 0)
		asked->answer = (struct meet_answer){
		    .ts_ns = ts_ns, .length = token->length, .status = token->status};
}

uint64_t meet_asked_ns(const struct meet *m, const struct flow_tuple *tuple)
{
	struct flow_tuple key = tuple_key(tuple, true);
	const struct asked *asked = table_find(m->asked, &key);

	return asked != NULL ? asked->asked_ns : 0;
}

struct meet_answer meet_answer(const struct meet *m, const struct flow_tuple *tuple,
			       uint64_t after_ns)
{
	struct flow_tuple key = tuple_key(tuple, false);
	const struct asked *asked = table_find(m->asked, &key);

	if (asked != NULL && asked->before.ts_ns > after_ns)
		return asked->before;
	if (asked != NULL && asked->answer.ts_ns > after_ns)
		return asked->answer;
	return (struct meet_answer){.ts_ns = 0};
}

uint64_t meet_answered(const struct meet *m, const struct flow_tuple *tuple, uint64_t after_ns)
{
	return meet_answer(m, tuple, after_ns).ts_ns;
}

void meet_prefetch(const struct meet *m, const struct token *token)
{
	__builtin_prefetch(bucket_of(m, token), 1);
}

unsigned meet_find(const struct meet *m, const struct packet *packet, uint64_t now_ns,
		   uint64_t window_ns, const struct leg *found[static MEET_LEGS])
{
	struct token token[TOKENS_A_PACKET + 1];
	unsigned tokens = token_extract(packet, &m->key, token);
	unsigned count = 0;

	if (token_of_syn(packet, &m->key, &token[tokens]) ||
	    (tokens == 0 && token_of_payload(packet, &m->key, &token[tokens])))
		tokens++;
	for (unsigned i = 0; i < tokens && count == 0; i++) {
		const struct entry *entry = first_leg(m, &token[i]);

		for (unsigned nth = 0; entry != NULL && nth < MEET_LEGS; nth++) {
			if (now_ns < entry->leg.ts_ns || now_ns - entry->leg.ts_ns <= window_ns)
				found[count++] = &entry->leg;
			entry = follow(m, entry->next, &token[i]);
		}
	}
	return count;
}

struct finding_frame leg_frame(const struct leg *leg)
{
	return (struct finding_frame){.number = leg->number,
				      .ts_ns = leg->ts_ns,
				      .data = leg->frame,
				      .caplen = leg->caplen,
				      .len = leg->len,
				      .linktype = leg->linktype};
}
