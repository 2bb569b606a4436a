/* SPDX-License-Identifier: Apache-2.0 */
/* cycles.h - the processor's own clock, for telling where time goes; nanoseconds where it has none.
 */
#ifndef BASE_CYCLES_H
#define BASE_CYCLES_H

#include <stdint.h>

#include "bulkhead/clock.h"

static inline uint64_t cycles_now(void)
{
#if defined __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return clock_monotonic();
#endif
}

#endif
