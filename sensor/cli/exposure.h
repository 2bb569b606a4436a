/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposure.h - who could read how much of whose traffic, summed over state changes.
 *
 * Bounded: EXPOSURE_PAIRS pairs of tenants; the rest is one sum.
 */
#ifndef CLI_EXPOSURE_H
#define CLI_EXPOSURE_H

#include <stdint.h>

#include "bulkhead/alert.h"

#define EXPOSURE_PAIRS 1024

struct exposure_pair {
	char actor[ALERT_NAME_SIZE], victim[ALERT_NAME_SIZE];
	uint64_t bytes, incidents;
};

struct exposure {
	unsigned pairs;
	uint64_t other_bytes;
	struct exposure_pair pair[EXPOSURE_PAIRS];
};

void exposure_add(struct exposure *exposure, const struct alert *alert);
/* Most bytes first. */
void exposure_sort(struct exposure *exposure);

#endif
