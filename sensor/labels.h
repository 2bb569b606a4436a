/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.h - what application a flow carries, asked when a finding wants to say so.
 *
 * Workers keep the openings of flows (flow/opening.h), the judge has them inspected: here and now
 * in a replay, by the DPI process live.  There a label comes some milliseconds late, so a finding
 * that went out without is shown again when it has come.
 *
 * In a replay, frames up to that of the event at hand are taken, and no others, however far the
 * workers have come: labels are the same for any number of them.
 *
 * Threads: the judge's.
 */
#ifndef LABELS_H
#define LABELS_H

#include "bulkhead/finding.h"
#include "worker.h"

struct labels;

/* dpi is borrowed.  profile: count cycles.  NULL when memory is short. */
struct labels *labels_new(struct dpi *dpi, bool profile, uint64_t seed);
/* Without labels (NULL) these do nothing. */
void labels_free(struct labels *labels);

/* Something is strange about a flow: it is inspected while its opening is there, for a finding may
 * take seconds to be sure.  until: number of the newest frame that counts. */
void labels_look(struct labels *labels, const struct worker *workers, unsigned count,
		 uint64_t until, uint64_t flow_id, const struct flow_tuple *tuple);
/* Labels a finding that has a flow, with what its opening says by now. */
void labels_name(struct labels *labels, const struct worker *workers, unsigned count,
		 uint64_t until, struct finding *finding);
/* Live: a finding without a label, as it was shown; it waits for one.  What it points to has to
 * stay until labels_forget(). */
void labels_wait(struct labels *labels, const struct finding *finding);
/* Live, now and then: each finding whose label has come, without frames and with a count of 0. */
bool labels_next(struct labels *labels, struct finding *finding);
/* Live: before labels_next(). */
void labels_turn(struct labels *labels);
void labels_forget(struct labels *labels);
/* Adds STAT_DPI_*, STAT_CYCLES_DPI since the last call. */
void labels_stats(struct labels *labels, struct stats *stats);

#endif
