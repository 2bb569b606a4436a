/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - "bulkhead list": what there is to write rules and configs with. */
#include <string.h>

#include "bulkhead/app.h"
#include "bulkhead/capture.h"
#include "bulkhead/detector.h"
#include "bulkhead/options.h"
#include "bulkhead/rule.h"
#include "bulkhead/stats.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#define ROW_SIZE 640

static const char *or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

static void field_row(void *context, const char *name, const char *type, const char *example,
		      const char *summary)
{
	const struct cli *cli = context;
	char row[ROW_SIZE];

	(void)snprintf(row, sizeof row, "%-24s %-12s %-26s %s\n", name, type, or_dash(example),
		       or_dash(summary));
	terminal_puts(cli->out, row);
}

static int list_fields(struct cli *cli, struct err *err)
{
	(void)err;
	field_row(cli, "FIELD", "TYPE", "EXAMPLE", "MEANING");
	rule_fields(field_row, cli);
	return 0;
}

static int list_events(struct cli *cli, struct err *err)
{
	int i;

	(void)err;
	(void)fprintf(cli->out, "%-14s %s\n", "EVENT", "MEANING");
	for (i = 0; i < EVENT_MAX; i++)
		(void)fprintf(cli->out, "%-14s %s\n", event_name((enum event_kind)i),
			      event_summary((enum event_kind)i));
	return 0;
}

/* The detector that states a kind: its own, or one of those it states also. */
static const struct detector *stated_by(const char *kind)
{
	int i, k;

	for (i = 0; detectors[i] != NULL; i++) {
		const struct detector *d = detectors[i];

		if (strcmp(d->kind, kind) == 0)
			return d;
		for (k = 0; d->also != NULL && d->also[k] != NULL; k++)
			if (strcmp(d->also[k], kind) == 0)
				return d;
	}
	return NULL;
}

static int list_kinds(struct cli *cli, struct err *err)
{
	const char *const *kind;

	(void)err;
	(void)fprintf(cli->out, "%-28s %s\n", "KIND", "MEANING");
	for (kind = detector_kinds(); *kind != NULL; kind++) {
		const struct detector *d = stated_by(*kind);

		if (d == NULL)
			(void)fprintf(cli->out, "%-28s (no detector in this version)\n", *kind);
		else if (strcmp(d->kind, *kind) == 0)
			(void)fprintf(cli->out, "%-28s %s\n", *kind, d->summary);
		else
			(void)fprintf(cli->out, "%-28s (by the detector of %s)\n", *kind, d->kind);
	}
	return 0;
}

static void protocol_row(void *context, const char *name, const char *category)
{
	const struct cli *cli = context;
	char row[ROW_SIZE];

	(void)snprintf(row, sizeof row, "%-28s %s\n", name, or_dash(category));
	terminal_puts(cli->out, row);
}

static int list_protocols(struct cli *cli, struct err *err)
{
	(void)err;
	protocol_row(cli, "PROTOCOL", "CATEGORY");
	dpi_protocols(protocol_row, cli);
	return 0;
}

static void interface_row(void *context, const char *name, const char *description, bool up)
{
	const struct cli *cli = context;
	char row[ROW_SIZE];

	(void)snprintf(row, sizeof row, "%-18s %-6s %s\n", name, up ? "up" : "down",
		       or_dash(description));
	terminal_puts(cli->out, row);
}

static int list_interfaces(struct cli *cli, struct err *err)
{
	(void)fprintf(cli->out, "%-18s %-6s %s\n", "INTERFACE", "STATE", "DESCRIPTION");
	return capture_interfaces(interface_row, cli, err);
}

static void setting_row(void *context, const char *key, const char *type, const char *standard,
			const char *summary)
{
	const struct cli *cli = context;
	char row[ROW_SIZE];

	(void)snprintf(row, sizeof row, "%-24s %-10s %-24s %s\n", key, type, or_dash(standard),
		       or_dash(summary));
	terminal_puts(cli->out, row);
}

static int list_settings(struct cli *cli, struct err *err)
{
	(void)err;
	setting_row(cli, "SETTING", "TYPE", "DEFAULT", "MEANING");
	options_describe(setting_row, cli);
	return 0;
}

static int list_counters(struct cli *cli, struct err *err)
{
	int i;

	(void)err;
	for (i = 0; i < STAT_MAX; i++)
		(void)fprintf(cli->out, "%s\n", stat_name((enum stat)i));
	return 0;
}

static const struct {
	const char *name;
	int (*print)(struct cli *cli, struct err *err);
} lists[] = {
    {"fields", list_fields},	   {"events", list_events},	    {"kinds", list_kinds},
    {"protocols", list_protocols}, {"interfaces", list_interfaces}, {"settings", list_settings},
    {"counters", list_counters},
};

static int list_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *what;
	size_t i;
	int option;

	while ((option = cli_getopt(argc, argv, ":h", longs, err)) != -1)
		return option == 'h' ? cli_help(cli, &command_list) : ERR_USAGE;
	what = optind + 1 == argc ? argv[optind] : "";
	for (i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(lists[i].name, what) == 0)
			return lists[i].print(cli, err);
	return err_set(err, ERR_USAGE,
		       "list: say one of fields, events, kinds, protocols, "
		       "interfaces, settings, counters");
}

static const char help[] =
    "list fields | events | kinds | protocols | interfaces | settings | counters\n"
    "\n"
    "  fields      what a rule's condition may name: type, example, meaning\n"
    "  events      what detectors are shown\n"
    "  kinds       what detectors find, for a rule's \"on:\"\n"
    "  protocols   names that app.proto may have\n"
    "  interfaces  where this machine can capture\n"
    "  settings    bulkhead.yaml: type, default, meaning\n"
    "  counters    what --stats and the heartbeat count\n";

const struct command command_list = {
    .name = "list",
    .summary = "fields, events, kinds, protocols, interfaces, settings, counters",
    .help = help,
    .run = list_run,
};
