/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_sink.c - what we write to Redis and read from it (docs/redis.md has the keys).
 *
 * Exactly once, in order.  The cursor key holds the sequence of the last record in the stream, and
 * only this sensor writes it:
 *
 *	resume	WATCH cursor, GET cursor -> go on right behind it
 *	deliver	MULTI, entries and state of some records, SET cursor, EXEC, WATCH, GET
 *
 * invariant 1: the cursor is watched from the moment it was read until EXEC, so EXEC does nothing
 *		when anybody (FLUSHALL, another sensor of our name) touched it in between.
 * invariant 2: EXEC sets entries and cursor together or not at all; so whatever becomes of the
 *		connection, reading the cursor tells what is in the stream.
 * invariant 3: after any reply that is not the expected one the connection is closed and the
 *		next step is resume.
 */
#include "bulkhead/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "sink/redis.h"

#define KEY_SIZE 384
#define NUMBER_SIZE 24
#define ALERT_TTL "2592000"  /* 30 d */
#define MATRIX_TTL "3024000" /* 35 d */
#define SENSOR_TTL "60"
#define SENSORS_KEEP_MS UINT64_C(2592000000) /* a sensor silent for 30 d leaves the list */
#define STATS_MAXLEN "60480"		     /* 7 d of one each 10 s */
#define WAIT_MS "1000"
#define ACKS_START "0-0"
#define TRANSACTION_MAX 2048 /* commands; more than the sender's batch can make */

/* What a command in the transaction was, to judge its reply. */
enum command { CMD_ENTRY, CMD_STATE, CMD_QUEUE, CMD_CURSOR };

struct redis_state {
	struct redis *redis;
	const struct options *options;
	const char *cursor_name;
	struct stats *stats;
	bool replay;
	bool had_cursor;
	uint64_t cursor; /* as last read or set; UINT64_MAX: no number */
	uint64_t queue_trimmed;
	char prefix[128];
	char maxlen[NUMBER_SIZE];
	char acks_id[64];
	unsigned command_count;
	uint8_t command[TRANSACTION_MAX];
};

/* The words of one command. */
struct words {
	struct redis_word word[REDIS_MAX_WORDS];
	unsigned count;
};

static void put_bytes(struct words *w, const char *text, size_t len)
{
	w->word[w->count++] = (struct redis_word){text, len};
}

static void put(struct words *w, const char *text)
{
	put_bytes(w, text, strlen(text));
}

static void put_pair(struct words *w, const char *name, const char *value)
{
	put(w, name);
	put(w, value);
}

static const char *number(uint64_t value, char buf[static NUMBER_SIZE])
{
	(void)snprintf(buf, NUMBER_SIZE, "%" PRIu64, value);
	return buf;
}

static const char *key(const struct redis_state *s, const char *name, const char *tail,
		       char buf[static KEY_SIZE])
{
	(void)snprintf(buf, KEY_SIZE, "%s%s%s", s->prefix, name, tail);
	return buf;
}

/* Adds a command of plain words, ended by NULL. */
static void say(struct redis_state *s, const char *const *text)
{
	struct words w = {.count = 0};

	for (; *text != NULL; text++)
		put(&w, *text);
	redis_add(s->redis, w.word, w.count);
}
#define SAY(s, ...) say((s), (const char *const[]){__VA_ARGS__, NULL})

/* ---- one record in the transaction ---------------------------------------------------------- */

static void did(struct redis_state *s, enum command what)
{
	s->command[s->command_count++] = (uint8_t)what;
}

struct numbers {
	char seq[NUMBER_SIZE], ts_us[NUMBER_SIZE], count[NUMBER_SIZE], bytes[NUMBER_SIZE];
	char first_us[NUMBER_SIZE], last_us[NUMBER_SIZE], last_ms[NUMBER_SIZE];
	char exposed[NUMBER_SIZE];
	char time[CLOCK_TEXT_SIZE];
};

static void write_numbers(struct numbers *n, const struct alert *a)
{
	(void)number(a->seq, n->seq);
	(void)number(a->ts_ns / NS_PER_US, n->ts_us);
	(void)number(a->first_ns / NS_PER_US, n->first_us);
	(void)number(a->last_ns / NS_PER_US, n->last_us);
	(void)number(a->last_ns / NS_PER_MS, n->last_ms);
	(void)number(a->count, n->count);
	(void)number(a->bytes, n->bytes);
	(void)number(a->exposed, n->exposed);
	(void)clock_format_z(a->ts_ns, n->time);
}

/* The flat fields that the stream's entry and the alert's hash have in common. */
static void put_fields(struct words *w, const struct alert *a, const struct numbers *n)
{
	put_pair(w, "v", "1");
	put_pair(w, "id", a->id);
	put_pair(w, "seq", n->seq);
	put_pair(w, "op", alert_op_name(a->op));
	put_pair(w, "ts_us", n->ts_us);
	put_pair(w, "time", n->time);
	put_pair(w, "sensor", a->sensor);
	put_pair(w, "site", a->site);
	put_pair(w, "severity", severity_name(a->severity));
	put_pair(w, "rule", a->rule);
	put_pair(w, "kind", a->kind);
	put_pair(w, "confidence", a->confidence);
	put_pair(w, "actor", a->actor);
	put_pair(w, "actor_host", a->actor_host);
	put_pair(w, "actor_mac", a->actor_mac);
	put_pair(w, "victim", a->victim);
	put_pair(w, "victim_host", a->victim_host);
	put_pair(w, "app", a->app);
	put_pair(w, "vlan", a->vlan);
	put_pair(w, "cid", a->cid);
	put_pair(w, "count", n->count);
	put_pair(w, "bytes", n->bytes);
	put_pair(w, "message", a->message);
}

static void add_entry(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	struct words w = {.count = 0};
	char stream[KEY_SIZE];

	put(&w, "XADD");
	put(&w, key(s, "alerts", "", stream));
	put(&w, "MAXLEN");
	put(&w, "~");
	put(&w, s->maxlen);
	put(&w, "*");
	put_fields(&w, a, n);
	put(&w, "json");
	put_bytes(&w, a->json, a->json_len);
	redis_add(s->redis, w.word, w.count);
	did(s, CMD_ENTRY);
}

/* The current state.  status, owner and note are the SOC's: we set status when the alert opens, if
 * nobody has, and when it closes. */
static void add_state(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	struct words w = {.count = 0};
	char hash[KEY_SIZE];

	(void)key(s, "alert:", a->id, hash);
	put(&w, "HSET");
	put(&w, hash);
	put_fields(&w, a, n);
	put_pair(&w, "first_us", n->first_us);
	put_pair(&w, "last_us", n->last_us);
	if (a->op == ALERT_CLOSE)
		put_pair(&w, "status", "closed");
	redis_add(s->redis, w.word, w.count);
	did(s, CMD_STATE);
	if (a->op == ALERT_OPEN) {
		SAY(s, "HSETNX", hash, "status", "open");
		did(s, CMD_STATE);
	}
	SAY(s, "EXPIRE", hash, ALERT_TTL);
	did(s, CMD_STATE);
}

static void add_matrix(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	char day[CLOCK_TEXT_SIZE], hash[KEY_SIZE], field[2 * ALERT_NAME_SIZE];

	(void)key(s, "matrix:", clock_format_day(a->ts_ns, day), hash);
	(void)snprintf(field, sizeof field, "%s>%s", a->actor, a->victim);
	SAY(s, "HINCRBY", hash, field, n->exposed);
	did(s, CMD_STATE);
	SAY(s, "EXPIRE", hash, MATRIX_TTL);
	did(s, CMD_STATE);
}

static void add_json(struct redis_state *s, const char *verb, const char *name,
		     const struct alert *a, enum command what)
{
	struct words w = {.count = 0};
	char where[KEY_SIZE];

	put(&w, verb);
	put(&w, key(s, name, "", where));
	put_bytes(&w, a->json, a->json_len);
	redis_add(s->redis, w.word, w.count);
	did(s, what);
}

static void add_record(struct redis_state *s, const struct alert *a)
{
	struct numbers n;
	char open[KEY_SIZE];

	write_numbers(&n, a);
	(void)key(s, "open", "", open);
	add_entry(s, a, &n);
	add_state(s, a, &n);
	if (a->op == ALERT_CLOSE)
		SAY(s, "ZREM", open, a->id);
	else
		SAY(s, "ZADD", open, n.last_ms, a->id);
	did(s, CMD_STATE);
	if (a->exposed > 0 && a->exposed <= INT64_MAX)
		add_matrix(s, a, &n);
	add_json(s, "PUBLISH", "live", a, CMD_STATE);
	if (s->options->redis.queue)
		add_json(s, "RPUSH", "queue", a, CMD_QUEUE);
}

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
	(void)number(s->options->redis.maxlen, s->maxlen);
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
static enum sink_verdict doubt(struct redis_state *s, struct err *err, const char *why)
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

static int read_cursor(struct redis_state *s, uint64_t *value, struct err *err)
{
	struct redis_reply *reply;

	if (redis_expect(s->redis, &reply, err) != 0)
		return ERR_RUN;
	*value = cursor_value(reply);
	s->had_cursor = redis_reply_kind(reply) != REDIS_NIL;
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
		SAY(s, "WAIT", number(s->options->redis.wait_replicas, replicas), WAIT_MS);
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
	(void)doubt(s, err, "fewer replicas have it than redis.wait_replicas asks for");
	return ERR_RUN;
}

static enum sink_verdict redis_sink_resume(void *state, uint64_t *sequence, struct err *err)
{
	struct redis_state *s = state;
	char cursor[KEY_SIZE];

	redis_disconnect(s->redis); /* resume means doubt */
	if (redis_connect(s->redis, err) != 0)
		return SINK_RETRY;
	(void)key(s, "cursor:", s->cursor_name, cursor);
	ask_wait(s);
	SAY(s, "WATCH", cursor);
	SAY(s, "GET", cursor);
	if (read_wait(s, err) != 0 || read_ok(s, err) != 0 || read_cursor(s, &s->cursor, err) != 0)
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
		add_record(s, record[i].alert);
	if (s->options->redis.queue) {
		(void)number(s->options->redis.maxlen, keep + 1);
		SAY(s, "LTRIM", key(s, "queue", "", where), keep, "-1");
		did(s, CMD_STATE);
	}
	SAY(s, "SET", cursor, number(record[count - 1].sequence, sequence));
	did(s, CMD_CURSOR);
	SAY(s, "EXEC");
	ask_wait(s);
	SAY(s, "WATCH", cursor);
	SAY(s, "GET", cursor);
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

/*
 * EXEC ran, but the entries could not be added (somebody put another type under the stream's
 * name): put the cursor back, or the records would count as delivered.
 */
static void put_back(struct redis_state *s, const char *cursor)
{
	char old[NUMBER_SIZE];
	struct redis_reply *reply;

	if (s->had_cursor && s->cursor != UINT64_MAX)
		SAY(s, "SET", cursor, number(s->cursor, old));
	else
		SAY(s, "DEL", cursor);
	/* Answers to WATCH and GET come before; best effort, the connection is closed next. */
	for (int i = 0; i < 4 && redis_next(s->redis, &reply, NULL) == 0; i++)
		redis_reply_free(reply);
}

static enum sink_verdict read_exec(struct redis_state *s, const char *cursor, struct err *err)
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
		verdict = doubt(s, err, "our cursor was changed by somebody else");
	} else if (redis_reply_count(reply) != s->command_count) {
		verdict = doubt(s, err, "its answer makes no sense");
	} else if (!judge_results(s, reply, err)) {
		put_back(s, cursor);
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
	(void)key(s, "cursor:", s->cursor_name, cursor);
	ask_transaction(s, record, count, cursor);
	if (read_exec(s, cursor, err) != SINK_OK)
		return SINK_RETRY;
	if (read_wait(s, err) != 0)
		return SINK_RETRY;
	*done = count;
	s->cursor = sequence;
	if (read_ok(s, err) != 0 || read_cursor(s, &seen, err) != 0)
		return SINK_RETRY;
	if (seen != sequence)
		return doubt(s, err, "our cursor was changed by somebody else");
	return SINK_OK;
}

/* ---- heartbeat ----------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789.-")] == '\0';
}

static void ask_sensor(struct redis_state *s, const struct heartbeat *beat, const char *hash,
		       const char *wall_ms)
{
	struct words w = {.count = 0};
	char trimmed[NUMBER_SIZE], time[CLOCK_TEXT_SIZE];

	put(&w, "HSET");
	put(&w, hash);
	put_pair(&w, "sensor", beat->sensor);
	put_pair(&w, "site", beat->site);
	put_pair(&w, "version", beat->version);
	put_pair(&w, "time", clock_format_z(beat->wall_ns, time));
	put_pair(&w, "ts_ms", wall_ms);
	if (s->options->redis.queue)
		put_pair(&w, "queue_trimmed", number(s->queue_trimmed, trimmed));
	for (unsigned i = 0; i < beat->fact_count && i < HEARTBEAT_FACTS; i++)
		put_pair(&w, beat->fact[i].name, beat->fact[i].text);
	redis_add(s->redis, w.word, w.count);
}

static void ask_stats(struct redis_state *s, const struct heartbeat *beat, const char *wall_ms)
{
	struct words w = {.count = 0};
	char stream[KEY_SIZE];

	put(&w, "XADD");
	put(&w, key(s, "stats:", beat->sensor, stream));
	put(&w, "MAXLEN");
	put(&w, "~");
	put(&w, STATS_MAXLEN);
	put(&w, "*");
	put_pair(&w, "ts_ms", wall_ms);
	for (unsigned i = 0; i < beat->fact_count && i < HEARTBEAT_FACTS; i++)
		if (is_number(beat->fact[i].text))
			put_pair(&w, beat->fact[i].name, beat->fact[i].text);
	redis_add(s->redis, w.word, w.count);
}

/* Plain commands, no transaction: EXEC would end the watch on the cursor. */
static enum sink_verdict redis_sink_heartbeat(void *state, const struct heartbeat *beat,
					      struct err *err)
{
	struct redis_state *s = state;
	char hash[KEY_SIZE], list[KEY_SIZE], wall_ms[NUMBER_SIZE], oldest[NUMBER_SIZE];
	uint64_t ms = beat->wall_ns / NS_PER_MS;

	(void)key(s, "sensor:", beat->sensor, hash);
	(void)key(s, "sensors", "", list);
	(void)number(ms, wall_ms);
	ask_sensor(s, beat, hash, wall_ms);
	SAY(s, "EXPIRE", hash, SENSOR_TTL);
	SAY(s, "ZADD", list, wall_ms, beat->sensor);
	SAY(s, "ZREMRANGEBYSCORE", list, "-inf",
	    number(ms > SENSORS_KEEP_MS ? ms - SENSORS_KEEP_MS : 0, oldest));
	ask_stats(s, beat, wall_ms);
	for (int i = 0; i < 5; i++) {
		struct redis_reply *reply;

		if (redis_next(s->redis, &reply, err) != 0)
			return SINK_RETRY;
		if (redis_reply_kind(reply) == REDIS_ERROR) {
			(void)redis_complain(s->redis, reply, err);
			log_warn("heartbeat refused: %s", err->text);
		}
		redis_reply_free(reply);
	}
	return SINK_OK;
}

/* ---- what the SOC wrote -------------------------------------------------------------------- */

static bool copy_text(const struct redis_reply *reply, char *out, size_t size)
{
	size_t len;
	const char *text = redis_reply_text(reply, &len);

	if (len >= size || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* A time as RFC 3339, seconds or milliseconds since 1970; nothing: for good. */
static bool parse_until(const char *text, uint64_t *ns)
{
	uint64_t value;
	char *end;

	*ns = 0;
	if (text[0] == '\0')
		return true;
	if (text[strspn(text, "0123456789")] != '\0')
		return clock_parse_date(text, ns) == 0;
	value = strtoull(text, &end, 10);
	if (value > UINT64_MAX / NS_PER_SEC)
		value = UINT64_MAX / NS_PER_SEC; /* no clock gets there either way */
	*ns = value < UINT64_C(100000000000) ? value * NS_PER_SEC : value / 1000 * NS_PER_SEC;
	return true;
}

static bool known_action(const char *action)
{
	return strcmp(action, "ack") == 0 || strcmp(action, "close") == 0 ||
	       strcmp(action, "suppress") == 0;
}

/* One entry's fields; false when it is no word we know. */
static bool read_word(const struct redis_reply *fields, struct soc_word *word)
{
	char until[64] = "";
	bool good = true;

	memset(word, 0, sizeof *word);
	for (size_t i = 0; i + 1 < redis_reply_count(fields); i += 2) {
		const char *name = redis_reply_text(redis_reply_item(fields, i), NULL);
		const struct redis_reply *value = redis_reply_item(fields, i + 1);

		if (strcmp(name, "id") == 0)
			good &= copy_text(value, word->id, sizeof word->id);
		else if (strcmp(name, "action") == 0)
			good &= copy_text(value, word->action, sizeof word->action);
		else if (strcmp(name, "until") == 0)
			good &= copy_text(value, until, sizeof until);
	}
	return good && word->id[0] != '\0' && known_action(word->action) &&
	       parse_until(until, &word->until_ns);
}

/* [[key, [[id, [field, value ...]] ...]]] or nil. */
static void read_words(struct redis_state *s, const struct redis_reply *reply,
		       struct soc_word *word, unsigned max, unsigned *count)
{
	const struct redis_reply *stream, *entries, *entry;

	if (redis_reply_count(reply) != 1)
		return;
	stream = redis_reply_item(reply, 0);
	if (redis_reply_count(stream) != 2)
		return;
	entries = redis_reply_item(stream, 1);
	for (size_t i = 0; i < redis_reply_count(entries) && *count < max; i++) {
		entry = redis_reply_item(entries, i);
		if (redis_reply_count(entry) != 2 ||
		    !copy_text(redis_reply_item(entry, 0), s->acks_id, sizeof s->acks_id))
			continue;
		if (read_word(redis_reply_item(entry, 1), &word[*count]))
			++*count;
		else
			log_warn("acks: entry %s is no ack, close or suppress of an alert",
				 s->acks_id);
	}
}

static enum sink_verdict redis_sink_poll(void *state, struct soc_word *word, unsigned max,
					 unsigned *count, struct err *err)
{
	struct redis_state *s = state;
	struct redis_reply *reply;
	char where[KEY_SIZE], limit[NUMBER_SIZE];
	bool ask_acks = !s->replay && max > 0;
	uint64_t seen;

	*count = 0;
	SAY(s, "GET", key(s, "cursor:", s->cursor_name, where));
	if (ask_acks)
		SAY(s, "XREAD", "COUNT", number(max, limit), "STREAMS", key(s, "acks", "", where),
		    s->acks_id);
	if (read_cursor(s, &seen, err) != 0)
		return SINK_RETRY;
	if (ask_acks) {
		if (redis_next(s->redis, &reply, err) != 0)
			return SINK_RETRY;
		if (redis_reply_kind(reply) == REDIS_ERROR) {
			(void)redis_complain(s->redis, reply, err);
			log_warn("acks cannot be read: %s", err->text);
		}
		read_words(s, reply, word, max, count);
		redis_reply_free(reply);
	}
	if (seen != s->cursor)
		return doubt(s, err, "our cursor was changed by somebody else");
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
