/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alerts.c - "bulkhead alerts": what the sensor has raised, read from its outbox.
 *
 * The outbox is read only, also while a sensor writes to it, and without Redis.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/clock.h"
#include "bulkhead/sink.h"
#include "cli/cli.h"
#include "cli/exposure.h"
#include "cli/files.h"
#include "cli/setup.h"
#include "cli/tally.h"
#include "cli/terminal.h"

#define ID_SHORTEST 6 /* hex digits that "show" takes for a whole id */
#define LOOK_AGAIN_MS 500

struct alerts {
	const struct cli *cli;
	const char *outbox;
	bool open_only, follow;
	struct tally *tally;
	struct exposure *exposure;
	uint64_t first_ns, last_ns;
	const char *wanted; /* show: an id or its beginning */
	char *document;	    /* show: its last one */
	char id[ALERT_ID_SIZE];
	bool ambiguous;
	uint64_t sequence; /* follow: told so far */
};

static int read_outbox(struct alerts *alerts,
		       bool (*each)(void *context, const struct sink_record *record),
		       struct err *err)
{
	uint64_t skipped = 0;
	int code = outbox_each(alerts->outbox, each, alerts, &skipped, err);

	if (code == 0 && skipped > 0)
		(void)fprintf(alerts->cli->err, "bulkhead: %llu rows of %s make no sense\n",
			      (unsigned long long)skipped, alerts->outbox);
	return code;
}

static bool collect(void *context, const struct sink_record *record)
{
	struct alerts *alerts = context;
	const struct alert *alert = record->alert;

	tally_alert(alerts->tally, alert);
	exposure_add(alerts->exposure, alert);
	if (alerts->first_ns == 0 || alert->first_ns < alerts->first_ns)
		alerts->first_ns = alert->first_ns;
	if (alert->last_ns > alerts->last_ns)
		alerts->last_ns = alert->last_ns;
	return true;
}

static int list_alerts(struct alerts *alerts, struct err *err)
{
	struct tally_view view = {.out = alerts->cli->out,
				  .ids = true,
				  .open_only = alerts->open_only,
				  .most = TALLY_ROWS};
	int code = read_outbox(alerts, collect, err);

	if (code == 0)
		(void)tally_print(alerts->tally, &view);
	return code;
}

static bool keep_document(void *context, const struct sink_record *record)
{
	struct alerts *alerts = context;
	const struct alert *alert = record->alert;

	if (strncmp(alert->id, alerts->wanted, strlen(alerts->wanted)) != 0)
		return true;
	if (alerts->id[0] != '\0' && strcmp(alerts->id, alert->id) != 0) {
		alerts->ambiguous = true;
		return false;
	}
	memcpy(alerts->id, alert->id, sizeof alerts->id);
	free(alerts->document);
	alerts->document = strdup(alert->json != NULL ? alert->json : "");
	return alerts->document != NULL;
}

/* The alert as it is now: the document of its last state change, one line of JSON. */
static int show_alert(struct alerts *alerts, const char *id, struct err *err)
{
	int code;

	if (strlen(id) < ID_SHORTEST)
		return err_set(err, ERR_USAGE, "alerts show: give at least %d digits of the id",
			       ID_SHORTEST);
	alerts->wanted = id;
	code = read_outbox(alerts, keep_document, err);
	if (code != 0)
		return code;
	if (alerts->ambiguous)
		return err_set(err, ERR_USAGE, "alerts show: more than one id begins with %s", id);
	if (alerts->document == NULL)
		return err_set(err, ERR_USAGE, "alerts show: %s holds no alert %s", alerts->outbox,
			       id);
	terminal_puts(alerts->cli->out, alerts->document);
	(void)fputc('\n', alerts->cli->out);
	return 0;
}

static int print_matrix(struct alerts *alerts, struct err *err)
{
	struct exposure *x = alerts->exposure;
	int code = read_outbox(alerts, collect, err);
	unsigned i;

	if (code != 0)
		return code;
	exposure_sort(x);
	(void)fprintf(alerts->cli->out, "%-24s %-24s %15s %9s\n", "ACTOR", "VICTIM", "BYTES",
		      "INCIDENTS");
	for (i = 0; i < x->pairs; i++) {
		char row[2 * ALERT_NAME_SIZE + 64];

		(void)snprintf(row, sizeof row, "%-24s %-24s %15llu %9llu\n", x->pair[i].actor,
			       x->pair[i].victim, (unsigned long long)x->pair[i].bytes,
			       (unsigned long long)x->pair[i].incidents);
		terminal_puts(alerts->cli->out, row);
	}
	if (x->other_bytes > 0)
		(void)fprintf(alerts->cli->out, "further pairs: %llu bytes\n",
			      (unsigned long long)x->other_bytes);
	return 0;
}

static void report_row(FILE *out, const struct tally_row *row)
{
	char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE], bytes[NUMBER_TEXT_SIZE];

	(void)fprintf(out, "\n### %s %s, %s%s\n\n", row->rule, row->kind,
		      severity_name(row->severity), row->open ? ", still open" : "");
	terminal_puts(out, row->message);
	(void)fprintf(out, "\n\n- actor: %s\n- victim: %s\n- application: %s\n", row->actor,
		      row->victim, row->app[0] != '\0' ? row->app : "not known");
	(void)fprintf(out, "- from %s to %s\n- %llu times, %s readable\n- alert %s\n",
		      clock_format_z(row->first_ns, first), clock_format_z(row->last_ns, last),
		      (unsigned long long)row->count, number_bytes(row->bytes, bytes), row->id);
}

/* Markdown, to hand on. */
static int print_report(struct alerts *alerts, struct err *err)
{
	struct tally *tally = alerts->tally;
	struct exposure *x = alerts->exposure;
	FILE *out = alerts->cli->out;
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE], bytes[NUMBER_TEXT_SIZE];
	int code = read_outbox(alerts, collect, err);
	unsigned i;

	if (code != 0)
		return code;
	exposure_sort(x);
	tally_sort(tally, alerts->open_only);
	(void)fprintf(out, "# Tenant isolation report\n\nFrom %s to %s: %llu incidents.\n",
		      clock_format_z(alerts->first_ns, from), clock_format_z(alerts->last_ns, to),
		      (unsigned long long)tally->incidents);
	(void)fputs("\n## Exposure\n\n| who could read | whose traffic | bytes | incidents |\n"
		    "|---|---|---|---|\n",
		    out);
	for (i = 0; i < x->pairs; i++)
		(void)fprintf(out, "| %s | %s | %s | %llu |\n", x->pair[i].actor, x->pair[i].victim,
			      number_bytes(x->pair[i].bytes, bytes),
			      (unsigned long long)x->pair[i].incidents);
	(void)fputs("\n## Incidents\n", out);
	for (i = 0; i < tally->rows; i++)
		report_row(out, &tally->row[i]);
	if (tally->incidents > tally->rows && !alerts->open_only)
		(void)fprintf(out, "\n... and %llu more.\n",
			      (unsigned long long)(tally->incidents - tally->rows));
	return 0;
}

static bool tell(void *context, const struct sink_record *record)
{
	struct alerts *alerts = context;
	const struct alert *alert = record->alert;
	char time[CLOCK_TEXT_SIZE], row[1024];

	if (record->sequence <= alerts->sequence)
		return true;
	alerts->sequence = record->sequence;
	(void)snprintf(row, sizeof row, "%s %-6s %-13s %s %s\n", clock_format_z(alert->ts_ns, time),
		       alert_op_name(alert->op), severity_name(alert->severity), alert->rule,
		       alert->message);
	terminal_puts(alerts->cli->out, row);
	return true;
}

/* Until it is interrupted.  The file is read again only when it has changed. */
static int follow_alerts(struct alerts *alerts, struct err *err)
{
	uint64_t before = 0;
	int code = 0;

	while (code == 0 && ferror(alerts->cli->out) == 0) {
		uint64_t now = file_change(alerts->outbox);

		if (now != before || now == 0)
			code = read_outbox(alerts, tell, err);
		before = now;
		(void)fflush(alerts->cli->out);
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return code;
}

static int act(struct alerts *alerts, int argc, char **argv, struct err *err)
{
	const char *verb = argc > 0 ? argv[0] : "list";

	if (strcmp(verb, "list") == 0 && argc <= 1)
		return alerts->follow ? follow_alerts(alerts, err) : list_alerts(alerts, err);
	if (strcmp(verb, "show") == 0 && argc == 2)
		return show_alert(alerts, argv[1], err);
	if (strcmp(verb, "matrix") == 0 && argc == 1)
		return print_matrix(alerts, err);
	if (strcmp(verb, "report") == 0 && argc == 1)
		return print_report(alerts, err);
	return err_set(err, ERR_USAGE, "alerts: say nothing more, show ID, matrix or report");
}

enum { OPT_OUTBOX = 0x100, OPT_OPEN, OPT_FOLLOW };

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'}, {"outbox", required_argument, NULL, OPT_OUTBOX},
    {"open", no_argument, NULL, OPT_OPEN},    {"follow", no_argument, NULL, OPT_FOLLOW},
    {"help", no_argument, NULL, 'h'},	      {NULL, 0, NULL, 0},
};

/* The outbox that the config names, unless --outbox does. */
static int find_outbox(struct alerts *alerts, struct options *options, const char *config,
		       struct err *err)
{
	struct problems problems = {0};
	int code = 0;

	if (alerts->outbox != NULL)
		return 0;
	if (config == NULL)
		return err_set(err, ERR_USAGE, "alerts: give -c FILE or --outbox FILE");
	code = options_load(options, config, &problems, err);
	problems_fini(&problems);
	if (code != 0)
		return code;
	alerts->outbox = options->outbox.file;
	if (alerts->outbox[0] == '\0')
		return err_set(err, ERR_CONFIG, "%s: outbox.file is not set", config);
	return 0;
}

static int take_arguments(struct alerts *alerts, int argc, char **argv, const char **config,
			  struct err *err)
{
	int option;

	while ((option = cli_getopt(argc, argv, ":c:h", longs, err)) != -1) {
		switch (option) {
		case 'c':
			*config = optarg;
			break;
		case OPT_OUTBOX:
			alerts->outbox = optarg;
			break;
		case OPT_OPEN:
			alerts->open_only = true;
			break;
		case OPT_FOLLOW:
			alerts->follow = true;
			break;
		case 'h':
			return 1;
		default:
			return ERR_USAGE;
		}
	}
	return 0;
}

static int alerts_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct alerts alerts = {.cli = cli};
	struct options options = {0};
	const char *config = NULL;
	int code = take_arguments(&alerts, argc, argv, &config, err);

	if (code == 1)
		return cli_help(cli, &command_alerts);
	if (code == 0)
		code = find_outbox(&alerts, &options, config, err);
	alerts.tally = tally_new(err);
	alerts.exposure = calloc(1, sizeof *alerts.exposure);
	if (code == 0 && (alerts.tally == NULL || alerts.exposure == NULL))
		code = err_set(err, ERR_MEMORY, "out of memory");
	if (code == 0)
		code = act(&alerts, argc - optind, argv + optind, err);
	free(alerts.document);
	free(alerts.exposure);
	tally_free(alerts.tally);
	options_free(&options);
	return code;
}

static const char help[] =
    "alerts [list | show ID | matrix | report] [OPTION]...\n"
    "\n"
    "What the sensor has raised, as its outbox has it.\n"
    "\n"
    "  list       one line an incident (the default)\n"
    "  show ID    the document of an alert as it is now; the beginning of an id will do\n"
    "  matrix     who could read how much of whose traffic\n"
    "  report     exposure and incidents as Markdown\n"
    "\n"
    "  -c, --config FILE       the config that names the outbox\n"
    "      --outbox FILE       this outbox\n"
    "      --open              only what is open\n"
    "      --follow            with list: each state change, as it comes\n"
    "\n"
    "Exit: 0 done, 2 usage or no such alert, 66 there is no such outbox.\n";

const struct command command_alerts = {
    .name = "alerts",
    .summary = "what was raised: list, show, matrix, report",
    .help = help,
    .run = alerts_run,
};
