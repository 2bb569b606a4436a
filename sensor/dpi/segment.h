/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h - the memory that a worker, its supervisor and the DPI process share.
 *
 *	| control         | pulse             | post |
 *	  supervisor: rw    supervisor: reads   -
 *	  worker: rw        worker: rw          rw
 *	  DPI: reads        DPI: rw             rw
 *
 * It is a sealed memfd: nobody can make it shorter under another's feet.  The DPI process maps the
 * control page for reading before it gives up the call that could change that.
 *
 * Epochs.  The supervisor begins a new one when a DPI process has ended, before it starts the next.
 * The worker, when it sees it, forgets what was on its way, empties the post, and says so
 *(attached); the DPI process of that epoch takes the post only from there on.  So nothing that a
 *dead one left, or had in its hands, is ever taken up again.
 */
#ifndef DPI_SEGMENT_H
#define DPI_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/dpi.h"
#include "dpi/lane.h"

#define SEGMENT_JOBS ((uint64_t)4 << 20) /* bytes: of a thousand flows and more */
#define SEGMENT_ANSWERS ((uint64_t)512 << 10)

struct segment_control {
	_Atomic uint32_t epoch;	 /* from 1; by the supervisor */
	_Atomic uint32_t broken; /* by the worker: the epoch whose DPI process writes rubbish */
};

struct segment_pulse {
	_Alignas(LANE_LINE) _Atomic uint64_t beats; /* the DPI process moves */
	_Alignas(LANE_LINE) _Atomic uint32_t asleep;
	_Atomic uint32_t bell;			   /* futex that it sleeps on */
	_Alignas(LANE_LINE) _Atomic uint64_t busy; /* number of the question at hand, or 0 */
};

struct segment_post {
	_Alignas(LANE_LINE) _Atomic uint32_t attached; /* epoch; by the worker */
	struct lane_ends jobs, answers;
};

struct dpi_segment {
	struct segment_control *control;
	struct segment_pulse *pulse;
	struct segment_post *post; /* NULL for the supervisor */
};

/* DPI process: dpi_segment_map() for it; the control page cannot be written through it. */
int segment_map_to_serve(struct dpi_segment **segment, int fd, struct err *err)
    __attribute__((warn_unused_result));

/* One side's ends of the post; jobs go to the DPI process, answers come from it. */
void segment_lanes(const struct dpi_segment *segment, struct lane *jobs, struct lane *answers);

/* Worker: wakes the DPI process when it sleeps.  No system call otherwise. */
void segment_ring(const struct dpi_segment *segment);
/* DPI process: has nothing to do until rung for, or for the time given.  waits: asked once
 * more behind the announcement; true when there is something after all. */
void segment_sleep(const struct dpi_segment *segment, bool (*waits)(void *context), void *context,
		   uint64_t ns);

#endif
