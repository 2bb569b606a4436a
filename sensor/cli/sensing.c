/* SPDX-License-Identifier: Apache-2.0 */
/* sensing.c - see sensing.h. */
#include "cli/sensing.h"

#include <string.h>

int sensing_option(struct sensing *sensing, struct setup *setup, int option, const char *value,
		   struct err *err)
{
	switch (option) {
	case 'o':
		sensing->output = value;
		return 0;
	case 'q':
		sensing->quiet = true;
		return 0;
	case 'v':
		sensing->verbose++;
		return 0;
	case 'n': /* names are never resolved; accepted because fingers know it */
		return 0;
	case SENSING_OPT_REDIS:
		sensing->redis = value;
		return strcmp(value, "env") == 0 ? 0 : cli_redis_url(value, err);
	case SENSING_OPT_TAP:
		sensing->tap = value;
		return 0;
	case SENSING_OPT_WORKERS:
		return cli_number("--workers", value, 1, SENSING_MAX_WORKERS, &sensing->workers,
				  err);
	default:
		return setup_option(setup, option, value, err);
	}
}

int sensing_options(int argc, char **argv, const char *shorts, const struct option *longs,
		    int (*take)(void *context, int option, struct err *err), void *context,
		    struct err *err)
{
	int option, code;

	while ((option = cli_getopt(argc, argv, shorts, longs, err)) != -1) {
		if (option == '?')
			return ERR_USAGE;
		if (option == 'h')
			return 1;
		code = take(context, option, err);
		if (code != 0)
			return code;
	}
	return 0;
}
