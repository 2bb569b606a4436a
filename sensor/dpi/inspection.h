/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspection.h - nDPI at work, here and now.
 *
 * What is asked with dpi_ask() ends here: at once where DPI shares its process, by way of desk.c
 * and serve.c where it has one of its own.
 */
#ifndef DPI_INSPECTION_H
#define DPI_INSPECTION_H

#include "bulkhead/app.h"

/* Of nDPI's own memory: a flow takes 3 KB, 32 KB when it tries, all caches 320 KB, which are made
 * when first needed. */
#define INSPECTION_HEAP ((size_t)1 << 20)

struct inspection;

/* heap: how much memory nDPI may have. */
struct inspection *inspection_new(size_t heap, struct err *err);
void inspection_free(struct inspection *inspection);
/* As dpi_ask().  *app is zero where there is no label; false: nDPI has no memory left. */
bool inspection_ask(struct inspection *inspection, const struct packet packet[],
		    const uint64_t ts_ns[], unsigned count, struct app *app);
/* Adds STAT_DPI_* since the last call. */
void inspection_stats(struct inspection *inspection, struct stats *stats);
/* Labels that were lost for want of memory; those taken are not told by the stats. */
uint32_t inspection_take_shed(struct inspection *inspection);

#endif
