/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - see log.h.
 *
 * A line is written with one write(2), so that threads do not mix theirs.  Under systemd it
 * starts with the syslog priority that the journal reads ("<4>"), elsewhere with the time.  The
 * level is the process's one mutable global: the level of a log that every thread may write to
 * belongs to nobody else.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulkhead/clock.h"

#define WINDOW_NS (10 * NS_PER_SEC)
#define LINES_PER_WINDOW 10

static int max_level = LOG_LEVEL_INFO; /* atomic */

void log_set_level(enum log_level level)
{
	__atomic_store_n(&max_level, (int)level, __ATOMIC_RELAXED);
}

/*
 * Whether this line may be written; *held: how many were kept back before it.  Threads that race
 * here may let a line more or less through: a limit, not a ledger.
 */
static bool admit(struct log_site *site, unsigned *held)
{
	unsigned long long now = clock_wall();
	unsigned long long start = __atomic_load_n(&site->window, __ATOMIC_RELAXED);

	/* Unsigned: a wall clock that jumped back also opens a new window. */
	if (now - start >= WINDOW_NS) {
		__atomic_store_n(&site->window, now, __ATOMIC_RELAXED);
		__atomic_store_n(&site->count, 0, __ATOMIC_RELAXED);
	}
	if (__atomic_add_fetch(&site->count, 1, __ATOMIC_RELAXED) > LINES_PER_WINDOW) {
		(void)__atomic_add_fetch(&site->held, 1, __ATOMIC_RELAXED);
		return false;
	}
	*held = __atomic_exchange_n(&site->held, 0, __ATOMIC_RELAXED);
	return true;
}

static size_t put_head(char *out, size_t size, enum log_level level)
{
	static const struct {
		const char *priority, *name;
	} levels[] = {
	    [LOG_LEVEL_ERR] = {"<3>", "error: "},
	    [LOG_LEVEL_WARN] = {"<4>", "warning: "},
	    [LOG_LEVEL_INFO] = {"<6>", ""},
	    [LOG_LEVEL_DEBUG] = {"<7>", "debug: "},
	};
	char time[CLOCK_TEXT_SIZE];
	int len;

	if (getenv("JOURNAL_STREAM") != NULL)
		len = snprintf(out, size, "%s%s", levels[level].priority, levels[level].name);
	else
		len = snprintf(out, size, "%s bulkhead: %s", clock_format_z(clock_wall(), time),
			       levels[level].name);
	return (size_t)len;
}

void log_line(struct log_site *site, enum log_level level, const char *fmt, ...)
{
	char text[1024];
	char line[1200];
	unsigned held = 0;
	va_list args;
	size_t at;
	int len;

	if ((int)level > __atomic_load_n(&max_level, __ATOMIC_RELAXED) || !admit(site, &held))
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a longer line is cut */
	va_end(args);
	at = put_head(line, sizeof line, level);
	/* Names from the wire must not move the cursor or forge a second line. */
	for (const char *p = text; *p != '\0'; p++)
		line[at++] = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
	if (held > 0) {
		len = snprintf(line + at, sizeof line - at, " (%u more held back)", held);
		at += (size_t)len;
	}
	line[at++] = '\n';
	if (write(STDERR_FILENO, line, at) < 0)
		return; /* stderr is gone: there is nobody to tell */
}
