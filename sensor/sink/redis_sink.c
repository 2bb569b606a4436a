/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_sink.c - what we write to Redis and read from it (docs/redis.md has the keys).
 *
 * Exactly once, in order.  The cursor key holds the sequence of the last record in the stream, and
 * only this sensor writes it:
 *
 *	resume	WATCH cursor, GET cursor -> go on right behind it
 *	deliver	MULTI, entries and state of some records, SET cursor, EXEC, WATCH, GET
 *	both	end with PING and a text of our own: the answers are in step
 *
 * invariant 1: the cursor is watched from the moment it was read until EXEC, so EXEC does nothing
 *		when anybody (FLUSHALL, another sensor of our name) touched it in between.
 * invariant 2: EXEC sets entries and cursor together or not at all; so whatever becomes of the
 *		connection, reading the cursor tells what is in the stream.
 * invariant 3: after any reply that is not the expected one the connection is closed and the
 *		next step is resume.
 */
#include "sink/redis_state.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bulkhead/clock.h"

#define WAIT_MS "1000"
#define ACKS_START "0-0"

/* ---- opening and going on ------------------------------------------------------------------ */

static int redis_sink_open(void *state, const struct sink_setup *setup, struct err *err)
{
	struct redis_state *s = state;
	struct redis_target target;
	const char *prefix = setup->options->redis.prefix;
	int code;

	s->options = setup->options;
	s->cursor_name = setup->cursor_name;
	s->stats = setup->stats;
	s->replay = setup->replay;
	if (prefix == NULL)
		prefix = "bulkhead:";
	if (strlen(prefix) >= sizeof s->prefix)
		return err_set(err, ERR_CONFIG, "redis.prefix: longer than %zu bytes",
			       sizeof s->prefix - 1);
	(void)snprintf(s->prefix, sizeof s->prefix, "%s", prefix);
	(void)snprintf(s->acks_id, sizeof s->acks_id, ACKS_START);
	(void)number_text(s->options->redis.maxlen, s->maxlen);
	code = redis_target_parse(&target, setup->target, err);
	if (code == 0)
		code = redis_target_secrets(&target, s->options, err);
	if (code == 0 && (s->redis = redis_new(&target)) == NULL)
		code = err_set(err, ERR_MEMORY, "Redis: out of memory");
	explicit_bzero(&target, sizeof target);
	return code;
}

static void redis_sink_close(void *state)
{
	struct redis_state *s = state;

	redis_free(s->redis);
}

/* Closes the connection: what the server holds is in doubt. */
enum sink_verdict redis_doubt(struct redis_state *s, struct err *err, const char *why)
{
	(void)err_set(err, ERR_RUN, "Redis %s: %s", redis_label(s->redis), why);
	redis_disconnect(s->redis);
	return SINK_RETRY;
}

/* UINT64_MAX for what is no sequence of ours; nil is 0. */
static uint64_t cursor_value(const struct redis_reply *reply)
{
	size_t len;
	const char *text = redis_reply_text(reply, &len);
	uint64_t value = 0;

	if (redis_reply_kind(reply) == REDIS_NIL)
		return 0;
	if (redis_reply_kind(reply) != REDIS_TEXT || len == 0 || len > 18)
		return UINT64_MAX;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return UINT64_MAX;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	return value;
}

int redis_read_cursor(struct redis_state *s, uint64_t *value, struct err *err)
{
	struct redis_reply *reply;

	if (redis_expect(s->redis, &reply, err) != 0)
		return ERR_RUN;
	*value = cursor_value(reply);
	redis_reply_free(reply);
	return 0;
}

/* Takes a reply whose only interesting part is that it is no error. */
static int read_ok(struct redis_state *s, struct err *err)
{
	struct redis_reply *reply;
	int code = redis_expect(s->redis, &reply, err);

	redis_reply_free(reply);
	return code;
}

static void ask_wait(struct redis_state *s)
{
	char replicas[NUMBER_SIZE];

	if (s->options->redis.wait_replicas > 0)
		SAY(s, "WAIT", number_text(s->options->redis.wait_replicas, replicas), WAIT_MS);
}

/* WAIT is no error when too few replicas have answered; the number says. */
static int read_wait(struct redis_state *s, struct err *err)
{
	struct redis_reply *reply;
	uint64_t wanted = s->options->redis.wait_replicas;
	int64_t got;

	if (wanted == 0)
		return 0;
	if (redis_expect(s->redis, &reply, err) != 0)
		return ERR_RUN;
	got = redis_reply_integer(reply);
	redis_reply_free(reply);
	if (got >= 0 && (uint64_t)got >= wanted)
		return 0;
	(void)redis_doubt(s, err, "fewer replicas have it than redis.wait_replicas asks for");
	return ERR_RUN;
}

/*
 * EXEC ran, but its entries could not be added (somebody put another type under the stream's
 * name): the cursor must go back, or the records would count as delivered.  Tried at once and, if
 * that fails, before the cursor is believed again.  Not when somebody else has written it since.
 */
static int put_back(struct redis_state *s, struct err *err)
{
	char cursor[KEY_SIZE], old[NUMBER_SIZE];
	struct redis_reply *reply;
	bool still;

	if (!s->undo)
		return 0;
	(void)redis_key(s, "cursor:", s->cursor_name, cursor);
	SAY(s, "GET", cursor);
	if (redis_expect(s->redis, &reply, err) != 0)
		return ERR_RUN;
	still = cursor_value(reply) == s->undo_from;
	redis_reply_free(reply);
	if (still) {
		SAY(s, "SET", cursor, number_text(s->undo_to, old));
		if (read_ok(s, err) != 0)
			return ERR_RUN;
	}
	s->undo = false;
	return 0;
}

/* PING with a text of our own comes last: if it answers with that text, no stray reply has slipped
 * in before and made the cursor's answer another's. */
static int read_echo(struct redis_state *s, struct err *err)
{
	struct redis_reply *reply;
	bool same;

	if (redis_expect(s->redis, &reply, err) != 0)
		return ERR_RUN;
	same = strcmp(redis_reply_text(reply, NULL), s->nonce) == 0;
	redis_reply_free(reply);
	if (same)
		return 0;
	(void)redis_doubt(s, err, "its answers are out of step");
	return ERR_RUN;
}

static void ask_cursor(struct redis_state *s, const char *cursor)
{
	ask_wait(s);
	SAY(s, "WATCH", cursor);
	SAY(s, "GET", cursor);
	SAY(s, "PING", number_text(clock_monotonic(), s->nonce));
}

static enum sink_verdict redis_sink_resume(void *state, uint64_t *sequence, struct err *err)
{
	struct redis_state *s = state;
	char cursor[KEY_SIZE];

	redis_disconnect(s->redis); /* resume means doubt */
	if (redis_connect(s->redis, err) != 0 || put_back(s, err) != 0)
		return SINK_RETRY;
	(void)redis_key(s, "cursor:", s->cursor_name, cursor);
	ask_cursor(s, cursor);
	if (read_wait(s, err) != 0 || read_ok(s, err) != 0 ||
	    redis_read_cursor(s, &s->cursor, err) != 0 || read_echo(s, err) != 0)
		return SINK_RETRY;
	*sequence = s->cursor;
	return SINK_OK;
}

/* ---- delivering ---------------------------------------------------------------------------- */

static void ask_transaction(struct redis_state *s, const struct sink_record *record, unsigned count,
			    const char *cursor)
{
	char where[KEY_SIZE], sequence[NUMBER_SIZE], keep[NUMBER_SIZE + 1] = "-";

	s->command_count = 0;
	SAY(s, "MULTI");
	for (unsigned i = 0; i < count; i++)
		redis_add_record(s, record[i].alert);
	if (s->options->redis.queue) {
		(void)number_text(s->options->redis.maxlen, keep + 1);
		SAY(s, "LTRIM", redis_key(s, "queue", "", where), keep, "-1");
		redis_did(s, CMD_STATE);
	}
	SAY(s, "SET", cursor, number_text(record[count - 1].sequence, sequence));
	redis_did(s, CMD_CURSOR);
	SAY(s, "EXEC");
	ask_cursor(s, cursor);
}

/* MULTI's and each command's answer; the first refusal is the reason to tell (EXEC will only say
 * that there was one). */
static int read_queued(struct redis_state *s, bool *refused, struct err *err)
{
	*refused = false;
	for (unsigned i = 0; i < s->command_count + 1; i++) {
		struct redis_reply *reply;

		if (redis_next(s->redis, &reply, err) != 0)
			return ERR_RUN;
		if (redis_reply_kind(reply) == REDIS_ERROR && !*refused) {
			*refused = true;
			(void)redis_complain(s->redis, reply, err);
		}
		redis_reply_free(reply);
	}
	return 0;
}

/* Looks at what each command of the transaction did; false when an entry or the cursor was not
 * written. */
static bool judge_results(struct redis_state *s, const struct redis_reply *results, struct err *err)
{
	bool good = true;
	int64_t queued = 0;

	for (unsigned i = 0; i < s->command_count; i++) {
		const struct redis_reply *item = redis_reply_item(results, i);
		bool vital = s->command[i] == CMD_ENTRY || s->command[i] == CMD_CURSOR;

		if (s->command[i] == CMD_QUEUE)
			queued = redis_reply_integer(item);
		if (vital ? redis_reply_kind(item) == REDIS_TEXT
			  : redis_reply_kind(item) != REDIS_ERROR)
			continue;
		(void)redis_complain(s->redis, item, err);
		if (vital) {
			good = false;
		} else {
			stat_add(s->stats, STAT_SINK_ERRORS, 1);
			log_warn("redis: the alert is in the stream, but %s", err->text);
		}
	}
	if (queued > 0 && (uint64_t)queued > s->options->redis.maxlen)
		s->queue_trimmed += (uint64_t)queued - s->options->redis.maxlen;
	return good;
}

/* False when something has slipped in between the replies; what was taken for EXEC's results is
 * no evidence then.  Without an answer they are believed: better twice than never. */
static bool in_step(struct redis_state *s)
{
	unsigned replies = s->options->redis.wait_replicas > 0 ? 4 : 3;
	struct redis_reply *reply;
	bool same = true;

	for (unsigned i = 0; i < replies; i++) {
		if (redis_next(s->redis, &reply, NULL) != 0)
			return true;
		same = redis_reply_kind(reply) == REDIS_TEXT &&
		       strcmp(redis_reply_text(reply, NULL), s->nonce) == 0;
		redis_reply_free(reply);
	}
	return same;
}

static enum sink_verdict read_exec(struct redis_state *s, uint64_t sequence, struct err *err)
{
	struct redis_reply *reply;
	enum sink_verdict verdict = SINK_OK;
	bool refused;

	if (read_queued(s, &refused, err) != 0)
		return SINK_RETRY;
	if (refused) {
		redis_disconnect(s->redis);
		return SINK_RETRY;
	}
	if (redis_expect(s->redis, &reply, err) != 0)
		return SINK_RETRY;
	if (redis_reply_kind(reply) == REDIS_NIL) {
		verdict = redis_doubt(s, err, "our cursor was changed by somebody else");
	} else if (redis_reply_count(reply) != s->command_count) {
		verdict = redis_doubt(s, err, "its answer makes no sense");
	} else if (!judge_results(s, reply, err)) {
		s->undo = in_step(s);
		s->undo_from = sequence;
		s->undo_to = s->cursor == UINT64_MAX ? 0 : s->cursor;
		redis_disconnect(s->redis);
		if (redis_connect(s->redis, NULL) == 0)
			(void)put_back(s, NULL); /* err keeps the reason */
		redis_disconnect(s->redis);
		verdict = SINK_RETRY;
	}
	redis_reply_free(reply);
	return verdict;
}

static enum sink_verdict redis_sink_deliver(void *state, const struct sink_record *record,
					    unsigned count, unsigned *done, struct err *err)
{
	struct redis_state *s = state;
	uint64_t sequence = record[count - 1].sequence, seen;
	char cursor[KEY_SIZE];

	*done = 0;
	(void)redis_key(s, "cursor:", s->cursor_name, cursor);
	ask_transaction(s, record, count, cursor);
	if (read_exec(s, sequence, err) != SINK_OK)
		return SINK_RETRY;
	if (read_wait(s, err) != 0)
		return SINK_RETRY;
	*done = count;
	s->cursor = sequence;
	if (read_ok(s, err) != 0 || redis_read_cursor(s, &seen, err) != 0 || read_echo(s, err) != 0)
		return SINK_RETRY;
	if (seen != sequence)
		return redis_doubt(s, err, "our cursor was changed by somebody else");
	return SINK_OK;
}

const struct sink redis_sink = {
    .name = "redis",
    .state_size = sizeof(struct redis_state),
    .open = redis_sink_open,
    .resume = redis_sink_resume,
    .deliver = redis_sink_deliver,
    .heartbeat = redis_sink_heartbeat,
    .poll = redis_sink_poll,
    .close = redis_sink_close,
};
