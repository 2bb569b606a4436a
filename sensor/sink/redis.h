/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.h - one connection to a Redis: commands out, replies in, within a time.
 *
 * redis.c is the only file that sees hiredis; what we say to Redis is in redis_sink.c.
 *
 * Use: add commands, then take one reply a command with redis_next(), which sends what is
 * pending first.  All of it together, from the first byte sent to the last reply, has
 * REDIS_IO_NS; commands and replies of one such exchange are bounded.  After any failure the
 * connection is closed: nobody knows what the server did, so connect again and ask it.
 *
 * Every argument travels as a counted string (redisFormatCommandArgv): nothing from the wire
 * can become a command.
 *
 * Threads: one at a time.
 */
#ifndef SINK_REDIS_H
#define SINK_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/err.h"
#include "sink/redis_url.h"

#define REDIS_CONNECT_NS (2 * NS_PER_SEC)
#define REDIS_IO_NS (3 * NS_PER_SEC)
#define REDIS_MAX_WORDS 512

struct redis;
struct redis_reply;

struct redis_word {
	const char *text;
	size_t len;
};

enum redis_kind { REDIS_TEXT, REDIS_INTEGER, REDIS_NIL, REDIS_ERROR, REDIS_ARRAY };

/* NULL when memory is short.  target is copied. */
struct redis *redis_new(const struct redis_target *target);
void redis_free(struct redis *redis); /* NULL is fine; wipes the password */

/* Connects if not connected: AUTH, SELECT, PING. */
int redis_connect(struct redis *redis, struct err *err) __attribute__((warn_unused_result));
void redis_disconnect(struct redis *redis);
const char *redis_label(const struct redis *redis);

void redis_add(struct redis *redis, const struct redis_word *word, unsigned count);
/* The next reply, to be freed; an error the server states is a reply (REDIS_ERROR). */
int redis_next(struct redis *redis, struct redis_reply **reply, struct err *err)
    __attribute__((warn_unused_result));
/* The same, where a server's error is an error: closes the connection, err names the server. */
int redis_expect(struct redis *redis, struct redis_reply **reply, struct err *err)
    __attribute__((warn_unused_result));

enum redis_kind redis_reply_kind(const struct redis_reply *reply);
/* Terminated; "" for what is no text. */
const char *redis_reply_text(const struct redis_reply *reply, size_t *len);
int64_t redis_reply_integer(const struct redis_reply *reply); /* 0 for what is none */
size_t redis_reply_count(const struct redis_reply *reply);
const struct redis_reply *redis_reply_item(const struct redis_reply *reply, size_t i);
void redis_reply_free(struct redis_reply *reply); /* NULL is fine */

/* err: "Redis HOST: TEXT", with the server's text made printable. */
int redis_complain(const struct redis *redis, const struct redis_reply *reply, struct err *err);

#endif
