/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpi.h - DPI in a process of its own: the memory that it shares with workers, and its life.
 *
 *	supervisor	makes the memory, starts the DPI process, watches its pulse, begins a new
 *			epoch when it has died
 *	worker		maps the memory; its judge asks over it (dpi_attach() in app.h)
 *	DPI process	maps it, gives up everything, serves
 *
 * Neither believes a word of the others: sensor/dpi/segment.h says how.
 */
#ifndef BULKHEAD_DPI_H
#define BULKHEAD_DPI_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"

struct dpi_segment;

/* Supervisor: *fd is the caller's, to hand on and to close. */
int dpi_segment_new(struct dpi_segment **segment, int *fd, struct err *err)
    __attribute__((warn_unused_result));
/* Worker: maps what it was handed; the descriptor may be closed then. */
int dpi_segment_map(struct dpi_segment **segment, int fd, struct err *err)
    __attribute__((warn_unused_result));
void dpi_segment_free(struct dpi_segment *segment); /* may be NULL */

/* Supervisor: changes as long as the DPI process moves, twice a second at least. */
uint64_t dpi_segment_beats(const struct dpi_segment *segment);
/* Supervisor: the worker was written rubbish to. */
bool dpi_segment_is_broken(const struct dpi_segment *segment);
/* Supervisor: the DPI process has ended and can write no more: the worker begins anew, and shows
 * the next one nothing of what it had shown this one. */
void dpi_segment_begin_epoch(struct dpi_segment *segment);

/* DPI process: takes the segment, gives up every privilege, serves until it is killed.  Returns
 * only when it cannot begin: ERR_RUN, ERR_MEMORY.  Closes fd. */
int dpi_serve(int fd, struct err *err) __attribute__((warn_unused_result));

#endif
