/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - values in a payload by which content is known again in another flow.
 *
 * A relay that ends one connection and opens another changes every address, port, sequence
 * number and TTL.  What it cannot change without breaking the conversation are the nonces that the
 * two ends exchange: TLS and DTLS randoms, SSH cookies, QUIC connection ids, IKE SPIs, the
 * salts of database logins.  Where a protocol has none, text that is unlikely to be said twice
 * stands in: a SIP branch, an HTTP head, a DNS id with its question.
 *
 * A token is a keyed hash, so that no secret of a tenant lies in our memory.  It is `random` when
 * its content has 64 random bits or more; a constant or a counter in the place of a nonce (test
 * tools do that, and so could someone who wants another accused) gives no token or no strength.
 *
 * Payloads are told apart by their bytes, never by port: a relay listens where it likes.
 */
#include "bulkhead/flow.h"

#include "flow/text_token.h"

#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"

#define TOKEN_MIN_PAYLOAD 12 /* a DNS header; nothing shorter is looked at */
#define RANDOM_MIN_BYTES 8
#define PAYLOAD_TOKEN_MIN TOKEN_LITTLE
#define PAYLOAD_TOKEN_MAX 256
#define NONCE_MAX 64	  /* bytes by which randomness is judged; two QUIC ids fit */
#define NONCE_MIN_KINDS 4 /* fewer different bytes name nothing */
#define SCRAM_SCAN 256
#define MYSQL_MAX_VERSION 64
#define TLS_RANDOM 32
#define ECHO_HEADER 8 /* RFC 792, RFC 4443: type, code, checksum, id, number */
#define ECHO_NUMBER 2
#define PROXY_LINE_MIN 8
#define PROXY_LINE_MAX 107

/* How varied a value is: its different bytes or, since a counter has many of these, the different
 * steps from byte to byte, whichever are fewer.  A byte for each that was seen, not a bit: bits of
 * one word would have to be set one after the other. */
static unsigned variety(const uint8_t *p, size_t len)
{
	uint8_t values[UINT8_MAX + 1] = {0}, steps[UINT8_MAX + 1] = {0};
	unsigned value_count = 0, step_count = 0;
	uint8_t before = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t step = (uint8_t)(p[i] - before);

		value_count += values[p[i]] == 0;
		step_count += steps[step] == 0;
		values[p[i]] = 1;
		steps[step] = 1;
		before = p[i];
	}
	return value_count < step_count ? value_count : step_count;
}

/* Of 8 random bytes 6 or more differ in 99.4 %, of 12 or more at least 10 in 99.97 %. */
static bool is_random(const uint8_t *p, size_t len)
{
	unsigned asked = (unsigned)(len < 12 ? len : 12) - 2;

	return len >= RANDOM_MIN_BYTES && variety(p, len) >= asked;
}

void token_set(struct token *out, const struct hash_key *key, enum token_kind kind,
	       const uint8_t *content, size_t len, bool random)
{
	struct hash128 h = hash128(key, content, len);

	*out = (struct token){
	    .kind = (uint8_t)kind,
	    .random = random,
	    .bytes = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX),
	    /* The kind is mixed in, so that equal bytes in two protocols are two tokens. */
	    .lo = h.lo ^ (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15),
	    .hi = h.hi,
	};
}

/* One token of a nonce, or none when it is a constant. */
static unsigned nonce(struct token *out, const struct hash_key *key, enum token_kind kind,
		      const uint8_t *content, size_t len)
{
	if (variety(content, len) < NONCE_MIN_KINDS)
		return 0;
	token_set(out, key, kind, content, len, is_random(content, len));
	return 1;
}

/* RFC 8446 section 4.1.3: a HelloRetryRequest is a ServerHello with this constant for random. */
static const uint8_t hello_retry[TLS_RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* Handshake type and length (4), version (2), random. */
#define TLS_HELLO (6 + TLS_RANDOM)
#define TLS_RECORD 5 /* type, version, length */

/* RFC 8446 5.1: a hello may be spread over records, however small. */
static size_t tls_hello(const uint8_t *p, size_t len, uint8_t hello[static TLS_HELLO])
{
	struct cursor c = cursor_over(p, len);
	size_t have = 0;

	while (have < TLS_HELLO && cursor_left(&c) > TLS_RECORD) {
		uint16_t type = cursor_be16(&c);
		size_t part;

		cursor_skip(&c, 1);
		part = cursor_be16(&c);
		if (type != 0x1603 || part == 0)
			break;
		part = part < cursor_left(&c) ? part : cursor_left(&c);
		part = part < TLS_HELLO - have ? part : TLS_HELLO - have;
		cursor_bytes(&c, hello + have, part);
		have += part;
	}
	return have;
}

static unsigned tls_token(const uint8_t *p, size_t len, const struct hash_key *key,
			  struct token *out)
{
	uint8_t spread[TLS_HELLO];
	const uint8_t *h = p + TLS_RECORD;

	if (len < TLS_RECORD + TLS_HELLO || p[0] != 22 || p[1] != 3)
		return 0;
	if (read_be16(p + 3) < TLS_HELLO) {
		if (tls_hello(p, len, spread) < TLS_HELLO)
			return 0;
		h = spread;
	}
	if (h[4] != 3)
		return 0;
	if (h[0] == 1)
		return nonce(out, key, TOKEN_TLS_CLIENT_RANDOM, h + 6, TLS_RANDOM);
	if (h[0] == 2 && memcmp(h + 6, hello_retry, sizeof hello_retry) != 0)
		return nonce(out, key, TOKEN_TLS_SERVER_RANDOM, h + 6, TLS_RANDOM);
	return 0;
}

/* RFC 6347: record header (13), handshake header (12), version (2), random; the first fragment. */
static unsigned dtls_token(const uint8_t *p, size_t len, const struct hash_key *key,
			   struct token *out)
{
	if (len < 27 + TLS_RANDOM || p[0] != 22 || p[1] != 0xfe || p[25] != 0xfe)
		return 0;
	if ((p[13] != 1 && p[13] != 2) || (p[19] | p[20] | p[21]) != 0)
		return 0;
	if (memcmp(p + 27, hello_retry, sizeof hello_retry) == 0)
		return 0;
	return nonce(out, key, TOKEN_DTLS_RANDOM, p + 27, TLS_RANDOM);
}

/* RFC 4253 sections 4.2, 6 and 7.1: banner line (perhaps in the same segment), then KEXINIT. */
static unsigned ssh_token(const uint8_t *p, size_t len, const struct hash_key *key,
			  struct token *out)
{
	if (len > 4 && memcmp(p, "SSH-", 4) == 0) {
		const uint8_t *end = memchr(p, '\n', len < 255 ? len : 255);

		if (end == NULL)
			return 0;
		len -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	if (len < 22 || p[0] != 0 || p[1] != 0 || p[4] < 4 || p[5] != 20)
		return 0;
	return nonce(out, key, TOKEN_SSH_COOKIE, p + 6, 16);
}

/* Protocol::HandshakeV10: the scramble comes in two parts, 8 and 12 bytes. */
static unsigned mysql_token(const uint8_t *p, size_t len, const struct hash_key *key,
			    struct token *out)
{
	struct cursor c = cursor_over(p, len);
	uint8_t scramble[20];
	const uint8_t *version_end;

	cursor_skip(&c, 3);
	if (cursor_u8(&c) != 0 || cursor_u8(&c) != 10 || c.failed)
		return 0;
	version_end = memchr(
	    c.at, 0, cursor_left(&c) < MYSQL_MAX_VERSION ? cursor_left(&c) : MYSQL_MAX_VERSION);
	if (version_end == NULL)
		return 0;
	cursor_skip(&c, (size_t)(version_end + 1 - c.at) + 4);
	cursor_bytes(&c, scramble, 8);
	if (cursor_u8(&c) != 0)
		return 0;
	cursor_skip(&c, 2 + 1 + 2 + 2 + 1 + 10);
	cursor_bytes(&c, scramble + 8, 12);
	return c.failed ? 0 : nonce(out, key, TOKEN_MYSQL_SCRAMBLE, scramble, sizeof scramble);
}

/* AuthenticationMD5Password has 4 bytes of salt; SASLContinue the nonces of both ends (RFC 5802).
 */
static unsigned postgres_token(const uint8_t *p, size_t len, const struct hash_key *key,
			       struct token *out)
{
	const uint8_t *comma;
	uint32_t length, method;

	if (len < 13 || p[0] != 'R')
		return 0;
	length = read_be32(p + 1);
	method = read_be32(p + 5);
	if (method == 5 && length == 12) {
		token_set(out, key, TOKEN_POSTGRES_SALT, p + 9, 4, false);
		return 1;
	}
	if (method != 11 || length > 1024 || p[9] != 'r' || p[10] != '=')
		return 0;
	comma = memchr(p + 11, ',', len - 11 < SCRAM_SCAN ? len - 11 : SCRAM_SCAN);
	if (comma == NULL)
		return 0;
	return nonce(out, key, TOKEN_POSTGRES_SALT, p + 11, (size_t)(comma - (p + 11)));
}

/* RFC 9000 section 17.2.2 and RFC 9369: both connection ids of an Initial. */
static unsigned quic_token(const uint8_t *p, size_t len, const struct hash_key *key,
			   struct token *out)
{
	struct cursor c = cursor_over(p, len);
	uint8_t ids[NONCE_MAX];
	uint8_t first = cursor_u8(&c), dcid, scid;
	uint32_t version = cursor_be32(&c);
	unsigned type = first >> 4 & 3;
	bool v2 = version == 0x6b3343cf;

	if ((first & 0xc0) != 0xc0 || type != (v2 ? 1 : 0))
		return 0;
	if (version != 1 && !v2 && version >> 8 != 0xff0000)
		return 0;
	dcid = cursor_u8(&c);
	if (dcid > 20)
		return 0;
	cursor_bytes(&c, ids, dcid);
	scid = cursor_u8(&c);
	if (scid > 20 || dcid + scid < RANDOM_MIN_BYTES)
		return 0;
	cursor_bytes(&c, ids + dcid, scid);
	return c.failed ? 0 : nonce(out, key, TOKEN_QUIC_INITIAL, ids, (size_t)dcid + scid);
}

/* RFC 7296 section 3.1, RFC 2408: the initiator's SPI in the message that opens an association. All
 * later ones of either side bear it too, and say nothing about where the opening came from. */
static unsigned ike_token(const uint8_t *p, size_t len, uint32_t wire, const struct hash_key *key,
			  struct token *out)
{
	if (len >= 4 && read_be32(p) == 0) { /* RFC 3948: non-ESP marker on port 4500 */
		p += 4;
		len -= 4;
		wire -= 4;
	}
	if (len < 28 || (p[17] != 0x20 && p[17] != 0x10) || read_be32(p + 24) != wire)
		return 0;
	if (p[18] != 34 && p[18] != 2 && p[18] != 4) /* IKE_SA_INIT, main mode, aggressive */
		return 0;
	if ((read_be32(p + 8) | read_be32(p + 12)) != 0) /* the responder has answered */
		return 0;
	return nonce(out, key, TOKEN_IKE_SPI, p, 8);
}

/* RFC 1035 section 4.1: a query with one question.  mDNS has id 0 and names nothing. */
static unsigned dns_token(const uint8_t *p, size_t len, const struct hash_key *key,
			  struct token *out)
{
	uint8_t content[2 + 255 + 4];
	struct cursor c = cursor_over(p, len);
	uint16_t id = cursor_be16(&c), flags = cursor_be16(&c);
	size_t name;
	uint8_t label;

	if (id == 0 || (flags & 0xf800) != 0 || cursor_be16(&c) != 1 || cursor_be32(&c) != 0)
		return 0;
	cursor_skip(&c, 2);
	do {
		label = cursor_u8(&c);
		if (label > 63) /* a pointer has nothing to point to in a query */
			return 0;
		cursor_skip(&c, label);
	} while (label != 0 && !c.failed);
	cursor_skip(&c, 4);
	name = c.failed ? 0 : (size_t)(c.at - (p + 12));
	if (name < 4 + 3 || name + 2 > sizeof content)
		return 0;
	memcpy(content, p, 2);
	memcpy(content + 2, p + 12, name);
	token_set(out, key, TOKEN_DNS_QUERY, content, name + 2, false);
	return 1;
}

static unsigned tcp_tokens(const uint8_t *p, size_t len, const struct hash_key *key,
			   struct token *out)
{
	unsigned count = 0;

	if (p[3] == 0 && p[4] == 10) /* before text: a greeting of 74 bytes begins with a J */
		return mysql_token(p, len, key, out);
	if (p[0] >= 'A' && p[0] <= 'Z') {
		if (p[0] == 'R')
			count = postgres_token(p, len, key, out);
		if (count == 0 && p[0] == 'S' && p[1] == 'S')
			count = ssh_token(p, len, key, out);
		return count != 0 ? count : text_tokens(p, len, key, out);
	}
	if (p[0] == 22)
		count = tls_token(p, len, key, out);
	if (count == 0 && p[0] == 0)
		count = ssh_token(p, len, key, out);
	if (count == 0 && p[0] < 2) /* RFC 7766: two bytes of length; a query is below 512 */
		count = dns_token(p + 2, len - 2, key, out);
	return count;
}

static unsigned udp_tokens(const uint8_t *p, size_t len, uint32_t wire, const struct hash_key *key,
			   struct token *out)
{
	unsigned count = 0;

	if (p[0] >= 0xc0)
		count = quic_token(p, len, key, out);
	if (count == 0 && p[0] == 22)
		count = dtls_token(p, len, key, out);
	if (count == 0)
		count = dns_token(p, len, key, out);
	if (count == 0)
		count = ike_token(p, len, wire, key, out);
	if (count == 0 && p[0] >= 'A' && p[0] <= 'Z')
		count = text_tokens(p, len, key, out);
	return count;
}

/* haproxy.org, PROXY protocol versions 1 and 2: who the client was, in front of what it says. */
static size_t proxy_header(const uint8_t *p, size_t len)
{
	static const uint8_t binary[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					   0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
	const uint8_t *end;
	size_t header;

	if (len >= 16 && memcmp(p, binary, sizeof binary) == 0) {
		header = 16 + (size_t)read_be16(p + 14);
		return header < len ? header : 0;
	}
	if (len < PROXY_LINE_MIN || memcmp(p, "PROXY ", 6) != 0)
		return 0;
	end = memchr(p, '\n', len < PROXY_LINE_MAX ? len : PROXY_LINE_MAX);
	return end != NULL ? (size_t)(end + 1 - p) : 0;
}

static unsigned tcp_tokens_behind(const uint8_t *p, size_t len, const struct hash_key *key,
				  struct token *out)
{
	size_t header = p[0] == 'P' || p[0] == 0x0d ? proxy_header(p, len) : 0;

	return len - header < TOKEN_MIN_PAYLOAD ? 0
						: tcp_tokens(p + header, len - header, key, out);
}

unsigned token_extract(const struct packet *packet, const struct hash_key *key,
		       struct token out[static TOKENS_A_PACKET])
{
	if (packet->payload == NULL || packet->payload_len < TOKEN_MIN_PAYLOAD ||
	    (packet->flags & PACKET_LATER_FRAGMENT) != 0)
		return 0;
	if (packet->proto == IPPROTO_NUM_TCP)
		return tcp_tokens_behind(packet->payload, packet->payload_len, key, out);
	if (packet->proto == IPPROTO_NUM_UDP)
		return udp_tokens(packet->payload, packet->payload_len, packet->payload_wire, key,
				  out);
	return 0;
}

/* What of a SYN a NAT leaves alone.  It clamps the MSS and may change the window. */
struct syn_content {
	uint32_t seq, tsval;
	uint8_t flags, wscale, sack, timestamps;
};

static void syn_options(const struct packet *packet, struct syn_content *syn)
{
	struct cursor c = cursor_over(packet->l4 + 20, packet->tcp_header_len - 20u);

	while (cursor_left(&c) > 0 && !c.failed) {
		uint8_t kind = cursor_u8(&c), len;
		struct cursor value;

		if (kind == 0)
			return;
		if (kind == 1)
			continue;
		len = cursor_u8(&c);
		if (len < 2)
			return;
		value = c;
		cursor_skip(&c, len - 2u);
		if (c.failed)
			return;
		if (kind == 3 && len == 3)
			syn->wscale = (uint8_t)(cursor_u8(&value) + 1);
		if (kind == 4)
			syn->sack = 1;
		if (kind == 8 && len == 10) {
			syn->tsval = cursor_be32(&value);
			syn->timestamps = 1;
		}
	}
}

bool token_of_syn(const struct packet *packet, const struct hash_key *key, struct token *out)
{
	struct syn_content syn = {.seq = packet->tcp_seq};

	if (packet->proto != IPPROTO_NUM_TCP || (packet->flags & PACKET_TCP_WHOLE) == 0 ||
	    (packet->tcp_flags & TCP_SYN) == 0 || packet->l4 == NULL ||
	    packet->tcp_header_len < 20 || packet->tcp_header_len > packet->l4_len)
		return false;
	syn.flags = packet->tcp_flags & (TCP_SYN | TCP_ACK);
	syn_options(packet, &syn);
	/* Both numbers are chosen at random by current systems; scanners use constants. */
	token_set(out, key, TOKEN_TCP_SYN, (const uint8_t *)&syn, sizeof syn,
		  syn.timestamps != 0 && syn.tsval != 0 && syn.seq != 0);
	return true;
}

/*
 * How much of a payload is hashed.  A cut payload counts in steps, so that two legs of which one
 * carries a tag more, and is cut four bytes earlier, still give one token.
 */
static size_t payload_span(size_t len, bool cut)
{
	static const uint16_t steps[] = {PAYLOAD_TOKEN_MAX, 128, 96, 64, 48, 32};

	if (!cut)
		return len < PAYLOAD_TOKEN_MAX ? len : PAYLOAD_TOKEN_MAX;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (len >= steps[i])
			return steps[i];
	return PAYLOAD_TOKEN_MIN;
}

/* Enciphered or compressed: many different bytes, and about half of them beyond ASCII. */
static bool payload_is_random(const uint8_t *p, size_t len, unsigned kinds)
{
	size_t high = 0;

	for (size_t i = 0; i < len; i++)
		high += p[i] >> 7;
	return high * 4 >= len && kinds * 4 >= len * 3;
}

/* RFC 8446 5.2: application data.  Its keys are those of one session. */
static bool is_tls_record(const struct packet *packet)
{
	const uint8_t *p = packet->payload;

	return packet->proto == IPPROTO_NUM_TCP && p[0] == 23 && p[1] == 3 && p[2] <= 4 &&
	       read_be16(p + 3) >= PAYLOAD_TOKEN_MIN - TLS_RECORD;
}

/* Too little to be known by: but NAT leaves the IP id alone, too (RFC 3022 4.1 does not list it).
 */
static bool token_of_little(const struct packet *packet, const struct hash_key *key,
			    struct token *out)
{
	uint8_t content[sizeof(uint16_t) + 1 + PAYLOAD_TOKEN_MIN];

	if (packet->proto != IPPROTO_NUM_UDP || packet->l3 != L3_IPV4 || packet->ip_id == 0 ||
	    packet->payload_len == 0 || packet->payload_len < packet->payload_wire)
		return false;
	content[0] = (uint8_t)(packet->ip_id >> 8);
	content[1] = (uint8_t)packet->ip_id;
	content[2] = (uint8_t)packet->payload_len;
	memcpy(content + 3, packet->payload, packet->payload_len);
	token_set(out, key, TOKEN_PAYLOAD, content, 3 + packet->payload_len, false);
	return true;
}

static bool payload_token(const uint8_t *p, size_t len, bool tls, const struct hash_key *key,
			  struct token *out)
{
	size_t judged = len < NONCE_MAX ? len : NONCE_MAX;
	unsigned kinds = variety(p, judged);
	bool random;

	if (kinds < NONCE_MIN_KINDS)
		return false;
	random = payload_is_random(p, judged, kinds);
	token_set(out, key, random && tls ? TOKEN_TLS_RECORD : TOKEN_PAYLOAD, p, len, random);
	return true;
}

bool token_of_bytes(const uint8_t *p, size_t len, const struct hash_key *key, struct token *out)
{
	return len >= PAYLOAD_TOKEN_MIN &&
	       payload_token(p, payload_span(len, false), false, key, out);
}

bool token_of_payload(const struct packet *packet, const struct hash_key *key, struct token *out)
{
	size_t len = packet->payload_len;

	if (packet->payload == NULL)
		return false;
	if (len < PAYLOAD_TOKEN_MIN)
		return token_of_little(packet, key, out);
	len = payload_span(len, packet->payload_len < packet->payload_wire);
	return payload_token(packet->payload, len, is_tls_record(packet), key, out);
}

bool token_of_echo(const struct packet *packet, const struct hash_key *key, struct token *out)
{
	uint8_t content[1 + ECHO_NUMBER + PAYLOAD_TOKEN_MAX];
	bool v6 = packet->proto == IPPROTO_NUM_ICMPV6;
	uint8_t reply = v6 ? 129 : 0;
	size_t len;

	if (!packet_is_echo(packet) || packet->l4 == NULL ||
	    packet->l4_len < ECHO_HEADER + PAYLOAD_TOKEN_MIN)
		return false;
	len = payload_span(packet->l4_len - ECHO_HEADER, packet->l3_len < packet->ip_len);
	if (variety(packet->l4 + ECHO_HEADER, len < NONCE_MAX ? len : NONCE_MAX) < NONCE_MIN_KINDS)
		return false;
	content[0] = packet->icmp_type == reply;
	memcpy(content + 1, packet->l4 + ECHO_HEADER - ECHO_NUMBER, ECHO_NUMBER + len);
	token_set(out, key, TOKEN_PAYLOAD, content, 1 + ECHO_NUMBER + len, false);
	return true;
}

const char *token_name(enum token_kind kind)
{
	static const char *const names[TOKEN_MAX] = {
	    [TOKEN_NONE] = "none",
	    [TOKEN_TLS_CLIENT_RANDOM] = "TLS client random",
	    [TOKEN_TLS_SERVER_RANDOM] = "TLS server random",
	    [TOKEN_SSH_COOKIE] = "SSH KEX cookie",
	    [TOKEN_QUIC_INITIAL] = "QUIC Initial",
	    [TOKEN_DTLS_RANDOM] = "DTLS random",
	    [TOKEN_IKE_SPI] = "IKE SPI",
	    [TOKEN_MYSQL_SCRAMBLE] = "MySQL scramble",
	    [TOKEN_POSTGRES_SALT] = "PostgreSQL salt",
	    [TOKEN_SIP_BRANCH] = "SIP branch",
	    [TOKEN_HTTP_HEAD] = "HTTP request head",
	    [TOKEN_HTTP_TARGET] = "HTTP request target",
	    [TOKEN_HTTP_REQUEST] = "HTTP request",
	    [TOKEN_HTTP_ANSWER] = "HTTP answer",
	    [TOKEN_DNS_QUERY] = "DNS query",
	    [TOKEN_TCP_SYN] = "TCP SYN",
	    [TOKEN_TLS_RECORD] = "TLS record",
	    [TOKEN_PAYLOAD] = "payload",
	};

	return kind < TOKEN_MAX ? names[kind] : "none";
}
