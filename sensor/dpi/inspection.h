/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspection.h - nDPI at work: the contract of app.h, done here and now.
 *
 * What a worker asks of dpi_submit() ends here: at once where DPI shares its process, by way of
 * desk.c and serve.c where it has one of its own.
 */
#ifndef DPI_INSPECTION_H
#define DPI_INSPECTION_H

#include "bulkhead/app.h"

struct inspection;

/* The calls mean what those of app.h mean. */
struct inspection *inspection_new(uint32_t flows, unsigned packets, struct err *err);
void inspection_free(struct inspection *inspection);
enum dpi_verdict inspection_submit(struct inspection *inspection, uint64_t flow, uint32_t *handle,
				   const struct packet *packet, uint64_t now_ns);
void inspection_finish(struct inspection *inspection, uint32_t *handle);
bool inspection_collect(struct inspection *inspection, struct dpi_result *result);
void inspection_stats(struct inspection *inspection, struct stats *stats);
/* Labels that were lost for want of slots or memory; those taken are not told by the stats. */
uint32_t inspection_take_shed(struct inspection *inspection);

#endif
