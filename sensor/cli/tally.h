/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - the alerts of one run, one row an incident in its last state, for the closing
 * summary and --fail-on.
 *
 * Bounded: the first TALLY_ROWS incidents have rows, the rest are counted.
 *
 * Threads: tally_alert() by the judge alone; everything else after the engine has stopped.
 */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bulkhead/alert.h"
#include "bulkhead/stats.h"

#define TALLY_ROWS 4096
#define TALLY_SLOTS 8192 /* power of two, twice the rows: the hash never fills */

struct tally_row {
	char id[ALERT_ID_SIZE];
	enum severity severity; /* the highest it had */
	bool open;
	uint64_t first_ns, last_ns, count, bytes;
	char rule[16];
	char kind[40];
	char actor[ALERT_NAME_SIZE * 2 + 2]; /* tenant/host */
	char victim[ALERT_NAME_SIZE * 2 + 2];
	char app[APP_NAME_SIZE * 2];
	char vlan[64];
	char frames[48];
	char message[RULE_MESSAGE_SIZE];
};

struct tally {
	uint64_t incidents;		    /* opened, with or without a row */
	uint64_t by_severity[SEVERITY_MAX]; /* highest that each state change had */
	unsigned rows;
	uint16_t slot[TALLY_SLOTS]; /* row number + 1, by alert id */
	struct tally_row row[TALLY_ROWS];
};

struct tally *tally_new(struct err *err);
void tally_free(struct tally *tally);
void tally_alert(struct tally *tally, const struct alert *alert);
/* Incidents whose severity was at least this at some time. */
uint64_t tally_at_least(const struct tally *tally, enum severity severity);

struct tally_view {
	FILE *out;
	bool color;
	bool ids;	/* a column of ids */
	bool open_only; /* leave out what is closed */
	unsigned most;	/* rows */
};
/* Sorts the rows, most severe first, then in order of time, and drops those that are closed if
 * asked to.  No alert can be added afterwards. */
void tally_sort(struct tally *tally, bool open_only);
/* The sorted rows as a table, and how many more there are. */
void tally_print(struct tally *tally, const struct tally_view *view);

#endif
