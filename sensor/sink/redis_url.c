/* SPDX-License-Identifier: Apache-2.0 */
/* redis_url.c - see redis_url.h. */
#include "sink/redis_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/sink.h"

#define DEFAULT_PORT 6379

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c | 0x20); /* never its end */

	return at == NULL ? -1 : (int)(at - digits);
}

/* Percent-decodes [text, end) into out; false when it does not fit or is not well formed. */
static bool decode(const char *text, const char *end, char *out, size_t size)
{
	size_t len = 0;

	while (text < end) {
		int c = (unsigned char)*text++;

		if (c == '%') {
			if (end - text < 2 || hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
				return false;
			c = hex_digit(text[0]) << 4 | hex_digit(text[1]);
			text += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return true;
}

/* A decimal number that fills [text, end) and is at most max. */
static bool whole_number(const char *text, const char *end, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

static int parse_credentials(struct redis_target *t, const char *text, size_t len, struct err *err)
{
	const char *end = text + len;
	const char *colon = memchr(text, ':', len);
	const char *user_end = colon == NULL ? end : colon;

	if (!decode(text, user_end, t->user, sizeof t->user))
		return err_set(err, ERR_CONFIG, "Redis URL: the user is too long or badly encoded");
	if (colon != NULL && !decode(colon + 1, end, t->password, sizeof t->password))
		return err_set(err, ERR_CONFIG,
			       "Redis URL: the password is too long or badly percent-encoded");
	return 0;
}

static int parse_host(struct redis_target *t, const char *text, const char *end, struct err *err)
{
	const char *host = text, *host_end, *colon;
	uint32_t port = DEFAULT_PORT;

	if (text < end && *text == '[') {
		host++;
		host_end = host + strcspn(host, "]/");
		if (*host_end != ']')
			return err_set(err, ERR_CONFIG, "Redis URL: '[' without ']'");
		colon = host_end + 1;
	} else {
		colon = text + strcspn(text, ":/");
		host_end = colon;
	}
	if (colon < end &&
	    (*colon != ':' || !whole_number(colon + 1, end, 65535, &port) || port == 0))
		return err_set(err, ERR_CONFIG, "Redis URL: the port must be 1 to 65535");
	if (host_end == host || (size_t)(host_end - host) >= sizeof t->host)
		return err_set(err, ERR_CONFIG,
			       "Redis URL: it names no host; redis://HOST[:PORT][/DB]");
	memcpy(t->host, host, (size_t)(host_end - host));
	t->port = (uint16_t)port;
	(void)snprintf(t->label, sizeof t->label, "%s:%u", t->host, port);
	return 0;
}

static int parse_tcp(struct redis_target *t, const char *rest, struct err *err)
{
	const char *end = rest + strlen(rest);
	const char *slash = strchr(rest, '/');
	const char *authority_end = slash == NULL ? end : slash;
	const char *at = memrchr(rest, '@', (size_t)(authority_end - rest));

	if (slash != NULL && slash + 1 < end && !whole_number(slash + 1, end, INT32_MAX, &t->db))
		return err_set(err, ERR_CONFIG,
			       "Redis URL: behind the host only the number of a database may "
			       "stand; a '/' in a password is written %%2F");
	if (at != NULL && parse_credentials(t, rest, (size_t)(at - rest), err) != 0)
		return err->code;
	return parse_host(t, at == NULL ? rest : at + 1, authority_end, err);
}

int redis_target_parse(struct redis_target *t, const char *url, struct err *err)
{
	memset(t, 0, sizeof *t);
	if (strncmp(url, "redis://", 8) == 0)
		return parse_tcp(t, url + 8, err);
	if (strncmp(url, "rediss://", 9) == 0)
		return err_set(err, ERR_CONFIG,
			       "Redis URL: rediss:// needs TLS, which hiredis of Debian 12 (0.14) "
			       "has not; use a Unix socket (unix:///run/redis/redis.sock) or "
			       "stunnel in front of it (redis://127.0.0.1:6379)");
	if (strncmp(url, "unix:///", 8) == 0) {
		if (strlen(url + 7) >= sizeof t->path)
			return err_set(err, ERR_CONFIG, "Redis URL: the socket's path is too long");
		(void)snprintf(t->path, sizeof t->path, "%s", url + 7);
		(void)snprintf(t->label, sizeof t->label, "%s", t->path);
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		       "Redis URL: it must start with redis:// or unix:///; "
		       "redis://[user[:password]@]host[:port][/db]");
}

/* The first line of the file. */
int redis_check_url(const char *url, struct err *err)
{
	struct redis_target target;
	int code = redis_target_parse(&target, url, err);

	explicit_bzero(&target, sizeof target);
	return code;
}

static int read_password(const char *path, char *out, size_t size, struct err *err)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return err_set(err, ERR_CONFIG, "redis.password_file %s: %s", path,
			       strerror(errno));
	len = fread(out, 1, size, file);
	(void)fclose(file);
	if (len == size)
		return err_set(err, ERR_CONFIG, "redis.password_file %s: longer than %zu bytes",
			       path, size - 1);
	out[len] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	if (out[0] == '\0')
		return err_set(err, ERR_CONFIG, "redis.password_file %s: it is empty", path);
	return 0;
}

int redis_target_secrets(struct redis_target *t, const struct options *options, struct err *err)
{
	const char *user = options->redis.username, *file = options->redis.password_file;

	if (t->user[0] == '\0' && t->password[0] == '\0' && user != NULL) {
		if (strlen(user) >= sizeof t->user)
			return err_set(err, ERR_CONFIG, "redis.username: too long");
		(void)snprintf(t->user, sizeof t->user, "%s", user);
	}
	if (t->password[0] != '\0' || file == NULL || file[0] == '\0')
		return 0;
	return read_password(file, t->password, sizeof t->password, err);
}
