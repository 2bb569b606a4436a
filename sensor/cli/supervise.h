/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.h - a small parent that outlives the process that reads frames.
 *
 *	supervisor	no thread, no foreign byte, no capability in effect: waits, and forwards
 *signals | socket	READY, RELOADING, STOPPING, WATCHDOG (it is alive), REOPEN; a line each
 *	worker		opens captures, gives up every privilege, then reads
 *
 * The worker is this program executed anew, not a mere fork: each has an address space and a
 * stack guard of its own, so that an attacker cannot try again what has crashed it once.
 *
 * A worker that has been ready and dies, hangs, or asks to be started again because an interface
 * has come back is replaced at once, and the new one is told since when nobody looked.  One that
 * ends before it was ever ready ends us with its exit status: config and permissions are for a
 * person to mend.  The same later (the config was broken meanwhile) is tried again and again.
 *
 * SIGHUP, SIGTERM and SIGINT go to the worker.  When the supervisor dies the worker's end of the
 * socket says so, and it drains and ends.
 */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"

/* What a worker finds in its environment. */
struct station {
	int supervisor;		  /* the socket; below 0: this is no worker */
	uint64_t unseen_since_ns; /* monotonic; 0: the first one */
	unsigned restarts;
};

struct station station_take(void);
/* Worker: it wants to be replaced; then it ends. */
void station_reopen(const struct station *station);

/* Runs workers, as "bulkhead argv[0] ...", until one ends for good; *status is its exit status.
 * ERR_RUN when none can be started. */
int supervise(int argc, char **argv, int *status, struct err *err);

#endif
