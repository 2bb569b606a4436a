/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - see engine.h: threads and their lives. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "deal.h"
#include "judge.h"
#include "reading.h"
#include "worker.h"

#define PROGRESS_NS (100 * NS_PER_MS)

struct engine {
	struct engine_config config;
	struct shared shared;
	struct reading reading;
	struct dpi *dpi; /* NULL: it is off */
	struct judge *judge;
	struct worker *workers;
	unsigned worker_count;
	pthread_t judge_thread;
};

/* ---- captures -------------------------------------------------------------------------------- */

static uint16_t tap_of_interface(void *context, const char *interface)
{
	struct engine *e = context;
	int tap = inventory_find_tap(atomic_load(&e->shared.inventory), interface);

	return (uint16_t)(tap < 0 ? 0 : tap);
}

static int open_live(struct engine *e, struct worker *w, const struct capture_config *c,
		     unsigned members, uint16_t group, struct err *err)
{
	int tap = 0;
	int rc;

	if (c->tap != NULL) {
		tap = inventory_find_tap(atomic_load(&e->shared.inventory), c->tap);
		if (tap < 0)
			return err_set(err, ERR_CONFIG,
				       "capture of %s names tap \"%s\", which no inventory has; "
				       "name one of its taps, or leave it out",
				       c->interface, c->tap);
	}
	w->capture_options = (struct capture_options){
	    .name = c->interface,
	    .filter = c->filter != NULL && c->filter[0] != '\0' ? c->filter : e->config.filter,
	    .snaplen = (uint32_t)c->snaplen,
	    .buffer = c->buffer,
	    .tap = (uint16_t)tap,
	    .fanout_group = group,
	    .fanout_members = members,
	};
	w->source = &capture_live;
	w->capture_index = (unsigned)(c - e->config.options->capture);
	rc = w->source->open(&w->capture, &w->capture_options, err);
	if (rc == 0 || e->config.unseen_since_ns == 0 || rc == ERR_PERM || rc == ERR_USAGE)
		return rc;
	log_err("interface=%s state=waited-for error=\"%s\"", c->interface, err->text);
	*err = (struct err){0};
	atomic_store(&w->blind, true);
	return 0;
}

static int open_replay(struct engine *e, struct err *err)
{
	int rc;

	e->reading = (struct reading){
	    .source = &capture_savefile,
	    .options = {.filter = e->config.filter,
			.tap = (uint16_t)(e->config.tap < 0 ? 0 : e->config.tap),
			.tap_of = e->config.tap < 0 ? tap_of_interface : NULL,
			.tap_context = e},
	    .files = e->config.files,
	    .file_count = e->config.file_count,
	};
	e->shared.reading = &e->reading;
	rc = reading_open(&e->reading, err);
	if (rc == 0 && e->worker_count > 1)
		rc = deal_new(&e->shared.deal, &e->shared, &e->reading, err);
	return rc;
}

static unsigned count_workers(const struct engine_config *config)
{
	const struct options *o = config->options;
	unsigned count = 0;

	if (!config->live)
		return config->workers > 0 ? config->workers : 1;
	for (unsigned i = 0; i < o->capture_count; i++)
		count += (unsigned)o->capture[i].workers;
	return count;
}

static int open_workers(struct engine *e, struct err *err)
{
	const struct options *o = e->config.options;
	unsigned at = 0;
	int rc = 0;

	for (unsigned i = 0; i < e->worker_count && rc == 0; i++)
		rc = worker_init(&e->workers[i], &e->shared, e->judge, i, err);
	if (rc != 0)
		return rc;
	if (!e->config.live)
		return open_replay(e, err);
	for (unsigned c = 0; c < o->capture_count; c++) {
		unsigned members = (unsigned)o->capture[c].workers;
		/* Groups are per network namespace: the process id keeps two sensors apart. */
		uint16_t group =
		    (uint16_t)(((unsigned)getpid() * OPTIONS_MAX_CAPTURES + c) & 0xffff);

		for (unsigned i = 0; i < members && rc == 0; i++)
			rc = open_live(e, &e->workers[at++], &o->capture[c], members, group, err);
	}
	return rc;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_judge(struct engine *e, struct err *err)
{
	const struct engine_config *config = &e->config;
	struct judge_config jc = {.shared = &e->shared,
				  .rules = config->rules,
				  .delivery = config->delivery,
				  .evidence_directory = config->evidence_directory,
				  .in_iface =
				      config->live ? config->options->capture[0].interface : NULL,
				  .on_alert = config->on_alert,
				  .context = config->context};

	if (config->options->dpi.packets > 0) {
		jc.dpi = e->dpi = config->dpi != NULL ? dpi_attach(config->dpi, err) : dpi_new(err);
		if (e->dpi == NULL) {
			rules_free(config->rules);
			return err->code;
		}
	}
	return judge_new(&e->judge, &jc, err);
}

int engine_new(struct engine **out, const struct engine_config *config, struct err *err)
{
	struct engine *e = calloc(1, sizeof *e);
	int rc;

	if (e == NULL) {
		rules_free(config->rules);
		return err_set(err, ERR_MEMORY, "no memory for the engine");
	}
	e->config = *config;
	e->shared.options = config->options;
	e->shared.seed = config->seed;
	e->shared.live = config->live;
	e->shared.speed = config->speed;
	hash_key_init(&e->shared.key, config->seed);
	(void)pthread_mutex_init(&e->shared.swap, NULL);
	atomic_init(&e->shared.inventory, inventory_ref(config->inventory));
	e->worker_count = count_workers(config);
	e->shared.workers = e->worker_count;
	rc = open_judge(e, err);
	if (rc == 0) {
		e->workers = calloc(e->worker_count > 0 ? e->worker_count : 1, sizeof *e->workers);
		if (e->workers == NULL)
			rc = err_set(err, ERR_MEMORY, "no memory for %u workers", e->worker_count);
	}
	if (rc == 0)
		rc = open_workers(e, err);
	if (rc != 0) {
		engine_free(e);
		return rc;
	}
	judge_attach(e->judge, e->workers, e->worker_count);
	if (config->unseen_since_ns != 0)
		judge_unseen(e->judge, (clock_monotonic() - config->unseen_since_ns) / NS_PER_MS);
	*out = e;
	return 0;
}

void engine_attach_delivery(struct engine *e, struct delivery *delivery)
{
	e->config.delivery = delivery;
	judge_attach_delivery(e->judge, delivery);
}

_Static_assert(PROGRESS_NS < NS_PER_SEC, "tv_nsec is below a second");

static void *worker_main(void *context)
{
	struct worker *w = context;
	char name[16]; /* the kernel's limit */

	(void)snprintf(name, sizeof name, "worker%u", w->index);
	(void)pthread_setname_np(pthread_self(), name);
	worker_run(w);
	return NULL;
}

static void *judge_main(void *context)
{
	(void)pthread_setname_np(pthread_self(), "judge");
	judge_run(context);
	return NULL;
}

static bool all_done(const struct engine *e)
{
	for (unsigned i = 0; i < e->worker_count; i++)
		if (!atomic_load(&e->workers[i].done))
			return false;
	return true;
}

static void tell_progress(struct engine *e)
{
	struct engine_progress p = {.done = -1};
	struct stats total;
	uint64_t per_mille = atomic_load(&e->workers[0].progress);

	if (e->config.on_progress == NULL)
		return;
	engine_stats(e, &total);
	p.frames = stat_get(&total, STAT_FRAMES);
	p.bytes = stat_get(&total, STAT_BYTES);
	engine_span(e, &p.first_ns, &p.last_ns);
	if (per_mille != UINT64_MAX)
		p.done = (double)per_mille / 1000;
	e->config.on_progress(e->config.context, &p);
}

int engine_run(struct engine *e, struct err *err)
{
	unsigned started = 0;
	int rc = 0;

	if (pthread_create(&e->judge_thread, NULL, judge_main, e->judge) != 0)
		return err_set(err, ERR_RUN, "cannot start the judge's thread");
	for (; started < e->worker_count; started++)
		if (pthread_create(&e->workers[started].thread, NULL, worker_main,
				   &e->workers[started]) != 0)
			break;
	if (started < e->worker_count) {
		rc = err_set(err, ERR_RUN, "cannot start worker %u", started);
		engine_stop(e);
		for (unsigned i = started; i < e->worker_count; i++)
			atomic_store(&e->workers[i].done, true);
	}
	while (!all_done(e)) {
		struct timespec pause = {.tv_nsec = e->config.live ? (long)PROGRESS_NS
								   : (long)(5 * NS_PER_MS)};

		(void)nanosleep(&pause, NULL);
		tell_progress(e);
	}
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(e->workers[i].thread, NULL);
	judge_wake(e->judge);
	(void)pthread_join(e->judge_thread, NULL);
	if (rc == 0 && e->reading.err.code != ERR_NONE) {
		*err = e->reading.err;
		rc = err->code;
	}
	return rc;
}

void engine_stop(struct engine *e)
{
	atomic_store(&e->shared.stop, true);
}

void engine_reload(struct engine *e, struct inventory *inventory, struct ruleset *rules)
{
	if (inventory != NULL) {
		struct inventory *old;

		(void)pthread_mutex_lock(&e->shared.swap);
		old = atomic_exchange(&e->shared.inventory, inventory);
		(void)pthread_mutex_unlock(&e->shared.swap);
		inventory_unref(old);
	}
	judge_reload(e->judge, rules);
}

void engine_link(struct engine *e, unsigned index, enum link_state state)
{
	atomic_store(&e->shared.link[index], (int)state);
}

bool engine_moves(struct engine *e)
{
	bool moves = judge_moves(e->judge);

	for (unsigned i = 0; i < e->worker_count; i++) {
		struct worker *w = &e->workers[i];
		uint64_t rounds = atomic_load(&w->rounds);

		moves &= rounds != w->rounds_seen || atomic_load(&w->done);
		w->rounds_seen = rounds;
	}
	return moves;
}

bool engine_blind(const struct engine *e, unsigned index)
{
	for (unsigned i = 0; i < e->worker_count; i++)
		if (e->workers[i].capture_index == index && atomic_load(&e->workers[i].blind))
			return true;
	return false;
}

void engine_stats(struct engine *e, struct stats *total)
{
	*total = (struct stats){0};
	for (unsigned i = 0; i < e->worker_count; i++)
		stats_sum(total, &e->workers[i].stats);
	stats_sum(total, judge_stats(e->judge));
	if (e->config.delivery != NULL) {
		struct stats delivered = {0};

		delivery_stats(e->config.delivery, &delivered);
		stats_sum(total, &delivered);
	}
}

void engine_span(struct engine *e, uint64_t *first_ns, uint64_t *last_ns)
{
	*first_ns = 0;
	*last_ns = 0;
	for (unsigned i = 0; i < e->worker_count; i++) {
		uint64_t first = atomic_load(&e->workers[i].first_ns);
		uint64_t last = atomic_load(&e->workers[i].last_ns);

		if (first != 0 && (*first_ns == 0 || first < *first_ns))
			*first_ns = first;
		if (last > *last_ns)
			*last_ns = last;
	}
}

static void add_fact(struct heartbeat *beat, const char *name, const char *text)
{
	if (beat->fact_count == HEARTBEAT_FACTS)
		return;
	beat->fact[beat->fact_count].name = name;
	(void)snprintf(beat->fact[beat->fact_count].text, sizeof beat->fact[beat->fact_count].text,
		       "%s", text);
	beat->fact_count++;
}

/* What the worker leaves out that leaves out most. */
static enum shed_level shed_most(const struct engine *e)
{
	int most = SHED_NOTHING;

	for (unsigned i = 0; i < e->worker_count; i++) {
		int level = atomic_load(&e->workers[i].shed_told);

		most = level > most ? level : most;
	}
	return (enum shed_level)most;
}

void engine_heartbeat(struct engine *e, struct heartbeat *beat)
{
	char text[CLOCK_TEXT_SIZE];
	struct stats total;
	uint64_t first_ns;
	uint64_t last_ns;

	engine_stats(e, &total);
	engine_span(e, &first_ns, &last_ns);
	beat->sensor = e->config.options->sensor.name;
	beat->site = e->config.options->sensor.site;
	beat->version = BULKHEAD_VERSION;
	beat->wall_ns = clock_wall();
	add_fact(beat, "interface",
		 e->config.live ? e->config.options->capture[0].interface : "replay");
	(void)pthread_mutex_lock(&e->shared.swap);
	add_fact(beat, "inventory_rev", inventory_revision(atomic_load(&e->shared.inventory)));
	(void)pthread_mutex_unlock(&e->shared.swap);
	add_fact(beat, "dpi", dpi_version());
	add_fact(beat, "last_packet", last_ns != 0 ? clock_format_z(last_ns, text) : "never");
	add_fact(beat, "redis",
		 e->config.delivery == NULL || delivery_redis_up(e->config.delivery) ? "up"
										     : "down");
	add_fact(beat, "shedding", shed_name(shed_most(e)));
	for (unsigned i = 0; i < STAT_MAX; i++) {
		(void)snprintf(text, sizeof text, "%llu",
			       (unsigned long long)stat_get(&total, (enum stat)i));
		add_fact(beat, stat_name((enum stat)i), text);
	}
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	for (unsigned i = 0; e->workers != NULL && i < e->worker_count; i++)
		worker_fini(&e->workers[i]);
	free(e->workers);
	deal_free(e->shared.deal);
	reading_close(&e->reading);
	judge_free(e->judge);
	dpi_free(e->dpi);
	inventory_unref(atomic_load(&e->shared.inventory));
	(void)pthread_mutex_destroy(&e->shared.swap);
	free(e);
}
