/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.h - a worker's side of DPI in a process of its own: questions out, answers in, never a wait.
 *
 * The calls mean what those of app.h mean.  What the DPI process says is hostile: it can name any
 * label for a flow that it was asked about, once, and nothing else.
 */
#ifndef DPI_DESK_H
#define DPI_DESK_H

#include "bulkhead/app.h"
#include "dpi/segment.h"

struct desk;

/* The segment is borrowed for the desk's life. */
struct desk *desk_new(const struct dpi_segment *segment, struct err *err);
void desk_free(struct desk *desk);
bool desk_ask(struct desk *desk, uint64_t flow, const struct packet packet[],
	      const uint64_t ts_ns[], unsigned count);
void desk_turn(struct desk *desk);
bool desk_suspect(struct desk *desk, uint64_t *flow);
bool desk_collect(struct desk *desk, struct dpi_result *result);
void desk_stats(struct desk *desk, struct stats *stats);

#endif
