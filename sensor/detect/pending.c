/* SPDX-License-Identifier: Apache-2.0 */
/* pending.c - see pending.h. */
#include "detect/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "detect/build.h"

#define ENTRIES 4096
#define FRAME_KEPT 160

struct key {
	uint64_t flow_id;
	uint64_t mac;
	uint64_t end;
};

struct entry {
	struct finding finding; /* count and bytes: not told yet */
	uint8_t frame[FRAME_KEPT];
	uint64_t since_ns;
	bool relayed;
	bool told;
};

struct pending {
	struct table *table;
	uint64_t wait_ns;
	bool (*unless)(void *context, const struct finding *finding);
	void *context;
};

struct pending *pending_new(uint64_t wait_ns, uint64_t seed)
{
	struct pending *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->wait_ns = wait_ns;
	p->table = table_new(ENTRIES, sizeof(struct key), sizeof(struct entry), seed);
	if (p->table == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	table_free(p->table);
	free(p);
}

/* What waits outlives the event: the frame's bytes are copied. */
static void keep(struct entry *e, const struct finding *f)
{
	e->finding = *f;
	e->finding.count = 0;
	e->finding.bytes = 0;
	if (f->frame_count == 0)
		return;
	if (e->finding.frame[0].caplen > FRAME_KEPT)
		e->finding.frame[0].caplen = FRAME_KEPT;
	memcpy(e->frame, f->frame[0].data, e->finding.frame[0].caplen);
	e->finding.frame[0].data = NULL;
	e->finding.frame_count = 1;
}

static void tell(struct entry *e, struct findings *out)
{
	struct finding *f;

	if (e->finding.count == 0)
		return;
	f = findings_add(out);
	if (f == NULL)
		return;
	*f = e->finding;
	if (f->frame_count > 0)
		f->frame[0].data = e->frame;
	e->finding.count = 0;
	e->finding.bytes = 0;
	e->finding.frame_count = 0; /* one frame is enough of a kind */
	e->told = true;
}

/* Whoever opens more flows than fit must not silence what waits: the oldest but one (the oldest's
 * frame is overwritten by the entry that comes) is told before its time.  If it is a relay after
 * all, it is the same stranger's. */
static void make_room(struct pending *p, const struct key *key, struct findings *out)
{
	struct entry *next;

	if (table_used(p->table) < table_capacity(p->table) || table_find(p->table, key) != NULL)
		return;
	next = table_newer(p->table, table_oldest(p->table));
	if (next != NULL && !next->relayed && !next->told)
		tell(next, out);
}

void pending_note(struct pending *p, const struct event *ev, struct mac_addr mac,
		  unsigned victim_end,
		  void (*first)(struct finding *finding, const struct event *ev, unsigned end),
		  struct findings *out)
{
	struct key key = {.flow_id = ev->flow_id, .mac = mac_to_u64(mac), .end = victim_end};
	bool fresh;
	struct entry *e;

	make_room(p, &key, out);
	e = table_put(p->table, &key, &fresh);
	if (fresh) {
		struct findings one __attribute__((uninitialized)); /* 61 KiB */
		struct finding *f;

		one.count = 0;
		one.dropped = 0;
		f = build_finding(&one, ev, NULL, CONFIDENCE_PROOF);
		first(f, ev, victim_end);
		keep(e, f);
		e->since_ns = ev->ts_ns;
	}
	if (e->relayed)
		return;
	e->finding.count += ev->u.path.packets;
	e->finding.bytes += ev->u.path.bytes;
	e->finding.ts_ns = ev->ts_ns;
	if (e->told)
		tell(e, out);
}

void pending_relayed(struct pending *p, const struct event *ev)
{
	/* In by one NIC, out by another of the same tenant, perhaps. */
	const struct mac_addr mac[2] = {ev->u.relayed.in_dmac, ev->smac};

	for (unsigned i = 0; i < 4; i++) {
		struct key key = {
		    .flow_id = ev->flow_id, .mac = mac_to_u64(mac[i / 2]), .end = i % 2};
		struct entry *e = table_put(p->table, &key, NULL);

		e->relayed = true;
	}
}

void pending_answered(struct pending *p, const struct event *ev)
{
	for (unsigned end = 0; end < 2; end++) {
		struct key key = {
		    .flow_id = ev->flow_id, .mac = mac_to_u64(ev->u.stray.asked), .end = end};
		struct entry *e = table_find(p->table, &key);

		if (e != NULL)
			e->relayed = true;
	}
}

void pending_unless(struct pending *p, bool (*unless)(void *context, const struct finding *finding),
		    void *context)
{
	p->unless = unless;
	p->context = context;
}

static void tell_until(struct pending *p, uint64_t due_ns, struct findings *out)
{
	struct entry *e = table_oldest(p->table);

	while (e != NULL && out->count < FINDINGS_MAX) {
		if (e->since_ns <= due_ns && !e->relayed && !e->told) {
			if (p->unless != NULL && p->unless(p->context, &e->finding))
				e->relayed = true;
			else
				tell(e, out);
		}
		e = table_newer(p->table, e);
	}
}

void pending_tick(struct pending *p, uint64_t now_ns, struct findings *out)
{
	tell_until(p, now_ns > p->wait_ns ? now_ns - p->wait_ns : 0, out);
}

void pending_finish(struct pending *p, struct findings *out)
{
	tell_until(p, UINT64_MAX, out);
}

uint64_t pending_evicted(const struct pending *p)
{
	return table_evicted(p->table);
}
