/* SPDX-License-Identifier: Apache-2.0 */
/* sensing.h - what run and replay are told alike: where alerts go, who works, how much is said. */
#ifndef CLI_SENSING_H
#define CLI_SENSING_H

#include "cli/setup.h"

#define SENSING_MAX_WORKERS 64

struct sensing {
	const char *output, *redis, *tap;
	uint64_t workers;
	bool quiet;
	unsigned verbose;
};

enum {
	SENSING_OPT_REDIS = SETUP_OPT_FIRST_FREE,
	SENSING_OPT_TAP,
	SENSING_OPT_WORKERS,
	SENSING_OPT_FIRST_FREE
};
#define SENSING_SHORTS SETUP_SHORTS "o:qvnh"
#define SENSING_LONGS                                                                              \
	SETUP_LONGS, {"output", required_argument, NULL, 'o'}, {"quiet", no_argument, NULL, 'q'},  \
	    {"verbose", no_argument, NULL, 'v'},                                                   \
	    {"redis", required_argument, NULL, SENSING_OPT_REDIS},                                 \
	    {"tap", required_argument, NULL, SENSING_OPT_TAP},                                     \
	{                                                                                          \
		"workers", required_argument, NULL, SENSING_OPT_WORKERS                            \
	}

/* Takes these options and those of setup_option(); others answer 1. */
int sensing_option(struct sensing *sensing, struct setup *setup, int option, const char *value,
		   struct err *err);

/* All options, one by one to take(); 0, 1 when only help was asked for, or what is wrong. */
int sensing_options(int argc, char **argv, const char *shorts, const struct option *longs,
		    int (*take)(void *context, int option, struct err *err), void *context,
		    struct err *err);

#endif
