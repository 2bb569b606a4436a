/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - what a desk and the DPI process say to each other over the segment. */
#ifndef DPI_JOB_H
#define DPI_JOB_H

#include <stdint.h>

#include "bulkhead/app.h"
#include "dpi/fit.h"

/* A question: then its packets, each behind a head of its own. */
struct job {
	uint64_t number; /* from 1 */
};

struct job_packet { /* then len bytes */
	uint64_t ts_ns;
	uint32_t len;
	uint32_t zero;
};

struct answer {
	uint64_t number; /* the question's */
	uint32_t shed;	 /* 1: the label was lost for want of memory, wholly or in part */
	uint32_t zero;
	struct app app;
};

#define JOB_MAX                                                                                    \
	(sizeof(struct job) + DPI_ASK_PACKETS * (sizeof(struct job_packet) + DPI_PACKET_MAX))

_Static_assert(sizeof(struct job_packet) == 16, "no padding");

#endif
