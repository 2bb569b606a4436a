/* SPDX-License-Identifier: Apache-2.0 */
/*
 * community_id.c - the flow hash that Zeek, Suricata, Wireshark and Elastic share.
 *
 * "1:" and the base64 of SHA-1 over
 *
 *	seed (2 bytes, 0) | address | address | protocol | 0 | port | port
 *
 * in network order, the smaller end first, so that both directions give one value.  Protocols
 * without ports leave these out.  ICMP has its type for a source port and, for types that are
 * asked and answered, the answer's type for a destination port; other types go one way only and
 * are never turned round.
 *
 * The SHA-1 is our own: at most two blocks of input, no secret, nothing that a collision could
 * gain, and no library for a room that otherwise needs none.
 */
#include "bulkhead/flow.h"

#include <string.h>

#define SHA1_SIZE 20
#define SHA1_BLOCK 64
#define INPUT_MAX 40 /* 2 + 2 * 16 + 2 + 2 * 2 */

_Static_assert(INPUT_MAX + 9 <= SHA1_BLOCK, "one block holds the input and its padding");

static uint32_t rotate_left(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static void store_be32(uint8_t *out, uint32_t word)
{
	out[0] = (uint8_t)(word >> 24);
	out[1] = (uint8_t)(word >> 16);
	out[2] = (uint8_t)(word >> 8);
	out[3] = (uint8_t)word;
}

/* FIPS 180-4 section 6.1.2. */
static void sha1_block(uint32_t h[static 5], const uint8_t block[static SHA1_BLOCK])
{
	uint32_t w[80];
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (unsigned t = 0; t < 16; t++)
		w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
		       (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (unsigned t = 0; t < 80; t++) {
		uint32_t f, k, next;

		if (t < 20) {
			f = (b & c) | (~b & d);
			k = 0x5a827999;
		} else if (t < 40) {
			f = b ^ c ^ d;
			k = 0x6ed9eba1;
		} else if (t < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = 0x8f1bbcdc;
		} else {
			f = b ^ c ^ d;
			k = 0xca62c1d6;
		}
		next = rotate_left(a, 5) + f + e + k + w[t];
		e = d;
		d = c;
		c = rotate_left(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* SHA-1 of an input so short that padding and length fit into its block. */
static void sha1_short(const uint8_t *data, size_t len, uint8_t out[static SHA1_SIZE])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t block[SHA1_BLOCK] = {0};

	memcpy(block, data, len);
	block[len] = 0x80;
	store_be32(block + SHA1_BLOCK - 4, (uint32_t)len * 8);
	sha1_block(h, block);
	for (unsigned i = 0; i < 5; i++)
		store_be32(out + 4 * i, h[i]);
}

/* RFC 4648 section 4; returns behind the last character, unterminated. */
static char *base64(char *out, const uint8_t *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)data[i] << 16;

		if (i + 1 < len)
			word |= (uint32_t)data[i + 1] << 8;
		if (i + 2 < len)
			word |= data[i + 2];
		*out++ = digits[word >> 18];
		*out++ = digits[word >> 12 & 63];
		*out++ = i + 1 < len ? digits[word >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[word & 63] : '=';
	}
	return out;
}

/* ICMP types that are asked and answered, as pairs. */
static const uint8_t icmp_pairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
static const uint8_t icmpv6_pairs[][2] = {{128, 129}, {133, 134}, {135, 136},
					  {130, 131}, {139, 140}, {144, 145}};

/* The type that answers (or asked for) this one, or -1 when it goes one way. */
static int icmp_counterpart(uint8_t proto, uint16_t type)
{
	const uint8_t(*pairs)[2] = proto == IPPROTO_NUM_ICMP ? icmp_pairs : icmpv6_pairs;
	size_t count = proto == IPPROTO_NUM_ICMP ? sizeof icmp_pairs / sizeof icmp_pairs[0]
						 : sizeof icmpv6_pairs / sizeof icmpv6_pairs[0];

	for (size_t i = 0; i < count; i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return -1;
}

static uint8_t *put_address(uint8_t *out, const struct ip_addr *ip, bool v4)
{
	size_t len = v4 ? 4 : sizeof ip->b;

	memcpy(out, ip->b + sizeof ip->b - len, len);
	return out + len;
}

static uint8_t *put_port(uint8_t *out, uint16_t port)
{
	out[0] = (uint8_t)(port >> 8);
	out[1] = (uint8_t)port;
	return out + 2;
}

/* Whether the tuple stands with its smaller end first. */
static bool is_ordered(const struct flow_tuple *t, uint16_t sport, uint16_t dport)
{
	int order = memcmp(t->src.b, t->dst.b, sizeof t->src.b);

	return order < 0 || (order == 0 && sport <= dport);
}

const char *community_id(const struct flow_tuple *tuple, char buf[static COMMUNITY_ID_SIZE])
{
	uint8_t input[INPUT_MAX] = {0}, digest[SHA1_SIZE];
	uint8_t *at = input + 2;
	uint16_t sport = tuple->sport, dport = tuple->dport;
	bool icmp = tuple->proto == IPPROTO_NUM_ICMP || tuple->proto == IPPROTO_NUM_ICMPV6;
	bool ports = icmp || tuple->proto == IPPROTO_NUM_TCP || tuple->proto == IPPROTO_NUM_UDP ||
		     tuple->proto == IPPROTO_NUM_SCTP;
	bool v4 = ip_is_v4(&tuple->src) && ip_is_v4(&tuple->dst);
	bool one_way = false, ordered;

	if (!ports)
		sport = dport = 0;
	if (icmp) {
		int answer = icmp_counterpart(tuple->proto, sport);

		one_way = answer == -1;
		if (!one_way)
			dport = (uint16_t)answer;
	}
	ordered = one_way || is_ordered(tuple, sport, dport);
	at = put_address(at, ordered ? &tuple->src : &tuple->dst, v4);
	at = put_address(at, ordered ? &tuple->dst : &tuple->src, v4);
	*at++ = tuple->proto;
	*at++ = 0;
	if (ports) {
		at = put_port(at, ordered ? sport : dport);
		at = put_port(at, ordered ? dport : sport);
	}
	sha1_short(input, (size_t)(at - input), digest);
	buf[0] = '1';
	buf[1] = ':';
	*base64(buf + 2, digest, sizeof digest) = '\0';
	return buf;
}
