/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - the names of the counters, as health records and --stats write them. */
#include "bulkhead/stats.h"

static const char *const names[] = {
    [STAT_FRAMES] = "frames",
    [STAT_BYTES] = "bytes",
    [STAT_ATTRIBUTED] = "attributed",
    [STAT_UNATTRIBUTED_TRUNCATED] = "unattributed_truncated",
    [STAT_UNATTRIBUTED_MALFORMED] = "unattributed_malformed",
    [STAT_UNATTRIBUTED_LINKTYPE] = "unattributed_linktype",
    [STAT_UNATTRIBUTED_ETHERTYPE] = "unattributed_ethertype",
    [STAT_UNATTRIBUTED_DEPTH] = "unattributed_depth",
    [STAT_UNATTRIBUTED_SEGMENT] = "unattributed_segment",
    [STAT_UNATTRIBUTED_UNMAPPED] = "unattributed_unmapped",
    [STAT_DROP_KERNEL] = "drop_kernel",
    [STAT_DROP_INTERFACE] = "drop_interface",
    [STAT_UNSEEN_MS] = "unseen_ms",
    [STAT_TRUNCATED_FRAMES] = "truncated_frames",
    [STAT_CLOCK_BACK] = "clock_back",
    [STAT_PACKETS] = "packets",
    [STAT_TUNNELLED] = "tunnelled",
    [STAT_FRAGMENTS] = "fragments",
    [STAT_FRAGMENTS_LOST] = "fragments_lost",
    [STAT_FLOWS_NEW] = "flows_new",
    [STAT_FLOWS_EXPIRED] = "flows_expired",
    [STAT_FLOWS_EVICTED] = "flows_evicted",
    [STAT_FLOWS_OPEN] = "flows_open",
    [STAT_FLOWS_TCP] = "flows_tcp",
    [STAT_FLOWS_ONE_WAY] = "flows_one_way",
    [STAT_TCP_MEASURED] = "tcp_measured",
    [STAT_TCP_UNSEEN] = "tcp_unseen",
    [STAT_TCP_PAIRED] = "tcp_paired",
    [STAT_TCP_SINGLE] = "tcp_single",
    [STAT_PATHS_NEW] = "paths_new",
    [STAT_PATHS_FULL] = "paths_full",
    [STAT_WATCH_FULL] = "watch_full",
    [STAT_RELAY_MATCHES] = "relay_matches",
    [STAT_MATCHES_SHED] = "matches_shed",
    [STAT_DUPLICATES] = "duplicates",
    [STAT_TOKENS] = "tokens",
    [STAT_DPI_PACKETS] = "dpi_packets",
    [STAT_DPI_FLOWS] = "dpi_flows",
    [STAT_DPI_LABELLED] = "dpi_labelled",
    [STAT_DPI_FULL] = "dpi_full",
    [STAT_DPI_SHED] = "dpi_shed",
    [STAT_DPI_DEATHS] = "dpi_deaths",
    [STAT_EVENTS] = "events",
    [STAT_EVENTS_DROPPED] = "events_dropped",
    [STAT_FINDINGS] = "findings",
    [STAT_FINDINGS_DROPPED] = "findings_dropped",
    [STAT_FINDINGS_ALLOWED] = "findings_allowed",
    [STAT_FINDINGS_EXCEPTED] = "findings_excepted",
    [STAT_FINDINGS_NO_RULE] = "findings_no_rule",
    [STAT_ALERTS_OPENED] = "alerts_opened",
    [STAT_ALERTS_UPDATED] = "alerts_updated",
    [STAT_ALERTS_CLOSED] = "alerts_closed",
    [STAT_ALERTS_EVICTED] = "alerts_evicted",
    [STAT_ALERTS_SUPPRESSED] = "alerts_suppressed",
    [STAT_ALERTS_HELD] = "alerts_held",
    [STAT_EVIDENCE_DROPPED] = "evidence_dropped",
    [STAT_STATE_EVICTED] = "state_evicted",
    [STAT_STATE_FORGOTTEN] = "state_forgotten",
    [STAT_OUTBOX_QUEUED] = "outbox_queued",
    [STAT_OUTBOX_WRITTEN] = "outbox_written",
    [STAT_OUTBOX_DROPPED] = "outbox_dropped",
    [STAT_OUTBOX_DEPTH] = "outbox_depth",
    [STAT_SINK_DELIVERED] = "sink_delivered",
    [STAT_SINK_ERRORS] = "sink_errors",
    [STAT_SINK_RECONNECTS] = "sink_reconnects",
    [STAT_CYCLES_CAPTURE] = "cycles_capture",
    [STAT_CYCLES_DECODE] = "cycles_decode",
    [STAT_CYCLES_TENANT] = "cycles_tenant",
    [STAT_CYCLES_FLOW] = "cycles_flow",
    [STAT_CYCLES_DPI] = "cycles_dpi",
    [STAT_CYCLES_JUDGE] = "cycles_judge",
};

_Static_assert(sizeof names / sizeof names[0] == STAT_MAX, "one name a counter");

const char *stat_name(enum stat which)
{
	return names[which];
}

void stats_sum(struct stats *total, const struct stats *part)
{
	for (unsigned i = 0; i < STAT_MAX; i++)
		stat_add(total, (enum stat)i, stat_get(part, (enum stat)i));
}
