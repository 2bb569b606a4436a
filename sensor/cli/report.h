/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what a run tells at its end: the summary for people, --stats for programs, and the
 * progress line while it goes on.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdint.h>

#include "bulkhead/err.h"
#include "bulkhead/stats.h"
#include "cli/cli.h"
#include "cli/tally.h"
#include "engine.h"

struct report {
	struct stats stats;
	uint64_t first_ns, last_ns; /* packet time */
	uint64_t wall_ns;	    /* how long we took */
	const char *evidence;	    /* directory, or NULL */
	const char *output;	    /* -o, or NULL */
	bool redis;
	bool inventory; /* one was given */
};

void report_print(const struct report *report, struct tally *tally, const struct cli *cli);
/* All counters by their names in stats.h, and times and rates; path "-" is cli->out. */
int report_write_stats(const struct report *report, const char *path, const struct cli *cli,
		       struct err *err) __attribute__((warn_unused_result));
/* Rewrites the progress line; only for a terminal. */
void report_progress(const struct engine_progress *progress, uint64_t started_ns,
		     const struct cli *cli);
void report_progress_end(const struct cli *cli);

#endif
