/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - "bulkhead replay": captures in, alerts out, no server needed.
 *
 * The same captures, config and inventory give the same alerts, byte for byte: time is the
 * frames' own, and the seed of every keyed hash is fixed unless --seed says otherwise.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bulkhead/capture.h"
#include "bulkhead/clock.h"
#include "bulkhead/sink.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/fingerprint.h"
#include "cli/report.h"
#include "cli/sensing.h"
#include "cli/tally.h"
#include "cli/watch.h"
#include "cli/words.h"
#include "engine.h"

/* How long the end waits for a Redis that went away during the replay, and for a full disk. */
#define DRAIN_REDIS_NS (60 * NS_PER_SEC)
#define DRAIN_FILE_NS (3 * NS_PER_SEC)

struct replay {
	const struct cli *cli;
	struct setup setup;
	struct words words;
	struct sensing sensing;
	const char *stats, *evidence, *filter_file;
	uint64_t seed;
	double speed;
	int fail_on; /* enum severity, or -1 */

	struct tally *tally;
	char cursor[FINGERPRINT_SIZE]; /* the delivery borrows it */
	struct delivery *delivery;
	struct engine *engine;
	struct watch watch;
	uint64_t started_ns;
	bool interrupted;
};

static void take_alert(void *context, const struct alert *alert)
{
	struct replay *replay = context;

	tally_alert(replay->tally, alert);
}

static void show_progress(void *context, const struct engine_progress *progress)
{
	struct replay *replay = context;

	report_progress(progress, replay->started_ns, replay->cli);
}

static void take_signal(void *context, int number)
{
	struct replay *replay = context;

	(void)number;
	__atomic_store_n(&replay->interrupted, true, __ATOMIC_RELAXED);
	engine_stop(replay->engine);
}

/* "1x", "10x", "0.5x" or "max". */
static int parse_speed(const char *text, double *speed, struct err *err)
{
	char *end;
	double value;

	*speed = 0.0;
	if (strcmp(text, "max") == 0)
		return 0;
	value = strtod(text, &end);
	if (end == text || (strcmp(end, "x") != 0 && *end != '\0') || !(value > 0.0) || value > 1e6)
		return err_set(err, ERR_USAGE, "--speed: \"%s\" is neither max nor like 1x", text);
	*speed = value;
	return 0;
}

static int parse_fail_on(const char *text, int *severity, struct err *err)
{
	*severity = severity_parse(text);
	if (*severity >= 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--fail-on: \"%s\" is none of informational, low, medium, high, critical",
		       text);
}

enum { OPT_SEED = SENSING_OPT_FIRST_FREE, OPT_SPEED, OPT_STATS, OPT_EVIDENCE, OPT_FAIL_ON };

static const char shorts[] = ":" SENSING_SHORTS "r:F:";
static const struct option longs[] = {
    SENSING_LONGS,
    {"read", required_argument, NULL, 'r'},
    {"seed", required_argument, NULL, OPT_SEED},
    {"speed", required_argument, NULL, OPT_SPEED},
    {"stats", required_argument, NULL, OPT_STATS},
    {"evidence", required_argument, NULL, OPT_EVIDENCE},
    {"fail-on", required_argument, NULL, OPT_FAIL_ON},
    {NULL, 0, NULL, 0},
};

static int take_option(void *context, int option, struct err *err)
{
	struct replay *replay = context;

	switch (option) {
	case 'r':
		return words_add(&replay->words, optarg, err);
	case 'F':
		replay->filter_file = optarg;
		return 0;
	case OPT_SEED:
		return cli_number("--seed", optarg, 0, UINT64_MAX, &replay->seed, err);
	case OPT_SPEED:
		return parse_speed(optarg, &replay->speed, err);
	case OPT_STATS:
		replay->stats = optarg;
		return 0;
	case OPT_EVIDENCE:
		replay->evidence = optarg;
		return 0;
	case OPT_FAIL_ON:
		return parse_fail_on(optarg, &replay->fail_on, err);
	default:
		return sensing_option(&replay->sensing, &replay->setup, option, optarg, err);
	}
}

/* 1 when only help was asked for. */
static int take_arguments(struct replay *replay, int argc, char **argv, struct err *err)
{
	int code = sensing_options(argc, argv, shorts, longs, take_option, replay, err);

	if (code != 0)
		return code;
	if (replay->filter_file != NULL) {
		code = words_filter_file(&replay->words, replay->filter_file, err);
		if (code != 0)
			return code;
	}
	code = words_take(&replay->words, argc - optind, argv + optind, err);
	if (code != 0)
		return code;
	if (replay->words.count == 0)
		return err_set(err, ERR_USAGE,
			       "replay: no capture given; see bulkhead replay --help");
	if (replay->words.filter != NULL)
		return capture_check_filter(replay->words.filter, err);
	return 0;
}

/* --redis env: the URL with its password stays out of argv. */
static int resolve_redis(struct replay *replay, struct err *err)
{
	if (replay->sensing.redis == NULL)
		return 0;
	if (strcmp(replay->sensing.redis, "env") == 0)
		replay->sensing.redis = getenv("BULKHEAD_REDIS_URL");
	if (replay->sensing.redis == NULL || replay->sensing.redis[0] == '\0')
		return err_set(err, ERR_USAGE, "--redis env: BULKHEAD_REDIS_URL is not set");
	return cli_redis_url(replay->sensing.redis, err);
}

static int find_tap(const struct replay *replay, int *tap, struct err *err)
{
	uint16_t i, count = inventory_tap_count(replay->setup.inventory);
	char known[256] = "";
	size_t len = 0;

	*tap = -1;
	if (replay->sensing.tap == NULL)
		return 0;
	*tap = inventory_find_tap(replay->setup.inventory, replay->sensing.tap);
	if (*tap >= 0)
		return 0;
	for (i = 0; i < count && len < sizeof known; i++) {
		int n = snprintf(known + len, sizeof known - len, " %s",
				 inventory_tap(replay->setup.inventory, i)->name);

		len += n > 0 ? (size_t)n : 0;
	}
	return err_set(err, ERR_USAGE, "--tap: the inventory has no tap \"%s\"; it has:%s",
		       replay->sensing.tap, known);
}

static int open_delivery(struct replay *replay, struct err *err)
{
	struct delivery_config config = {
	    .options = &replay->setup.options,
	    .redis_url = replay->sensing.redis,
	    .cursor_name = replay->cursor,
	    .jsonl_path = replay->sensing.output,
	    .wait_at_end = true,
	    .redis_required = replay->sensing.redis != NULL,
	};
	int code;

	if (replay->sensing.output == NULL && replay->sensing.redis == NULL)
		return 0;
	if (replay->sensing.redis != NULL) {
		code = fingerprint(&replay->setup, &replay->words, replay->sensing.tap,
				   replay->cursor, err);
		if (code != 0)
			return code;
	}
	return delivery_open(&replay->delivery, &config, err);
}

static int open_engine(struct replay *replay, struct err *err)
{
	struct engine_config config = {
	    .options = &replay->setup.options,
	    .inventory = replay->setup.inventory,
	    .rules = replay->setup.rules,
	    .delivery = replay->delivery,
	    .seed = replay->seed,
	    .files = (const char *const *)replay->words.file,
	    .file_count = replay->words.count,
	    .filter = replay->words.filter,
	    .workers = (unsigned)replay->sensing.workers,
	    .speed = replay->speed,
	    .evidence_directory = replay->evidence,
	    .on_alert = take_alert,
	    .context = replay,
	};
	int code = find_tap(replay, &config.tap, err);

	if (code != 0)
		return code;
	if (replay->cli->err_terminal && !replay->sensing.quiet)
		config.on_progress = show_progress;
	replay->setup.rules = NULL; /* the engine's now, also when it fails */
	return engine_new(&replay->engine, &config, err);
}

static int finish(struct replay *replay, struct err *err)
{
	struct report report = {
	    .wall_ns = clock_monotonic() - replay->started_ns,
	    .evidence = replay->evidence,
	    .output = replay->sensing.output,
	    .redis = replay->sensing.redis != NULL,
	    .inventory = inventory_host_count(replay->setup.inventory) > 0,
	};
	struct err late = {0};
	int code;

	engine_span(replay->engine, &report.first_ns, &report.last_ns);
	code = delivery_drain(replay->delivery,
			      replay->sensing.redis != NULL ? DRAIN_REDIS_NS : DRAIN_FILE_NS, err);
	engine_stats(replay->engine, &report.stats);
	if (!replay->sensing.quiet)
		report_print(&report, replay->tally, replay->cli);
	if (replay->stats != NULL) {
		int stats_code = report_write_stats(&report, replay->stats, replay->cli, &late);

		if (code == 0 && stats_code != 0)
			code = err_set(err, late.code, "%s", late.text);
	}
	return code;
}

static int threshold(const struct replay *replay, struct err *err)
{
	uint64_t matched;

	if (replay->fail_on < 0)
		return 0;
	matched = tally_at_least(replay->tally, (enum severity)replay->fail_on);
	if (matched == 0)
		return 0;
	return err_set(err, ERR_THRESHOLD, "%llu alert%s of severity %s or higher",
		       (unsigned long long)matched, matched == 1 ? "" : "s",
		       severity_name((enum severity)replay->fail_on));
}

static int run_engine(struct replay *replay, struct err *err)
{
	struct err late = {0};
	int code, end;

	replay->watch.on_signal = take_signal;
	replay->watch.context = replay;
	code = watch_start(&replay->watch, err);
	if (code != 0)
		return code;
	replay->started_ns = clock_monotonic();
	code = engine_run(replay->engine, err);
	if (replay->cli->err_terminal && !replay->sensing.quiet)
		report_progress_end(replay->cli);
	end = finish(replay, &late);
	if (code == 0 && end != 0)
		code = err_set(err, late.code, "%s", late.text);
	if (code == 0 && __atomic_load_n(&replay->interrupted, __ATOMIC_RELAXED))
		code = err_set(err, ERR_RUN, "interrupted: only a part was read");
	return code != 0 ? code : threshold(replay, err);
}

static int start(struct replay *replay, struct err *err)
{
	int code = setup_load(&replay->setup, err);

	setup_print_problems(&replay->setup, replay->cli, replay->sensing.quiet);
	if (code == 0)
		code = resolve_redis(replay, err);
	if (code == 0 && replay->evidence != NULL)
		code = folder_make(replay->evidence, err);
	/* Signals before the first thread, which is the delivery's. */
	if (code == 0)
		code = watch_init(&replay->watch, false, err);
	if (code == 0)
		code = open_delivery(replay, err);
	if (code == 0)
		code = open_engine(replay, err);
	return code;
}

static int replay_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct replay replay = {.cli = cli, .sensing.workers = 1, .fail_on = -1};
	int code;

	replay.watch.signal_fd = -1;
	replay.watch.wake_fd = -1;
	code = take_arguments(&replay, argc, argv, err);
	if (code == 0) {
		log_set_level(replay.sensing.quiet	    ? LOG_LEVEL_ERR
			      : replay.sensing.verbose > 1  ? LOG_LEVEL_DEBUG
			      : replay.sensing.verbose == 1 ? LOG_LEVEL_INFO
							    : LOG_LEVEL_WARN);
		replay.tally = tally_new(err);
		code = replay.tally != NULL ? start(&replay, err) : ERR_MEMORY;
		if (code == 0)
			code = run_engine(&replay, err);
	}
	watch_stop(&replay.watch);
	engine_free(replay.engine);
	(void)delivery_close(replay.delivery, 0, NULL); /* what failed first is told */
	tally_free(replay.tally);
	words_free(&replay.words);
	setup_free(&replay.setup);
	return code == 1 ? cli_help(cli, &command_replay) : code;
}

static const char help[] =
    "replay [OPTION]... [-r] CAPTURE... [BPF...]\n"
    "\n"
    "Judges what captures hold: pcap or pcapng (also .gz, .zst), a folder of them, or - for\n"
    "standard input.  The first word that is no capture begins a BPF filter.\n"
    "\n"
    "  -c, --config FILE       bulkhead.yaml\n"
    "      --inventory FILE    who is who; file or folder, may be repeated\n"
    "      --rules PATH        rules instead of the built-in ones; file or folder, repeatable\n"
    "  -o, --output FILE       alerts as JSON lines; - is standard output\n"
    "      --redis URL         deliver to Redis: redis://[user[:pass]@]host[:port][/db],\n"
    "                          unix:///path, or env for what BULKHEAD_REDIS_URL holds\n"
    "  -r, --read CAPTURE      one more capture, as tcpdump spells it\n"
    "  -F FILE                 take the BPF filter from a file\n"
    "      --tap NAME          the inventory's tap that the captures come from\n"
    "      --workers N         threads (default 1); the alerts are the same for any number\n"
    "      --seed N            of the hash tables (default 0)\n"
    "      --speed 1x|max      as recorded, or as fast as possible (default)\n"
    "      --stats FILE        all counters as JSON; - is standard output\n"
    "      --evidence DIR      keep each alert's packets as DIR/ALERT_ID.pcapng\n"
    "      --fail-on SEVERITY  exit 10 when there is an alert of this severity or higher\n"
    "  -q, --quiet             no summary and no warnings\n"
    "  -v, --verbose           tell more; twice: everything\n"
    "\n"
    "Exit: 0 done, 10 --fail-on matched, 1 failed, 2 usage, 65 corrupt or truncated capture,\n"
    "66 input missing, 69 Redis unavailable, 78 config, inventory or rules invalid.\n";

const struct command command_replay = {
    .name = "replay",
    .summary = "judge captures: pcap, pcapng, a folder, standard input",
    .help = help,
    .run = replay_run,
};
