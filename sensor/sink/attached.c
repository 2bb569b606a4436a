/* SPDX-License-Identifier: Apache-2.0 */
/* attached.c - one sink of the sender's: where it goes on, what it gets, what if it fails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "sink/sender_state.h"

#define WORDS_AT_ONCE 32
#define BACKOFF_MIN (100 * NS_PER_MS)
#define BACKOFF_MAX (5 * NS_PER_SEC)
#define BACKOFF_HURRY (250 * NS_PER_MS) /* when the process wants to end */
/* How far ahead of sending the note "may have been sent up to" runs, so that it is written rarely.
 */
#define INTENT_AHEAD 1024

/* ---- failures ------------------------------------------------------------------------------ */

static uint64_t jitter(struct sender *s, uint64_t ns)
{
	s->random ^= s->random << 13; /* xorshift64 */
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return ns / 2 + s->random % (ns / 2);
}

static bool hurrying(struct sender *s)
{
	bool yes;

	(void)pthread_mutex_lock(&s->lock);
	yes = s->give_up_at != 0;
	(void)pthread_mutex_unlock(&s->lock);
	return yes;
}

void attached_failed(struct sender *s, struct attached *a, enum sink_verdict verdict,
		     const struct err *err)
{
	uint64_t delay = BACKOFF_MIN << (a->failures < 6 ? a->failures : 6);
	bool news;

	/* Said once an outage, and again when the reason is another one. */
	news = a->failures == 0 || strcmp(a->why, err->text) != 0;
	a->failures++;
	a->down = true;
	a->ready = false;
	(void)snprintf(a->why, sizeof a->why, "%s", err->text);
	stat_add(&s->stats, STAT_SINK_ERRORS, 1);
	if (verdict == SINK_FATAL) {
		a->gone = true;
		log_err("sink=%s given up: %s", a->sink->name, err->text);
		return;
	}
	if (delay > BACKOFF_MAX)
		delay = BACKOFF_MAX;
	if (delay > BACKOFF_HURRY && hurrying(s))
		delay = BACKOFF_HURRY;
	delay = jitter(s, delay);
	a->retry_at = clock_monotonic() + delay;
	if (news)
		log_warn("sink=%s outage try=%u next_ms=%" PRIu64 ": %s", a->sink->name,
			 a->failures, delay / NS_PER_MS, err->text);
	sender_update_up(s);
}

void attached_recovered(struct sender *s, struct attached *a)
{
	if (a->down)
		log_info("sink=%s up again after %u tries", a->sink->name, a->failures);
	a->down = a->refused = false;
	a->failures = 0;
	sender_update_up(s);
}

/* Something moved: who waits for the end of a replay has reason to go on waiting. */
void sender_moved(struct sender *s)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->replay && s->give_up_at != 0)
		s->give_up_at = clock_monotonic() + s->timeout_ns;
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- one sink ------------------------------------------------------------------------------ */

/*
 * The sink says what it has.  If that is more than was ever sent, either somebody wrote its cursor
 * or our outbox was lost (a new disk, a container without a volume); in both cases our own note
 * is what there is to go on.
 */
static int settle(struct sender *s, struct attached *a, uint64_t claimed, struct err *err)
{
	uint64_t first;

	if (s->private_outbox) {
		if (claimed == UINT64_MAX)
			return err_set(err, ERR_RUN, "%s: the cursor is no number; delete it",
				       a->sink->name);
		attached_set_position(a, claimed);
		return 0;
	}
	if (claimed > a->intended || claimed > outbox_last(s->outbox)) {
		uint64_t noted = 0;

		if (outbox_marked(s->outbox, a->mark, &noted, err) != 0)
			return err->code;
		attached_set_position(a, noted);
		(void)__atomic_fetch_add(&s->cursor_ahead, 1, __ATOMIC_RELAXED);
		stat_add(&s->stats, STAT_SINK_ERRORS, 1);
		log_err("sink=%s cursor=%" PRIu64 " is ahead of the outbox (%" PRIu64
			"): somebody wrote it, or the outbox was lost; going on behind %" PRIu64,
			a->sink->name, claimed, outbox_last(s->outbox), a->position);
		return 0;
	}
	first = outbox_first(s->outbox);
	if (claimed < a->position)
		log_warn("sink=%s went back from %" PRIu64 " to %" PRIu64
			 "; filling it up again from %" PRIu64,
			 a->sink->name, a->position, claimed,
			 first > claimed + 1 ? first : claimed + 1);
	attached_set_position(a, claimed);
	return 0;
}

bool attached_get_ready(struct sender *s, struct attached *a, struct err *err)
{
	enum sink_verdict verdict = SINK_OK;
	uint64_t claimed = 0;

	if (a->sink->resume != NULL) {
		verdict = a->sink->resume(a->state, &claimed, err);
		if (verdict == SINK_OK && settle(s, a, claimed, err) != 0)
			verdict = SINK_RETRY;
	}
	if (verdict != SINK_OK) {
		attached_failed(s, a, verdict, err);
		return false;
	}
	stat_add(&s->stats, STAT_SINK_RECONNECTS, a->down);
	a->ready = true;
	attached_set_caught_up(a, UINT64_MAX);
	if (!a->refused)
		attached_recovered(s, a);
	return true;
}

/* Heartbeat, and the sink's own look around. */
static bool attend(struct sender *s, struct attached *a, uint64_t now, struct err *err)
{
	struct soc_word word[WORDS_AT_ONCE];
	enum sink_verdict verdict = SINK_OK;
	const struct heartbeat *beat;
	unsigned count = 0;

	if (a->sink->heartbeat != NULL && (beat = mailbox_take_beat(s->mailbox)) != NULL)
		verdict = a->sink->heartbeat(a->state, beat, err);
	if (verdict == SINK_OK && a->sink->poll != NULL && now >= a->poll_at) {
		a->poll_at = now + SENDER_POLL_NS;
		verdict = a->sink->poll(a->state, word, mailbox_room(s->mailbox, WORDS_AT_ONCE),
					&count, err);
		mailbox_put_words(s->mailbox, word, count);
	}
	if (verdict == SINK_OK)
		return true;
	attached_failed(s, a, verdict, err);
	return false;
}

/* Notes in the outbox that records up to the last may have been sent, before they are. */
static int note_intent(struct sender *s, struct attached *a, uint64_t last, struct err *err)
{
	if (a->sink->resume == NULL || last <= a->intended)
		return 0;
	if (outbox_mark(s->outbox, a->intent, last + INTENT_AHEAD, err) != 0)
		return err->code;
	a->intended = last + INTENT_AHEAD;
	return 0;
}

/* Sends the next batch; true when there may be more. */
static bool send_some(struct sender *s, struct attached *a, struct err *err)
{
	struct sink_record record[SENDER_BATCH];
	enum sink_verdict verdict;
	uint64_t last = outbox_last(s->outbox), skipped = 0;
	unsigned done = 0;
	uint32_t n;

	if (a->caught_up == last)
		return false;
	if (outbox_read(s->outbox, a->position, s->batch, SENDER_BATCH, &n, &skipped, err) != 0 ||
	    (n > 0 && note_intent(s, a, s->batch[n - 1].sequence, err) != 0)) {
		attached_failed(s, a, SINK_RETRY, err);
		return false;
	}
	if (skipped > 0) {
		stat_add(&s->stats, STAT_OUTBOX_DROPPED, skipped);
		log_err("outbox: %" PRIu64 " rows make no sense and are left out", skipped);
	}
	if (n == 0) {
		attached_recovered(s, a); /* it answers and there is nothing it could refuse */
		attached_set_caught_up(a, last);
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		record[i] = (struct sink_record){s->batch[i].sequence, &s->batch[i].alert};
	verdict = a->sink->deliver(a->state, record, n, &done, err);
	if (done > 0) {
		attached_set_position(a, record[done - 1].sequence);
		stat_add(&s->stats, STAT_SINK_DELIVERED, done);
		attached_recovered(s, a);
		sender_moved(s);
	}
	if (verdict != SINK_OK) {
		a->refused = true;
		attached_failed(s, a, verdict, err);
	}
	return verdict == SINK_OK;
}

bool attached_serve(struct sender *s, struct attached *a)
{
	uint64_t now = clock_monotonic();
	struct err err = {0};

	if (a->gone || now < a->retry_at)
		return false;
	if (!a->ready && !attached_get_ready(s, a, &err))
		return false;
	return attend(s, a, now, &err) && send_some(s, a, &err);
}
