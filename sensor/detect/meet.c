/* SPDX-License-Identifier: Apache-2.0 */
/* meet.c - see meet.h. */
#include "detect/meet.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct key {
	uint64_t lo, hi;
	uint64_t nth; /* of the token's legs */
};

struct meet {
	struct table *table;
	struct leg now; /* the event's, when the table has no room for it */
};

struct meet *meet_new(uint32_t tokens, uint64_t seed)
{
	struct meet *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
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

static void fill_leg(struct leg *leg, const struct event *ev)
{
	leg->tuple = ev->tuple;
	leg->smac = ev->smac;
	leg->dmac = ev->dmac;
	leg->ts_ns = ev->ts_ns;
	leg->number = ev->frame.number;
	leg->path = ev->path;
	leg->segment = ev->segment;
	leg->linktype = ev->frame.linktype;
	leg->len = ev->frame.len;
	leg->caplen = (uint16_t)(ev->frame.caplen < MEET_FRAME ? ev->frame.caplen : MEET_FRAME);
	memcpy(leg->frame, ev->frame.data, leg->caplen);
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

static bool same_leg(const struct leg *leg, const struct event *ev)
{
	return mac_equal(leg->smac, ev->smac) && mac_equal(leg->dmac, ev->dmac) &&
	       same_tuple(&leg->tuple, &ev->tuple);
}

static struct leg_view view(const struct leg *leg, const struct event *ev)
{
	uint16_t domain = leg->tuple.domain;

	return (struct leg_view){
	    .leg = leg,
	    .from = inventory_carrier(ev->inv, leg->smac),
	    .to = inventory_carrier(ev->inv, leg->dmac),
	    .src = bindings_owner(ev->bindings, ev->inv, domain, &leg->tuple.src, ev->ts_ns),
	    .dst = bindings_owner(ev->bindings, ev->inv, domain, &leg->tuple.dst, ev->ts_ns),
	};
}

unsigned meet_token(struct meet *m, const struct event *ev, uint64_t window_ns,
		    struct leg_view earlier[static MEET_LEGS], struct leg_view *now)
{
	struct key key = {.lo = ev->u.token.token.lo, .hi = ev->u.token.token.hi};
	unsigned count = 0;
	struct leg *leg = NULL;

	for (key.nth = 0; key.nth < MEET_LEGS; key.nth++) {
		leg = table_find(m->table, &key);
		if (leg == NULL || same_leg(leg, ev))
			break;
		if (ev->ts_ns > leg->ts_ns && ev->ts_ns - leg->ts_ns > window_ns) {
			break; /* said again much later: it takes the old one's place */
		}
		earlier[count++] = view(leg, ev);
	}
	if (key.nth == MEET_LEGS) {
		leg = &m->now;
	} else if (leg == NULL || !same_leg(leg, ev)) {
		/* table_put() may push out the very legs we are about to give: copy nothing,
		 * but put only when none is borrowed or there is room. */
		leg = count > 0 && table_used(m->table) == table_capacity(m->table)
			  ? &m->now
			  : table_put(m->table, &key, NULL);
	}
	fill_leg(leg, ev);
	*now = view(leg, ev);
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
