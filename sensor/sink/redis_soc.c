/* SPDX-License-Identifier: Apache-2.0 */
/* redis_soc.c - the heartbeat out, the SOC's words in (see redis_state.h, docs/redis.md). */
#include "sink/redis_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bulkhead/clock.h"

#define SENSOR_TTL "60"
#define SENSORS_KEEP_MS UINT64_C(2592000000) /* a sensor silent for 30 d leaves the list */
/* A larger number of seconds would be the year 5138: it counts milliseconds. */
#define FIRST_MILLISECONDS UINT64_C(100000000000)
#define STATS_MAXLEN "60480" /* 7 d of one each 10 s */

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

	redis_words_add(&w, "HSET");
	redis_words_add(&w, hash);
	redis_words_pair(&w, "sensor", beat->sensor);
	redis_words_pair(&w, "site", beat->site);
	redis_words_pair(&w, "version", beat->version);
	redis_words_pair(&w, "time", clock_format_z(beat->wall_ns, time));
	redis_words_pair(&w, "ts_ms", wall_ms);
	if (s->options->redis.queue)
		redis_words_pair(&w, "queue_trimmed", number_text(s->queue_trimmed, trimmed));
	for (unsigned i = 0; i < beat->fact_count; i++)
		redis_words_pair(&w, beat->fact[i].name, beat->fact[i].text);
	redis_add(s->redis, w.word, w.count);
}

static void ask_stats(struct redis_state *s, const struct heartbeat *beat, const char *wall_ms)
{
	struct words w = {.count = 0};
	char stream[KEY_SIZE];

	redis_words_add(&w, "XADD");
	redis_words_add(&w, redis_key(s, "stats:", beat->sensor, stream));
	redis_words_add(&w, "MAXLEN");
	redis_words_add(&w, "~");
	redis_words_add(&w, STATS_MAXLEN);
	redis_words_add(&w, "*");
	redis_words_pair(&w, "ts_ms", wall_ms);
	for (unsigned i = 0; i < beat->fact_count; i++)
		if (is_number(beat->fact[i].text))
			redis_words_pair(&w, beat->fact[i].name, beat->fact[i].text);
	redis_add(s->redis, w.word, w.count);
}

/* Plain commands, no transaction: EXEC would end the watch on the cursor. */
enum sink_verdict redis_sink_heartbeat(void *state, const struct heartbeat *beat, struct err *err)
{
	struct redis_state *s = state;
	char hash[KEY_SIZE], list[KEY_SIZE], wall_ms[NUMBER_SIZE], oldest[NUMBER_SIZE];
	uint64_t ms = beat->wall_ns / NS_PER_MS;

	(void)redis_key(s, "sensor:", beat->sensor, hash);
	(void)redis_key(s, "sensors", "", list);
	(void)number_text(ms, wall_ms);
	ask_sensor(s, beat, hash, wall_ms);
	SAY(s, "EXPIRE", hash, SENSOR_TTL);
	SAY(s, "ZADD", list, wall_ms, beat->sensor);
	SAY(s, "ZREMRANGEBYSCORE", list, "-inf",
	    number_text(ms > SENSORS_KEEP_MS ? ms - SENSORS_KEEP_MS : 0, oldest));
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
	uint64_t seconds;

	*ns = 0;
	if (text[0] == '\0')
		return true;
	if (text[strspn(text, "0123456789")] != '\0')
		return clock_parse_date(text, ns) == 0;
	seconds = strtoull(text, NULL, 10);
	if (seconds >= FIRST_MILLISECONDS)
		seconds /= 1000;
	if (seconds > UINT64_MAX / NS_PER_SEC)
		seconds = UINT64_MAX / NS_PER_SEC; /* no clock gets there either way */
	*ns = seconds * NS_PER_SEC;
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

enum sink_verdict redis_sink_poll(void *state, struct soc_word *word, unsigned max, unsigned *count,
				  struct err *err)
{
	struct redis_state *s = state;
	struct redis_reply *reply;
	char where[KEY_SIZE], limit[NUMBER_SIZE];
	bool ask_acks = !s->replay && max > 0;
	uint64_t seen;

	*count = 0;
	SAY(s, "GET", redis_key(s, "cursor:", s->cursor_name, where));
	if (ask_acks)
		SAY(s, "XREAD", "COUNT", number_text(max, limit), "STREAMS",
		    redis_key(s, "acks", "", where), s->acks_id);
	if (redis_read_cursor(s, &seen, err) != 0)
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
		return redis_doubt(s, err, "our cursor was changed by somebody else");
	return SINK_OK;
}
