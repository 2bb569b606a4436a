/* SPDX-License-Identifier: Apache-2.0 */
/* sender.c - see sender.h. */
#include "sink/sender.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "bulkhead/clock.h"
#include "sink/mailbox.h"
#include "sink/sender_state.h"

#define SAVE_NS NS_PER_SEC
#define EXPIRE_NS (60 * NS_PER_SEC)

struct sender *sender_new(const struct sender_config *config)
{
	struct sender *s = calloc(1, sizeof *s);
	pthread_condattr_t attr;

	if (s == NULL)
		return NULL;
	s->outbox = config->outbox;
	s->private_outbox = config->private_outbox;
	s->replay = config->replay;
	s->random = hash_random_seed() | 1;
	s->up = true;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	s->mailbox = mailbox_new();
	s->batch = malloc(SENDER_BATCH * sizeof *s->batch);
	if (s->mailbox == NULL || s->batch == NULL) {
		sender_free(s);
		return NULL;
	}
	return s;
}

void sender_free(struct sender *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->count; i++) {
		s->to[i].sink->close(s->to[i].state);
		free(s->to[i].state);
	}
	mailbox_free(s->mailbox);
	free(s->batch);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void sender_update_up(struct sender *s)
{
	bool up = true;

	for (unsigned i = 0; i < s->count; i++)
		if (s->to[i].sink->resume != NULL)
			up = up && s->to[i].ready && !s->to[i].down;
	__atomic_store_n(&s->up, up, __ATOMIC_RELAXED);
}

/* A new file does not get the week that the outbox still holds. */
static int read_marks(struct sender *s, struct attached *a, struct err *err)
{
	uint64_t position = a->sink->resume == NULL ? outbox_last(s->outbox) : 0;

	if (outbox_marked(s->outbox, a->mark, &position, err) != 0 ||
	    outbox_marked(s->outbox, a->intent, &a->intended, err) != 0)
		return err->code;
	a->position = a->saved = position;
	return 0;
}

int sender_attach(struct sender *s, const struct sink *sink, const struct sink_setup *setup,
		  bool required, struct err *err)
{
	struct attached *a = &s->to[s->count];
	int code;

	assert(s->count < SENDER_MAX_SINKS);
	memset(a, 0, sizeof *a);
	a->sink = sink;
	a->required = required;
	a->caught_up = UINT64_MAX;
	a->state = calloc(1, sink->state_size);
	if (a->state == NULL)
		return err_set(err, ERR_MEMORY, "%s: out of memory", sink->name);
	code = sink->open(a->state, setup, err);
	/* A sink that remembers has one place per server and cursor, others one per target. */
	(void)snprintf(a->mark, sizeof a->mark, "%s:%s", sink->name,
		       sink->resume != NULL ? setup->cursor_name : setup->target);
	(void)snprintf(a->intent, sizeof a->intent, "intent:%s", setup->cursor_name);
	if (code == 0 && s->outbox != NULL)
		code = read_marks(s, a, err);
	if (code != 0) {
		sink->close(a->state);
		free(a->state);
		return code;
	}
	s->count++;
	sender_update_up(s);
	return 0;
}

int sender_ready_now(struct sender *s, struct err *err)
{
	return attached_get_ready(s, &s->to[s->count - 1], err) ? 0 : ERR_RUN;
}

/* ---- the thread ---------------------------------------------------------------------------- */

/* Remembers positions and lets the outbox free what everybody has. */
static void upkeep(struct sender *s, bool at_end)
{
	uint64_t now = clock_monotonic(), floor = outbox_last(s->outbox);
	struct err err = {0};
	bool save = at_end || now >= s->save_at;

	for (unsigned i = 0; i < s->count; i++) {
		struct attached *a = &s->to[i];

		if (!a->gone && a->caught_up != outbox_last(s->outbox) && a->position < floor)
			floor = a->position;
		if (!save || a->position == a->saved)
			continue;
		if (outbox_mark(s->outbox, a->mark, a->position, &err) == 0)
			a->saved = a->position;
	}
	outbox_delivered(s->outbox, floor);
	if (save)
		s->save_at = now + SAVE_NS;
	if (now < s->expire_at)
		return;
	s->expire_at = now + EXPIRE_NS;
	if (outbox_expire(s->outbox, clock_wall(), &err) != 0)
		log_warn("%s", err.text);
}

static bool all_delivered(struct sender *s)
{
	uint64_t last = outbox_last(s->outbox);

	for (unsigned i = 0; i < s->count; i++)
		if (!s->to[i].gone && s->to[i].caught_up != last)
			return false;
	return true;
}

/* Waits for work or until something is due.  False: time to end. */
static bool wait_for_work(struct sender *s, bool busy)
{
	uint64_t now = clock_monotonic(), until = now + SENDER_POLL_NS;
	struct timespec ts;
	bool end;

	for (unsigned i = 0; i < s->count; i++)
		if (!s->to[i].gone && s->to[i].retry_at > now && s->to[i].retry_at < until)
			until = s->to[i].retry_at;
	ts.tv_sec = (time_t)(until / NS_PER_SEC);
	ts.tv_nsec = (long)(until % NS_PER_SEC);
	(void)pthread_mutex_lock(&s->lock);
	while (!busy && !s->work && !s->finishing)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &ts) == ETIMEDOUT)
			break;
	s->work = false;
	end = s->finishing && now >= s->give_up_at;
	(void)pthread_mutex_unlock(&s->lock);
	return !end;
}

/* While finishing nobody waits on the condition; do not spin on a sink that is down. */
static void pause_briefly(void)
{
	const struct timespec ts = {.tv_nsec = 5 * (long)NS_PER_MS};

	(void)nanosleep(&ts, NULL);
}

static bool is_finishing(struct sender *s)
{
	bool yes;

	(void)pthread_mutex_lock(&s->lock);
	yes = s->finishing;
	(void)pthread_mutex_unlock(&s->lock);
	return yes;
}

static void *sender_main(void *arg)
{
	struct sender *s = arg;
	bool busy, more = true;

	(void)pthread_setname_np(pthread_self(), "sender");
	while (more) {
		bool finishing = is_finishing(s);

		busy = false;
		for (unsigned i = 0; i < s->count; i++)
			busy |= attached_serve(s, &s->to[i]);
		upkeep(s, false);
		if (finishing && all_delivered(s))
			break;
		if (finishing && !busy)
			pause_briefly();
		more = wait_for_work(s, busy);
	}
	upkeep(s, true);
	return NULL;
}

int sender_start(struct sender *s, struct err *err)
{
	sigset_t all, old;
	int rc;

	/* Signals are for the main thread; a closed pipe shall be an error, not our end. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, sender_main, s);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set(err, ERR_RUN, "cannot start the sender's thread: %s", strerror(rc));
	s->running = true;
	return 0;
}

void sender_wake(struct sender *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->work = true;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

void sender_hurry(struct sender *s, uint64_t timeout_ns)
{
	(void)pthread_mutex_lock(&s->lock);
	s->timeout_ns = timeout_ns;
	s->give_up_at = clock_monotonic() + timeout_ns;
	(void)pthread_mutex_unlock(&s->lock);
}

/* What is left where, once the thread has ended. */
static int verdict_at_end(struct sender *s, struct err *err)
{
	uint64_t last = s->outbox == NULL ? 0 : outbox_last(s->outbox);

	for (unsigned i = 0; i < s->count; i++) {
		const struct attached *a = &s->to[i];

		if (s->outbox != NULL && !a->gone && a->caught_up == last)
			continue;
		if (s->outbox == NULL && !a->gone)
			continue;
		if (a->required || (s->private_outbox && s->outbox != NULL))
			return err_set(err, a->sink->resume != NULL ? ERR_NOREDIS : ERR_RUN,
				       "not everything was delivered to %s: %s", a->sink->name,
				       a->why[0] == '\0' ? "no time was left" : a->why);
		log_warn("sink=%s is behind at the end; the outbox keeps the rest: %s",
			 a->sink->name, a->why);
	}
	return 0;
}

int sender_finish(struct sender *s, struct err *err)
{
	if (s->running) {
		(void)pthread_mutex_lock(&s->lock);
		s->finishing = true;
		(void)pthread_cond_signal(&s->changed);
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_join(s->thread, NULL);
		s->running = false;
	}
	return verdict_at_end(s, err);
}

/* ---- without an outbox --------------------------------------------------------------------- */

/* Sleeps until a->retry_at; false when the time to give up has come. */
static bool may_retry(struct sender *s, const struct attached *a)
{
	bool late;

	while (clock_monotonic() < a->retry_at)
		pause_briefly();
	(void)pthread_mutex_lock(&s->lock);
	late = s->give_up_at != 0 && clock_monotonic() >= s->give_up_at;
	(void)pthread_mutex_unlock(&s->lock);
	return !late;
}

static bool hand_to(struct sender *s, struct attached *a, const struct stored *stored,
		    uint32_t count)
{
	struct sink_record record[SENDER_BATCH];
	struct err err = {0};

	while (count > 0 && !a->gone) {
		unsigned n = count < SENDER_BATCH ? count : SENDER_BATCH, done = 0;
		enum sink_verdict verdict;

		for (unsigned i = 0; i < n; i++)
			record[i] = (struct sink_record){stored[i].sequence, &stored[i].alert};
		verdict = a->sink->deliver(a->state, record, n, &done, &err);
		stat_add(&s->stats, STAT_SINK_DELIVERED, done);
		stored += done;
		count -= done;
		if (done > 0) {
			attached_recovered(s, a);
			sender_moved(s);
		}
		if (verdict == SINK_OK)
			continue;
		attached_failed(s, a, verdict, &err);
		if (verdict == SINK_RETRY && !may_retry(s, a))
			a->gone = true;
	}
	return count == 0;
}

bool sender_hand(struct sender *s, const struct stored *record, uint32_t count)
{
	bool all = true;

	for (unsigned i = 0; i < s->count; i++)
		all &= hand_to(s, &s->to[i], record, count);
	return all;
}

/* ---- for the front ------------------------------------------------------------------------- */

void sender_heartbeat(struct sender *s, const struct heartbeat *beat)
{
	mailbox_put_beat(s->mailbox, beat);
	sender_wake(s);
}

bool sender_soc_word(struct sender *s, struct soc_word *word)
{
	return mailbox_take_word(s->mailbox, word);
}

struct stats *sender_counters(struct sender *s)
{
	return &s->stats;
}

uint64_t sender_backlog(struct sender *s)
{
	uint64_t last = s->outbox == NULL ? 0 : outbox_last(s->outbox), most = 0;

	for (unsigned i = 0; i < s->count; i++) {
		uint64_t position = __atomic_load_n(&s->to[i].position, __ATOMIC_RELAXED);
		uint64_t caught_up = __atomic_load_n(&s->to[i].caught_up, __ATOMIC_RELAXED);

		if (caught_up != last && last > position && last - position > most)
			most = last - position;
	}
	return most;
}

bool sender_all_up(struct sender *s)
{
	return __atomic_load_n(&s->up, __ATOMIC_RELAXED);
}

uint64_t sender_cursor_ahead(struct sender *s)
{
	return __atomic_load_n(&s->cursor_ahead, __ATOMIC_RELAXED);
}
