/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h - the memory that workers, their supervisor and the DPI process share.
 *
 *	| control         | pulse            | post of worker 0 | post of worker 1 | ...
 *	  supervisor: rw    supervisor: reads   -                  -
 *	  workers: rw       workers: rw         rw                 rw
 *	  DPI: reads        DPI: rw             rw                 rw
 *
 * It is a sealed memfd: nobody can make it shorter under another's feet.  The DPI process maps the
 * control page for reading before it gives up the call that could change that.
 *
 * Epochs.  The supervisor begins a new one when a DPI process has ended, before it starts the next.
 * A worker that sees it forgets what was on its way, empties its post, and says so (attached); the
 * DPI process of that epoch takes a post only from there on.  So nothing that a dead one left, or
 * had in its hands, is ever taken up again.
 */
#ifndef DPI_SEGMENT_H
#define DPI_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/dpi.h"
#include "dpi/lane.h"

#define SEGMENT_MAX_POSTS 1024
#define SEGMENT_JOBS ((uint64_t)4 << 20) /* bytes of a post: about 10 ms of nDPI's time */
#define SEGMENT_ANSWERS ((uint64_t)1 << 20)

struct segment_control {
	struct dpi_shape shape;	 /* constant */
	_Atomic uint32_t epoch;	 /* from 1; by the supervisor */
	_Atomic uint32_t broken; /* by workers: the epoch whose DPI process writes rubbish */
};

struct segment_pulse {
	_Alignas(LANE_LINE) _Atomic uint64_t beats; /* the DPI process moves */
	_Alignas(LANE_LINE) _Atomic uint32_t asleep;
	_Atomic uint32_t bell; /* futex that it sleeps on */
	/* What it is busy with: of which worker, from 1, 0 nothing; which ticket. */
	_Alignas(LANE_LINE) _Atomic uint32_t busy;
	_Atomic uint32_t place, generation;
};

struct segment_post {
	_Alignas(LANE_LINE) _Atomic uint32_t attached; /* epoch; by the worker */
	struct lane_ends jobs, answers;
};

struct dpi_segment {
	struct segment_control *control;
	struct segment_pulse *pulse;
	uint8_t *posts; /* NULL for the supervisor */
	size_t posts_size;
	struct dpi_shape shape; /* as it was when it was mapped */
};

/* DPI process: dpi_segment_map() for it; the control page cannot be written through it. */
int segment_map_to_serve(struct dpi_segment **segment, int fd, struct err *err)
    __attribute__((warn_unused_result));

struct segment_post *segment_post(const struct dpi_segment *segment, unsigned index);
/* One side's ends of a post; jobs go to the DPI process, answers come from it. */
void segment_lanes(const struct dpi_segment *segment, unsigned index, struct lane *jobs,
		   struct lane *answers);

/* Worker: wakes the DPI process when it sleeps.  No system call otherwise. */
void segment_ring(const struct dpi_segment *segment);
/* DPI process: has nothing to do until rung for, or for the time given.  rings: lanes looked at
 * once more behind the announcement; true when there is something after all. */
void segment_sleep(const struct dpi_segment *segment, bool (*waits)(void *context), void *context,
		   uint64_t ns);

#endif
