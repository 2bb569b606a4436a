/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.h - a worker's side of DPI in a process of its own: jobs out, answers in, never a wait.
 *
 * The calls mean what those of app.h mean; the label comes later.  What the DPI process says is
 * hostile: it can name any label for a flow that was given to it, and nothing else.
 */
#ifndef DPI_DESK_H
#define DPI_DESK_H

#include "bulkhead/app.h"
#include "dpi/segment.h"

struct desk;

/* index: of the worker.  The segment is borrowed for the desk's life. */
struct desk *desk_new(const struct dpi_segment *segment, unsigned index, struct err *err);
void desk_free(struct desk *desk);
enum dpi_verdict desk_submit(struct desk *desk, uint64_t flow, uint32_t *handle,
			     const struct packet *packet, uint64_t now_ns);
void desk_finish(struct desk *desk, uint32_t *handle);
void desk_turn(struct desk *desk, uint64_t now_ns);
bool desk_suspect(struct desk *desk, uint64_t *flow);
bool desk_collect(struct desk *desk, struct dpi_result *result);
void desk_stats(struct desk *desk, struct stats *stats);

#endif
