/* SPDX-License-Identifier: Apache-2.0 */
/* redis_record.c - the commands that one state change is (see redis_state.h, docs/redis.md). */
#include "sink/redis_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bulkhead/clock.h"

#define ALERT_TTL "2592000"  /* 30 d */
#define MATRIX_TTL "3024000" /* 35 d */

void redis_words_bytes(struct words *w, const char *text, size_t len)
{
	w->word[w->count++] = (struct redis_word){text, len};
}

void redis_words_add(struct words *w, const char *text)
{
	redis_words_bytes(w, text, strlen(text));
}

void redis_words_pair(struct words *w, const char *name, const char *value)
{
	redis_words_add(w, name);
	redis_words_add(w, value);
}

const char *number_text(uint64_t value, char buf[static NUMBER_SIZE])
{
	(void)snprintf(buf, NUMBER_SIZE, "%" PRIu64, value);
	return buf;
}

const char *redis_key(const struct redis_state *s, const char *name, const char *tail,
		      char buf[static KEY_SIZE])
{
	(void)snprintf(buf, KEY_SIZE, "%s%s%s", s->prefix, name, tail);
	return buf;
}

void redis_say(struct redis_state *s, const char *const *text)
{
	struct words w = {.count = 0};

	for (; *text != NULL; text++)
		redis_words_add(&w, *text);
	redis_add(s->redis, w.word, w.count);
}

void redis_did(struct redis_state *s, enum command what)
{
	assert(s->command_count < TRANSACTION_MAX);
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
	(void)number_text(a->seq, n->seq);
	(void)number_text(a->ts_ns / NS_PER_US, n->ts_us);
	(void)number_text(a->first_ns / NS_PER_US, n->first_us);
	(void)number_text(a->last_ns / NS_PER_US, n->last_us);
	(void)number_text(a->last_ns / NS_PER_MS, n->last_ms);
	(void)number_text(a->count, n->count);
	(void)number_text(a->bytes, n->bytes);
	(void)number_text(a->exposed, n->exposed);
	(void)clock_format_z(a->ts_ns, n->time);
}

/* The flat fields that the stream's entry and the alert's hash have in common. */
static void put_fields(struct words *w, const struct alert *a, const struct numbers *n)
{
	redis_words_pair(w, "v", "1");
	redis_words_pair(w, "id", a->id);
	redis_words_pair(w, "seq", n->seq);
	redis_words_pair(w, "op", alert_op_name(a->op));
	redis_words_pair(w, "ts_us", n->ts_us);
	redis_words_pair(w, "time", n->time);
	redis_words_pair(w, "sensor", a->sensor);
	redis_words_pair(w, "site", a->site);
	redis_words_pair(w, "severity", severity_name(a->severity));
	redis_words_pair(w, "rule", a->rule);
	redis_words_pair(w, "kind", a->kind);
	redis_words_pair(w, "confidence", a->confidence);
	redis_words_pair(w, "actor", a->actor);
	redis_words_pair(w, "actor_host", a->actor_host);
	redis_words_pair(w, "actor_mac", a->actor_mac);
	redis_words_pair(w, "victim", a->victim);
	redis_words_pair(w, "victim_host", a->victim_host);
	redis_words_pair(w, "app", a->app);
	redis_words_pair(w, "vlan", a->vlan);
	redis_words_pair(w, "cid", a->cid);
	redis_words_pair(w, "count", n->count);
	redis_words_pair(w, "bytes", n->bytes);
	redis_words_pair(w, "message", a->message);
}

static void add_entry(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	struct words w = {.count = 0};
	char stream[KEY_SIZE];

	redis_words_add(&w, "XADD");
	redis_words_add(&w, redis_key(s, "alerts", "", stream));
	redis_words_add(&w, "MAXLEN");
	redis_words_add(&w, "~");
	redis_words_add(&w, s->maxlen);
	redis_words_add(&w, "*");
	put_fields(&w, a, n);
	redis_words_add(&w, "json");
	redis_words_bytes(&w, a->json, a->json_len);
	redis_add(s->redis, w.word, w.count);
	redis_did(s, CMD_ENTRY);
}

/* The current state.  status, owner and note are the SOC's: we set status when the alert opens, if
 * nobody has, and when it closes. */
static void add_state(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	struct words w = {.count = 0};
	char hash[KEY_SIZE];

	(void)redis_key(s, "alert:", a->id, hash);
	redis_words_add(&w, "HSET");
	redis_words_add(&w, hash);
	put_fields(&w, a, n);
	redis_words_pair(&w, "first_us", n->first_us);
	redis_words_pair(&w, "last_us", n->last_us);
	if (a->op == ALERT_CLOSE)
		redis_words_pair(&w, "status", "closed");
	redis_add(s->redis, w.word, w.count);
	redis_did(s, CMD_STATE);
	if (a->op == ALERT_OPEN) {
		SAY(s, "HSETNX", hash, "status", "open");
		redis_did(s, CMD_STATE);
	}
	SAY(s, "EXPIRE", hash, ALERT_TTL);
	redis_did(s, CMD_STATE);
}

static void add_matrix(struct redis_state *s, const struct alert *a, const struct numbers *n)
{
	char day[CLOCK_TEXT_SIZE], hash[KEY_SIZE], field[2 * ALERT_NAME_SIZE];

	(void)redis_key(s, "matrix:", clock_format_day(a->ts_ns, day), hash);
	(void)snprintf(field, sizeof field, "%s>%s", a->actor, a->victim);
	SAY(s, "HINCRBY", hash, field, n->exposed);
	redis_did(s, CMD_STATE);
	SAY(s, "EXPIRE", hash, MATRIX_TTL);
	redis_did(s, CMD_STATE);
}

static void add_json(struct redis_state *s, const char *verb, const char *name,
		     const struct alert *a, enum command what)
{
	struct words w = {.count = 0};
	char where[KEY_SIZE];

	redis_words_add(&w, verb);
	redis_words_add(&w, redis_key(s, name, "", where));
	redis_words_bytes(&w, a->json, a->json_len);
	redis_add(s->redis, w.word, w.count);
	redis_did(s, what);
}

void redis_add_record(struct redis_state *s, const struct alert *a)
{
	struct numbers n;
	char open[KEY_SIZE];

	write_numbers(&n, a);
	(void)redis_key(s, "open", "", open);
	add_entry(s, a, &n);
	add_state(s, a, &n);
	if (a->op == ALERT_CLOSE)
		SAY(s, "ZREM", open, a->id);
	else
		SAY(s, "ZADD", open, n.last_ms, a->id);
	redis_did(s, CMD_STATE);
	if (a->exposed > 0 && a->exposed <= INT64_MAX)
		add_matrix(s, a, &n);
	add_json(s, "PUBLISH", "live", a, CMD_STATE);
	if (s->options->redis.queue)
		add_json(s, "RPUSH", "queue", a, CMD_QUEUE);
}
