/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - what the kernel says of the interfaces that are watched: up, down, gone, back.
 *
 * libpcap says nothing when a cable is pulled: the kernel tells it over rtnetlink, at once.  The
 * socket is opened while sockets may be made, and read for as long as the sensor runs.
 *
 * Threads: links_open() first, then all from one thread.
 */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "bulkhead/detector.h"
#include "bulkhead/err.h"
#include "bulkhead/options.h"

struct link {
	const char *interface; /* borrowed from the options */
	int index;	       /* the kernel's; 0: gone */
	bool enabled;	       /* as far as the operator is concerned it is up */
	enum link_state state;
	bool came;   /* up or back since links_open(), and still: it can be opened again */
	bool listed; /* in the list that is being read */
};

struct links {
	int fd;
	unsigned count;
	struct link link[OPTIONS_MAX_CAPTURES]; /* as options->capture[] */
};

/* Subscribes, and takes the state as it is now. */
int links_open(struct links *links, const struct options *options, struct err *err)
    __attribute__((warn_unused_result));
/* Takes what the kernel has told since; calls changed() for each link whose state is another. */
void links_read(struct links *links, void (*changed)(void *context, unsigned index), void *context);
/* "eth1 up, eth2 gone", for the heartbeat. */
void links_text(const struct links *links, char *out, size_t size);
const char *link_state_name(enum link_state state);
void links_close(struct links *links);

#endif
