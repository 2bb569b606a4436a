/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c - a sequence of frames through the whole sensor: worker, judge, detectors, rules,
 * incidents.
 *
 * One thread plays all: the capture source below gives the frames and, between batches, lets the
 * judge take what is in the ring.  Several workers run one after the other: the first reads all
 * there is for itself and the others.  Checked: the ledger adds up; each alert is whole JSON of
 * printable ASCII and lives open, update, close; a replay with three workers says the same.
 */
#include "pipeline.h"

#include <dirent.h>
#include <unistd.h>

#include "common.h"
#include "deal.h"
#include "judge.h"
#include "reading.h"
#include "worker.h"

#define ALERTS_MAX 4096
#define START_NS (UINT64_C(1767225600) * NS_PER_SEC)

struct feed { /* what a struct capture is to worker.c */
	const uint8_t *data;
	size_t size;
	struct cursor at;
	uint64_t ts_ns, number;
	struct run *run;
	uint8_t *bytes[SEQUENCE_MAX_FRAMES];
	unsigned held;
};

struct seen {
	char id[ALERT_ID_SIZE];
	uint32_t seq;
	bool closed;
};

struct run {
	const uint8_t *data;
	size_t size;
	uint8_t bits;
	struct options options;
	struct shared shared;
	struct judge *judge;
	struct worker worker[PIPELINE_WORKERS];
	struct feed feed;
	struct reading reading;
	unsigned workers;
	bool reloaded;
	struct seen seen[ALERTS_MAX];
	unsigned alerts;
	uint64_t told, tunnelled;
	struct hash128 sum; /* of all that was told */
};

/* Making an nDPI module takes longer than a thousand inputs. */
static struct dpi *kept_dpi;

/* ---- alerts -------------------------------------------------------------------------------- */

static struct seen *find_alert(struct run *run, const char *id)
{
	for (unsigned i = run->alerts; i-- > 0;)
		if (strcmp(run->seen[i].id, id) == 0)
			return &run->seen[i];
	return NULL;
}

static void check_alert(const struct alert *a)
{
	fuzz_check_alert_texts(a);
	FUZZ_CHECK(a->json_len < ALERT_JSON_SIZE && strlen(a->json) == a->json_len);
	fuzz_check_json(a->json, a->json_len);
}

static void on_alert(void *context, const struct alert *a)
{
	struct run *run = context;
	struct seen *seen = find_alert(run, a->id);
	struct hash128 part[2];

	check_alert(a);
	if (getenv("FUZZ_SHOW") != NULL)
		(void)fprintf(stderr, "%u worker: %s\n", run->workers, a->json);
	if (a->seq == 1) {
		FUZZ_CHECK(seen == NULL && (a->op == ALERT_OPEN));
		if (run->alerts == ALERTS_MAX)
			return;
		seen = &run->seen[run->alerts++];
		memcpy(seen->id, a->id, sizeof seen->id);
	} else if (seen == NULL) {
		FUZZ_CHECK(run->alerts == ALERTS_MAX);
		return;
	} else {
		FUZZ_CHECK(!seen->closed && a->op != ALERT_OPEN && a->seq == seen->seq + 1);
	}
	seen->seq = a->seq;
	seen->closed = a->op == ALERT_CLOSE;
	run->told++;
	part[0] = run->sum;
	part[1] = hash128_plain(a->json, a->json_len);
	run->sum = hash128_plain(part, sizeof part);
}

/* ---- frames -------------------------------------------------------------------------------- */

static const uint64_t steps[16] = {0,
				   NS_PER_US,
				   100 * NS_PER_US,
				   NS_PER_MS,
				   10 * NS_PER_MS,
				   100 * NS_PER_MS,
				   300 * NS_PER_MS,
				   NS_PER_SEC,
				   2 * NS_PER_SEC,
				   6 * NS_PER_SEC,
				   30 * NS_PER_SEC,
				   70 * NS_PER_SEC,
				   700 * NS_PER_SEC,
				   0 - NS_PER_SEC,
				   0 - 100 * NS_PER_SEC,
				   UINT64_C(1) << 60};

static const uint16_t links[16] = {LINK_ETHERNET, LINK_ETHERNET, LINK_ETHERNET,	  LINK_ETHERNET,
				   LINK_ETHERNET, LINK_ETHERNET, LINK_ETHERNET,	  LINK_NULL,
				   LINK_RAW_OLD,  LINK_RAW,	 LINK_LOOP,	  LINK_LINUX_SLL,
				   LINK_IPV4,	  LINK_IPV6,	 LINK_LINUX_SLL2, 9999};

static bool next_frame(struct feed *f, struct frame *frame)
{
	uint8_t step = cursor_u8(&f->at);
	uint8_t kind = cursor_u8(&f->at);
	size_t len = cursor_be16(&f->at);
	const uint8_t *bytes;

	if (len > cursor_left(&f->at))
		len = cursor_left(&f->at);
	bytes = cursor_take(&f->at, len);
	if (f->at.failed || len == 0 || f->number == SEQUENCE_MAX_FRAMES)
		return false;
	f->ts_ns += steps[step & 0x0f];
	f->bytes[f->held] = fuzz_copy(bytes, len);
	*frame = (struct frame){.data = f->bytes[f->held],
				.caplen = (uint32_t)len,
				.len = (uint32_t)len + (uint32_t)(step >> 4) * 97,
				.ts_ns = f->ts_ns,
				.number = ++f->number,
				.linktype = links[kind & 0x0f],
				.tap = (uint16_t)(kind >> 4)};
	if (frame->tap >= inventory_tap_count(f->run->worker[0].inv))
		frame->tap = 0; /* as a capture does: its taps are the inventory's */
	f->held++;
	return true;
}

static void drop_frames(struct feed *f)
{
	while (f->held > 0)
		free(f->bytes[--f->held]);
}

/* As engine_reload() does. */
static void reload(struct run *run)
{
	struct inventory *now = inventory_ref(fuzz_inventory(run->data[2] % FUZZ_INVENTORIES));

	run->reloaded = true;
	inventory_unref(atomic_exchange(&run->shared.inventory, now));
	judge_reload(run->judge, NULL);
}

static enum capture_verdict feed_next(struct capture *capture, struct frame_batch *batch,
				      struct err *err)
{
	struct feed *f = (struct feed *)(void *)capture;
	/* A batch is as long as the first frame's second byte says: short ones mix, too.  What is
	 * dealt out stays, and is little enough for one window: then nobody waits for another. */
	bool dealt = f->run->workers > 1;
	unsigned most = dealt ? FRAME_BATCH : 1 + (f->run->data[3] & (FRAME_BATCH - 1));

	(void)err;
	if (!dealt)
		drop_frames(f);
	judge_drain(f->run->judge);
	if ((f->run->bits & SEQUENCE_RELOAD) && !f->run->reloaded &&
	    cursor_left(&f->at) < f->size / 2)
		reload(f->run);
	while (batch->count < most && next_frame(f, &batch->frame[batch->count]))
		batch->count++;
	return batch->count > 0 ? CAPTURE_OK : CAPTURE_END;
}

static void feed_stats(struct capture *capture, struct capture_stats *out)
{
	(void)capture;
	*out = (struct capture_stats){0};
}

static int feed_open(struct capture **capture, const struct capture_options *options,
		     struct err *err)
{
	(void)capture;
	(void)options;
	return err_set(err, ERR_RUN, "is open already");
}

static void feed_close(struct capture *capture)
{
	(void)capture; /* frames that were dealt are still to be handled */
}

static const struct capture_source feed_source = {
    .name = "fuzz", .open = feed_open, .next = feed_next, .stats = feed_stats, .close = feed_close};

/* ---- one run ------------------------------------------------------------------------------- */

static void set_limits(struct run *run)
{
	struct options *o = &run->options;
	struct err err = {0};
	bool tight = run->bits & SEQUENCE_TIGHT;

	FUZZ_CHECK(options_default(o, &err) == 0);
	o->sensor.name = "fuzz";
	o->sensor.site = "site";
	o->limits.flows = tight ? 64 : 3072;
	o->limits.dpi_flows = 64;
	o->limits.tokens = tight ? 64 : 1024;
	o->limits.fragments = tight ? 64 : 256;
	o->limits.bindings = tight ? 64 : 256;
	o->limits.open_alerts = tight ? 16 : 256;
	o->limits.evidence = tight ? 65536 : 1 << 20;
	o->evidence.quota = 1 << 20;
	o->dpi.packets = (run->bits & SEQUENCE_DPI) ? 8 : 0;
}

static void put_kinds(FILE *out, const char *head)
{
	const char *const *kinds = detector_kinds();

	(void)fputs(head, out);
	for (unsigned i = 0; kinds[i] != NULL; i++)
		(void)fprintf(out, "%s%s", i > 0 ? ", " : "", kinds[i]);
}

/* Two rules for every kind there is: one lets all through, one counts first. */
static const char *lean_rules(void)
{
	static const char all[] = "  - { rule: fuzz.all, id: BH-1901, rev: 1, severity: high, "
				  "title: All, condition: count > 0, "
				  "group_by: [kind, actor.host], "
				  "output: \"{actor.host} {app.proto}\", on: [";
	static const char some[] = "] }\n"
				   "  - { rule: fuzz.some, id: BH-1902, rev: 1, severity: low, "
				   "title: Some, condition: victim.tenant != actor.tenant, "
				   "threshold: { count: 3, within: 10s }, on: [";
	static char path[FUZZ_PATH_SIZE];
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (path[0] != '\0')
		return path;
	out = open_memstream(&text, &len);
	FUZZ_CHECK(out != NULL);
	(void)fprintf(out, "version: 1\nruleset: fuzz\nrules:\n");
	put_kinds(out, all);
	put_kinds(out, some);
	(void)fputs("] }\n", out);
	FUZZ_CHECK(fclose(out) == 0);
	(void)fuzz_file(text, len, path); /* for as long as we run */
	free(text);
	return path;
}

static void load_rules(struct run *run, struct judge_config *config)
{
	const char *lean = lean_rules();
	struct problems problems = {0};
	struct err err = {0};

	if (rules_load(&lean, run->bits & SEQUENCE_CORE_RULES ? 0 : 1, detector_kinds(), START_NS,
		       &config->rules, &problems, &err) != 0) {
		(void)fprintf(stderr, "%s\n", problems.text);
		FUZZ_CHECK(config->rules != NULL);
	}
	problems_fini(&problems);
	config->shared = &run->shared;
	config->on_alert = on_alert;
	config->context = run;
	if (run->bits & SEQUENCE_EVIDENCE)
		config->evidence_directory = fuzz_folder();
}

static void start_feed(struct run *run)
{
	static const char *const file[] = {"fuzz"};
	struct worker *first = &run->worker[0];
	struct err err = {0};

	run->feed =
	    (struct feed){.data = run->data,
			  .size = run->size,
			  .ts_ns = START_NS,
			  .run = run,
			  .at = cursor_over(run->data + SEQUENCE_HEAD, run->size - SEQUENCE_HEAD)};
	if (run->shared.live) {
		first->source = &feed_source;
		first->capture = (struct capture *)(void *)&run->feed;
		return;
	}
	run->reading = (struct reading){.source = &feed_source,
					.files = file,
					.file_count = 1,
					.capture = (struct capture *)(void *)&run->feed};
	run->shared.reading = &run->reading;
	if (run->workers > 1)
		FUZZ_CHECK(deal_new(&run->shared.deal, &run->shared, &run->reading, &err) == 0);
}

static void start(struct run *run, unsigned workers)
{
	struct judge_config config = {0};
	struct err err = {0};
	struct inventory *inv = fuzz_inventory(run->data[0] % FUZZ_INVENTORIES);

	set_limits(run);
	pipeline_table_most = run->bits & SEQUENCE_TIGHT ? 16 : 1024;
	pipeline_ring_most = workers > 1 ? 16 << 20 : 1 << 18;
	run->workers = workers;
	run->shared.options = &run->options;
	run->shared.seed = 1;
	run->shared.live = (run->bits & SEQUENCE_LIVE) != 0;
	run->shared.workers = workers;
	hash_key_init(&run->shared.key, 1);
	FUZZ_CHECK(pthread_mutex_init(&run->shared.swap, NULL) == 0);
	atomic_init(&run->shared.inventory, inventory_ref(inv));
	load_rules(run, &config);
	config.dpi = run->options.dpi.packets > 0 ? kept_dpi : NULL;
	FUZZ_CHECK(judge_new(&run->judge, &config, &err) == 0);
	pipeline_judge = run->judge;
	for (unsigned i = 0; i < workers; i++) {
		struct worker *w = &run->worker[i];

		FUZZ_CHECK(worker_init(w, &run->shared, run->judge, i, &err) == 0);
	}
	start_feed(run);
	judge_attach(run->judge, run->worker, workers);
}

static void check_ledger(struct run *run)
{
	struct stats total = {0};
	uint64_t sum = 0;

	for (unsigned i = 0; i < run->workers; i++)
		stats_sum(&total, &run->worker[i].stats);
	for (unsigned s = STAT_ATTRIBUTED; s <= STAT_UNATTRIBUTED_UNMAPPED; s++)
		sum += total.count[s];
	FUZZ_CHECK(sum == total.count[STAT_FRAMES]);
	FUZZ_CHECK(total.count[STAT_FRAMES] == run->feed.number);
	run->tunnelled = total.count[STAT_TUNNELLED];
	stats_sum(&total, judge_stats(run->judge));
	FUZZ_CHECK(run->shared.live || total.count[STAT_EVENTS_DROPPED] == 0);
	FUZZ_CHECK(total.count[STAT_ALERTS_OPENED] >= total.count[STAT_ALERTS_CLOSED]);
	for (unsigned i = 0; i < run->alerts && !run->shared.live; i++)
		FUZZ_CHECK(run->seen[i].closed);
}

static void stop(struct run *run)
{
	for (unsigned i = 0; i < run->workers; i++) {
		worker_fini(&run->worker[i]);
	}
	deal_free(run->shared.deal);
	drop_frames(&run->feed);
	judge_free(run->judge);
	inventory_unref(atomic_load(&run->shared.inventory));
	(void)pthread_mutex_destroy(&run->shared.swap);
	options_free(&run->options);
}

static struct run *run_all(const uint8_t *data, size_t size, uint8_t bits, unsigned workers)
{
	struct run *run = calloc(1, sizeof *run);

	FUZZ_CHECK(run != NULL);
	run->data = data;
	run->size = size;
	run->bits = bits;
	start(run, workers);
	for (unsigned i = 0; i < workers; i++)
		worker_run(&run->worker[i]);
	judge_run(run->judge); /* all are done: takes what is left and finishes */
	check_ledger(run);
	stop(run);
	return run;
}

static void empty_evidence(void)
{
	DIR *folder = opendir(fuzz_folder());
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)closedir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err = {0};

	(void)argc;
	(void)argv;
	kept_dpi = dpi_new(&err);
	FUZZ_CHECK(kept_dpi != NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run *one, *several;
	uint8_t bits;

	if (size < SEQUENCE_HEAD)
		return 0;
	bits = data[1];
	one = run_all(data, size, bits, 1);
	if (bits & SEQUENCE_EVIDENCE)
		empty_evidence();
	/* Labels, evictions and a reload's moment depend on how frames are spread, and so do flows
	 * inside of several tunnels. */
	if ((bits & SEQUENCE_WORKERS) && one->tunnelled == 0 &&
	    !(bits & (SEQUENCE_LIVE | SEQUENCE_DPI | SEQUENCE_TIGHT | SEQUENCE_RELOAD |
		      SEQUENCE_EVIDENCE))) {
		several = run_all(data, size, bits, PIPELINE_WORKERS);
		FUZZ_CHECK(one->told == several->told);
		FUZZ_CHECK(memcmp(&one->sum, &several->sum, sizeof one->sum) == 0);
		free(several);
	}
	free(one);
	return 0;
}
