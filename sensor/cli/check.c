/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - "bulkhead check": is what I wrote right?
 *
 * Config, inventory, rules and the tests inside the rules, every mistake at once, as
 * "file:line:column: what is wrong; what would be right" on standard error.
 */
#include <string.h>

#include "bulkhead/capture.h"
#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/terminal.h"

static const char shorts[] = ":" SETUP_SHORTS "qh";
static const struct option longs[] = {
    SETUP_LONGS,
    {"quiet", no_argument, NULL, 'q'},
    {NULL, 0, NULL, 0},
};

/* What each file alone cannot know: taps that the inventory lacks, filters that do not compile. */
static void check_captures(struct setup *setup)
{
	const struct options *options = &setup->options;
	const char *file = setup->config != NULL ? setup->config : "config";
	unsigned i;

	for (i = 0; i < options->capture_count; i++) {
		const struct capture_config *capture = &options->capture[i];
		struct err err = {0};

		if (capture->tap != NULL && capture->tap[0] != '\0' && setup->inventory != NULL &&
		    inventory_find_tap(setup->inventory, capture->tap) < 0)
			problem_add(
			    &setup->problems, PROBLEM_ERROR, file, capture->line, capture->col,
			    "capture %s: the inventory has no tap \"%s\"; add it to its taps",
			    capture->interface, capture->tap);
		if (capture->filter[0] != '\0' && capture_check_filter(capture->filter, &err) != 0)
			problem_add(&setup->problems, PROBLEM_ERROR, file, capture->line,
				    capture->col, "capture %s: %s", capture->interface, err.text);
	}
}

static void print_verdict(const struct cli *cli, const struct setup *setup, unsigned tests)
{
	const struct inventory *inv = setup->inventory;

	(void)fprintf(cli->out,
		      "ok: %u tenants, %u hosts, %u segments, %u taps (inventory %s); "
		      "%u rules, %u tests in them (rules %s)\n",
		      inventory_tenant_count(inv) - TENANT_FIRST, inventory_host_count(inv),
		      inventory_segment_count(inv), inventory_tap_count(inv),
		      inventory_revision(inv), rules_count(setup->rules), tests,
		      rules_revision(setup->rules));
}

static int check_all(struct cli *cli, struct setup *setup, bool quiet, struct err *err)
{
	unsigned tests = 0, failed = 0;
	int code = setup_load(setup, err);

	if (setup->options.capture_count > 0)
		check_captures(setup);
	if (setup->rules != NULL)
		tests = rules_test(setup->rules, &setup->problems, &failed);
	setup_print_problems(setup, cli, quiet);
	if (code == 0 && setup->problems.errors + failed > 0)
		code = ERR_CONFIG;
	if (code == ERR_CONFIG && setup->problems.errors > 0)
		(void)err_set(err, ERR_CONFIG, "%u error%s in config, inventory or rules",
			      setup->problems.errors, setup->problems.errors == 1 ? "" : "s");
	if (code == 0 && !quiet)
		print_verdict(cli, setup, tests);
	return code;
}

static int check_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct setup setup = {0};
	bool quiet = false;
	int option, code = 0;

	while (code == 0 && (option = cli_getopt(argc, argv, shorts, longs, err)) != -1) {
		if (option == 'h')
			return cli_help(cli, &command_check);
		if (option == '?')
			code = ERR_USAGE;
		else if (option == 'q')
			quiet = true;
		else
			code = setup_option(&setup, option, optarg, err);
	}
	if (code == 0 && optind < argc)
		code = err_set(err, ERR_USAGE,
			       "check: unexpected \"%s\"; files are named by -c, "
			       "--inventory and --rules",
			       argv[optind]);
	if (code == 0 && setup.config == NULL && setup.inventory_count == 0 &&
	    setup.rules_count == 0)
		code = err_set(err, ERR_USAGE, "check: give -c FILE (or --inventory, --rules)");
	if (code == 0)
		code = check_all(cli, &setup, quiet, err);
	setup_free(&setup);
	return code;
}

static const char help[] =
    "check -c FILE [--inventory FILE]... [--rules PATH]...\n"
    "\n"
    "Reads config, inventory and rules, runs the tests inside the rules and names every mistake\n"
    "as file:line:column: what is wrong; what would be right.\n"
    "\n"
    "  -c, --config FILE       bulkhead.yaml\n"
    "      --inventory FILE    instead of the config's; file or folder, may be repeated\n"
    "      --rules PATH        instead of the config's; file or folder, may be repeated\n"
    "  -q, --quiet             no warnings, and nothing when all is well\n"
    "\n"
    "Exit: 0 all is well, 2 usage, 66 a file is missing, 78 something is wrong.\n";

const struct command command_check = {
    .name = "check",
    .summary = "find the mistakes in config, inventory and rules",
    .help = help,
    .run = check_run,
};
