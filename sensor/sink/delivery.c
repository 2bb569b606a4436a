/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery.c - the room's front (see bulkhead/sink.h): opens what the config asks for, runs the
 * writer, and ends in order.
 *
 *	outbox file or Redis:	queue -> writer -> outbox -> sender -> sinks
 *	only files, no outbox:	queue -> writer -> sinks
 *	nothing at all:		counted and forgotten
 */
#include "bulkhead/sink.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "sink/list.h"
#include "sink/outbox.h"
#include "sink/queue.h"
#include "sink/sender.h"

#define QUEUE_SLOTS 1024 /* 8 KiB each */
#define LIVE_PATIENCE NS_PER_SEC
#define REPLAY_PATIENCE (30 * NS_PER_SEC)
#define DISK_RETRY (100 * NS_PER_MS)
#define URL_ENVIRONMENT "BULKHEAD_REDIS_URL"

struct delivery {
	struct queue *queue; /* NULL: nobody wants anything */
	struct outbox *outbox;
	struct sender *sender;
	bool replay;
	pthread_t writer;
	bool writing;
	bool drained;
	uint64_t give_up_at;  /* atomic; 0 never: when the writer stops waiting for the disk */
	struct stats judged;  /* written by the judge */
	struct stats written; /* written by the writer */
};

/* ---- the writer ---------------------------------------------------------------------------- */

static bool late(struct delivery *d)
{
	uint64_t at = __atomic_load_n(&d->give_up_at, __ATOMIC_RELAXED);

	return at != 0 && clock_monotonic() >= at;
}

/* Appends, waiting for a full disk to have room again. */
static void write_out(struct delivery *d, struct stored *record, uint32_t count)
{
	const struct timespec pause = {.tv_nsec = (long)DISK_RETRY};
	uint64_t dropped = 0;
	struct err err = {0};

	while (outbox_append(d->outbox, record, count, clock_wall(), &dropped, &err) != 0) {
		stat_add(&d->written, STAT_SINK_ERRORS, 1);
		log_err("%s; %" PRIu32 " state changes wait", err.text, count);
		if (late(d)) {
			stat_add(&d->written, STAT_OUTBOX_DROPPED, count);
			return;
		}
		(void)nanosleep(&pause, NULL);
	}
	for (uint32_t i = 0; i < count; i++)
		stat_add(&d->written, STAT_OUTBOX_WRITTEN, record[i].sequence != 0);
	stat_add(&d->written, STAT_OUTBOX_DROPPED, dropped);
	if (dropped > 0)
		log_err("outbox is full: %" PRIu64 " updates or closes were given up", dropped);
	sender_wake(d->sender);
}

static void *writer_main(void *arg)
{
	struct delivery *d = arg;
	struct stored *record;
	uint32_t count;

	while ((count = queue_take(d->queue, &record)) > 0) {
		if (d->outbox != NULL)
			write_out(d, record, count);
		else if (!sender_hand(d->sender, record, count))
			stat_add(&d->written, STAT_OUTBOX_DROPPED, count);
		queue_release(d->queue, count);
	}
	return NULL;
}

static int start_writer(struct delivery *d, struct err *err)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&d->writer, NULL, writer_main, d);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set(err, ERR_RUN, "cannot start the writer's thread: %s", strerror(rc));
	d->writing = true;
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* The environment overrides the config file, so that the secret need not stand in it; a URL on
 * the command line overrides both.  A replay uses Redis only when told to on its command line. */
static const char *redis_url(const struct delivery_config *c)
{
	const char *configured = c->options->redis.url;
	const char *environment = getenv(URL_ENVIRONMENT);

	if (c->wait_at_end)
		return given(c->redis_url) ? c->redis_url : NULL;
	if (given(c->redis_url) && (!given(configured) || strcmp(c->redis_url, configured) != 0))
		return c->redis_url;
	if (given(environment))
		return environment;
	return given(configured) ? configured : NULL;
}

static int attach(struct delivery *d, const struct delivery_config *c, const struct sink *sink,
		  const char *target, bool required, struct err *err)
{
	const struct sink_setup setup = {
	    .options = c->options,
	    .target = target,
	    .cursor_name = c->cursor_name,
	    .replay = c->wait_at_end,
	    .stats = sender_counters(d->sender),
	};

	return sender_attach(d->sender, sink, &setup, required, err);
}

/* Redis comes first, so that sender_ready_now() speaks of it. */
static int attach_all(struct delivery *d, const struct delivery_config *c, const char *url,
		      struct err *err)
{
	const struct options *o = c->options;

	if (url != NULL && attach(d, c, &redis_sink, url, c->redis_required, err) != 0)
		return err->code;
	if (url != NULL && c->redis_required && sender_ready_now(d->sender, err) != 0) {
		err->code = ERR_NOREDIS;
		return ERR_NOREDIS;
	}
	if (given(c->jsonl_path) && attach(d, c, &jsonl_sink, c->jsonl_path, true, err) != 0)
		return err->code;
	for (unsigned i = 0; i < o->output_count && !c->wait_at_end; i++) {
		const struct output_config *out = &o->output[i];

		if (attach(d, c, out->syslog ? &syslog_sink : &jsonl_sink,
			   out->syslog ? NULL : out->file, false, err) != 0)
			return err->code;
	}
	return 0;
}

static int open_outbox(struct delivery *d, const struct delivery_config *c, struct err *err)
{
	bool own_file = given(c->outbox_file);
	const struct outbox_config config = {
	    .path = own_file ? c->outbox_file : NULL,
	    .quota = c->options->outbox.quota,
	    .lossless = c->wait_at_end,
	};

	return outbox_open(&d->outbox, &config, err);
}

static bool wants_anything(const struct delivery_config *c, const char *url)
{
	return url != NULL || given(c->outbox_file) || given(c->jsonl_path) ||
	       (c->options->output_count > 0 && !c->wait_at_end);
}

static int open_all(struct delivery *d, const struct delivery_config *c, struct err *err)
{
	const char *url = redis_url(c);
	struct sender_config sender = {.replay = c->wait_at_end};

	if (!wants_anything(c, url))
		return 0;
	if ((url != NULL || given(c->outbox_file)) && open_outbox(d, c, err) != 0)
		return err->code;
	sender.outbox = d->outbox;
	sender.private_outbox = !given(c->outbox_file);
	d->sender = sender_new(&sender);
	d->queue = queue_new(QUEUE_SLOTS, c->wait_at_end,
			     c->wait_at_end ? REPLAY_PATIENCE : LIVE_PATIENCE);
	if (d->sender == NULL || d->queue == NULL)
		return err_set(err, ERR_MEMORY, "delivery: out of memory");
	if (attach_all(d, c, url, err) != 0)
		return err->code;
	if (d->outbox != NULL && sender_start(d->sender, err) != 0)
		return err->code;
	return start_writer(d, err);
}

static void free_all(struct delivery *d)
{
	sender_free(d->sender);
	outbox_close(d->outbox);
	queue_free(d->queue);
	free(d);
}

int delivery_open(struct delivery **delivery, const struct delivery_config *config, struct err *err)
{
	struct delivery *d = calloc(1, sizeof *d);
	struct err local = {0};

	*delivery = NULL;
	if (err == NULL)
		err = &local;
	if (d == NULL)
		return err_set(err, ERR_MEMORY, "delivery: out of memory");
	d->replay = config->wait_at_end;
	if (open_all(d, config, err) != 0) {
		if (d->sender != NULL)
			(void)sender_finish(d->sender, NULL); /* it has nothing to deliver */
		free_all(d);
		return err->code;
	}
	*delivery = d;
	return 0;
}

/* ---- calls while running ------------------------------------------------------------------- */

void delivery_submit(struct delivery *d, const struct alert *alert)
{
	if (d->queue == NULL)
		return;
	if (queue_put(d->queue, alert)) {
		stat_add(&d->judged, STAT_OUTBOX_QUEUED, 1);
		return;
	}
	stat_add(&d->judged, STAT_OUTBOX_DROPPED, 1);
	log_err("the disk is too slow or full: %s of alert %s dropped", alert_op_name(alert->op),
		alert->id);
}

void delivery_heartbeat(struct delivery *d, const struct heartbeat *beat)
{
	if (d->sender != NULL)
		sender_heartbeat(d->sender, beat);
}

bool delivery_soc_word(struct delivery *d, struct soc_word *word)
{
	return d->sender != NULL && sender_soc_word(d->sender, word);
}

void delivery_stats(struct delivery *d, struct stats *out)
{
	static const enum stat which[] = {STAT_OUTBOX_QUEUED,  STAT_OUTBOX_WRITTEN,
					  STAT_OUTBOX_DROPPED, STAT_SINK_DELIVERED,
					  STAT_SINK_ERRORS,    STAT_SINK_RECONNECTS};

	for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
		uint64_t n = stat_get(&d->judged, which[i]) + stat_get(&d->written, which[i]);

		if (d->sender != NULL)
			n += stat_get(sender_counters(d->sender), which[i]);
		stat_set(out, which[i], n);
	}
	stat_set(out, STAT_OUTBOX_DEPTH,
		 d->queue == NULL ? 0 : queue_used(d->queue) + sender_backlog(d->sender));
}

bool delivery_redis_up(struct delivery *d)
{
	return d->sender == NULL || sender_all_up(d->sender);
}

uint64_t delivery_cursor_ahead(struct delivery *d)
{
	return d->sender == NULL ? 0 : sender_cursor_ahead(d->sender);
}

/* ---- the end ------------------------------------------------------------------------------- */

int delivery_drain(struct delivery *d, uint64_t timeout_ns, struct err *err)
{
	uint64_t dropped;
	struct stats stats;
	int code = 0;

	if (d == NULL)
		return 0;
	if (d->drained)
		return 0;
	if (d->queue != NULL) {
		__atomic_store_n(&d->give_up_at, clock_monotonic() + timeout_ns, __ATOMIC_RELAXED);
		sender_hurry(d->sender, timeout_ns);
		queue_close(d->queue);
		(void)pthread_join(d->writer, NULL);
		code = sender_finish(d->sender, err);
	}
	d->drained = true;
	delivery_stats(d, &stats);
	dropped = stat_get(&stats, STAT_OUTBOX_DROPPED);
	if (code == 0 && d->replay && dropped > 0)
		code = err_set(err, ERR_RUN, "%" PRIu64 " state changes could not be written",
			       dropped);
	return code;
}

int delivery_close(struct delivery *d, uint64_t timeout_ns, struct err *err)
{
	int code = delivery_drain(d, timeout_ns, err);

	if (d != NULL)
		free_all(d);
	return code;
}
