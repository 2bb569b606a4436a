/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shed.c - what is left out when there is more than can be judged, and what never is.
 *
 * Live only: a replay waits instead, so that its outcome is always the same.  A worker that falls
 * behind (the kernel dropped frames) goes one level up a tenth of a second of packet time later at
 * the soonest, and one down after each second without:
 *
 *	1 evidence	frames are passed on cut to their headers; also when the judge falls
 *			behind, and the ring to him is more than half full
 *	2 new flows	DPI for flows that it has not seen yet
 *	3 DPI		for all flows
 *	4 matching	of relayed packets: a fourth of them, chosen by a key and by what the packet
 *			carries, so that both copies of one meet the same fate
 *
 * Never: decoding, bindings, the ledger, the heartbeat.  Counters of flows stay too: they cost less
 * than asking whether to count.
 *
 * The ring itself has room for rare events that prove most when those that a stranger makes in
 * masses have taken their share.
 */
#include "base/hash.h"
#include "base/log.h"
#include "bulkhead/clock.h"
#include "worker.h"

#define UP_NS (100 * NS_PER_MS)
#define DOWN_NS NS_PER_SEC
#define MATCHED_ONE_IN 4

/* Shares of the ring, in eighths. */
#define SHARE_ALL 8
#define SHARE_RARE 7
#define SHARE_CONTROL 6
#define SHARE_MASSES 4

/* The level that would help: what a worker saves itself does not help the judge. */
static enum shed_level wanted(struct worker *w)
{
	uint64_t dropped = stat_get(&w->stats, STAT_DROP_KERNEL);
	bool behind = dropped != w->shed_dropped;

	w->shed_dropped = dropped;
	if (behind)
		return SHED_MATCHING;
	return ring_used(w->ring) > RING_LIVE / 2 ? SHED_EVIDENCE : SHED_NOTHING;
}

void shed_look(struct worker *w)
{
	enum shed_level want = wanted(w);
	uint64_t now = w->now_ns;

	if (want >= w->shed && want != SHED_NOTHING)
		w->shed_behind_ns = now;
	if (want > w->shed && now - w->shed_ns >= UP_NS)
		w->shed++;
	else if (want < w->shed && now - w->shed_ns >= DOWN_NS &&
		 now - w->shed_behind_ns >= DOWN_NS)
		w->shed--;
	else
		return;
	w->shed_ns = now;
	atomic_store_explicit(&w->shed_told, (int)w->shed, memory_order_relaxed);
	log_warn("worker=%u leaves-out=\"%s\"", w->index, shed_name(w->shed));
}

bool shed_match(const struct worker *w, const struct packet *packet)
{
	return w->shed >= SHED_MATCHING &&
	       hash_word(&w->shared->key, packet_fingerprint(packet)) % MATCHED_ONE_IN != 0;
}

static unsigned share_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_RELAYED:
	case RECORD_TICK:
		return SHARE_ALL;
	case EVENT_FLOW:
	case EVENT_TOKEN:
	case EVENT_HELLO:
	case EVENT_FLOW_END:
	case EVENT_NEW_MAC:
	case EVENT_PAYLOAD:
		return SHARE_MASSES;
	case EVENT_PATH:
	case EVENT_EXPOSED:
	case EVENT_RETURNED:
	case EVENT_SECRET:
	case EVENT_CONFLICT:
		return SHARE_RARE;
	default:
		return SHARE_CONTROL;
	}
}

bool shed_event(const struct worker *w, enum event_kind kind)
{
	return ring_used(w->ring) >= RING_LIVE / 8 * share_of(kind);
}

const char *shed_name(enum shed_level level)
{
	static const char *const names[] = {"nothing", "evidence", "DPI of new flows", "DPI",
					    "relay matching"};

	return names[level];
}
