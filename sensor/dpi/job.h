/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - what a desk and the DPI process say to each other over a post of the segment. */
#ifndef DPI_JOB_H
#define DPI_JOB_H

#include <stdint.h>

#include "bulkhead/app.h"

enum job_kind { JOB_PACKET, JOB_LAST /* packet of this flow */, JOB_FINISH };

struct job {			    /* then len bytes of packet */
	uint32_t place, generation; /* of the worker's ticket */
	uint64_t ts_ns;
	uint16_t kind; /* enum job_kind */
	uint16_t len;
	uint32_t zero;
};

struct answer {
	uint32_t place, generation;
	uint32_t shed; /* labels that were lost for want of memory since the last answer */
	uint32_t zero;
	struct app app;
};

_Static_assert(sizeof(struct job) == 24, "no padding");

#endif
