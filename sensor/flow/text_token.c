/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_token.c - tokens of HTTP request heads and of SIP messages.
 *
 * HTTP has no nonce, so the head itself is the token, and it must come out the same on both sides
 * of a proxy.  Proxies add fields (Via, X-Forwarded-For, Forwarded, request ids), drop and add
 * what is hop by hop (Connection, Keep-Alive, Proxy-*, TE, Upgrade), change the version, write
 * names in another case and another order, and turn the absolute form of a target into its path.
 * Hence: the method, the path, and a list of fields that belong to the ends (RFC 9110 section 7.6.1
 * leaves them alone), added up so that their order does not matter.  Host is among them: without
 * it every "GET /" of one client program would look alike.  Reverse proxies put another in its
 * place, so a request with a value that is one client's own has a token without it, too.
 *
 * Some proxies write the head in several pieces (tinyproxy: a segment a field) or leave out what
 * tells the client's program.  So method, path and host, which come first and have to stay, are a
 * token as well; without a Host field there is none.
 *
 * What tells a request from those of others is a value of its own: a session, an order's number, a
 * validator.  Checks of health have none, and many say them at the same time.
 *
 * An answer is known by what its server made for it: the time at which its file was changed, a
 * session, or a body that others would not send by chance.  What a page's checks say ("status":
 * "up") is none of these, nor an ETag, which many make of the body and who packs it changes.
 *
 * SIP: each proxy puts its own Via in front and keeps those before it (RFC 3261 section 16.6),
 * so the branches of the first three are three tokens, one of which the next leg shares.  Answers
 * repeat the request's (section 8.2.6.2) and lead back to who asked: they have none.
 */
#include "flow/text_token.h"

#include <string.h>
#include <strings.h>

#include "base/hash.h"

#define HTTP_STATUS_END 12 /* "HTTP/1.1 200" */
#define HTTP_MIN_HEAD 60   /* a shorter head is likely to be said by others as well */
#define TEXT_MAX 4096	   /* of a head we read */
#define TEXT_MAX_LINES 64
#define FIELD_MAX 512 /* of a value that is hashed */
/* A run of letters and digits as identifiers are and words are not; a date has eight digits. */
#define RARE_CHARS 10
#define RARE_DIGITS 3
#define SIP_RANDOM_CHARS 16 /* 4 bits each at least: 64 bits */

struct line {
	const char *at;
	size_t len;
};

/* Takes the next line, without its end, off text; false at the end or when it is not complete. */
static bool next_line(struct line *text, struct line *out)
{
	const char *end = text->len == 0 ? NULL : memchr(text->at, '\n', text->len);

	if (end == NULL)
		return false;
	out->at = text->at;
	out->len = (size_t)(end - text->at);
	text->len -= out->len + 1;
	text->at = end + 1;
	if (out->len > 0 && out->at[out->len - 1] == '\r')
		out->len--;
	return true;
}

static bool starts(struct line text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

/* Splits "Name: value"; value without white space around it. */
static bool split_field(struct line line, struct line *name, struct line *value)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (colon == NULL || colon == line.at)
		return false;
	name->at = line.at;
	name->len = (size_t)(colon - line.at);
	value->at = colon + 1;
	value->len = line.len - name->len - 1;
	while (value->len > 0 && (*value->at == ' ' || *value->at == '\t')) {
		value->at++;
		value->len--;
	}
	while (value->len > 0 &&
	       (value->at[value->len - 1] == ' ' || value->at[value->len - 1] == '\t'))
		value->len--;
	return true;
}

static bool is_named(struct line name, struct line word)
{
	return name.len == word.len && strncasecmp(name.at, word.at, name.len) == 0;
}

#define WORD(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* Fields of the two ends, which a proxy passes on as they are. */
static const struct line end_to_end[] = {
    WORD("Host"),
    WORD("User-Agent"),
    WORD("Cookie"),
    WORD("Authorization"),
    WORD("Referer"),
    WORD("Accept"),
    WORD("Origin"),
    WORD("Content-Type"),
    WORD("Range"),
    WORD("If-None-Match"),
    WORD("If-Modified-Since"),
    WORD("Accept-Language"),
    WORD("X-Api-Key"),
    WORD("SOAPAction"),
    WORD("Depth"),
    WORD("Sec-WebSocket-Key"),
};

/* Which of them may bear a value of this one request's: Cookie, Referer, If-None-Match and
 * Sec-WebSocket-Key.  A key that many agents share is none. */
#define RARE_FIELDS (1u << 2 | 1u << 4 | 1u << 9 | 1u << 15)
/* ... and which are one client's own, whatever it asks for: Cookie and Sec-WebSocket-Key. */
#define OWN_FIELDS (1u << 2 | 1u << 15)

static bool is_rare(struct line part)
{
	unsigned run = 0, digits = 0;

	for (size_t i = 0; i < part.len; i++) {
		char c = part.at[i];
		bool digit = c >= '0' && c <= '9';

		if (!digit && !((c | 32) >= 'a' && (c | 32) <= 'z')) {
			run = 0;
			digits = 0;
			continue;
		}
		run++;
		digits += digit;
		if (run >= RARE_CHARS && digits >= RARE_DIGITS)
			return true;
	}
	return false;
}

struct http_sum {
	struct hash128 sum;
	struct hash128 target; /* as far as the host */
	struct hash128 host;   /* its part in both */
	size_t bytes;
	bool has_host;
	bool rare_path, rare, own;
};

/* which tells parts apart: 0 is the request line, above it the field's place in the list. */
static void http_add(struct http_sum *http, const struct hash_key *key, unsigned which,
		     struct line part)
{
	struct hash128 h;

	if (part.len > FIELD_MAX)
		part.len = FIELD_MAX;
	h = hash128(key, part.at, part.len);
	http->sum.lo += (h.lo ^ which) * UINT64_C(0x9e3779b97f4a7c15);
	http->sum.hi += (h.hi ^ which) * UINT64_C(0xc2b2ae3d27d4eb4f);
	http->bytes += part.len;
}

/* Host is compared without case and without the port that the scheme implies. */
static void http_add_host(struct http_sum *http, const struct hash_key *key, struct line value)
{
	struct http_sum host_only = {.bytes = 0};
	char host[256];
	struct line lower = {.at = host};

	for (; lower.len < value.len && lower.len < sizeof host; lower.len++) {
		char c = value.at[lower.len];

		host[lower.len] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	if (lower.len > 3 && memcmp(host + lower.len - 3, ":80", 3) == 0)
		lower.len -= 3;
	http_add(&host_only, key, 1, lower);
	http_add(http, key, 1, lower);
	http->host.lo += host_only.sum.lo;
	http->host.hi += host_only.sum.hi;
	http->has_host |= lower.len > 0;
}

static void http_add_field(struct http_sum *http, const struct hash_key *key, struct line line)
{
	struct line name, value;

	if (!split_field(line, &name, &value))
		return;
	if (is_named(name, end_to_end[0])) {
		http_add_host(http, key, value);
		return;
	}
	for (unsigned i = 1; i < sizeof end_to_end / sizeof end_to_end[0]; i++)
		if (is_named(name, end_to_end[i])) {
			http_add(http, key, i + 1, value);
			http->rare |= (RARE_FIELDS & 1u << i) != 0 && is_rare(value);
			http->own |= (OWN_FIELDS & 1u << i) != 0 && is_rare(value);
		}
}

/* The path of "METHOD target HTTP/1.x"; a target in absolute form loses scheme and host. */
static bool http_target(struct line line, struct line *method, struct line *path)
{
	const char *space = memchr(line.at, ' ', line.len);
	const char *version;

	if (space == NULL)
		return false;
	method->at = line.at;
	method->len = (size_t)(space - line.at);
	path->at = space + 1;
	path->len = line.len - method->len - 1;
	version = memrchr(path->at, ' ', path->len);
	if (version == NULL ||
	    !starts((struct line){version, line.len - (size_t)(version - line.at)}, " HTTP/1."))
		return false;
	path->len = (size_t)(version - path->at);
	if (starts(*path, "http://")) {
		const char *slash = memchr(path->at + 7, '/', path->len - 7);

		if (slash == NULL)
			*path = (struct line){"/", 1};
		else
			*path = (struct line){slash, path->len - (size_t)(slash - path->at)};
	}
	return true;
}

static void http_put(struct token *out, enum token_kind kind, const struct hash128 *sum,
		     size_t bytes, bool rare)
{
	*out = (struct token){.kind = (uint8_t)kind,
			      .rare = rare,
			      .bytes = (uint16_t)bytes,
			      .lo = sum->lo,
			      .hi = sum->hi};
}

static unsigned http_tokens(struct line text, const struct hash_key *key, struct token *out)
{
	struct http_sum http = {.bytes = 0};
	struct line whole = text, line, method, path;
	unsigned lines = 0, count = 0;

	if (!next_line(&text, &line) || !http_target(line, &method, &path))
		return 0;
	http_add(&http, key, 0, method);
	http_add(&http, key, 0, path);
	http.rare_path = is_rare(path);
	http.target = http.sum;
	while (lines++ < TEXT_MAX_LINES && next_line(&text, &line) && line.len > 0)
		http_add_field(&http, key, line);
	if (whole.len - text.len >= HTTP_MIN_HEAD)
		http_put(&out[count++], TOKEN_HTTP_HEAD, &http.sum, http.bytes,
			 http.rare_path || http.rare);
	/* Other number spaces than the head's: of a request without other fields all are one. */
	http.target.lo += http.host.lo;
	http.target.hi = (http.target.hi + http.host.hi) ^ TOKEN_HTTP_TARGET;
	http.sum.lo -= http.host.lo;
	http.sum.hi = (http.sum.hi - http.host.hi) ^ TOKEN_HTTP_REQUEST;
	if (http.own)
		http_put(&out[count++], TOKEN_HTTP_REQUEST, &http.sum, http.bytes, true);
	if (http.has_host)
		http_put(&out[count++], TOKEN_HTTP_TARGET, &http.target, http.bytes,
			 http.rare_path);
	return count;
}

/* ---- answers --------------------------------------------------------------------------------- */

struct http_answer {
	struct line changed, session;
	uint32_t length; /* and one */
	bool chunked, packed;
};

/* Up to nine digits, and nothing else. */
static bool number_of(struct line text, uint32_t *number)
{
	*number = 0;
	if (text.len == 0 || text.len > 9)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		*number = *number * 10 + (uint32_t)(text.at[i] - '0');
	}
	return true;
}

static struct line until(struct line value, char mark)
{
	const char *end = value.len == 0 ? NULL : memchr(value.at, mark, value.len);

	return end == NULL ? value : (struct line){value.at, (size_t)(end - value.at)};
}

static void answer_field(struct http_answer *answer, struct line line)
{
	static const struct line changed = WORD("Last-Modified"), cookie = WORD("Set-Cookie"),
				 coding = WORD("Transfer-Encoding"),
				 packing = WORD("Content-Encoding"),
				 length = WORD("Content-Length");
	struct line name, value;
	uint32_t bytes;

	if (!split_field(line, &name, &value))
		return;
	if (is_named(name, changed))
		answer->changed = value;
	else if (is_named(name, cookie) && is_rare(until(value, ';')))
		answer->session = until(value, ';');
	else if (is_named(name, coding))
		answer->chunked = true;
	else if (is_named(name, packing))
		answer->packed = true;
	else if (is_named(name, length) && number_of(value, &bytes))
		answer->length = bytes + 1;
}

/* What a body bears: of a chunked one the first chunk. */
static struct line body_of(struct line text, bool chunked)
{
	struct line line;
	size_t size = 0;

	if (!chunked)
		return text;
	if (!next_line(&text, &line) || line.len == 0 || line.len > 6)
		return (struct line){text.at, 0};
	for (size_t i = 0; i < line.len; i++) {
		char c = line.at[i] | 32;

		if (!(c >= 'a' && c <= 'f') && !(line.at[i] >= '0' && line.at[i] <= '9'))
			return (struct line){text.at, 0};
		size = size * 16 + (size_t)(c >= 'a' ? c - 'a' + 10 : line.at[i] - '0');
	}
	return (struct line){text.at, size < text.len ? size : text.len};
}

/* As payload that stands alone: one side may send head and body apart. */
static bool body_token(struct line body, const struct hash_key *key, enum token_kind kind,
		       struct token *out, bool *own)
{
	if (!token_of_bytes((const uint8_t *)body.at, body.len, key, out))
		return false;
	out->kind = (uint8_t)kind;
	*own = out->random || is_rare((struct line){body.at, out->bytes});
	out->random = false; /* a file's bytes are, and everybody fetches it */
	return true;
}

static bool own_token(struct line text, bool whole, const struct http_answer *answer,
		      const struct hash_key *key, struct token *out)
{
	bool dated = answer->changed.len > 0, own = false;
	struct http_sum sum = {.bytes = 0};

	if (dated || answer->session.len > 0) {
		http_add(&sum, key, dated ? 1 : 2, dated ? answer->changed : answer->session);
		sum.sum.hi ^= TOKEN_HTTP_ANSWER;
		http_put(out, TOKEN_HTTP_ANSWER, &sum.sum, sum.bytes, !dated);
		return true;
	}
	return whole &&
	       body_token(body_of(text, answer->chunked), key, TOKEN_HTTP_ANSWER, out, &own) && own;
}

static bool answer_token(struct line text, bool whole, const struct hash_key *key,
			 struct token *out)
{
	struct http_answer answer = {.chunked = false};
	struct line line = {text.at, 1}; /* of an empty one the head ends */
	uint32_t status = 0;
	unsigned lines = 0;
	bool told;

	if (text.len >= HTTP_STATUS_END)
		(void)number_of((struct line){text.at + HTTP_STATUS_END - 3, 3}, &status);
	while (lines++ < TEXT_MAX_LINES && next_line(&text, &line) && line.len > 0)
		answer_field(&answer, line);
	told = line.len == 0 && own_token(text, whole, &answer, key, out); /* else it goes on */
	out->status = (uint16_t)status;
	out->length = answer.packed || answer.chunked || line.len > 0 ? 0 : answer.length;
	return told;
}

/* What a form or a call says: of it everything may be the client's own. */
static bool posted_token(struct line text, const struct hash_key *key, struct token *out)
{
	static const struct line coding = WORD("Transfer-Encoding"),
				 length = WORD("Content-Length");
	struct line line, name, value, method;
	uint32_t bytes = 0;
	unsigned lines = 0;
	bool chunked = false, own;

	if (!next_line(&text, &line) || !http_target(line, &method, &value))
		return false;
	while (lines++ < TEXT_MAX_LINES && next_line(&text, &line) && line.len > 0) {
		if (!split_field(line, &name, &value))
			continue;
		chunked |= is_named(name, coding);
		if (is_named(name, length))
			(void)number_of(value, &bytes);
	}
	if (line.len > 0 || !body_token(body_of(text, chunked), key, TOKEN_HTTP_REQUEST, out, &own))
		return false;
	out->rare = own;
	out->lo ^= bytes * UINT64_C(0x9e3779b97f4a7c15); /* many begin with the same preamble */
	return true;
}

bool token_of_http(const struct packet *packet, const struct hash_key *key, struct token *out)
{
	struct line text = {(const char *)packet->payload, packet->payload_len};
	bool whole = packet->payload_len == packet->payload_wire;

	if (packet->proto != IPPROTO_NUM_TCP || packet->payload == NULL || text.len == 0 ||
	    (packet->flags & PACKET_LATER_FRAGMENT) != 0)
		return false;
	if (*text.at == 'P')
		return whole && posted_token(text, key, out);
	if (!starts(text, "HTTP/1."))
		return false;
	return answer_token(text, whole, key, out);
}

/* ---- SIP ------------------------------------------------------------------------------------- */

/* The branch parameter of a Via line with the magic cookie of RFC 3261 section 8.1.1.7. */
static bool sip_branch(struct line line, struct line *branch)
{
	static const char mark[] = "branch=z9hG4bK";
	const char *found = memmem(line.at, line.len, mark, sizeof mark - 1);
	struct line rest;

	if (found == NULL)
		return false;
	rest.at = found + sizeof mark - 1;
	rest.len = line.len - (size_t)(rest.at - line.at);
	branch->at = rest.at;
	for (branch->len = 0; branch->len < rest.len; branch->len++)
		if (memchr(";, \t>", rest.at[branch->len], 5) != NULL)
			break;
	return branch->len >= 4;
}

static unsigned sip_tokens(struct line text, const struct hash_key *key, struct token *out)
{
	static const struct line via = WORD("Via"), v = WORD("v");
	struct line line, name, value, branch;
	unsigned count = 0, lines = 0;

	while (count < TOKENS_A_PACKET && lines++ < TEXT_MAX_LINES && next_line(&text, &line) &&
	       line.len > 0) {
		if (!split_field(line, &name, &value) ||
		    (!is_named(name, via) && !is_named(name, v)) || !sip_branch(value, &branch))
			continue;
		token_set(&out[count++], key, TOKEN_SIP_BRANCH, (const uint8_t *)branch.at,
			  branch.len, branch.len >= SIP_RANDOM_CHARS);
	}
	return count;
}

unsigned text_tokens(const uint8_t *p, size_t len, const struct hash_key *key,
		     struct token out[static TOKENS_A_PACKET])
{
	static const char *const methods[] = {"GET ",	 "POST ",    "PUT ",   "HEAD ",
					      "DELETE ", "OPTIONS ", "PATCH ", "PROPFIND ",
					      "REPORT ", "TRACE "};
	struct line text = {(const char *)p, len < TEXT_MAX ? len : TEXT_MAX};
	struct line rest = text, first;
	unsigned count = 0;

	for (size_t i = 0; i < sizeof methods / sizeof methods[0] && count == 0; i++)
		if (starts(text, methods[i]))
			count = http_tokens(text, key, out);
	if (count != 0 || !next_line(&rest, &first))
		return count;
	if (first.len > 8 && memcmp(first.at + first.len - 8, " SIP/2.0", 8) == 0)
		return sip_tokens(rest, key, out);
	return 0;
}
