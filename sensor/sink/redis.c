/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.c - see redis.h.
 *
 * hiredis connects, formats commands and reads replies.  Sending and receiving is ours: hiredis
 * 0.14 times out each system call but never a whole exchange, writes without MSG_NOSIGNAL, and
 * feeds its reader without a bound.
 */
#include "sink/redis.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "bulkhead/clock.h"
#include "sink/resp_guard.h"

#define READ_SIZE 16384

struct redis {
	struct redis_target target;
	redisContext *context; /* NULL: not connected */
	struct resp_guard guard;
	char *out; /* commands not yet sent */
	size_t out_len, out_size;
	uint64_t deadline; /* of the exchange under way, monotonic */
	unsigned unsent;   /* commands in out */
	unsigned owed;	   /* replies to commands already sent */
	bool lost_command; /* memory was short: what was to be sent is incomplete */
};

struct redis *redis_new(const struct redis_target *target)
{
	struct redis *r = calloc(1, sizeof *r);

	if (r != NULL)
		r->target = *target;
	return r;
}

void redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	redis_disconnect(r);
	explicit_bzero(&r->target, sizeof r->target);
	free(r->out);
	free(r);
}

const char *redis_label(const struct redis *r)
{
	return r->target.label;
}

void redis_disconnect(struct redis *r)
{
	if (r->context != NULL)
		redisFree(r->context);
	r->context = NULL;
	r->out_len = 0;
	r->unsent = r->owed = 0;
	r->lost_command = false;
}

static int broken(struct redis *r, struct err *err, const char *why)
{
	(void)err_set(err, ERR_RUN, "Redis %s: %s", r->target.label, why);
	redis_disconnect(r);
	return ERR_RUN;
}

/* ---- commands ------------------------------------------------------------------------------ */

static bool reserve(struct redis *r, size_t len)
{
	size_t size = r->out_size == 0 ? READ_SIZE : r->out_size;
	char *out;

	while (size - r->out_len < len)
		size *= 2;
	if (size == r->out_size)
		return true;
	out = realloc(r->out, size);
	if (out == NULL)
		return false;
	r->out = out;
	r->out_size = size;
	return true;
}

void redis_add(struct redis *r, const struct redis_word *word, unsigned count)
{
	const char *argv[REDIS_MAX_WORDS];
	size_t argvlen[REDIS_MAX_WORDS];
	char *command = NULL;
	int len;

	assert(count <= REDIS_MAX_WORDS);
	for (unsigned i = 0; i < count; i++) {
		argv[i] = word[i].text;
		argvlen[i] = word[i].len;
	}
	len = redisFormatCommandArgv(&command, (int)count, argv, argvlen);
	if (len < 0 || !reserve(r, (size_t)len)) {
		r->lost_command = true;
	} else {
		memcpy(r->out + r->out_len, command, (size_t)len);
		r->out_len += (size_t)len;
		r->unsent++;
	}
	redisFreeCommand(command);
}

/* ---- waiting, sending, receiving ----------------------------------------------------------- */

/* Waits for events until the exchange's deadline. */
static int wait_for(struct redis *r, short events, struct err *err)
{
	struct pollfd fd = {.fd = r->context->fd, .events = events};
	uint64_t now = clock_monotonic();
	int ready = -1;

	if (now < r->deadline)
		ready = poll(&fd, 1, (int)((r->deadline - now) / NS_PER_MS) + 1);
	if (ready > 0 || (ready < 0 && now < r->deadline && errno == EINTR))
		return 0;
	return broken(r, err, "no answer within the time");
}

static int send_all(struct redis *r, struct err *err)
{
	size_t at = 0;

	r->deadline = clock_monotonic() + REDIS_IO_NS;
	resp_guard_exchange(&r->guard);
	if (r->lost_command)
		return broken(r, err, "out of memory");
	/* An extra reply would make every later one answer the question before it. */
	if (r->owed == 0 && r->context->reader->len > r->context->reader->pos)
		return broken(r, err, "it answered what nobody asked");
	while (at < r->out_len) {
		ssize_t n =
		    send(r->context->fd, r->out + at, r->out_len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (wait_for(r, POLLOUT, err) != 0)
				return ERR_RUN;
		} else {
			return broken(r, err, strerror(errno));
		}
	}
	r->out_len = 0;
	r->owed += r->unsent;
	r->unsent = 0;
	return 0;
}

static int receive(struct redis *r, struct err *err)
{
	char data[READ_SIZE];
	const char *wrong;
	ssize_t n;

	if (wait_for(r, POLLIN, err) != 0)
		return ERR_RUN;
	n = recv(r->context->fd, data, sizeof data, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return broken(r, err, strerror(errno));
	if (n == 0)
		return broken(r, err, "the server closed the connection");
	wrong = resp_guard_feed(&r->guard, data, (size_t)n);
	if (wrong != NULL) {
		(void)err_set(err, ERR_RUN, "Redis %s: its answer makes no sense: %s",
			      r->target.label, wrong);
		redis_disconnect(r);
		return ERR_RUN;
	}
	if (redisReaderFeed(r->context->reader, data, (size_t)n) != REDIS_OK)
		return broken(r, err, "its answer cannot be read");
	return 0;
}

int redis_next(struct redis *r, struct redis_reply **reply, struct err *err)
{
	void *got = NULL;

	*reply = NULL;
	if (r->context == NULL)
		return err_set(err, ERR_RUN, "Redis %s: not connected", r->target.label);
	if ((r->out_len > 0 || r->lost_command) && send_all(r, err) != 0)
		return ERR_RUN;
	assert(r->owed > 0);
	for (;;) {
		if (redisReaderGetReply(r->context->reader, &got) != REDIS_OK)
			return broken(r, err, "its answer cannot be read");
		if (got != NULL)
			break;
		if (receive(r, err) != 0)
			return ERR_RUN;
	}
	r->owed--;
	*reply = got;
	return 0;
}

int redis_expect(struct redis *r, struct redis_reply **reply, struct err *err)
{
	int code = redis_next(r, reply, err);

	if (code != 0 || redis_reply_kind(*reply) != REDIS_ERROR)
		return code;
	(void)redis_complain(r, *reply, err);
	redis_reply_free(*reply);
	*reply = NULL;
	redis_disconnect(r);
	return ERR_RUN;
}

/* ---- connecting ---------------------------------------------------------------------------- */

static struct redis_word word_of(const char *text)
{
	return (struct redis_word){text, strlen(text)};
}

/* Sends one command and throws its answer away. */
static int command(struct redis *r, const struct redis_word *word, unsigned count, struct err *err)
{
	struct redis_reply *reply;
	int code;

	redis_add(r, word, count);
	code = redis_expect(r, &reply, err);
	redis_reply_free(reply);
	return code;
}

static int authenticate(struct redis *r, struct err *err)
{
	struct redis_word word[3] = {word_of("AUTH")};
	unsigned n = 1;
	int code;

	if (r->target.password[0] == '\0')
		return 0;
	if (r->target.user[0] != '\0')
		word[n++] = word_of(r->target.user);
	word[n++] = word_of(r->target.password);
	code = command(r, word, n, err);
	if (r->out != NULL)
		explicit_bzero(r->out, r->out_size);
	return code;
}

static int greet(struct redis *r, struct err *err)
{
	char db[12];

	if (authenticate(r, err) != 0)
		return ERR_RUN;
	if (r->target.db != 0) {
		(void)snprintf(db, sizeof db, "%u", r->target.db);
		if (command(r, (struct redis_word[]){word_of("SELECT"), word_of(db)}, 2, err) != 0)
			return ERR_RUN;
	}
	/* A frozen server still accepts connections; only an answer proves it alive. */
	return command(r, (struct redis_word[]){word_of("PING")}, 1, err);
}

int redis_connect(struct redis *r, struct err *err)
{
	const struct timeval limit = {.tv_sec = REDIS_CONNECT_NS / NS_PER_SEC};
	const struct redis_target *t = &r->target;

	if (r->context != NULL)
		return 0;
	r->context = t->path[0] != '\0' ? redisConnectUnixWithTimeout(t->path, limit)
					: redisConnectWithTimeout(t->host, t->port, limit);
	if (r->context == NULL)
		return err_set(err, ERR_RUN, "Redis %s: out of memory", t->label);
	if (r->context->err != 0) {
		(void)err_set(err, ERR_RUN, "Redis %s: %s", t->label, r->context->errstr);
		redis_disconnect(r);
		return ERR_RUN;
	}
	resp_guard_init(&r->guard);
	return greet(r, err);
}

/* ---- replies ------------------------------------------------------------------------------- */

static const redisReply *raw(const struct redis_reply *reply)
{
	return (const redisReply *)(const void *)reply;
}

enum redis_kind redis_reply_kind(const struct redis_reply *reply)
{
	switch (raw(reply)->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_TEXT;
	case REDIS_REPLY_INTEGER:
		return REDIS_INTEGER;
	case REDIS_REPLY_ERROR:
		return REDIS_ERROR;
	case REDIS_REPLY_ARRAY:
		return REDIS_ARRAY;
	default:
		return REDIS_NIL;
	}
}

const char *redis_reply_text(const struct redis_reply *reply, size_t *len)
{
	enum redis_kind kind = redis_reply_kind(reply);
	bool has_text = (kind == REDIS_TEXT || kind == REDIS_ERROR) && raw(reply)->str != NULL;

	if (len != NULL)
		*len = has_text ? (size_t)raw(reply)->len : 0;
	return has_text ? raw(reply)->str : "";
}

int64_t redis_reply_integer(const struct redis_reply *reply)
{
	return raw(reply)->type == REDIS_REPLY_INTEGER ? raw(reply)->integer : 0;
}

size_t redis_reply_count(const struct redis_reply *reply)
{
	return raw(reply)->type == REDIS_REPLY_ARRAY ? (size_t)raw(reply)->elements : 0;
}

const struct redis_reply *redis_reply_item(const struct redis_reply *reply, size_t i)
{
	assert(i < redis_reply_count(reply));
	return (const struct redis_reply *)(const void *)raw(reply)->element[i];
}

void redis_reply_free(struct redis_reply *reply)
{
	if (reply != NULL)
		freeReplyObject(reply);
}

int redis_complain(const struct redis *r, const struct redis_reply *reply, struct err *err)
{
	char text[200];
	size_t len;
	const char *said = redis_reply_text(reply, &len);

	(void)text_sanitise(text, sizeof text, said, len < 160 ? len : 160);
	return err_set(err, ERR_RUN, "Redis %s: %s", r->target.label, text);
}
