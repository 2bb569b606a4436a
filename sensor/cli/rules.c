/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - "bulkhead rules list | show ID | test": which rules are there, and do they hold? */
#include <string.h>

#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/terminal.h"

static const char shorts[] = ":" SETUP_SHORTS "h";
static const struct option longs[] = {SETUP_LONGS, {NULL, 0, NULL, 0}};

static int list_rules(const struct cli *cli, const struct setup *setup)
{
	unsigned i;

	(void)fprintf(cli->out, "%-8s %-13s %-26s %s\n", "ID", "SEVERITY", "RULE", "TITLE");
	for (i = 0; i < rules_count(setup->rules); i++) {
		const struct rule *rule = rules_get(setup->rules, i);
		char row[512];

		(void)snprintf(row, sizeof row, "%-8s %-13s %-26s %s%s\n", rule->id,
			       rule->enabled ? severity_name(rule->severity) : "off", rule->name,
			       rule->title, rule->enabled ? "" : " (disabled)");
		terminal_puts(cli->out, row);
	}
	return 0;
}

static int show_rule(const struct cli *cli, const struct setup *setup, const char *id,
		     struct err *err)
{
	const struct rule *rule = rules_find(setup->rules, id);

	if (rule == NULL)
		return err_set(err, ERR_USAGE,
			       "rules: there is no rule \"%s\"; see bulkhead rules list", id);
	rules_print(setup->rules, rule, cli->out);
	return 0;
}

static int test_rules(const struct cli *cli, struct setup *setup, struct err *err)
{
	unsigned failed = 0;
	unsigned run = rules_test(setup->rules, &setup->problems, &failed);

	setup_print_problems(setup, cli, true);
	(void)fprintf(cli->out, "%u passed, %u failed\n", run - failed, failed);
	if (failed == 0)
		return 0;
	return err_set(err, ERR_CONFIG, "%u of the %u tests in the rules failed", failed, run);
}

static int act(struct cli *cli, struct setup *setup, int argc, char **argv, struct err *err)
{
	const char *verb = argc > 0 ? argv[0] : "";
	bool list = strcmp(verb, "list") == 0 && argc == 1;
	bool show = strcmp(verb, "show") == 0 && argc == 2;
	bool test = strcmp(verb, "test") == 0 && argc == 1;
	int code;

	if (!list && !show && !test)
		return err_set(err, ERR_USAGE, "rules: say list, show ID or test");
	code = setup_load(setup, err);
	if (code != 0) {
		setup_print_problems(setup, cli, true);
		return code;
	}
	if (list)
		return list_rules(cli, setup);
	return show ? show_rule(cli, setup, argv[1], err) : test_rules(cli, setup, err);
}

static int rules_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct setup setup = {0};
	int option, code = 0;

	while (code == 0 && (option = cli_getopt(argc, argv, shorts, longs, err)) != -1) {
		if (option == 'h')
			return cli_help(cli, &command_rules);
		code = option == '?' ? ERR_USAGE : setup_option(&setup, option, optarg, err);
	}
	if (code == 0)
		code = act(cli, &setup, argc - optind, argv + optind, err);
	setup_free(&setup);
	return code;
}

static const char help[] =
    "rules list | show ID | test [OPTION]...\n"
    "\n"
    "  list       every rule: id, severity, name, title\n"
    "  show ID    one rule, by id (BH-1001) or name (relay.forward)\n"
    "  test       runs the tests inside the rules\n"
    "\n"
    "  -c, --config FILE       the rules of this config\n"
    "      --rules PATH        these rules; file or folder, may be repeated\n"
    "Without either: the built-in rules.\n"
    "\n"
    "Exit: 0 done, 2 usage or no such rule, 66 a file is missing, 78 rules invalid or a test\n"
    "failed.\n";

const struct command command_rules = {
    .name = "rules",
    .summary = "list, show and test the rules",
    .help = help,
    .run = rules_run,
};
