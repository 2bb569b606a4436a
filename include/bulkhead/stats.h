/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - every counter of the sensor, by number and by name.
 *
 * One row a counter: the enum below and the name table in base/stats.c, in the same order.
 * Counters only grow; each thread owns a struct stats and the reader adds them up (relaxed
 * reads: a report may be a few packets behind, never torn).
 *
 * The ledger: STAT_FRAMES equals the sum of STAT_ATTRIBUTED and all STAT_UNATTRIBUTED_*.
 */
#ifndef BULKHEAD_STATS_H
#define BULKHEAD_STATS_H

#include <stdint.h>

enum stat {
	STAT_FRAMES,
	STAT_BYTES,
	/* the ledger: exactly one of these a frame */
	STAT_ATTRIBUTED,	     /* a NIC or address in it is known */
	STAT_UNATTRIBUTED_TRUNCATED, /* cut before the addresses */
	STAT_UNATTRIBUTED_MALFORMED,
	STAT_UNATTRIBUTED_LINKTYPE,
	STAT_UNATTRIBUTED_ETHERTYPE,
	STAT_UNATTRIBUTED_DEPTH,
	STAT_UNATTRIBUTED_SEGMENT,  /* VLAN or VNI in no inventory */
	STAT_UNATTRIBUTED_UNMAPPED, /* no NIC and no address of it is known */
	/* capture */
	STAT_DROP_KERNEL,
	STAT_DROP_INTERFACE,
	STAT_UNSEEN_MS, /* nobody looked: between a worker's death and its successor's start */
	STAT_TRUNCATED_FRAMES,
	STAT_CLOCK_BACK,
	/* decode */
	STAT_PACKETS,	/* layers decoded */
	STAT_TUNNELLED, /* frames with more than one layer */
	STAT_FRAGMENTS,
	STAT_FRAGMENTS_LOST, /* later fragments whose first was not seen or was evicted */
	/* flow */
	STAT_FLOWS_NEW,
	STAT_FLOWS_EXPIRED,
	STAT_FLOWS_EVICTED,
	STAT_FLOWS_OPEN,
	STAT_FLOWS_TCP,	    /* ended TCP flows that were more than a try ... */
	STAT_FLOWS_ONE_WAY, /* ... and those of them of which one direction was never seen */
	STAT_TCP_MEASURED,  /* TCP segments of flows that are followed for what is not shown ... */
	STAT_TCP_UNSEEN,    /* ... and those that were acknowledged and never shown (estimated) */
	STAT_TCP_PAIRED,    /* where a tap shows flows twice: segments that were shown twice ... */
	STAT_TCP_SINGLE,    /* ... and those of which one copy was not shown (estimated) */
	STAT_PATHS_NEW,
	STAT_PATHS_FULL,
	STAT_WATCH_FULL, /* a suspect flow could not be watched packet by packet */
	STAT_RELAY_MATCHES,
	STAT_MATCHES_SHED, /* packets of watched flows not matched, under overload */
	STAT_DUPLICATES,   /* copies with equal MACs, which a SPAN makes */
	STAT_TOKENS,
	/* dpi */
	STAT_DPI_PACKETS, /* shown */
	STAT_DPI_FLOWS,	  /* asked about */
	STAT_DPI_LABELLED,
	STAT_DPI_FULL, /* questions that found no room */
	STAT_DPI_SHED, /* labels left out: under overload, for want of memory, or lost with the DPI
			* process */
	STAT_DPI_DEATHS, /* of the DPI process, which was replaced each time */
	/* judge */
	STAT_EVENTS,
	STAT_EVENTS_DROPPED,
	STAT_FINDINGS,
	STAT_FINDINGS_DROPPED,
	STAT_FINDINGS_ALLOWED,	/* excused by an allow entry */
	STAT_FINDINGS_EXCEPTED, /* excused by a rule's exception */
	STAT_FINDINGS_NO_RULE,
	STAT_ALERTS_OPENED,
	STAT_ALERTS_UPDATED,
	STAT_ALERTS_CLOSED,
	STAT_ALERTS_EVICTED,
	STAT_ALERTS_SUPPRESSED,
	STAT_ALERTS_HELD, /* not told at once: their actor had opened too many */
	STAT_EVIDENCE_DROPPED,
	STAT_STATE_EVICTED,   /* entries of detectors' tables pushed out */
	STAT_STATE_FORGOTTEN, /* the same of memories that only hold the newest by design */
	/* sink */
	STAT_OUTBOX_QUEUED,
	STAT_OUTBOX_WRITTEN,
	STAT_OUTBOX_DROPPED,
	STAT_OUTBOX_DEPTH,
	STAT_SINK_DELIVERED,
	STAT_SINK_ERRORS,
	STAT_SINK_RECONNECTS,
	/* cycles by stage, only with profile on */
	STAT_CYCLES_CAPTURE,
	STAT_CYCLES_DECODE,
	STAT_CYCLES_TENANT,
	STAT_CYCLES_FLOW,
	STAT_CYCLES_DPI,
	STAT_CYCLES_JUDGE,
	STAT_MAX
};

struct stats {
	uint64_t count[STAT_MAX];
};

static inline void stat_add(struct stats *stats, enum stat which, uint64_t n)
{
	/* Single writer; a relaxed store keeps a concurrent reader from seeing a torn value. */
	__atomic_store_n(&stats->count[which], stats->count[which] + n, __ATOMIC_RELAXED);
}

static inline uint64_t stat_get(const struct stats *stats, enum stat which)
{
	return __atomic_load_n(&stats->count[which], __ATOMIC_RELAXED);
}

static inline void stat_set(struct stats *stats, enum stat which, uint64_t n)
{
	__atomic_store_n(&stats->count[which], n, __ATOMIC_RELAXED);
}

const char *stat_name(enum stat which); /* "frames", "unattributed_truncated" ... */
void stats_sum(struct stats *total, const struct stats *part);

#endif
