/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_url.h - where a Redis is and who we are there.
 *
 * redis://[user[:password]@]host[:port][/db] and unix:///path; user and password may be
 * percent-encoded, an IPv6 address stands in brackets.  rediss:// is refused with a way out.
 * What the URL leaves open comes from redis.username and redis.password_file.
 */
#ifndef SINK_REDIS_URL_H
#define SINK_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"
#include "bulkhead/options.h"

struct redis_target {
	char host[256];
	char path[108];	 /* of a Unix socket; "" TCP (sun_path has room for as much) */
	char label[288]; /* for messages: no user, no password */
	char user[128];	 /* "" the default user */
	char password[512];
	uint16_t port;
	uint32_t db;
};

/* ERR_CONFIG says what is wrong, never the password. */
int redis_target_parse(struct redis_target *target, const char *url, struct err *err)
    __attribute__((warn_unused_result));
/* Fills what the URL left open. */
int redis_target_secrets(struct redis_target *target, const struct options *options,
			 struct err *err) __attribute__((warn_unused_result));

#endif
