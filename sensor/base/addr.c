/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - see addr.h.  The text forms are our own where libc's differ from RFC 5952. */
#include "bulkhead/addr.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const char hex[] = "0123456789abcdef";

struct ip_addr ip_from_v4(const uint8_t v4[4])
{
	struct ip_addr ip;

	memcpy(ip.b, mapped, sizeof mapped);
	memcpy(ip.b + sizeof mapped, v4, 4);
	return ip;
}

struct ip_addr ip_from_v6(const uint8_t v6[16])
{
	struct ip_addr ip;

	memcpy(ip.b, v6, sizeof ip.b);
	return ip;
}

bool ip_is_v4(const struct ip_addr *ip)
{
	return memcmp(ip->b, mapped, sizeof mapped) == 0;
}

bool ip_is_unspecified(const struct ip_addr *ip)
{
	static const struct ip_addr zero;
	size_t from = ip_is_v4(ip) ? sizeof mapped : 0;

	return memcmp(ip->b + from, zero.b, sizeof zero.b - from) == 0;
}

bool ip_is_multicast(const struct ip_addr *ip)
{
	return ip_is_v4(ip) ? (ip->b[12] & 0xf0) == 0xe0 : ip->b[0] == 0xff;
}

bool ip_is_broadcast(const struct ip_addr *ip)
{
	return ip_is_v4(ip) && (ip->b[12] & ip->b[13] & ip->b[14] & ip->b[15]) == 0xff;
}

bool ip_is_link_local(const struct ip_addr *ip)
{
	if (ip_is_v4(ip))
		return ip->b[12] == 169 && ip->b[13] == 254;
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

bool ip_is_loopback(const struct ip_addr *ip)
{
	static const struct ip_addr one = {.b = {[15] = 1}};

	return ip_is_v4(ip) ? ip->b[12] == 127 : ip_equal(ip, &one);
}

bool ip_is_private(const struct ip_addr *ip)
{
	const uint8_t *v4 = ip->b + sizeof mapped;

	if (!ip_is_v4(ip))
		return (ip->b[0] & 0xfe) == 0xfc;
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 100 && (v4[1] & 0xc0) == 64);
}

bool prefix_contains(const struct ip_prefix *prefix, const struct ip_addr *ip)
{
	unsigned bytes = prefix->length / 8;
	unsigned rest = prefix->length % 8;

	/* ::/0 means every IPv6 address, not every address. */
	if (prefix->length < 8 * sizeof mapped && ip_is_v4(ip))
		return false;
	if (memcmp(prefix->addr.b, ip->b, bytes) != 0)
		return false;
	return rest == 0 || (uint8_t)(prefix->addr.b[bytes] ^ ip->b[bytes]) >> (8 - rest) == 0;
}

const char *mac_format(struct mac_addr mac, char buf[static MAC_TEXT_SIZE])
{
	for (size_t i = 0; i < sizeof mac.b; i++) {
		buf[3 * i] = hex[mac.b[i] >> 4];
		buf[3 * i + 1] = hex[mac.b[i] & 15];
		buf[3 * i + 2] = i + 1 < sizeof mac.b ? ':' : '\0';
	}
	return buf;
}

static char *put_decimal(char *at, unsigned value)
{
	if (value >= 100)
		*at++ = (char)('0' + value / 100);
	if (value >= 10)
		*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

static char *put_group(char *at, unsigned value)
{
	if (value >= 0x1000)
		*at++ = hex[value >> 12];
	if (value >= 0x100)
		*at++ = hex[value >> 8 & 15];
	if (value >= 0x10)
		*at++ = hex[value >> 4 & 15];
	*at++ = hex[value & 15];
	return at;
}

static char *put_v4(char *at, const uint8_t *v4)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_decimal(at, v4[i]);
	}
	return at;
}

/* RFC 5952 section 4.2: the longest run of two or more zero groups, the first among equals. */
static unsigned longest_zero_run(const struct ip_addr *ip, unsigned *length)
{
	unsigned best = 8;
	unsigned run = 0;

	*length = 1;
	for (unsigned i = 0; i < 8; i++) {
		run = (ip->b[2 * i] | ip->b[2 * i + 1]) == 0 ? run + 1 : 0;
		if (run > *length) {
			*length = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static char *put_ip(char *at, const struct ip_addr *ip)
{
	unsigned run_length;
	unsigned run = longest_zero_run(ip, &run_length);

	if (ip_is_v4(ip))
		return put_v4(at, ip->b + sizeof mapped);
	for (unsigned i = 0; i < 8; i++) {
		if (i == run) {
			*at++ = ':';
			i += run_length - 1;
			if (i == 7)
				*at++ = ':';
			continue;
		}
		if (i > 0)
			*at++ = ':';
		at = put_group(at, (unsigned)ip->b[2 * i] << 8 | ip->b[2 * i + 1]);
	}
	return at;
}

const char *ip_format(const struct ip_addr *ip, char buf[static IP_TEXT_SIZE])
{
	*put_ip(buf, ip) = '\0';
	return buf;
}

const char *prefix_format(const struct ip_prefix *prefix, char buf[static PREFIX_TEXT_SIZE])
{
	char *at = put_ip(buf, &prefix->addr);
	unsigned v6_part = ip_is_v4(&prefix->addr) ? 8 * sizeof mapped : 0;

	*at++ = '/';
	*put_decimal(at, prefix->length - v6_part) = '\0';
	return buf;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mac_parse(const char *text, struct mac_addr *out)
{
	struct mac_addr mac;

	for (size_t i = 0; i < sizeof mac.b; i++, text += 3) {
		int high = hex_value(text[0]);
		int low = high < 0 ? -1 : hex_value(text[1]);

		if (low < 0)
			return false;
		mac.b[i] = (uint8_t)(high << 4 | low);
		if (i + 1 == sizeof mac.b)
			break;
		if ((text[2] != ':' && text[2] != '-') || (i > 0 && text[2] != text[-1]))
			return false;
	}
	if (text[2] != '\0')
		return false;
	*out = mac;
	return true;
}

bool ip_parse(const char *text, struct ip_addr *out)
{
	uint8_t bytes[16];

	if (strchr(text, ':') == NULL) {
		if (inet_pton(AF_INET, text, bytes) != 1)
			return false;
		*out = ip_from_v4(bytes);
		return true;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	*out = ip_from_v6(bytes);
	return true;
}

/* One to three digits without a leading zero. */
static bool parse_length(const char *text, unsigned most, unsigned *out)
{
	unsigned value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0') || strlen(text) > 3)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = 10 * value + (unsigned)(*text - '0');
	}
	*out = value;
	return value <= most;
}

/* Clears the bits from length on; true when one was set. */
static bool clear_host_bits(struct ip_addr *ip, unsigned length)
{
	bool found = false;

	for (unsigned i = length / 8; i < sizeof ip->b; i++) {
		unsigned keep = i == length / 8 ? 0xff00U >> length % 8 & 0xff : 0;

		found |= (ip->b[i] & ~keep) != 0;
		ip->b[i] = (uint8_t)(ip->b[i] & keep);
	}
	return found;
}

bool prefix_parse(const char *text, struct ip_prefix *out, bool *host_bits)
{
	const char *slash = strchr(text, '/');
	char addr[IP_TEXT_SIZE];
	struct ip_prefix prefix;
	unsigned length;
	bool v4;
	bool extra;

	if (slash == NULL || (size_t)(slash - text) >= sizeof addr)
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	v4 = strchr(addr, ':') == NULL;
	if (!ip_parse(addr, &prefix.addr) || !parse_length(slash + 1, v4 ? 32 : 128, &length))
		return false;
	if (v4)
		length += 8 * sizeof mapped;
	prefix.length = (uint8_t)length;
	extra = clear_host_bits(&prefix.addr, length);
	if (host_bits != NULL)
		*host_bits = extra;
	*out = prefix;
	return true;
}
