/* SPDX-License-Identifier: Apache-2.0 */
/* meet.c - see meet.h. */
#include "detect/meet.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

struct key {
	uint64_t lo, hi;
	uint64_t nth; /* of the token's legs */
};

struct meet {
	struct table *table;
	struct hash_key key; /* the workers' */
};

struct meet *meet_new(uint32_t tokens, uint64_t seed)
{
	struct meet *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	hash_key_init(&m->key, seed);
	m->table = table_new(tokens > 0 ? tokens : 1, sizeof(struct key), sizeof(struct leg), seed);
	if (m->table == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void meet_free(struct meet *m)
{
	if (m == NULL)
		return;
	table_free(m->table);
	free(m);
}

uint64_t meet_evicted(const struct meet *m)
{
	return table_evicted(m->table);
}

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
	struct key key = {.lo = token->lo, .hi = token->hi};
	unsigned count = 0;
	bool fresh;
	struct leg *leg = table_put(m->table, &key, &fresh);

	if (fresh) { /* almost always */
		*leg = *now;
		return 0;
	}
	while (key.nth < MEET_LEGS) {
		if (leg == NULL || same_leg(leg, now))
			break;
		if (now->ts_ns > leg->ts_ns && now->ts_ns - leg->ts_ns > window_ns)
			break; /* said again much later: it takes the old one's place */
		earlier[count++] = leg;
		key.nth++;
		leg = key.nth < MEET_LEGS ? table_find(m->table, &key) : NULL;
	}
	if (key.nth == MEET_LEGS)
		return count;
	/* Putting into a full table could push out the very legs that are given out. */
	if (leg == NULL && (count == 0 || table_used(m->table) < table_capacity(m->table)))
		leg = table_put(m->table, &key, NULL);
	if (leg != NULL)
		*leg = *now;
	return count;
}

void meet_prefetch(const struct meet *m, const struct token *token)
{
	struct key key = {.lo = token->lo, .hi = token->hi};

	table_prefetch(m->table, &key);
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
		struct key key = {.lo = token[i].lo, .hi = token[i].hi};

		for (; key.nth < MEET_LEGS; key.nth++) {
			const struct leg *leg = table_find(m->table, &key);

			if (leg == NULL)
				break;
			if (now_ns < leg->ts_ns || now_ns - leg->ts_ns <= window_ns)
				found[count++] = leg;
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
