/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - what the DPI process does (dpi_serve() of bulkhead/dpi.h), a step at a time: for tests.
 */
#ifndef DPI_SERVE_H
#define DPI_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "bulkhead/dpi.h"

struct service;

/* For the epoch that the segment is in now.  heap: how much memory nDPI may have. */
struct service *service_new(const struct dpi_segment *segment, size_t heap, struct err *err);
void service_free(struct service *service);
/* Answers a question; false when none waits. */
bool service_turn(struct service *service);

#endif
