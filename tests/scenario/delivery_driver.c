/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery_driver.c - a stand-in for the judge: submits numbered state changes to the real room.
 *
 * Record n belongs to alert (n - 1) / 3 and is its open, update or close; its number stands in
 * the message.  With an outbox file the driver first looks up the last number accepted there and
 * goes on behind it, so that it may be killed at any time and started again: what comes out must
 * be 1, 2, 3 ... without a gap or a repetition.
 *
 *	delivery_driver [--outbox FILE] [--redis URL] [--jsonl FILE] [--cursor NAME] [--count N]
 *		[--rate PER_SECOND] [--timeout SECONDS] [--prefix P] [--quota BYTES]
 *		[--username U] [--password-file FILE] [--maxlen N] [--queue] [--replay]
 *[--json-bytes N]
 *		[--heartbeat 1] [--wait-replicas N]
 *
 * --replay is what `bulkhead replay` asks for: Redis required, wait for the end.  --count 0 adds
 * nothing and only delivers what is left.  The last line on stdout tells the counters as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bulkhead/clock.h"
#include "bulkhead/sink.h"

struct settings {
	struct options options;
	struct delivery_config config;
	uint64_t count, rate, timeout, json_bytes, heartbeat;
};

static bool is_flag(struct settings *s, const char *name)
{
	if (strcmp(name, "--replay") == 0)
		s->config.wait_at_end = s->config.redis_required = true;
	else if (strcmp(name, "--queue") == 0)
		s->options.redis.queue = true;
	else
		return false;
	return true;
}

static bool set(struct settings *s, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **text;
		uint64_t *number;
	} row[] = {
	    {"--outbox", &s->config.outbox_file, NULL},
	    {"--redis", &s->config.redis_url, NULL},
	    {"--jsonl", &s->config.jsonl_path, NULL},
	    {"--cursor", &s->config.cursor_name, NULL},
	    {"--prefix", &s->options.redis.prefix, NULL},
	    {"--password-file", &s->options.redis.password_file, NULL},
	    {"--username", &s->options.redis.username, NULL},
	    {"--count", NULL, &s->count},
	    {"--rate", NULL, &s->rate},
	    {"--timeout", NULL, &s->timeout},
	    {"--quota", NULL, &s->options.outbox.quota},
	    {"--maxlen", NULL, &s->options.redis.maxlen},
	    {"--wait-replicas", NULL, &s->options.redis.wait_replicas},
	    {"--json-bytes", NULL, &s->json_bytes},
	    {"--heartbeat", NULL, &s->heartbeat},
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		if (strcmp(name, row[i].name) != 0)
			continue;
		if (row[i].text != NULL)
			*row[i].text = value;
		else
			*row[i].number = strtoull(value, NULL, 10);
		return true;
	}
	return false;
}

static bool parse(struct settings *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (is_flag(s, argv[i]))
			continue;
		if (i + 1 == argc || !set(s, argv[i], argv[i + 1])) {
			(void)fprintf(stderr, "delivery_driver: what is %s?\n", argv[i]);
			return false;
		}
		i++;
	}
	return true;
}

static bool last_number(void *context, const struct sink_record *record)
{
	uint64_t *last = context;

	*last = strtoull(record->alert->message, NULL, 10);
	return true;
}

static void make(struct alert *a, char *json, size_t size, uint64_t n, uint64_t json_bytes)
{
	size_t len;

	memset(a, 0, sizeof *a);
	a->op = (enum alert_op)((n - 1) % 3);
	a->seq = (uint32_t)((n - 1) % 3 + 1);
	(void)snprintf(a->id, sizeof a->id, "%032llx", (unsigned long long)((n - 1) / 3 + 1));
	a->ts_ns = UINT64_C(1767260880000400000) + n * NS_PER_MS;
	a->first_ns = a->last_ns = a->ts_ns;
	a->severity = SEVERITY_CRITICAL;
	(void)strcpy(a->sensor, "leaf12");
	(void)strcpy(a->site, "rbx");
	(void)strcpy(a->rule, "BH-1001");
	(void)strcpy(a->kind, "relay.forward");
	(void)strcpy(a->confidence, "proof");
	(void)strcpy(a->status, a->op == ALERT_CLOSE ? "closed" : "open");
	(void)strcpy(a->actor, "acme");
	(void)strcpy(a->actor_host, "a1");
	(void)strcpy(a->victim, "globex");
	(void)strcpy(a->victim_host, "b1");
	a->count = n;
	a->exposed = 1;
	(void)snprintf(a->message, sizeof a->message, "%llu", (unsigned long long)n);
	(void)snprintf(json, size, "{\"n\":%llu,\"pad\":\"", (unsigned long long)n);
	len = strlen(json);
	while (len < json_bytes && len < size - 4)
		json[len++] = 'x';
	(void)strcpy(json + len, "\"}");
	a->json = json;
	a->json_len = strlen(json);
}

/* A live queue drops updates when it is full; the test wants to see each number. */
static void let_the_disk_keep_up(struct delivery *d)
{
	const struct timespec ms = {.tv_nsec = (long)NS_PER_MS};
	struct stats stats = {0};

	do {
		delivery_stats(d, &stats);
		if (stat_get(&stats, STAT_OUTBOX_QUEUED) <
		    stat_get(&stats, STAT_OUTBOX_WRITTEN) + stat_get(&stats, STAT_OUTBOX_DROPPED) +
			400)
			return;
		(void)nanosleep(&ms, NULL);
	} while (true);
}

static void pace(uint64_t start, uint64_t done, uint64_t rate)
{
	uint64_t due = rate == 0 ? 0 : start + done * NS_PER_SEC / rate;
	uint64_t now = clock_monotonic();
	struct timespec ts;

	if (due <= now)
		return;
	ts.tv_sec = (time_t)((due - now) / NS_PER_SEC);
	ts.tv_nsec = (long)((due - now) % NS_PER_SEC);
	(void)nanosleep(&ts, NULL);
}

/* Submits numbers first..count; returns ns spent inside delivery_submit(). */
static uint64_t submit_all(struct delivery *d, const struct settings *s, uint64_t first)
{
	char json[ALERT_JSON_SIZE];
	struct alert alert;
	uint64_t start = clock_monotonic(), inside = 0;

	for (uint64_t n = first; n <= s->count; n++) {
		uint64_t before;

		make(&alert, json, sizeof json, n, s->json_bytes);
		if (!s->config.wait_at_end && n % 64 == 0)
			let_the_disk_keep_up(d);
		before = clock_monotonic();
		delivery_submit(d, &alert);
		inside += clock_monotonic() - before;
		pace(start, n - first, s->rate);
	}
	return inside;
}

/* What delivery_close() will still move is not in these counters: waits for it first. */
static void settle(struct delivery *d, struct stats *stats, uint64_t timeout_ns)
{
	const struct timespec ms = {.tv_nsec = (long)NS_PER_MS};
	uint64_t until = clock_monotonic() + timeout_ns;

	do {
		delivery_stats(d, stats);
		(void)nanosleep(&ms, NULL);
	} while ((stat_get(stats, STAT_OUTBOX_DEPTH) > 0 || !delivery_redis_up(d)) &&
		 clock_monotonic() < until);
}

static void beat_once(struct delivery *d)
{
	const struct heartbeat beat = {.sensor = "leaf12",
				       .site = "rbx",
				       .version = "test",
				       .wall_ns = clock_wall(),
				       .fact_count = 1,
				       .fact = {{"packets", "1"}}};

	delivery_heartbeat(d, &beat);
}

int main(int argc, char **argv)
{
	struct settings s = {
	    .count = 1000,
	    .timeout = 10,
	    .json_bytes = 1200,
	    .options = {.redis = {.prefix = "bulkhead:", .maxlen = 1000000},
			.outbox = {.quota = UINT64_C(256) << 20}},
	    .config = {.cursor_name = "leaf12"},
	};
	struct delivery *d;
	struct stats stats = {0};
	struct err err = {0};
	uint64_t last = 0, start, inside, took;
	int code;

	if (!parse(&s, argc, argv))
		return 2;
	s.config.options = &s.options;
	if (s.config.outbox_file != NULL &&
	    outbox_each(s.config.outbox_file, last_number, &last, NULL, &err) == ERR_NOINPUT)
		last = 0; /* the first run */
	if (delivery_open(&d, &s.config, &err) != 0) {
		(void)fprintf(stderr, "delivery_driver: %s\n", err.text);
		return err_exit_status(err.code);
	}
	if (s.heartbeat)
		beat_once(d);
	start = clock_monotonic();
	inside = submit_all(d, &s, last + 1);
	settle(d, &stats, s.timeout * NS_PER_SEC);
	took = clock_monotonic() - start;
	(void)printf("{\"from\":%llu,\"submit_ns\":%llu,\"took_ms\":%llu,\"written\":%llu,"
		     "\"dropped\":%llu,\"delivered\":%llu,\"errors\":%llu,\"reconnects\":%llu,"
		     "\"depth\":%llu,\"ahead\":%llu}\n",
		     (unsigned long long)last + 1,
		     (unsigned long long)(s.count > last ? inside / (s.count - last) : 0),
		     (unsigned long long)(took / NS_PER_MS),
		     (unsigned long long)stat_get(&stats, STAT_OUTBOX_WRITTEN),
		     (unsigned long long)stat_get(&stats, STAT_OUTBOX_DROPPED),
		     (unsigned long long)stat_get(&stats, STAT_SINK_DELIVERED),
		     (unsigned long long)stat_get(&stats, STAT_SINK_ERRORS),
		     (unsigned long long)stat_get(&stats, STAT_SINK_RECONNECTS),
		     (unsigned long long)stat_get(&stats, STAT_OUTBOX_DEPTH),
		     (unsigned long long)delivery_cursor_ahead(d));
	(void)fflush(stdout);
	code = delivery_close(d, s.timeout * NS_PER_SEC, &err);
	if (code != 0)
		(void)fprintf(stderr, "delivery_driver: %s\n", err.text);
	return err_exit_status(code);
}
