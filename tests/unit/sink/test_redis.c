/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_redis.c - every key of the contract, against a real redis-server on a private socket.
 *
 * Skipped where there is no redis-server.  tests/scenario/ has the faults.
 */
#include "unit/sink/support.h"

#include <signal.h>
#include <sys/wait.h>

#include "sink/list.h"
#include "sink/redis.h"

struct server {
	struct fixture *fixture;
	pid_t pid;
	char path[PATH_SIZE], url[PATH_SIZE + 8];
	struct redis *link;
};

static void nap(void)
{
	const struct timespec ms = {.tv_nsec = 5000000};

	(void)nanosleep(&ms, NULL);
}

static int server_new(void **state)
{
	struct server *s = calloc(1, sizeof *s);
	struct redis_target target;
	struct err err;

	if (s == NULL || fixture_new((void **)&s->fixture) != 0)
		return -1;
	(void)in_folder(s->fixture, "s", s->path);
	(void)snprintf(s->url, sizeof s->url, "unix://%s", s->path);
	s->pid = fork();
	if (s->pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(127);
		(void)execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", s->path,
			     "--save", "", "--dir", s->fixture->folder, (char *)NULL);
		_exit(127);
	}
	if (redis_target_parse(&target, s->url, &err) != 0)
		return -1;
	s->link = redis_new(&target);
	for (int i = 0; i < 400 && redis_connect(s->link, &err) != 0; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
			s->pid = 0; /* not installed */
			break;
		}
		nap();
	}
	*state = s;
	return 0;
}

static int server_free(void **state)
{
	struct server *s = *state;
	void *fixture = s->fixture;

	redis_free(s->link);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
	}
	free(s);
	return fixture_free(&fixture);
}

static struct server *need_server(void **state)
{
	struct server *s = *state;

	if (s->pid == 0)
		skip();
	return s;
}

/* One command in words; its reply, to be freed. */
static struct redis_reply *ask(struct server *s, const char *const *text)
{
	struct redis_word word[32];
	struct redis_reply *reply;
	struct err err;
	unsigned n = 0;

	for (; text[n] != NULL; n++)
		word[n] = (struct redis_word){text[n], strlen(text[n])};
	redis_add(s->link, word, n);
	if (redis_next(s->link, &reply, &err) != 0)
		fail_msg("%s", err.text);
	if (redis_reply_kind(reply) == REDIS_ERROR)
		fail_msg("%s", redis_reply_text(reply, NULL));
	return reply;
}
#define ASK(s, ...) ask((s), (const char *const[]){__VA_ARGS__, NULL})

static int64_t ask_integer(struct server *s, const char *const *text)
{
	struct redis_reply *reply = ask(s, text);
	int64_t value = redis_reply_kind(reply) == REDIS_INTEGER
			    ? redis_reply_integer(reply)
			    : strtoll(redis_reply_text(reply, NULL), NULL, 10);

	redis_reply_free(reply);
	return value;
}
#define INTEGER(s, ...) ask_integer((s), (const char *const[]){__VA_ARGS__, NULL})

static void expect_text(struct server *s, const char *hash, const char *field, const char *text)
{
	struct redis_reply *reply = ASK(s, "HGET", hash, field);

	if (strcmp(redis_reply_text(reply, NULL), text) != 0)
		fail_msg("%s %s is '%s'", hash, field, redis_reply_text(reply, NULL));
	redis_reply_free(reply);
}

static struct delivery *open_it(struct server *s)
{
	struct delivery *d;
	struct err err = {0};
	const struct delivery_config config = {
	    .options = &s->fixture->options, .cursor_name = "leaf12", .redis_url = s->url};

	if (delivery_open(&d, &config, &err) != 0)
		fail_msg("%s", err.text);
	return d;
}

static void drain(struct delivery *d)
{
	struct stats stats = {0};

	for (int i = 0; i < 1000; i++) {
		delivery_stats(d, &stats);
		if (stat_get(&stats, STAT_OUTBOX_DEPTH) == 0 && delivery_redis_up(d))
			return;
		nap();
	}
	fail_msg("nothing was delivered");
}

#define ID "00000000000000000000000000000005"

static void test_entry(void **state)
{
	static const char *const want[] = {
	    "v",	   "1",
	    "id",	   ID,
	    "seq",	   "7",
	    "op",	   "open",
	    "ts_us",	   "1767260880000400",
	    "time",	   "2026-01-01T09:48:00.000400Z",
	    "sensor",	   "leaf12",
	    "site",	   "rbx",
	    "severity",	   "high",
	    "rule",	   "BH-1001",
	    "kind",	   "relay.forward",
	    "confidence",  "proof",
	    "actor",	   "acme",
	    "actor_host",  "a1",
	    "actor_mac",   "02:ac:00:00:00:a1",
	    "victim",	   "globex",
	    "victim_host", "b1",
	    "app",	   "TLS",
	    "vlan",	   "100,200",
	    "cid",	   "1:bPzPDYaXsxsWok4xGBaT7mPM9Qg=",
	    "count",	   "11",
	    "bytes",	   "9120",
	    "message",	   "5",
	    "json",	   "{\"event_type\":\"alert\"}",
	};
	struct server *s = need_server(state);
	struct delivery *d = open_it(s);
	struct redis_reply *reply;
	const struct redis_reply *fields;

	submit(d, 5, ALERT_OPEN);
	drain(d);
	reply = ASK(s, "XRANGE", "bulkhead:alerts", "-", "+");
	assert_int_equal(redis_reply_count(reply), 1);
	fields = redis_reply_item(redis_reply_item(reply, 0), 1);
	assert_int_equal(redis_reply_count(fields), sizeof want / sizeof want[0]);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_string_equal(redis_reply_text(redis_reply_item(fields, i), NULL), want[i]);
	redis_reply_free(reply);
	assert_int_equal(INTEGER(s, "GET", "bulkhead:cursor:leaf12"), 1);
	assert_int_equal(delivery_close(d, NS_PER_SEC, NULL), 0);
}

static void test_state_of_an_alert(void **state)
{
	struct server *s = need_server(state);
	struct delivery *d = open_it(s);

	submit(d, 5, ALERT_OPEN);
	drain(d);
	expect_text(s, "bulkhead:alert:" ID, "status", "open");
	expect_text(s, "bulkhead:alert:" ID, "kind", "relay.forward");
	assert_int_equal(INTEGER(s, "HEXISTS", "bulkhead:alert:" ID, "json"), 0);
	assert_in_range(INTEGER(s, "TTL", "bulkhead:alert:" ID), 2591000, 2592000);
	assert_int_equal(INTEGER(s, "ZSCORE", "bulkhead:open", ID), 1767260880000 - 1);
	assert_int_equal(INTEGER(s, "HGET", "bulkhead:matrix:20260101", "acme>globex"), 4560);
	assert_in_range(INTEGER(s, "TTL", "bulkhead:matrix:20260101"), 3023000, 3024000);
	/* status, owner and note are the SOC's until the alert closes. */
	redis_reply_free(ASK(s, "HSET", "bulkhead:alert:" ID, "status", "acknowledged", "owner",
			     "ann", "note", "known"));
	submit(d, 5, ALERT_UPDATE);
	submit(d, 5, ALERT_OPEN);
	drain(d);
	expect_text(s, "bulkhead:alert:" ID, "status", "acknowledged");
	assert_int_equal(INTEGER(s, "HGET", "bulkhead:matrix:20260101", "acme>globex"), 3 * 4560);
	submit(d, 5, ALERT_CLOSE);
	drain(d);
	expect_text(s, "bulkhead:alert:" ID, "status", "closed");
	expect_text(s, "bulkhead:alert:" ID, "owner", "ann");
	assert_int_equal(INTEGER(s, "ZCARD", "bulkhead:open"), 0);
	assert_int_equal(delivery_close(d, NS_PER_SEC, NULL), 0);
}

static void test_hash_tag_and_queue(void **state)
{
	struct server *s = need_server(state);
	struct delivery *d;

	s->fixture->options.redis.prefix = "{rbx}:";
	s->fixture->options.redis.queue = true;
	s->fixture->options.redis.maxlen = 3;
	d = open_it(s);
	for (uint64_t n = 1; n <= 10; n++)
		submit(d, n, ALERT_OPEN);
	drain(d);
	assert_int_equal(INTEGER(s, "LLEN", "{rbx}:queue"), 3);
	assert_int_equal(INTEGER(s, "EXISTS", "{rbx}:alerts"), 1);
	assert_int_equal(INTEGER(s, "GET", "{rbx}:cursor:leaf12"), 10);
	assert_int_equal(delivery_close(d, NS_PER_SEC, NULL), 0);
}

static void test_heartbeat(void **state)
{
	struct server *s = need_server(state);
	struct delivery *d = open_it(s);
	struct heartbeat beat = {.sensor = "leaf12",
				 .site = "rbx",
				 .version = "0.1.0",
				 .wall_ns = clock_wall(),
				 .fact_count = 2,
				 .fact = {{"interface", "eth1"}, {"packets", "12"}}};
	struct redis_reply *reply;

	delivery_heartbeat(d, &beat);
	memset(&beat, 'x', sizeof beat); /* it was copied */
	for (int i = 0; i < 1000 && INTEGER(s, "XLEN", "bulkhead:stats:leaf12") == 0; i++)
		nap();
	expect_text(s, "bulkhead:sensor:leaf12", "interface", "eth1");
	expect_text(s, "bulkhead:sensor:leaf12", "packets", "12");
	expect_text(s, "bulkhead:sensor:leaf12", "version", "0.1.0");
	assert_in_range(INTEGER(s, "TTL", "bulkhead:sensor:leaf12"), 50, 60);
	assert_int_equal(INTEGER(s, "ZCARD", "bulkhead:sensors"), 1);
	reply = ASK(s, "XRANGE", "bulkhead:stats:leaf12", "-", "+");
	/* Numbers only: ts_ms and packets. */
	assert_int_equal(redis_reply_count(redis_reply_item(redis_reply_item(reply, 0), 1)), 4);
	redis_reply_free(reply);
	assert_int_equal(delivery_close(d, NS_PER_SEC, NULL), 0);
}

static bool next_word(struct delivery *d, struct soc_word *word)
{
	for (int i = 0; i < 600; i++) {
		if (delivery_soc_word(d, word))
			return true;
		nap();
	}
	return false;
}

static void test_soc_words(void **state)
{
	struct server *s = need_server(state);
	struct delivery *d = open_it(s);
	struct soc_word word;

	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "id", ID, "action", "dance"));
	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "id", ID ID, "action", "ack"));
	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "action", "ack"));
	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "id", ID, "action", "suppress", "by",
			     "ann", "note", "x", "until", "2027-01-01T00:00:00Z"));
	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "id", ID, "action", "ack"));
	redis_reply_free(ASK(s, "XADD", "bulkhead:acks", "*", "id", ID, "action", "suppress",
			     "until", "1798761600000"));
	assert_true(next_word(d, &word));
	assert_string_equal(word.id, ID);
	assert_string_equal(word.action, "suppress");
	assert_int_equal(word.until_ns, UINT64_C(1798761600) * NS_PER_SEC);
	assert_true(next_word(d, &word));
	assert_string_equal(word.action, "ack");
	assert_int_equal(word.until_ns, 0);
	assert_true(next_word(d, &word));
	assert_int_equal(word.until_ns, UINT64_C(1798761600) * NS_PER_SEC);
	assert_false(delivery_soc_word(d, &word));
	assert_int_equal(delivery_close(d, NS_PER_SEC, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, server_new, server_free)
	const struct CMUnitTest tests[] = {
	    TEST(test_entry),	  TEST(test_state_of_an_alert), TEST(test_hash_tag_and_queue),
	    TEST(test_heartbeat), TEST(test_soc_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
