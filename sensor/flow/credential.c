/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.c - the credentials in an HTTP/1 head, as keyed hashes: see secret.h.
 *
 * Only what is one's own by its randomness: a password that a person chose, or a vendor's default,
 * is used by many; a session id or a generated key is not.  Entropy is estimated from the value
 * itself (Shannon's over its characters, times its length), of a Basic credential from its
 * password alone.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "flow/secret.h"

#define ENTROPY_BITS 64	 /* what chance or a guess does not meet (RFC 4086, OWASP session ids) */
#define ENTROPY_CHARS 16 /* n characters have n log2 n bits at most */
#define HEAD_MAX 8192	 /* servers refuse longer ones */
#define LINES_MAX 100
#define VALUE_MAX 1024
#define COOKIES_MAX 32

struct span {
	const uint8_t *at;
	size_t len;
};

static bool begins(struct span s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && strncasecmp((const char *)s.at, word, len) == 0;
}

static struct span trim(struct span s)
{
	while (s.len > 0 && (*s.at == ' ' || *s.at == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t' ||
			     s.at[s.len - 1] == '\r' || s.at[s.len - 1] == '"'))
		s.len--;
	if (s.len > 0 && *s.at == '"') {
		s.at++;
		s.len--;
	}
	return s;
}

/* Takes what is before the mark off s; false, with nothing taken, when there is no mark. */
static bool cut(struct span *s, uint8_t mark, struct span *out)
{
	const uint8_t *end = s->len == 0 ? NULL : memchr(s->at, mark, s->len);

	if (end == NULL)
		return false;
	*out = (struct span){.at = s->at, .len = (size_t)(end - s->at)};
	s->len -= out->len + 1;
	s->at = end + 1;
	return true;
}

static bool is_random(struct span s)
{
	uint16_t count[256] = {0};
	double bits = 0;

	if (s.len < ENTROPY_CHARS || s.len > VALUE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		count[s.at[i]]++;
	for (size_t i = 0; i < s.len; i++) {
		uint16_t n = count[s.at[i]];

		if (n > 0) /* once for all of this byte */
			bits -= n * log2((double)n / (double)s.len);
		count[s.at[i]] = 0;
	}
	return bits >= ENTROPY_BITS;
}

static unsigned add(struct secret *out, unsigned found, enum secret_kind kind, struct span s,
		    const struct hash_key *key)
{
	struct hash128 hash;

	if (found == SECRETS_A_PACKET)
		return found;
	hash = hash128(key, s.at, s.len);
	/* A cookie that is sent is the one that was set. */
	out[found] = (struct secret){
	    .kind = (uint8_t)kind,
	    .lo = hash.lo ^ (kind == SECRET_COOKIE_SET ? (uint64_t)SECRET_COOKIE : kind),
	    .hi = hash.hi};
	return found + 1;
}

static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static unsigned basic(struct span s, const struct hash_key *key, struct secret *out, unsigned found)
{
	uint8_t text[VALUE_MAX];
	struct span password, user;
	unsigned bits = 0, have = 0;
	size_t len = 0;

	for (size_t i = 0; i < s.len && s.at[i] != '=' && len < sizeof text; i++) {
		int digit = digit_of(s.at[i]);

		if (digit < 0)
			return found;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			text[len++] = (uint8_t)(bits >> have);
		}
	}
	password = (struct span){.at = text, .len = len};
	if (!cut(&password, ':', &user) || !is_random(password))
		return found;
	return add(out, found, SECRET_BASIC, (struct span){.at = text, .len = len}, key);
}

static unsigned authorization(struct span s, const struct hash_key *key, struct secret *out,
			      unsigned found)
{
	if (begins(s, "basic ")) {
		s.at += 6;
		s.len -= 6;
		return basic(trim(s), key, out, found);
	}
	if (!begins(s, "bearer "))
		return found;
	s.at += 7;
	s.len -= 7;
	s = trim(s);
	return is_random(s) ? add(out, found, SECRET_BEARER, s, key) : found;
}

static bool contains(struct span s, const char *word)
{
	while (s.len >= strlen(word)) {
		if (begins(s, word))
			return true;
		s.at++;
		s.len--;
	}
	return false;
}

/* Consent, preferences and campaigns are the same at many clients; what opens a session is not. */
static bool is_session(struct span name)
{
	static const char *const words[] = {"sess", "sid", "auth", "token", "jwt", "login"};

	if (contains(name, "csrf") || contains(name, "xsrf"))
		return false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (contains(name, words[i]))
			return true;
	return false;
}

static unsigned cookies(struct span s, enum secret_kind kind, const struct hash_key *key,
			struct secret *out, unsigned found)
{
	for (unsigned n = 0; n < COOKIES_MAX && s.len > 0; n++) {
		struct span pair = s, name, value;

		if (!cut(&s, ';', &pair))
			s.len = 0;
		pair = trim(pair);
		value = pair;
		if (cut(&value, '=', &name) && is_session(name) && is_random(trim(value)))
			found = add(out, found, kind, pair, key);
		if (kind == SECRET_COOKIE_SET)
			break; /* attributes follow */
	}
	return found;
}

static bool is_request(struct span line)
{
	for (size_t i = 0; i + 8 < line.len; i++)
		if (memcmp(line.at + i, " HTTP/1.", 8) == 0)
			return true;
	return false;
}

unsigned secret_of_http(const uint8_t *data, size_t len, const struct hash_key *key,
			struct secret out[static SECRETS_A_PACKET])
{
	struct span text = {.at = data, .len = len < HEAD_MAX ? len : HEAD_MAX};
	struct span line, name;
	unsigned found = 0;
	bool response;

	if (!cut(&text, '\n', &line))
		return 0;
	response = begins(line, "HTTP/1.");
	if (!response && !is_request(line))
		return 0;
	/* A line whose end is not in the packet would give a hash of half a value. */
	for (unsigned n = 0; n < LINES_MAX && cut(&text, '\n', &line); n++) {
		if (line.len <= 1)
			break;
		if (!cut(&line, ':', &name))
			continue;
		line = trim(line);
		if (response && name.len == 10 && begins(name, "set-cookie"))
			found = cookies(line, SECRET_COOKIE_SET, key, out, found);
		else if (!response && name.len == 6 && begins(name, "cookie"))
			found = cookies(line, SECRET_COOKIE, key, out, found);
		else if (!response && ((name.len == 13 && begins(name, "authorization")) ||
				       (name.len == 19 && begins(name, "proxy-authorization"))))
			found = authorization(line, key, out, found);
	}
	return found;
}
