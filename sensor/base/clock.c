/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - see clock.h. */
#include "bulkhead/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts); /* cannot fail for the clocks named here */
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t clock_monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID);
}

static const char *format(uint64_t ns, const char *zone, char *buf)
{
	time_t seconds = (time_t)(ns / NS_PER_SEC);
	char date[24];
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf, CLOCK_TEXT_SIZE, "%s.%06u%s", date,
		       (unsigned)(ns % NS_PER_SEC / NS_PER_US), zone);
	return buf;
}

const char *clock_format_z(uint64_t ns, char buf[static CLOCK_TEXT_SIZE])
{
	return format(ns, "Z", buf);
}

const char *clock_format_eve(uint64_t ns, char buf[static CLOCK_TEXT_SIZE])
{
	return format(ns, "+0000", buf);
}

const char *clock_format_day(uint64_t ns, char buf[static CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(ns / NS_PER_SEC);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(buf, CLOCK_TEXT_SIZE, "%Y%m%d", &tm);
	return buf;
}

int clock_parse_date(const char *text, uint64_t *ns)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		struct tm check;
		time_t t;

		if (end == NULL || *end != '\0')
			continue;
		check = tm;
		t = timegm(&check);
		/* timegm() turns 30 February into 2 March: that is a typing error, not a date. */
		if (t < 0 || check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon)
			return -1;
		*ns = (uint64_t)t * NS_PER_SEC;
		return 0;
	}
	return -1;
}
