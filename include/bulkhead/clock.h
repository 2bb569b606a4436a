/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time as nanoseconds since 1970, UTC.
 *
 * On the packet path the only clock is the frame's own time stamp, so that a replay
 * judges exactly as the live sensor did.  clock_wall() is for log lines and sinks,
 * clock_monotonic() for measuring ourselves.
 */
#ifndef BULKHEAD_CLOCK_H
#define BULKHEAD_CLOCK_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

#define CLOCK_TEXT_SIZE 40

uint64_t clock_wall(void);
uint64_t clock_monotonic(void);
uint64_t clock_thread_cpu(void);

/* "2026-01-01T09:48:00.000400Z"; microseconds, truncated.  Returns buf. */
const char *clock_format_z(uint64_t ns, char buf[static CLOCK_TEXT_SIZE]);
/* EVE's form, "2026-01-01T09:48:00.000400+0000".  Returns buf. */
const char *clock_format_eve(uint64_t ns, char buf[static CLOCK_TEXT_SIZE]);
/* The UTC day as "20260101".  Returns buf. */
const char *clock_format_day(uint64_t ns, char buf[static CLOCK_TEXT_SIZE]);
/* "2027-01-01" (midnight UTC) or a full RFC 3339 time; returns 0 or -1. */
int clock_parse_date(const char *text, uint64_t *ns);

#endif
