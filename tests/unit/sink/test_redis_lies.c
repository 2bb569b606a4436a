/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_redis_lies.c - a server that does not keep to the protocol, or to the truth: whatever it
 * answers, nothing counts as delivered that is not, and an honest server afterwards gets the rest.
 *
 * The server is a child with one connection at a time; which lie it tells, and what it holds, is in
 * memory that both see.
 */
#include "unit/sink/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "sink/list.h"
#include "sink/outbox.h"
#include "unit/faults.h"

enum lie {
	HONEST,
	UNASKED,    /* one reply more than commands */
	SHORT_EXEC, /* fewer results than commands */
	NO_EXEC,    /* nil: somebody changed the cursor */
	EXEC_IS_TEXT,
	ENTRY_REFUSED,	 /* within the transaction: it runs all the same */
	QUEUE_REFUSED,	 /* before: it does not */
	OTHER_ECHO,	 /* replies out of step */
	CURSOR_MOVED,	 /* after the transaction */
	CURSOR_IS_WORDS, /* no number */
	CURSOR_IS_LONG,
	CURSOR_IS_LIST,
	FEW_REPLICAS,
	HANGS_UP, /* in the middle */
	HUGE_REPLY,
	GARBAGE,
	HEARTBEAT_REFUSED,
	ACKS_REFUSED,
	ACKS_ARE_STRANGE,
	ACKS_OF_ALL_KINDS,
	ACKS_ARE_NO_STREAM,
	CURSOR_IS_EMPTY,
	CURSOR_IS_A_RANGE,
	STRANGE_REPLICAS,
	NO_SUCH_DATABASE,
	WRONG_PASSWORD,
	MARK_REFUSED, /* the cursor cannot be put back */
};

struct shared {
	_Atomic int lie;
	_Atomic long cursor, entries;
};

struct server {
	struct fixture *fixture;
	struct shared *shared;
	pid_t pid;
	char path[PATH_SIZE], url[PATH_SIZE + 8];
	void *sink;
	struct sink_setup setup;
	struct stats stats;
};

/* ---- the server --------------------------------------------------------------------------------
 */

struct client {
	FILE *in, *out;
	struct shared *shared;
	char word[4][256]; /* of the command */
	unsigned words;
	unsigned queued, refused;
	long wanted; /* cursor, within a transaction; -1 none */
	bool multi;
};

static bool read_command(struct client *c)
{
	char line[64];
	long count;

	c->words = 0;
	if (fgets(line, sizeof line, c->in) == NULL)
		return false;
	count = strtol(line + 1, NULL, 10);
	for (long i = 0; i < count; i++) {
		static char big[1 << 16];
		long len;

		if (fgets(line, sizeof line, c->in) == NULL)
			return false;
		len = strtol(line + 1, NULL, 10);
		if (len < 0 || len + 2 > (long)sizeof big ||
		    fread(big, 1, (size_t)len + 2, c->in) != (size_t)len + 2)
			return false;
		if (c->words < 4) {
			big[len] = '\0';
			(void)snprintf(c->word[c->words++], sizeof c->word[0], "%.255s", big);
		}
	}
	return c->words > 0;
}

static bool is(const struct client *c, const char *name)
{
	return strcmp(c->word[0], name) == 0;
}

static void say_cursor(struct client *c, int lie)
{
	char text[32];

	if (lie == CURSOR_IS_WORDS) {
		(void)fputs("$3\r\nabc\r\n", c->out);
	} else if (lie == CURSOR_IS_LONG) {
		(void)fputs("$19\r\n1234567890123456789\r\n", c->out);
	} else if (lie == CURSOR_IS_EMPTY || lie == CURSOR_IS_A_RANGE) {
		(void)fputs(lie == CURSOR_IS_EMPTY ? "$0\r\n\r\n" : "$3\r\n1-2\r\n", c->out);
	} else if (lie == CURSOR_IS_LIST) {
		(void)fputs("*1\r\n:7\r\n", c->out);
	} else if (c->shared->cursor == 0) {
		(void)fputs("$-1\r\n", c->out);
	} else {
		(void)snprintf(text, sizeof text, "%ld",
			       c->shared->cursor + (lie == CURSOR_MOVED ? 5 : 0));
		(void)fprintf(c->out, "$%zu\r\n%s\r\n", strlen(text), text);
	}
}

static void execute(struct client *c, int lie)
{
	unsigned count = c->queued - (lie == SHORT_EXEC);

	c->multi = false;
	if (c->refused > 0) {
		(void)fputs("-EXECABORT\r\n", c->out);
		return;
	}
	if (lie == NO_EXEC || lie == EXEC_IS_TEXT) {
		(void)fputs(lie == NO_EXEC ? "*-1\r\n" : "+OK\r\n", c->out);
		return;
	}
	if (c->wanted >= 0)
		c->shared->cursor = c->wanted;
	c->shared->entries += lie != ENTRY_REFUSED;
	(void)fprintf(c->out, "*%u\r\n", count);
	for (unsigned i = 0; i < count; i++)
		(void)fputs(i == 0 && lie == ENTRY_REFUSED ? "-WRONGTYPE\r\n" : "+OK\r\n", c->out);
}

static void queue(struct client *c, int lie)
{
	c->queued++;
	if (is(c, "SET"))
		c->wanted = strtol(c->word[2], NULL, 10);
	c->refused += lie == QUEUE_REFUSED;
	(void)fputs(lie == QUEUE_REFUSED ? "-OOM\r\n" : "+QUEUED\r\n", c->out);
}

/* id, action, until ("": left out), and whether it is a word. */
static const struct {
	const char *id, *action, *until;
	bool good;
} acks[] = {
    {"a", "ack", "", true},
    {"b", "close", "", true},
    {"c", "suppress", "2027-01-31", true},
    {"d", "suppress", "1893456000", true},	     /* seconds */
    {"e", "suppress", "1893456000000", true},	     /* milliseconds */
    {"f", "suppress", "18446744073709551615", true}, /* beyond any clock */
    {"g", "suppress", "tomorrow", false},
    {"h", "delete", "", false},
    {"", "ack", "", false},
    {"0123456789012345678901234567890123456789", "ack", "", false},
};

#define ACKS (sizeof acks / sizeof acks[0])

static void say_text(struct client *c, const char *text)
{
	(void)fprintf(c->out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void say_all_acks(struct client *c)
{
	(void)fprintf(c->out, "*1\r\n*2\r\n$4\r\nacks\r\n*%zu\r\n", ACKS + 2);
	for (size_t i = 0; i < ACKS; i++) {
		(void)fprintf(c->out, "*2\r\n$3\r\n1-%zu\r\n*8\r\n", i);
		say_text(c, "note"); /* none of ours */
		say_text(c, "x");
		say_text(c, "id");
		say_text(c, acks[i].id);
		say_text(c, "action");
		say_text(c, acks[i].action);
		say_text(c, "until");
		say_text(c, acks[i].until);
	}
	/* A NUL in a name, and an id of an entry that is none. */
	(void)fputs("*2\r\n$3\r\n2-0\r\n*4\r\n$2\r\nid\r\n$3\r\na", c->out);
	(void)fputc(0, c->out);
	(void)fputs("b\r\n$6\r\naction\r\n$3\r\nack\r\n*2\r\n$100\r\n", c->out);
	for (unsigned i = 0; i < 100; i++)
		(void)fputc('9', c->out);
	(void)fputs("\r\n*0\r\n", c->out);
}

static void say_acks(struct client *c, int lie)
{
	if (lie == ACKS_OF_ALL_KINDS)
		say_all_acks(c);
	else if (lie == ACKS_ARE_NO_STREAM)
		(void)fputs("*1\r\n*1\r\n$4\r\nacks\r\n", c->out);
	else if (lie == ACKS_REFUSED)
		(void)fputs("-NOPERM\r\n", c->out);
	else if (lie == ACKS_ARE_STRANGE) /* one that is right, three that are not */
		(void)fputs("*1\r\n*2\r\n$4\r\nacks\r\n*4\r\n"
			    "*2\r\n$3\r\n1-1\r\n*4\r\n$2\r\nid\r\n$1\r\nx\r\n$6\r\naction\r\n"
			    "$3\r\nack\r\n"
			    "*1\r\n$3\r\n1-2\r\n"
			    "*2\r\n$3\r\n1-3\r\n*3\r\n$2\r\nid\r\n$1\r\ny\r\n$6\r\naction\r\n"
			    ":9\r\n",
			    c->out);
	else
		(void)fputs("*-1\r\n", c->out);
}

/* False: it hangs up. */
static bool answer(struct client *c)
{
	int lie = c->shared->lie;

	if (is(c, "MULTI")) {
		c->multi = true;
		c->queued = c->refused = 0;
		c->wanted = -1;
		(void)fputs("+OK\r\n", c->out);
	} else if (is(c, "EXEC")) {
		if (lie == HANGS_UP)
			return false;
		if (lie == HUGE_REPLY)
			(void)fputs("$999999999999\r\n", c->out);
		else if (lie == GARBAGE)
			(void)fputs("\x7f\x45LF\r\n\r\n", c->out);
		else
			execute(c, lie);
	} else if (c->multi) {
		queue(c, lie);
	} else if ((is(c, "SELECT") && lie == NO_SUCH_DATABASE) ||
		   (is(c, "AUTH") && lie == WRONG_PASSWORD) ||
		   (is(c, "SET") && lie == MARK_REFUSED)) {
		(void)fputs("-ERR\r\n", c->out);
	} else if (is(c, "SET")) {
		c->shared->cursor = strtol(c->word[2], NULL, 10);
		(void)fputs("+OK\r\n", c->out);
	} else if (is(c, "GET")) {
		say_cursor(c, lie);
	} else if (is(c, "PING")) {
		const char *text = c->words < 2 ? "PONG" : lie == OTHER_ECHO ? "1" : c->word[1];

		(void)fprintf(c->out, "$%zu\r\n%s\r\n%s", strlen(text), text,
			      lie == UNASKED ? "+surprise\r\n" : "");
	} else if (is(c, "WAIT")) {
		(void)fputs(lie == FEW_REPLICAS	      ? ":0\r\n"
			    : lie == STRANGE_REPLICAS ? ":-1\r\n"
						      : ":1\r\n",
			    c->out);
	} else if (is(c, "XREAD")) {
		say_acks(c, lie);
	} else if (lie == HEARTBEAT_REFUSED) {
		(void)fputs("-NOPERM\r\n", c->out);
	} else {
		(void)fputs("+OK\r\n", c->out);
	}
	return true;
}

static void serve(int listener, struct shared *shared)
{
	(void)signal(SIGPIPE, SIG_IGN); /* the sink hangs up on liars */
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct client c = {
		    .in = fdopen(fd, "r"), .out = fdopen(dup(fd), "w"), .shared = shared};

		if (c.in == NULL || c.out == NULL)
			_exit(1);
		while (read_command(&c) && answer(&c) && fflush(c.out) == 0)
			continue;
		(void)fclose(c.in);
		(void)fclose(c.out);
	}
}

/* ---- the sink ----------------------------------------------------------------------------------
 */

static int listen_to_socket(struct server *s)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)in_folder(s->fixture, "s", s->path);
	(void)snprintf(s->url, sizeof s->url, "unix://%s", s->path);
	(void)snprintf(where.sun_path, sizeof where.sun_path, "%.100s", s->path);
	return bind(listener, (struct sockaddr *)&where, sizeof where) == 0 ? listener : -1;
}

/* On the loopback, with a name, a password and a database. */
static int listen_to_port(struct server *s)
{
	struct sockaddr_in where = {.sin_family = AF_INET};
	socklen_t len = sizeof where;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&where, len) != 0 ||
	    getsockname(listener, (struct sockaddr *)&where, &len) != 0)
		return -1;
	(void)snprintf(s->url, sizeof s->url, "redis://me:secret@127.0.0.1:%u/3",
		       (unsigned)ntohs(where.sin_port));
	return listener;
}

static int server_at(void **state, int (*place)(struct server *s))
{
	struct server *s = calloc(1, sizeof *s);
	struct err err = {0};
	int listener;

	if (s == NULL || fixture_new((void **)&s->fixture) != 0)
		return -1;
	listener = place(s);
	s->shared = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED || listener < 0 || listen(listener, 4) != 0)
		return -1;
	s->pid = fork();
	if (s->pid == 0)
		serve(listener, s->shared);
	(void)close(listener);
	s->sink = calloc(1, redis_sink.state_size);
	s->setup = (struct sink_setup){.options = &s->fixture->options,
				       .target = s->url,
				       .cursor_name = "me",
				       .stats = &s->stats};
	*state = s;
	return redis_sink.open(s->sink, &s->setup, &err);
}

static int server_new(void **state)
{
	return server_at(state, listen_to_socket);
}

static int server_new_tcp(void **state)
{
	return server_at(state, listen_to_port);
}

static int server_free(void **state)
{
	struct server *s = *state;

	redis_sink.close(s->sink);
	free(s->sink);
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)munmap(s->shared, sizeof *s->shared);
	(void)fixture_free((void **)&s->fixture);
	free(s);
	return 0;
}

static enum sink_verdict resume(struct server *s, uint64_t *sequence)
{
	struct err err = {0};
	enum sink_verdict verdict = redis_sink.resume(s->sink, sequence, &err);

	assert_true(verdict == SINK_OK || err.text[0] != '\0');
	return verdict;
}

static enum sink_verdict deliver(struct server *s, uint64_t sequence, unsigned *done)
{
	struct err err = {0};
	struct alert alert;
	struct sink_record record = {sequence, &alert};
	enum sink_verdict verdict;

	make_alert(&alert, sequence, ALERT_OPEN);
	verdict = redis_sink.deliver(s->sink, &record, 1, done, &err);
	assert_true(verdict == SINK_OK || err.text[0] != '\0');
	return verdict;
}

static void is_honest_at_first(void **state)
{
	struct server *s = *state;
	uint64_t sequence = 99;
	unsigned done;

	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(sequence, 0);
	assert_int_equal(deliver(s, 1, &done), SINK_OK);
	assert_int_equal(deliver(s, 2, &done), SINK_OK);
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(sequence, 2);
	assert_int_equal(s->shared->entries, 2);
}

/* While it lies the record does not count; then the cursor says whether it has to be sent again. */
static void lies_about_transactions(void **state)
{
	static const struct {
		enum lie lie;
		bool arrived; /* all the same: it must not be sent again */
	} lies[] = {
	    {SHORT_EXEC, true},	    {NO_EXEC, false},	    {EXEC_IS_TEXT, false},
	    {ENTRY_REFUSED, false}, {QUEUE_REFUSED, false}, {HANGS_UP, false},
	    {HUGE_REPLY, false},    {GARBAGE, false},
	};
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	assert_int_equal(resume(s, &sequence), SINK_OK);
	for (uint64_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		uint64_t last = sequence;

		s->shared->lie = lies[i].lie;
		assert_int_equal(deliver(s, last + 1, &done), SINK_RETRY);
		assert_int_equal(done, 0);
		s->shared->lie = HONEST;
		assert_int_equal(resume(s, &sequence), SINK_OK);
		if (sequence != last + (lies[i].arrived ? 1 : 0))
			fail_msg("lie %d: at %d after %d", (int)lies[i].lie, (int)sequence,
				 (int)last);
		if (!lies[i].arrived) {
			assert_int_equal(deliver(s, last + 1, &done), SINK_OK);
			sequence = last + 1;
		}
		assert_int_equal(s->shared->entries, (long)i + 1); /* once each */
	}
}

/* The record is there; what follows it is a lie: no more is sent on this connection. */
static void lies_afterwards(void **state)
{
	static const enum lie lies[] = {OTHER_ECHO, CURSOR_MOVED, CURSOR_IS_WORDS, CURSOR_IS_LONG,
					CURSOR_IS_LIST};
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	assert_int_equal(resume(s, &sequence), SINK_OK);
	for (uint64_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		s->shared->lie = lies[i];
		assert_int_equal(deliver(s, i + 1, &done), SINK_RETRY);
		assert_int_equal(done, 1);
		s->shared->lie = HONEST;
		assert_int_equal(resume(s, &sequence), SINK_OK);
		assert_int_equal(sequence, i + 1);
	}
	s->shared->lie = UNASKED;
	assert_int_equal(deliver(s, 6, &done), SINK_OK);
	assert_int_equal(deliver(s, 7, &done), SINK_RETRY);
	assert_int_equal(done, 0);
	assert_int_equal(s->shared->entries, 6);
}

static void lies_about_the_cursor(void **state)
{
	static const enum lie lies[] = {CURSOR_IS_WORDS, CURSOR_IS_LONG, CURSOR_IS_EMPTY,
					CURSOR_IS_A_RANGE};
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		s->shared->lie = lies[i];
		assert_int_equal(resume(s, &sequence), SINK_OK);
		assert_true(sequence == UINT64_MAX); /* none of ours */
	}
	s->shared->lie = OTHER_ECHO;
	assert_int_equal(resume(s, &sequence), SINK_RETRY);
	s->shared->lie = HONEST;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(deliver(s, 1, &done), SINK_OK);
}

static void too_few_replicas(void **state)
{
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	s->fixture->options.redis.wait_replicas = 1;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	s->shared->lie = FEW_REPLICAS;
	assert_int_equal(deliver(s, 1, &done), SINK_RETRY);
	assert_int_equal(done, 0);
	assert_int_equal(resume(s, &sequence), SINK_RETRY);
	s->shared->lie = STRANGE_REPLICAS;
	assert_int_equal(resume(s, &sequence), SINK_RETRY);
	s->shared->lie = ENTRY_REFUSED;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(sequence, 1);
	assert_int_equal(deliver(s, 2, &done), SINK_RETRY);
	s->shared->lie = HONEST;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(sequence, 1); /* put back */
}

static void what_is_refused_beside_alerts(void **state)
{
	struct server *s = *state;
	struct heartbeat *beat = calloc(1, sizeof *beat);
	struct soc_word word[4];
	struct err err = {0};
	uint64_t sequence;
	unsigned count, done;

	beat->sensor = "me";
	beat->site = "here";
	beat->version = "0";
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(redis_sink.heartbeat(s->sink, beat, &err), SINK_OK);
	s->shared->lie = HEARTBEAT_REFUSED;
	assert_int_equal(redis_sink.heartbeat(s->sink, beat, &err), SINK_OK);
	s->shared->lie = ACKS_REFUSED;
	assert_int_equal(redis_sink.poll(s->sink, word, 4, &count, &err), SINK_OK);
	assert_int_equal(count, 0);
	s->shared->lie = ACKS_ARE_STRANGE;
	assert_int_equal(redis_sink.poll(s->sink, word, 4, &count, &err), SINK_OK);
	assert_int_equal(count, 1); /* of three entries */
	assert_string_equal(word[0].id, "x");
	s->shared->lie = HONEST;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(deliver(s, 1, &done), SINK_OK);
	s->shared->lie = CURSOR_MOVED;
	assert_int_equal(redis_sink.poll(s->sink, word, 4, &count, &err), SINK_RETRY);
	free(beat);
}

/* The entry was refused and so is putting the cursor back: before that is done it is not believed.
 */
static void a_cursor_that_cannot_be_put_back(void **state)
{
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(deliver(s, 1, &done), SINK_OK);
	s->shared->lie = ENTRY_REFUSED;
	assert_int_equal(deliver(s, 2, &done), SINK_RETRY);
	s->shared->cursor = 2; /* as it was before it could be put back */
	s->shared->lie = MARK_REFUSED;
	(void)resume(s, &sequence);
	s->shared->lie = HONEST;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_true(sequence == 1 || sequence == 2);
}

static void over_tcp_with_name_password_and_database(void **state)
{
	struct server *s = *state;
	uint64_t sequence;
	unsigned done;

	s->shared->lie = WRONG_PASSWORD;
	assert_int_equal(resume(s, &sequence), SINK_RETRY);
	s->shared->lie = NO_SUCH_DATABASE;
	assert_int_equal(resume(s, &sequence), SINK_RETRY);
	s->shared->lie = HONEST;
	assert_int_equal(resume(s, &sequence), SINK_OK);
	assert_int_equal(deliver(s, 1, &done), SINK_OK);
	assert_int_equal(s->shared->entries, 1);
}

static void words_of_all_kinds(void **state)
{
	struct server *s = *state;
	struct soc_word word[ACKS + 2];
	struct err err = {0};
	uint64_t sequence;
	unsigned count, at = 0;

	assert_int_equal(resume(s, &sequence), SINK_OK);
	s->shared->lie = ACKS_ARE_NO_STREAM;
	assert_int_equal(redis_sink.poll(s->sink, word, ACKS, &count, &err), SINK_OK);
	assert_int_equal(count, 0);
	s->shared->lie = ACKS_OF_ALL_KINDS;
	assert_int_equal(redis_sink.poll(s->sink, word, ACKS + 2, &count, &err), SINK_OK);
	for (size_t i = 0; i < ACKS; i++) {
		if (!acks[i].good)
			continue;
		assert_true(at < count);
		assert_string_equal(word[at].id, acks[i].id);
		assert_string_equal(word[at].action, acks[i].action);
		at++;
	}
	assert_int_equal(count, at);
	assert_true(word[0].until_ns == 0);
	assert_true(word[3].until_ns == UINT64_C(1893456000) * NS_PER_SEC);
	assert_true(word[4].until_ns == word[3].until_ns);
	assert_true(word[5].until_ns > UINT64_C(9000000000) * NS_PER_SEC);
	assert_int_equal(redis_sink.poll(s->sink, word, 2, &count, &err),
			 SINK_OK); /* no more room */
	assert_int_equal(count, 2);
	assert_int_equal(redis_sink.poll(s->sink, word, 0, &count, &err), SINK_OK);
	assert_int_equal(count, 0);
}

static void settings_that_cannot_be(void **state)
{
	struct server *s = *state;
	struct sink_setup setup = s->setup;
	struct options options = s->fixture->options;
	char prefix[300];
	struct err err = {0};
	void *sink = calloc(1, redis_sink.state_size);

	memset(prefix, 'p', sizeof prefix - 1);
	prefix[sizeof prefix - 1] = '\0';
	options.redis.prefix = prefix;
	setup.options = &options;
	assert_int_equal(redis_sink.open(sink, &setup, &err), ERR_CONFIG);
	redis_sink.close(sink);
	options.redis.prefix = NULL; /* the usual one */
	memset(sink, 0, redis_sink.state_size);
	assert_int_equal(redis_sink.open(sink, &setup, &err), 0);
	redis_sink.close(sink);
	free(sink);
}

/* Through the whole of delivery, with an outbox of its own: nothing is delivered to a place that
 * says it is nowhere, and the end says why. */
static void a_cursor_that_is_no_number(void **state)
{
	struct server *s = *state;
	const struct delivery_config config = {
	    .options = &s->fixture->options, .cursor_name = "me", .redis_url = s->url};
	struct delivery *d;
	struct err err = {0};

	s->shared->lie = CURSOR_IS_WORDS;
	redis_sink.close(s->sink); /* one connection at a time */
	assert_int_equal(delivery_open(&d, &config, &err), 0);
	submit(d, 1, ALERT_OPEN);
	assert_int_equal(delivery_close(d, NS_PER_SEC / 2, &err), ERR_NOREDIS);
	assert_non_null(strstr(err.text, "the cursor is no number"));
	assert_int_equal(s->shared->entries, 0);
	memset(s->sink, 0, redis_sink.state_size);
	assert_int_equal(redis_sink.open(s->sink, &s->setup, &err), 0);
}

static bool deliver_two(const struct delivery_config *config, struct err *err)
{
	struct delivery *d;
	int code = delivery_open(&d, config, err);

	if (code != 0)
		return false;
	for (uint64_t n = 1; n <= 2; n++)
		submit(d, n, ALERT_OPEN);
	return delivery_close(d, 5 * NS_PER_SEC, err) == 0;
}

/* The same from the outbox to the server: whatever fails on the way, in the end all is there. */
static void each_call_of_delivery_fails(void **state)
{
	struct server *s = *state;
	char outbox[PATH_SIZE];
	const struct delivery_config config = {.options = &s->fixture->options,
					       .cursor_name = "me",
					       .redis_url = s->url,
					       .outbox_file =
						   in_folder(s->fixture, "o.db", outbox)};
	const struct outbox_config own = {.path = outbox, .quota = 1 << 20};
	struct outbox *o;
	struct err err;
	bool good;

	redis_sink.close(s->sink);
	FAULTS_EACH((err = (struct err){0}, good = deliver_two(&config, &err)), hit)
	{
		assert_true(good || (hit && err.text[0] != '\0'));
	}
	assert_int_equal(outbox_open(&o, &own, &err), 0);
	assert_int_equal(s->shared->cursor, outbox_last(o));
	assert_int_equal(outbox_last(o) % 2, 0); /* both or, where it could not be opened, none */
	outbox_close(o);
	memset(s->sink, 0, redis_sink.state_size);
	assert_int_equal(redis_sink.open(s->sink, &s->setup, &err), 0);
}

/* A sink from its beginning to its end: one record, a heartbeat, a look for words. */
static bool live(struct server *s, const struct heartbeat *beat)
{
	struct soc_word word[4];
	struct err err = {0};
	uint64_t sequence = 0;
	unsigned count, done;
	bool good;

	memset(s->sink, 0, redis_sink.state_size);
	good = redis_sink.open(s->sink, &s->setup, &err) == 0 && resume(s, &sequence) == SINK_OK &&
	       deliver(s, sequence + 1, &done) == SINK_OK &&
	       redis_sink.heartbeat(s->sink, beat, &err) == SINK_OK &&
	       redis_sink.poll(s->sink, word, 4, &count, &err) == SINK_OK;
	redis_sink.close(s->sink);
	return good;
}

/* A signal in between, or a socket that was not ready after all: all goes on as if nothing was. */
static void interrupted_calls_cost_nothing(void **state)
{
	static const int errors[] = {EINTR, EAGAIN};
	struct server *s = *state;
	struct heartbeat *beat = calloc(1, sizeof *beat);
	struct err err = {0};
	bool good;

	beat->sensor = "me";
	beat->site = "here";
	beat->version = "0";
	redis_sink.close(s->sink);
	for (unsigned i = 0; i < 2; i++) {
		atomic_store(&fault_error, errors[i]);
		FAULTS_EACH(good = live(s, beat), hit)
		{
			bool harmless = strcmp(fault_name(), "send") == 0 ||
					strcmp(fault_name(), "recv") == 0 ||
					(errors[i] == EINTR && strcmp(fault_name(), "poll") == 0);

			if (!good && (!hit || harmless))
				fail_msg("%s: %s", fault_name(), strerror(errors[i]));
		}
		atomic_store(&fault_error, 0);
	}
	memset(s->sink, 0, redis_sink.state_size); /* for server_free() */
	assert_int_equal(redis_sink.open(s->sink, &s->setup, &err), 0);
	free(beat);
}

/* Whichever call of ours fails, once: no record is lost and none is there twice. */
static void each_call_fails(void **state)
{
	struct server *s = *state;
	struct heartbeat *beat = calloc(1, sizeof *beat);
	struct err err = {0};
	uint64_t sequence;
	unsigned failed = 0;
	bool good;

	beat->sensor = "me";
	beat->site = "here";
	beat->version = "0";
	redis_sink.close(s->sink);
	FAULTS_EACH(good = live(s, beat), hit)
	{
		failed += hit;
		assert_true(good || hit);
		memset(s->sink, 0, redis_sink.state_size);
		assert_int_equal(redis_sink.open(s->sink, &s->setup, &err), 0);
		assert_int_equal(resume(s, &sequence), SINK_OK);
		if (sequence != (uint64_t)s->shared->entries || (good && sequence == 0))
			fail_msg("%s failed: cursor %d, %d entries", fault_name(), (int)sequence,
				 (int)s->shared->entries);
		redis_sink.close(s->sink);
	}
	assert_true(failed > 20);
	memset(s->sink, 0, redis_sink.state_size); /* for server_free() */
	assert_int_equal(redis_sink.open(s->sink, &s->setup, &err), 0);
	free(beat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(is_honest_at_first, server_new, server_free),
	    cmocka_unit_test_setup_teardown(lies_about_transactions, server_new, server_free),
	    cmocka_unit_test_setup_teardown(lies_afterwards, server_new, server_free),
	    cmocka_unit_test_setup_teardown(lies_about_the_cursor, server_new, server_free),
	    cmocka_unit_test_setup_teardown(too_few_replicas, server_new, server_free),
	    cmocka_unit_test_setup_teardown(what_is_refused_beside_alerts, server_new, server_free),
	    cmocka_unit_test_setup_teardown(a_cursor_that_cannot_be_put_back, server_new,
					    server_free),
	    cmocka_unit_test_setup_teardown(over_tcp_with_name_password_and_database,
					    server_new_tcp, server_free),
	    cmocka_unit_test_setup_teardown(words_of_all_kinds, server_new, server_free),
	    cmocka_unit_test_setup_teardown(settings_that_cannot_be, server_new, server_free),
	    cmocka_unit_test_setup_teardown(a_cursor_that_is_no_number, server_new, server_free),
	    cmocka_unit_test_setup_teardown(interrupted_calls_cost_nothing, server_new,
					    server_free),
	    cmocka_unit_test_setup_teardown(each_call_fails, server_new, server_free),
	    cmocka_unit_test_setup_teardown(each_call_of_delivery_fails, server_new, server_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
