/* SPDX-License-Identifier: Apache-2.0 */
/* test_delivery.c - the front without Redis: files, syslog, nothing. */
#include "unit/sink/support.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sink/list.h"
#include "sink/outbox.h"

#define LINE "{\"event_type\":\"alert\"}\n"

static struct delivery *open_it(const struct delivery_config *config)
{
	struct delivery *d;
	struct err err = {0};

	if (delivery_open(&d, config, &err) != 0)
		fail_msg("%s", err.text);
	return d;
}

static void close_it(struct delivery *d)
{
	struct err err = {0};

	if (delivery_close(d, 5 * NS_PER_SEC, &err) != 0)
		fail_msg("%s", err.text);
}

static void test_nothing_configured(void **state)
{
	struct fixture *f = *state;
	struct delivery *d = open_it(&(struct delivery_config){
	    .options = &f->options, .cursor_name = "x", .wait_at_end = true});
	struct heartbeat beat = {.sensor = "s", .site = "t", .version = "1"};
	struct stats stats = {0};
	struct soc_word word;

	submit(d, 1, ALERT_OPEN);
	delivery_heartbeat(d, &beat);
	delivery_stats(d, &stats);
	assert_int_equal(stat_get(&stats, STAT_OUTBOX_DEPTH), 0);
	assert_true(delivery_redis_up(d));
	assert_false(delivery_soc_word(d, &word));
	close_it(d);
	assert_int_equal(delivery_close(NULL, 0, NULL), 0);
}

static void test_replay_to_file(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], *text;
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .jsonl_path = in_folder(f, "out", path),
					 .wait_at_end = true};
	struct delivery *d;

	for (int again = 0; again < 2; again++) { /* a replay starts its file anew */
		d = open_it(&config);
		for (uint64_t n = 1; n <= 3000; n++)
			submit(d, n, ALERT_UPDATE);
		close_it(d);
		text = slurp(path);
		assert_int_equal(strlen(text), 3000 * strlen(LINE));
		assert_memory_equal(text, LINE LINE, 2 * strlen(LINE));
		free(text);
	}
	config.jsonl_path = "/nonexistent/out";
	assert_int_equal(delivery_open(&d, &config, NULL), ERR_RUN);
	assert_null(d);
}

static void test_full_disk_in_replay(void **state)
{
	struct fixture *f = *state;
	const struct delivery_config config = {.options = &f->options,
					       .cursor_name = "x",
					       .jsonl_path = "/dev/full",
					       .wait_at_end = true};
	struct delivery *d = open_it(&config);
	struct err err = {0};

	submit(d, 1, ALERT_OPEN);
	assert_int_equal(delivery_close(d, NS_PER_SEC / 2, &err), ERR_RUN);
	assert_non_null(strstr(err.text, "No space left"));
}

static void test_appends_behind_a_torn_line(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], *text;
	const struct delivery_config config = {
	    .options = &f->options, .cursor_name = "x", .jsonl_path = in_folder(f, "out", path)};
	FILE *file = fopen(path, "w");
	struct delivery *d;

	(void)fputs(LINE "{\"torn", file);
	(void)fclose(file);
	d = open_it(&config);
	submit(d, 1, ALERT_OPEN);
	close_it(d);
	text = slurp(path);
	assert_string_equal(text, LINE "{\"torn\n" LINE);
	free(text);
}

/* What was delivered is not delivered again, what was not is. */
static void test_output_goes_on_from_the_outbox(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], outbox[PATH_SIZE], *text;
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .outbox_file = in_folder(f, "o.db", outbox)};
	struct delivery *d;

	f->options.output[0].file = in_folder(f, "out", path);
	f->options.output_count = 1;
	for (uint64_t n = 1; n <= 3; n++) {
		d = open_it(&config);
		submit(d, n, ALERT_OPEN);
		close_it(d);
	}
	text = slurp(path);
	assert_string_equal(text, LINE LINE LINE);
	free(text);
	f->options.output_count = 0;
	d = open_it(&config);
	submit(d, 4, ALERT_OPEN);
	close_it(d);
	f->options.output_count = 1;
	close_it(open_it(&config));
	text = slurp(path);
	assert_string_equal(text, LINE LINE LINE LINE);
	free(text);
}

static void test_unreachable_redis(void **state)
{
	struct fixture *f = *state;
	char outbox[PATH_SIZE];
	struct delivery_config config = {.options = &f->options,
					 .cursor_name = "x",
					 .redis_url = "unix:///nonexistent/redis.sock",
					 .redis_required = true,
					 .wait_at_end = true};
	struct delivery *d;
	struct stats stats = {0};
	struct err err = {0};

	assert_int_equal(delivery_open(&d, &config, &err), ERR_NOREDIS);
	assert_non_null(strstr(err.text, "/nonexistent/redis.sock"));
	config.redis_url = "rediss://h";
	assert_int_equal(delivery_open(&d, &config, &err), ERR_CONFIG);
	/* Live it is no reason not to start. */
	config = (struct delivery_config){.options = &f->options,
					  .cursor_name = "x",
					  .redis_url = "unix:///nonexistent/redis.sock",
					  .outbox_file = in_folder(f, "o.db", outbox)};
	d = open_it(&config);
	submit(d, 1, ALERT_OPEN);
	for (int i = 0; i < 500; i++) {
		const struct timespec ms = {.tv_nsec = 1000000};

		delivery_stats(d, &stats);
		if (stat_get(&stats, STAT_SINK_ERRORS) > 0 &&
		    stat_get(&stats, STAT_OUTBOX_WRITTEN) > 0)
			break;
		(void)nanosleep(&ms, NULL);
	}
	assert_true(stat_get(&stats, STAT_SINK_ERRORS) > 0);
	assert_int_equal(stat_get(&stats, STAT_OUTBOX_DEPTH), 1);
	assert_false(delivery_redis_up(d));
	assert_int_equal(delivery_close(d, NS_PER_SEC / 5, &err), 0); /* the outbox keeps it */
}

static void test_environment_names_redis(void **state)
{
	struct fixture *f = *state;
	struct delivery_config config = {.options = &f->options, .cursor_name = "x"};
	struct delivery *d;
	struct err err = {0};

	f->options.redis.url = "unix:///nonexistent/redis.sock";
	assert_int_equal(setenv("BULKHEAD_REDIS_URL", "http://no", 1), 0);
	assert_int_equal(delivery_open(&d, &config, &err), ERR_CONFIG);
	config.wait_at_end = true; /* a replay writes to Redis only when its command line says so */
	close_it(open_it(&config));
	assert_int_equal(unsetenv("BULKHEAD_REDIS_URL"), 0);
	close_it(open_it(&config));
}

/* The command line's URL wins over the environment's, unless it is only the config's again. */
static void test_which_redis_is_meant(void **state)
{
	static const struct {
		const char *given, *environment, *configured, *refused; /* the URL it takes */
	} urls[] = {
	    {"rediss://line", "http://environment", "redis://config:0", "rediss://line"},
	    {"redis://config:0", "http://environment", "redis://config:0", "http://environment"},
	    {"rediss://line", "", NULL, "rediss://line"},
	    {"", "http://environment", "", "http://environment"},
	    {NULL, "", "redis://config:0", "redis://config:0"},
	    {"", "", "", NULL},
	};
	struct fixture *f = *state;
	struct delivery *d;
	struct err err, wanted;

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		const struct delivery_config config = {
		    .options = &f->options, .cursor_name = "x", .redis_url = urls[i].given};

		f->options.redis.url = urls[i].configured;
		assert_int_equal(setenv("BULKHEAD_REDIS_URL", urls[i].environment, 1), 0);
		if (urls[i].refused == NULL) {
			close_it(open_it(&config));
			continue;
		}
		assert_int_equal(delivery_open(&d, &config, &err), ERR_CONFIG);
		assert_int_equal(redis_check_url(urls[i].refused, &wanted), ERR_CONFIG);
		assert_string_equal(err.text, wanted.text); /* each is wrong in its own way */
	}
	assert_int_equal(unsetenv("BULKHEAD_REDIS_URL"), 0);
}

/* Nobody reads standard output any more: that does not heal, and is said. */
static void test_a_reader_that_went_away(void **state)
{
	struct fixture *f = *state;
	const struct delivery_config config = {
	    .options = &f->options, .cursor_name = "x", .jsonl_path = "-", .wait_at_end = true};
	struct delivery *d;
	struct err err = {0};
	int own = dup(STDOUT_FILENO), ends[2], code;

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	(void)fflush(stdout);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	d = open_it(&config);
	submit(d, 1, ALERT_OPEN);
	submit(d, 2, ALERT_OPEN);
	code = delivery_close(d, NS_PER_SEC, &err);
	(void)dup2(own, STDOUT_FILENO);
	assert_int_equal(code, ERR_RUN);
	assert_non_null(strstr(err.text, "stdout"));
	(void)close(own);
	(void)close(ends[1]);
}

static void test_places_that_are_no_files(void **state)
{
	struct fixture *f = *state;
	const struct delivery_config config = {
	    .options = &f->options, .cursor_name = "x", .jsonl_path = f->folder};
	char path[PATH_SIZE];
	struct sink_setup setup = {.options = &f->options};
	struct delivery *d;
	struct err err = {0};
	void *s = calloc(1, syslog_sink.state_size);

	assert_int_equal(delivery_open(&d, &config, &err), ERR_RUN);
	assert_non_null(strstr(err.text, f->folder));
	(void)snprintf(path, sizeof path, "/%0200d", 7);
	setup.target = path;
	assert_int_equal(syslog_sink.open(s, &setup, &err), ERR_CONFIG);
	syslog_sink.close(s);
	setup.target = NULL; /* the system's */
	assert_int_equal(syslog_sink.open(s, &setup, &err), 0);
	syslog_sink.close(s);
	free(s);
}

/* A row that somebody spoiled is left out, counted, and holds up nobody. */
static void test_spoiled_rows_are_left_out(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], outbox[PATH_SIZE], mark[PATH_SIZE + 8], *text;
	const struct outbox_config own = {.path = in_folder(f, "o.db", outbox), .quota = 1 << 20};
	struct delivery_config config = {
	    .options = &f->options, .cursor_name = "x", .outbox_file = outbox};
	struct stored *record = calloc(3, sizeof *record);
	struct alert alert;
	uint64_t dropped = 0;
	struct stats stats = {0};
	struct outbox *o;
	struct delivery *d;
	struct err err = {0};
	sqlite3 *db;

	assert_int_equal(outbox_open(&o, &own, &err), 0);
	for (unsigned i = 0; i < 3; i++) {
		make_alert(&alert, i + 1, ALERT_OPEN);
		stored_copy(&record[i], &alert);
	}
	assert_int_equal(outbox_append(o, record, 3, 1, &dropped, &err), 0);
	(void)snprintf(mark, sizeof mark, "jsonl:%s", in_folder(f, "out", path));
	assert_int_equal(outbox_mark(o, mark, 0, &err), 0);
	outbox_close(o);
	free(record);
	assert_int_equal(sqlite3_open(outbox, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE records SET op = 9 WHERE sequence = 2", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	f->options.output[0].file = path;
	f->options.output[1].syslog = true; /* which nobody may read here: no reason to wait */
	f->options.output_count = 2;
	d = open_it(&config);
	(void)delivery_drain(d, NS_PER_SEC, &err);
	delivery_stats(d, &stats);
	(void)delivery_close(d, 0, NULL);
	text = slurp(path);
	assert_string_equal(text, LINE LINE);
	free(text);
	assert_true(stat_get(&stats, STAT_OUTBOX_DROPPED) >= 1);
}

static void test_an_alert_without_a_document(void **state)
{
	struct stored *stored = calloc(1, sizeof *stored);
	struct alert alert;

	(void)state;
	make_alert(&alert, 1, ALERT_OPEN);
	alert.json = NULL;
	alert.json_len = 0;
	stored->json[0] = 'x';
	stored_copy(stored, &alert);
	assert_string_equal(stored->json, "");
	free(stored);
}

static void test_syslog_message(void **state)
{
	struct fixture *f = *state;
	char path[PATH_SIZE], got[1024];
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const struct sink_setup setup = {.options = &f->options,
					 .target = in_folder(f, "log", path)};
	void *s = calloc(1, syslog_sink.state_size);
	struct alert alert;
	struct sink_record record = {1, &alert};
	unsigned done;
	ssize_t n;
	struct err err = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	make_alert(&alert, 1, ALERT_OPEN);
	assert_int_equal(syslog_sink.open(s, &setup, &err), 0);
	assert_int_equal(syslog_sink.deliver(s, &record, 1, &done, &err), SINK_RETRY);
	assert_int_equal(done, 0);
	(void)strcpy(where.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof where), 0);
	assert_int_equal(syslog_sink.deliver(s, &record, 1, &done, &err), SINK_OK);
	n = recv(fd, got, sizeof got - 1, 0);
	assert_true(n > 0);
	got[n] = '\0';
	assert_int_equal(strncmp(got, "<27>", 4), 0); /* daemon.err */
	assert_non_null(strstr(got, "]: @cee: {\"event_type\":\"alert\"}"));
	for (int severity = SEVERITY_INFORMATIONAL; severity < SEVERITY_MAX; severity++) {
		char level[8];

		alert.severity = (enum severity)severity;
		assert_int_equal(syslog_sink.deliver(s, &record, 1, &done, &err), SINK_OK);
		n = recv(fd, got, sizeof got - 1, 0);
		assert_true(n > 0);
		(void)snprintf(level, sizeof level, "<%d>",
			       30 - (severity - SEVERITY_INFORMATIONAL));
		assert_int_equal(strncmp(got, level, 4), 0);
	}
	syslog_sink.close(s);
	free(s);
	(void)close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_configured),
	    TEST(test_replay_to_file),
	    TEST(test_full_disk_in_replay),
	    TEST(test_appends_behind_a_torn_line),
	    TEST(test_output_goes_on_from_the_outbox),
	    TEST(test_unreachable_redis),
	    TEST(test_environment_names_redis),
	    TEST(test_which_redis_is_meant),
	    TEST(test_a_reader_that_went_away),
	    TEST(test_places_that_are_no_files),
	    TEST(test_spoiled_rows_are_left_out),
	    TEST(test_an_alert_without_a_document),
	    TEST(test_syslog_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
