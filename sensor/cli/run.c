/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - "bulkhead run": the sensor in the foreground.
 *
 *	supervisor		starts the others and starts them again (supervise.h)
 *	worker, main thread	engine_run(): captures, until told to stop
 *	worker, watch thread	signals, links; sign of life each second, heartbeat each ten
 *	DPI			nDPI without any privilege, for the worker (dpi/serve.h)
 *
 * The worker opens its captures, gives up every privilege (confine.h), and only then opens the
 * outbox and starts threads.  SIGHUP reloads inventory and rules, SIGTERM and SIGINT drain and end.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "bulkhead/capture.h"
#include "bulkhead/clock.h"
#include "bulkhead/dpi.h"
#include "bulkhead/sink.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/dpi_process.h"
#include "cli/link.h"
#include "cli/notify.h"
#include "cli/reload.h"
#include "cli/report.h"
#include "cli/sensing.h"
#include "cli/supervise.h"
#include "cli/tally.h"
#include "cli/watch.h"
#include "engine.h"

#define MAX_SNAPLEN 262144
#define MIN_SNAPLEN 64
#define DEFAULT_SNAPLEN 65535
#define DEFAULT_BUFFER (UINT64_C(256) << 20)
#define HEARTBEAT_NS (10 * NS_PER_SEC)
#define DRAIN_NS (10 * NS_PER_SEC)
/* Before the interfaces are opened again nobody looks: what waits stays in the outbox. */
#define DRAIN_REOPEN_NS (NS_PER_SEC / 4)
/* An interface that is there but could not be opened is tried again after so long. */
#define RETRY_NS (10 * NS_PER_SEC)

struct run {
	const struct cli *cli;
	struct setup setup;
	struct loaded loaded;
	const char *interface[OPTIONS_MAX_CAPTURES];
	unsigned interface_count;
	struct sensing sensing;
	uint64_t snaplen, buffer_kib;
	char *filter;
	bool keep_privileges;
	struct station station;

	struct tally *tally;
	struct delivery *delivery;
	struct engine *engine;
	struct dpi_segment *dpi; /* mapped where DPI has a process of its own */
	struct links links;
	struct watch watch;
	char privileges[PRIVS_TEXT_SIZE];
	bool reopen; /* by the watch thread, read when it has ended */
	uint64_t started_ns, beat_ns;
};

static void take_alert(void *context, const struct alert *alert)
{
	struct run *run = context;

	tally_alert(run->tally, alert);
}

static void take_signal(void *context, int number)
{
	struct run *run = context;

	if (number == SIGHUP) {
		notify_reloading(run->station.supervisor);
		reload(&run->loaded, &run->setup, run->engine);
		notify_ready(run->station.supervisor, "watching");
		return;
	}
	log_info("%s: draining", number == SIGINT ? "interrupted" : "told to end");
	notify_stopping(run->station.supervisor);
	engine_stop(run->engine);
}

/* Opening takes rights that are gone: a new worker has them. */
static void reopen_what_came_back(struct run *run)
{
	bool late = clock_monotonic() - run->started_ns >= RETRY_NS;

	for (unsigned i = 0; i < run->links.count && !run->reopen; i++) {
		const struct link *link = &run->links.link[i];

		if (!engine_blind(run->engine, i) || !(link->came || (link->enabled && late)))
			continue;
		log_warn("interface %s can be opened again", link->interface);
		run->reopen = true;
		station_reopen(&run->station);
		engine_stop(run->engine);
	}
}

static void link_changed(void *context, unsigned index)
{
	struct run *run = context;
	const struct link *link = &run->links.link[index];

	log_warn("interface %s is %s", link->interface, link_state_name(link->state));
	engine_link(run->engine, index, link->state);
}

static void take_links(void *context)
{
	struct run *run = context;

	links_read(&run->links, link_changed, run);
	reopen_what_came_back(run);
}

/* It never says a word: when there is something to read, it is its end. */
static void lose_supervisor(void *context)
{
	struct run *run = context;

	log_err("the supervisor is gone: draining");
	engine_stop(run->engine);
}

static void add_fact(struct heartbeat *beat, const char *name, const char *text)
{
	if (beat->fact_count == HEARTBEAT_FACTS)
		return;
	beat->fact[beat->fact_count].name = name;
	(void)snprintf(beat->fact[beat->fact_count].text, sizeof beat->fact[0].text, "%.95s", text);
	beat->fact_count++;
}

static void send_heartbeat(struct run *run)
{
	struct heartbeat beat;
	char text[sizeof beat.fact[0].text];

	memset(&beat, 0, sizeof beat);
	engine_heartbeat(run->engine, &beat);
	add_fact(&beat, "privileges", run->privileges);
	links_text(&run->links, text, sizeof text);
	add_fact(&beat, "links", text);
	(void)snprintf(text, sizeof text, "%u", run->station.restarts);
	add_fact(&beat, "restarts", text);
	delivery_heartbeat(run->delivery, &beat);
}

static void take_tick(void *context)
{
	struct run *run = context;
	uint64_t now = clock_monotonic();

	if (now >= run->beat_ns) {
		send_heartbeat(run);
		run->beat_ns = now + HEARTBEAT_NS;
	}
	if (engine_moves(run->engine))
		notify_watchdog(run->station.supervisor);
	reopen_what_came_back(run);
}

enum { OPT_KEEP = SENSING_OPT_FIRST_FREE };

static const char shorts[] = ":" SENSING_SHORTS "i:s:B:";
static const struct option longs[] = {
    SENSING_LONGS,
    {"interface", required_argument, NULL, 'i'},
    {"snapshot-length", required_argument, NULL, 's'},
    {"buffer-size", required_argument, NULL, 'B'},
    {"keep-privileges", no_argument, NULL, OPT_KEEP},
    {NULL, 0, NULL, 0},
};

static int add_interface(struct run *run, const char *name, struct err *err)
{
	if (run->interface_count == OPTIONS_MAX_CAPTURES)
		return err_set(err, ERR_USAGE, "-i: more than %d interfaces", OPTIONS_MAX_CAPTURES);
	run->interface[run->interface_count++] = name;
	return 0;
}

static int take_option(void *context, int option, struct err *err)
{
	struct run *run = context;

	switch (option) {
	case 'i':
		return add_interface(run, optarg, err);
	case 's': /* 0 means all, as tcpdump has it */
		if (strcmp(optarg, "0") == 0) {
			run->snaplen = MAX_SNAPLEN;
			return 0;
		}
		return cli_number("-s", optarg, MIN_SNAPLEN, MAX_SNAPLEN, &run->snaplen, err);
	case 'B': /* KiB, as tcpdump has it */
		return cli_number("-B", optarg, 64, UINT64_C(1) << 24, &run->buffer_kib, err);
	case OPT_KEEP:
		run->keep_privileges = true;
		return 0;
	default:
		return sensing_option(&run->sensing, &run->setup, option, optarg, err);
	}
}

/* 1 when only help was asked for. */
static int take_arguments(struct run *run, int argc, char **argv, struct err *err)
{
	int code = sensing_options(argc, argv, shorts, longs, take_option, run, err);

	if (code != 0)
		return code;
	if (run->setup.config == NULL && run->interface_count == 0)
		return err_set(err, ERR_USAGE, "run: give -c FILE or -i INTERFACE");
	if (optind == argc)
		return 0;
	run->filter = cli_join(argv + optind, argc - optind);
	if (run->filter == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	return capture_check_filter(run->filter, err);
}

/* -i replaces the config's list; an interface that the config knows keeps its settings. */
static void choose_interfaces(struct run *run)
{
	struct options *options = &run->setup.options;
	struct capture_config chosen[OPTIONS_MAX_CAPTURES];
	unsigned i, k;

	if (run->interface_count == 0)
		return;
	for (i = 0; i < run->interface_count; i++) {
		chosen[i] = (struct capture_config){.interface = run->interface[i],
						    .filter = "",
						    .snaplen = DEFAULT_SNAPLEN,
						    .buffer = DEFAULT_BUFFER,
						    .workers = 1};
		for (k = 0; k < options->capture_count; k++)
			if (strcmp(options->capture[k].interface, run->interface[i]) == 0)
				chosen[i] = options->capture[k];
	}
	memcpy(options->capture, chosen, run->interface_count * sizeof chosen[0]);
	options->capture_count = run->interface_count;
}

static int apply_arguments(struct run *run, struct err *err)
{
	struct options *options = &run->setup.options;
	unsigned i;

	choose_interfaces(run);
	if (options->capture_count == 0)
		return err_set(err, ERR_CONFIG,
			       "%s: capture: no interface; name one there or with -i",
			       run->setup.config);
	for (i = 0; i < options->capture_count; i++) {
		struct capture_config *capture = &options->capture[i];

		if (run->filter != NULL)
			capture->filter = run->filter;
		if (run->snaplen > 0)
			capture->snaplen = run->snaplen;
		if (run->buffer_kib > 0)
			capture->buffer = run->buffer_kib << 10;
		if (run->sensing.workers > 0)
			capture->workers = run->sensing.workers;
		if (run->sensing.tap != NULL)
			capture->tap = run->sensing.tap;
		if (capture->tap != NULL && capture->tap[0] == '\0')
			capture->tap = NULL; /* the inventory's first */
		if (capture->tap != NULL &&
		    inventory_find_tap(run->setup.inventory, capture->tap) < 0)
			return err_set(err, ERR_CONFIG,
				       "interface %s: the inventory has no tap \"%s\"",
				       capture->interface, capture->tap);
	}
	return 0;
}

static int open_delivery(struct run *run, struct err *err)
{
	const struct options *options = &run->setup.options;
	struct delivery_config config = {
	    .options = options,
	    .outbox_file = options->outbox.file[0] != '\0' ? options->outbox.file : NULL,
	    .redis_url = run->sensing.redis,
	    .cursor_name = options->sensor.name,
	    .jsonl_path = run->sensing.output,
	};

	return delivery_open(&run->delivery, &config, err);
}

static int open_dpi(struct run *run, struct err *err)
{
	const struct options *options = &run->setup.options;
	int fd, code;

	if (!options->dpi.own_process || options->dpi.packets == 0)
		return 0;
	code = dpi_process_ask(run->station.supervisor, &fd, err);
	if (code == 0) {
		code = dpi_segment_map(&run->dpi, fd, err);
		(void)close(fd);
	}
	return code;
}

static int open_engine(struct run *run, struct err *err)
{
	const struct options *options = &run->setup.options;
	struct engine_config config = {
	    .options = options,
	    .inventory = run->setup.inventory,
	    .rules = run->setup.rules,
	    .seed = hash_random_seed(),
	    .live = true,
	    .tap = -1,
	    .workers = 1,
	    .on_alert = take_alert,
	    .dpi = run->dpi,
	    .unseen_since_ns = run->station.unseen_since_ns,
	    .context = run,
	};

	if (options->evidence.directory[0] != '\0')
		config.evidence_directory = options->evidence.directory;
	run->setup.rules = NULL; /* the engine's now, also when it fails */
	return engine_new(&run->engine, &config, err);
}

static int give_up_privileges(struct run *run, struct err *err)
{
	const struct confine rights = {.setup = &run->setup,
				       .output = run->sensing.output,
				       .redis = run->sensing.redis != NULL};
	int code;

	if (run->keep_privileges) {
		(void)snprintf(run->privileges, sizeof run->privileges, "kept");
		log_warn("privileges are kept: whoever takes over this process has them");
		return 0;
	}
	code = confine(&rights, run->privileges, err);
	if (code == 0)
		log_info("privileges: %s", run->privileges);
	return code;
}

static int start(struct run *run, struct err *err)
{
	struct err why = {0};
	int code = setup_load(&run->setup, err);

	setup_print_problems(&run->setup, run->cli, run->sensing.quiet);
	if (code == 0)
		code = apply_arguments(run, err);
	if (code == 0)
		code = loaded_init(&run->loaded, &run->setup, err);
	/* Signals and privileges before the first thread, which is the delivery's. */
	if (code == 0)
		code = watch_init(&run->watch, true, err);
	if (code == 0 && links_open(&run->links, &run->setup.options, &why) != 0)
		log_warn("%s", why.text);
	if (code == 0)
		code = open_dpi(run, err);
	if (code == 0)
		code = open_engine(run, err);
	if (code == 0)
		code = give_up_privileges(run, err);
	if (code == 0)
		code = open_delivery(run, err);
	if (code == 0)
		engine_attach_delivery(run->engine, run->delivery);
	return code;
}

static void tell_start(const struct run *run)
{
	const struct options *options = &run->setup.options;
	const struct inventory *inv = run->setup.inventory;
	char status[160];
	unsigned i;

	for (i = 0; i < options->capture_count; i++)
		log_info("watching %s (tap %s, %llu worker%s)", options->capture[i].interface,
			 options->capture[i].tap != NULL ? options->capture[i].tap
							 : inventory_tap(inv, 0)->name,
			 (unsigned long long)options->capture[i].workers,
			 options->capture[i].workers == 1 ? "" : "s");
	(void)snprintf(status, sizeof status, "watching: %u tenants, %u hosts, %u rules",
		       inventory_tenant_count(inv) - TENANT_FIRST, inventory_host_count(inv),
		       run->loaded.rules_count);
	log_info("%s", status);
	notify_ready(run->station.supervisor, status);
}

static int start_watching(struct run *run, struct err *err)
{
	struct watch *watch = &run->watch;

	watch->on_signal = take_signal;
	watch->on_tick = take_tick;
	watch->tick_ns = NS_PER_SEC;
	watch->context = run;
	watch->input[watch->input_count++] =
	    (struct watch_input){run->station.supervisor, lose_supervisor};
	if (run->links.fd > 0)
		watch->input[watch->input_count++] =
		    (struct watch_input){run->links.fd, take_links};
	for (unsigned i = 0; i < run->links.count; i++)
		engine_link(run->engine, i, run->links.link[i].state);
	run->started_ns = clock_monotonic();
	return watch_start(watch, err);
}

static int run_engine(struct run *run, struct err *err)
{
	struct report report = {.output = run->sensing.output,
				.inventory = inventory_host_count(run->setup.inventory) > 0};
	struct err late = {0};
	int code = start_watching(run, err);
	int end;

	if (code != 0)
		return code;
	tell_start(run);
	code = engine_run(run->engine, err);
	watch_stop(&run->watch);
	report.wall_ns = clock_monotonic() - run->started_ns;
	engine_span(run->engine, &report.first_ns, &report.last_ns);
	engine_stats(run->engine, &report.stats);
	end = delivery_close(run->delivery, run->reopen ? DRAIN_REOPEN_NS : DRAIN_NS, &late);
	run->delivery = NULL;
	if (run->reopen)
		return 0; /* another one goes on; what was not delivered is in the outbox */
	if (code == 0 && end != 0)
		code = err_set(err, late.code, "%s", late.text);
	if (!run->sensing.quiet)
		report_print(&report, run->tally, run->cli);
	return code;
}

static int code_of_status(int status)
{
	for (int code = ERR_NONE; code >= ERR_THRESHOLD; code--)
		if (err_exit_status(code) == status)
			return code;
	return ERR_RUN;
}

/* The worker tells what is wrong with the config; here only the user's name is wanted of it. */
static int give_up_most(const struct run *run, struct err *err)
{
	struct problems problems = {0};
	struct options options = {0};
	struct err ignored;
	int code = run->setup.config != NULL
		       ? options_load(&options, run->setup.config, &problems, &ignored)
		       : options_default(&options, &ignored);

	code = code == 0 && !run->keep_privileges ? privs_keep(confine_user(&options), err) : 0;
	options_free(&options);
	problems_fini(&problems);
	if (code == 0 && !run->keep_privileges)
		code = privs_fence(err);
	return code;
}

static int run_supervisor(const struct run *run, int argc, char **argv, struct err *err)
{
	int status;
	int code = give_up_most(run, err);

	if (code == 0)
		code = supervise(argc, argv, &status, err);
	return code != 0 ? code : code_of_status(status); /* the worker has said why */
}

static int run_worker(struct run *run, struct err *err)
{
	int code;

	run->tally = tally_new(err);
	code = run->tally != NULL ? start(run, err) : ERR_MEMORY;
	if (code == 0)
		code = run_engine(run, err);
	return code;
}

static int run_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct run run = {.cli = cli, .station = station_take()};
	int dpi = dpi_process_station();
	int code;

	if (dpi >= 0)
		return dpi_serve(dpi, err);
	run.watch.signal_fd = -1;
	run.watch.wake_fd = -1;
	code = take_arguments(&run, argc, argv, err);
	if (code == 0) {
		log_set_level(run.sensing.quiet		? LOG_LEVEL_WARN
			      : run.sensing.verbose > 0 ? LOG_LEVEL_DEBUG
							: LOG_LEVEL_INFO);
		code = run.station.supervisor < 0 ? run_supervisor(&run, argc, argv, err)
						  : run_worker(&run, err);
	}
	watch_stop(&run.watch);
	links_close(&run.links);
	engine_free(run.engine);
	dpi_segment_free(run.dpi);
	(void)delivery_close(run.delivery, 0, NULL); /* what failed first is told */
	loaded_fini(&run.loaded);
	tally_free(run.tally);
	free(run.filter);
	setup_free(&run.setup);
	return code == 1 ? cli_help(cli, &command_run) : code;
}

static const char help[] =
    "run -c FILE [OPTION]... [-i INTERFACE]... [BPF...]\n"
    "\n"
    "Watches the interfaces of the config, or those of -i, in the foreground until SIGTERM or\n"
    "SIGINT.  SIGHUP reads inventory and rules again: all of it, or nothing when there is a\n"
    "mistake.  The words at the end are a BPF filter for every interface.\n"
    "\n"
    "  -c, --config FILE       bulkhead.yaml\n"
    "  -i, --interface NAME    instead of the config's interfaces; may be repeated\n"
    "      --inventory FILE    instead of the config's; file or folder, may be repeated\n"
    "      --rules PATH        instead of the config's; file or folder, may be repeated\n"
    "      --tap NAME          the inventory's tap that the interfaces are\n"
    "      --workers N         threads an interface\n"
    "      --redis URL         instead of the config's; BULKHEAD_REDIS_URL keeps it out of argv\n"
    "  -o, --output FILE       alerts as JSON lines too; - is standard output\n"
    "  -s, --snapshot-length N bytes of each frame (0: all)\n"
    "  -B, --buffer-size KIB   of the kernel's ring\n"
    "      --keep-privileges   for debugging: stay who started it, with all rights\n"
    "  -q, --quiet             only warnings and errors\n"
    "  -v, --verbose           everything\n"
    "\n"
    "Exit: 0 told to end, 1 failed, 2 usage, 66 input missing, 77 no permission to capture,\n"
    "78 config, inventory or rules invalid.\n";

const struct command command_run = {
    .name = "run",
    .summary = "watch a SPAN port, in the foreground",
    .help = help,
    .run = run_run,
};
