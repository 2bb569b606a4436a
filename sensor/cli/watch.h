/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - the thread that waits for signals and the clock while the engine runs.
 *
 * Signals are blocked in every thread and read from a descriptor here, so no code runs in a
 * signal handler.  The first SIGINT or SIGTERM is handed on; a second one, a moment later, ends
 * the process at once, for who does not want to wait for the draining.
 *
 * Other descriptors may be waited for here too: a supervisor's, the kernel's news of links.
 *
 * Calls: watch_init() before any thread is made, watch_start(), watch_stop() from the same thread.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"

#define WATCH_INPUTS 2

struct watch_input {
	int fd; /* borrowed */
	void (*on_input)(void *context);
};

struct watch {
	/* Set by the caller; both are called by the watching thread. */
	void (*on_signal)(void *context, int signal_number);
	void (*on_tick)(void *context); /* NULL: none */
	void *context;
	uint64_t tick_ns;
	struct watch_input input[WATCH_INPUTS]; /* called when there is something to read */
	unsigned input_count;

	pthread_t thread;
	bool running;
	atomic_bool stopping;
	int signal_fd, wake_fd;
	uint64_t told_ns; /* when it was first told to end; 0 never, UINT64_MAX: a second counts */
};

/* reload: SIGHUP too. */
int watch_init(struct watch *watch, bool reload, struct err *err)
    __attribute__((warn_unused_result));
int watch_start(struct watch *watch, struct err *err) __attribute__((warn_unused_result));
void watch_stop(struct watch *watch);

#endif
