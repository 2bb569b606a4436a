/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.h - config, inventory and rules, loaded as every command that needs them wants it.
 *
 * All three are read even when one is wrong, so that a person sees every mistake at once.
 * What the command line names replaces what the config names; without either, the inventory
 * is empty and the rules are the built-in ones.
 *
 * Zero-initialise, fill the upper half from the command line, setup_load(), setup_free().
 */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <stdbool.h>

#include "bulkhead/err.h"
#include "bulkhead/options.h"
#include "bulkhead/rule.h"
#include "bulkhead/tenant.h"
#include "cli/cli.h"

struct setup {
	const char *config;
	const char *inventory_path[OPTIONS_MAX_PATHS];
	unsigned inventory_count;
	const char *rules_path[OPTIONS_MAX_PATHS];
	unsigned rules_count;

	struct options options;
	struct inventory *inventory;
	struct ruleset *rules;
	struct problems problems;
};

/* Takes -c, --inventory and --rules; others answer 1, too many paths ERR_USAGE. */
enum { SETUP_OPT_INVENTORY = 0x100, SETUP_OPT_RULES, SETUP_OPT_FIRST_FREE };
#define SETUP_SHORTS "c:"
#define SETUP_LONGS                                                                                \
	{"config", required_argument, NULL, 'c'},                                                  \
	    {"inventory", required_argument, NULL, SETUP_OPT_INVENTORY},                           \
	    {"rules", required_argument, NULL, SETUP_OPT_RULES},                                   \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
int setup_option(struct setup *setup, int option, const char *value, struct err *err);

/* ERR_NOINPUT for a missing file named on the command line, ERR_CONFIG for anything wrong. */
int setup_load(struct setup *setup, struct err *err) __attribute__((warn_unused_result));
/* Prints the collected problems, and the warnings too unless quiet. */
void setup_print_problems(const struct setup *setup, const struct cli *cli, bool quiet);
void setup_free(struct setup *setup);

#endif
