/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.c - see judge.h.
 *
 * Order.  In a replay the next record is the smallest by (order, phase, flow id) over all rings,
 * and it is taken only when no worker can still come with a smaller one: each publishes the number
 * of the frame up to which its events are in the ring.  So alerts are the same, byte for byte, with
 * one worker or eight.  Live, frames carry no common number: the oldest at hand is taken.
 */
#include "judge_state.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "detect/hidden.h"

#define SET_BACK_S 30 /* workers set their clocks back by a minute or more */
#define LOOK_AHEAD 8  /* records: about what two fetches from memory take */
#define NAP_NS (20 * NS_PER_MS)
#define LABELS_EVERY 256 /* records, when there is no pause between them */
/* A silence longer than this is not ticked second by second. */
#define TICKS_AT_ONCE 900
/* After a reload gave an address to another tenant, its old owner's ARP entries live on for a
 * while: until then nobody is accused over it (Linux keeps stale neighbours for minutes). */
#define GRACE_NS (300 * NS_PER_SEC)

/* ---- time ------------------------------------------------------------------------------------ */

static struct lost_state lost_now(const struct judge *j)
{
	struct lost_state lost = {.evicted = bindings_evicted(j->bindings) + meet_evicted(j->book) +
					     hidden_evicted(j->hidden)};

	for (unsigned i = 0; detectors[i] != NULL; i++) {
		const struct detector *d = detectors[i];

		if (j->off[i])
			continue;
		lost.evicted += d->evicted != NULL ? d->evicted(j->state[i]) : 0;
		lost.forgotten += d->forgotten != NULL ? d->forgotten(j->state[i]) : 0;
	}
	return lost;
}

/* Rules and incidents count into the same counters by themselves. */
static void count_lost_state(struct judge *j)
{
	struct lost_state now = lost_now(j);

	stat_add(&j->stats, STAT_STATE_EVICTED, now.evicted - j->lost.evicted);
	stat_add(&j->stats, STAT_STATE_FORGOTTEN, now.forgotten - j->lost.forgotten);
	j->lost = now;
}

/* The sensor's own sight.  Counters of running workers are a matter of timing: in a replay,
 * whose outcome must not be, they are looked at when all is read. */
static void look_at_sight(struct judge *j, bool last)
{
	struct event *ev = &j->event;
	struct stats own;

	memset(ev, 0, sizeof *ev);
	ev->kind = EVENT_SIGHT;
	ev->ts_ns = j->now_ns;
	ev->inv = j->inv;
	ev->bindings = j->bindings;
	ev->tap = inventory_tap(j->inv, 0);
	ev->segment = SEGMENT_NONE;
	ev->from.host = HOST_NONE;
	ev->to.host = HOST_NONE;
	ev->u.sight.last = last;
	count_lost_state(j);
	own = j->stats;
	if (j->delivery != NULL) {
		struct stats delivered = {0};

		delivery_stats(j->delivery, &delivered);
		stats_sum(&own, &delivered);
	}
	sight_look(&j->sight, j->shared, j->workers, j->worker_count, &own, ev);
	judge_show(j, ev);
	sight_looked(&j->sight);
}

static void tick_once(struct judge *j, uint64_t now_ns)
{
	j->now_ns = now_ns;
	for (unsigned i = 0; detectors[i] != NULL; i++)
		judge_ask_until_quiet(j, i, detectors[i]->tick, now_ns);
	incidents_tick(j->incidents, now_ns);
	if (j->shared->live)
		look_at_sight(j, false);
}

/* Detectors remember tenants and hosts by number, and numbers change with the inventory: what they
 * have in mind (seconds of it) is forgotten rather than laid at another's door. */
static void reopen(struct judge *j, unsigned i)
{
	const struct detector *d = detectors[i];
	struct err err = {0};

	if (d->close != NULL && !j->off[i])
		d->close(j->state[i]);
	memset(j->state[i], 0, d->state_size);
	j->off[i] =
	    d->open != NULL && d->open(j->state[i], j->shared->options, j->shared->seed, &err) != 0;
	if (!j->off[i])
		return;
	if (d->close != NULL)
		d->close(j->state[i]);
	log_err("detector=%s state=off until=reload error=\"%s\"", d->kind, err.text);
}

static void reopen_detectors(struct judge *j)
{
	count_lost_state(j);
	hidden_clear(j->hidden);
	for (unsigned i = 0; detectors[i] != NULL; i++)
		reopen(j, i);
	j->lost = lost_now(j); /* their tables count from nothing again */
}

static void take_reload(struct judge *j)
{
	struct inventory *newest =
	    atomic_load_explicit(&j->shared->inventory, memory_order_acquire);
	struct ruleset *rules = atomic_exchange(&j->new_rules, NULL);

	if (rules != NULL) {
		rules_free(j->rules);
		j->rules = rules;
	}
	if (newest == j->inv)
		return;
	(void)pthread_mutex_lock(&j->shared->swap);
	newest = inventory_ref(atomic_load(&j->shared->inventory));
	(void)pthread_mutex_unlock(&j->shared->swap);
	inventory_unref(j->previous);
	j->previous = j->inv;
	j->inv = newest;
	j->grace_until_ns = j->now_ns + GRACE_NS;
	labels_forget(j->labels); /* their names are the old inventory's */
	reopen_detectors(j);
}

static void tick(struct judge *j, uint64_t ts_ns)
{
	uint64_t second = ts_ns / NS_PER_SEC;

	if (second + SET_BACK_S < j->second)
		j->second = 0; /* the clock was set back: it had been wrong */
	if (second <= j->second)
		return;
	if (j->second == 0 || second - j->second > TICKS_AT_ONCE)
		j->second = second - 1;
	while (j->second < second) {
		j->second++;
		tick_once(j, j->second * NS_PER_SEC);
	}
	if (j->previous != NULL && j->now_ns > j->grace_until_ns) {
		inventory_unref(j->previous);
		j->previous = NULL;
	}
}

static void handle_soc(struct judge *j)
{
	struct soc_word word;

	while (j->delivery != NULL && delivery_soc_word(j->delivery, &word)) {
		if (strcmp(word.action, "suppress") == 0)
			incidents_suppress(j->incidents, word.id, word.until_ns);
		else
			incidents_acknowledge(j->incidents, word.id,
					      strcmp(word.action, "close") == 0, j->now_ns);
	}
}

/* What a finding may come of later, as it is rare. */
#define STRANGE                                                                                    \
	(EVENT_BIT(EVENT_PATH) | EVENT_BIT(EVENT_EXPOSED) | EVENT_BIT(EVENT_RELAYED) |             \
	 EVENT_BIT(EVENT_FLOODED) | EVENT_BIT(EVENT_STRAY) | EVENT_BIT(EVENT_CONFLICT) |           \
	 EVENT_BIT(EVENT_PAYLOAD))

static void look_at_flow(struct judge *j, const struct record *r)
{
	if (r->has_flow && (EVENT_BIT(r->kind) & STRANGE) != 0)
		labels_look(j->labels, j->workers, j->worker_count, j->until, r->flow_id,
			    &r->tuple);
}

/* Almost every token is said once: nobody is looked up for it, no detector is asked. */
static void handle_token(struct judge *j, const struct record *r)
{
	const struct options *o = j->shared->options;
	const struct leg *earlier[MEET_LEGS];
	struct leg_view view[MEET_LEGS];
	struct leg_view now_view;
	struct leg now;
	unsigned count;

	event_leg(r, &now);
	if (r->u.token.kind == TOKEN_PAYLOAD || r->u.token.kind == TOKEN_HTTP_ANSWER)
		meet_said(j->book, &now.tuple, &r->u.token, now.ts_ns);
	else if (r->u.token.kind == TOKEN_HTTP_HEAD || r->u.token.kind == TOKEN_HTTP_TARGET)
		meet_asked(j->book, &now.tuple, now.ts_ns);
	count = meet_note(j->book, &r->u.token, &now,
			  r->u.token.random ? o->windows.token : o->windows.relay, earlier);
	if (count == 0 && !(j->shared->wants & EVENT_BIT(EVENT_TOKEN)))
		return;
	event_rebuild(&j->event, r, j->inv, j->bindings, &j->room);
	j->event.book = j->book;
	j->event.hidden = j->hidden;
	judge_show(j, &j->event);
	if (count == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		view[i] = leg_view(earlier[i], &j->event);
	now_view = leg_view(&now, &j->event);
	j->event.kind = EVENT_MEET;
	j->event.u.meet.token = r->u.token;
	j->event.u.meet.now = &now_view;
	j->event.u.meet.earlier = view;
	j->event.u.meet.count = count;
	judge_show(j, &j->event);
}

/* The smallest order that is still to come; until_of() may take one off. */
static void promise(struct judge *j, uint64_t order)
{
	atomic_store_explicit(&j->asks_from, order > 0 ? order - 1 : 0, memory_order_release);
}

uint64_t judge_asks_from(const struct judge *j)
{
	return atomic_load_explicit(&j->asks_from, memory_order_acquire);
}

/* Of the same frame, it may have been kept or not when a second or a flow ends before it. */
static uint64_t until_of(const struct judge *j, const struct record *r)
{
	if (j->shared->live || r->order == UINT64_MAX)
		return UINT64_MAX;
	return r->phase == PHASE_FRAME || r->order == 0 ? r->order : r->order - 1;
}

static void handle_record(struct judge *j, const struct record *r)
{
	take_reload(j);
	j->until = until_of(j, r);
	if (r->kind == RECORD_TICK) {
		tick(j, r->ts_ns);
		handle_soc(j);
		return;
	}
	if (r->ts_ns > j->now_ns)
		j->now_ns = r->ts_ns;
	if (r->kind == EVENT_TOKEN) {
		handle_token(j, r);
		return;
	}
	look_at_flow(j, r);
	event_rebuild(&j->event, r, j->inv, j->bindings, &j->room);
	j->event.book = j->book;
	j->event.hidden = j->hidden;
	if (HIDDEN_WANTS & EVENT_BIT(r->kind))
		hidden_note(j->hidden, &j->event);
	judge_show(j, &j->event);
}

/* ---- order ----------------------------------------------------------------------------------- */

static bool earlier(const struct record *a, const struct record *b, bool live)
{
	if (live)
		return a->ts_ns < b->ts_ns;
	if (a->order != b->order)
		return a->order < b->order;
	if (a->phase != b->phase)
		return a->phase < b->phase;
	return a->flow_id < b->flow_id;
}

/* The worker whose head record is next, or -1 when none may be taken yet. */
static int next_ring(struct judge *j, const struct record **record)
{
	uint64_t safe = UINT64_MAX; /* no worker can come with an order below or equal to this */
	bool live = j->shared->live;
	int best = -1;

	*record = NULL;
	for (unsigned i = 0; i < j->worker_count; i++) {
		struct worker *w = &j->workers[i];
		/* The mark first: what it promises is in the ring when it is read after it. */
		uint64_t mark = atomic_load_explicit(&w->mark_number, memory_order_acquire);
		const struct record *head = ring_peek(w->ring, &(size_t){0});

		if (head == NULL) {
			if (mark < safe)
				safe = mark;
			continue;
		}
		if (*record == NULL || earlier(head, *record, live)) {
			*record = head;
			best = (int)i;
		}
	}
	if (live)
		return best;
	promise(j, best >= 0 && (*record)->order < safe ? (*record)->order : safe);
	return best >= 0 && (*record)->order > safe ? -1 : best;
}

static bool all_done(const struct judge *j)
{
	for (unsigned i = 0; i < j->worker_count; i++)
		if (!atomic_load(&j->workers[i].done))
			return false;
	return true;
}

static void nap(struct judge *j)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)NAP_NS;
	if (until.tv_nsec >= (long)NS_PER_SEC) {
		until.tv_nsec -= (long)NS_PER_SEC;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&j->lock);
	atomic_store(&j->asleep, true);
	(void)pthread_cond_timedwait(&j->more, &j->lock, &until);
	atomic_store(&j->asleep, false);
	(void)pthread_mutex_unlock(&j->lock);
}

void judge_wake(struct judge *j)
{
	if (!atomic_load_explicit(&j->asleep, memory_order_relaxed))
		return;
	(void)pthread_mutex_lock(&j->lock);
	(void)pthread_cond_signal(&j->more);
	(void)pthread_mutex_unlock(&j->lock);
}

static void finish(struct judge *j)
{
	uint64_t end = j->now_ns;

	for (unsigned i = 0; i < j->worker_count; i++) {
		uint64_t last = atomic_load(&j->workers[i].last_ns);

		end = last > end ? last : end;
	}
	j->now_ns = end;
	j->until = UINT64_MAX;
	for (unsigned i = 0; detectors[i] != NULL; i++)
		judge_ask_until_quiet(j, i, detectors[i]->finish, end);
	judge_label(j);
	look_at_sight(j, true);
	if (!j->shared->live)
		incidents_finish(j->incidents, end, "end of capture");
}

/* What records will need is fetched while those before them are handled. */
static void look_ahead(const struct judge *j, struct ring *ring)
{
	const struct record *r;

	while ((r = ring_look_ahead(ring, LOOK_AHEAD)) != NULL) {
		if (r->kind == EVENT_TOKEN) {
			meet_prefetch(j->book, &r->u.token);
		} else if (r->kind == EVENT_FLOW) {
			hidden_prefetch(j->hidden, r->smac);
			hidden_prefetch(j->hidden, r->dmac);
			for (unsigned i = 0; i < j->fetchers; i++)
				if (!j->off[j->fetcher[i]])
					detectors[j->fetcher[i]]->flow_soon(j->state[j->fetcher[i]],
									    &r->tuple);
		} else if (r->kind != RECORD_TICK) {
			inventory_prefetch_mac(j->inv, r->smac);
			inventory_prefetch_mac(j->inv, r->dmac);
			inventory_prefetch_ip(j->inv, r->domain, &r->tuple.src);
			inventory_prefetch_ip(j->inv, r->domain, &r->tuple.dst);
		}
	}
}

/* One writer: no need for a locked instruction. */
static void count_round(struct judge *j)
{
	uint64_t rounds = atomic_load_explicit(&j->rounds, memory_order_relaxed);

	atomic_store_explicit(&j->rounds, rounds + 1, memory_order_relaxed);
}

void judge_drain(struct judge *j)
{
	const struct record *record;
	unsigned handled = 0;
	int ring;

	while ((ring = next_ring(j, &record)) >= 0) {
		look_ahead(j, j->workers[ring].ring);
		if (j->shared->options->sensor.profile) {
			uint64_t begin = cycles_now();

			handle_record(j, record);
			stat_add(&j->stats, STAT_CYCLES_JUDGE, cycles_now() - begin);
		} else {
			handle_record(j, record);
		}
		ring_pop(j->workers[ring].ring);
		count_round(j);
		if (++handled % LABELS_EVERY == 0)
			judge_label(j);
	}
	judge_label(j);
	labels_stats(j->labels, &j->stats);
}

void judge_run(struct judge *j)
{
	for (;;) {
		bool done = all_done(j); /* before the rings are found empty */

		judge_drain(j);
		if (done)
			break;
		count_round(j);
		if (j->shared->live)
			handle_soc(j);
		nap(j);
	}
	finish(j);
}
