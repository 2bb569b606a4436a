/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr.h - MAC and IP addresses as values.
 *
 * An IPv4 address is kept as the IPv4-mapped IPv6 address ::ffff:a.b.c.d (RFC 4291
 * section 2.5.5.2), so that one comparison, one hash and one prefix table serve both
 * families.  Bytes are in network order.
 */
#ifndef BULKHEAD_ADDR_H
#define BULKHEAD_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mac_addr {
	uint8_t b[6];
};

struct ip_addr {
	uint8_t b[16];
};

/* length counts bits of the 128-bit form: 10.0.0.0/24 has length 120. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t length;
};

#define MAC_TEXT_SIZE 18
#define IP_TEXT_SIZE 46
#define PREFIX_TEXT_SIZE 50

static inline bool mac_equal(struct mac_addr a, struct mac_addr b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static inline bool mac_is_group(struct mac_addr a) /* multicast and broadcast, IEEE 802 I/G bit */
{
	return a.b[0] & 1;
}

static inline bool mac_is_zero(struct mac_addr a)
{
	return (a.b[0] | a.b[1] | a.b[2] | a.b[3] | a.b[4] | a.b[5]) == 0;
}

static inline uint64_t mac_to_u64(struct mac_addr a)
{
	return (uint64_t)a.b[0] << 40 | (uint64_t)a.b[1] << 32 | (uint64_t)a.b[2] << 24 |
	       (uint64_t)a.b[3] << 16 | (uint64_t)a.b[4] << 8 | a.b[5];
}

static inline bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* The IPv4-mapped form of four bytes in network order. */
struct ip_addr ip_from_v4(const uint8_t v4[4]);
struct ip_addr ip_from_v6(const uint8_t v6[16]);
bool ip_is_v4(const struct ip_addr *ip);
bool ip_is_unspecified(const struct ip_addr *ip); /* 0.0.0.0 or :: */
bool ip_is_multicast(const struct ip_addr *ip);
bool ip_is_broadcast(const struct ip_addr *ip);	 /* 255.255.255.255 */
bool ip_is_link_local(const struct ip_addr *ip); /* 169.254/16, fe80::/10 */
bool ip_is_loopback(const struct ip_addr *ip);
/* RFC 1918, RFC 6598 and RFC 4193 space: anyone may use it, so it proves no owner by itself. */
bool ip_is_private(const struct ip_addr *ip);
/* An IPv6 prefix shorter than /96 contains no IPv4 address: ::/0 is all of IPv6 only. */
bool prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *ip);

/* Text forms: lower case; IPv6 by RFC 5952; IPv4 without the mapped prefix.  Return buf. */
const char *mac_format(struct mac_addr mac, char buf[static MAC_TEXT_SIZE]);
const char *ip_format(const struct ip_addr *ip, char buf[static IP_TEXT_SIZE]);
const char *prefix_format(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_SIZE]);

/*
 * Strict parsers; false and *out untouched when text is anything else.  MAC: six two-digit
 * groups with ':' or '-' throughout.  IP: dotted quad without leading zeros, or IPv6 without a
 * zone.  Prefix: address/length; bits below the length are cleared in *out, and *host_bits (may
 * be NULL) tells that some were set.
 */
bool mac_parse(const char *text, struct mac_addr *out);
bool ip_parse(const char *text, struct ip_addr *out);
bool prefix_parse(const char *text, struct ip_prefix *out, bool *host_bits);

#endif
