/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quoted.c - the packet that an ICMP(v6) error or redirect quotes.
 *
 * A quote proves that its sender had the packet before it.  It is cut where the sender liked
 * (RFC 792: 8 bytes behind the IP header), so lengths beyond its end contradict nothing.
 */
#include "decode/decode.h"

#define ICMP_QUOTE 8 /* offset of the quote in every error message, v4 and v6 */
#define ND_REDIRECT 137
#define ND_REDIRECT_OPTIONS 40
#define ND_OPTION_REDIRECTED 4
#define ND_REDIRECTED_QUOTE 8

static bool quotes_v4(uint8_t type)
{
	switch (type) {
	case 3:	 /* unreachable */
	case 4:	 /* source quench */
	case 5:	 /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return true;
	default:
		return false;
	}
}

static bool quotes_v6(uint8_t type)
{
	return type >= 1 && type <= 4; /* unreachable, too big, time exceeded, parameter problem */
}

/* The redirected header option of an ND redirect. */
static bool find_redirected(struct left *left)
{
	if (left_take(left, ND_REDIRECT_OPTIONS) == NULL)
		return false;
	while (left_captured(left) >= 2) {
		const uint8_t *option = left->c.at;
		uint32_t len = option[1] * 8u;

		if (len == 0)
			return false;
		if (option[0] == ND_OPTION_REDIRECTED) {
			left_cut(left, len);
			return left_take(left, ND_REDIRECTED_QUOTE) != NULL;
		}
		if (left_take(left, len) == NULL)
			return false;
	}
	return false;
}

static bool find_quote(const struct packet *icmp, struct left *left)
{
	if (icmp->proto == IPPROTO_NUM_ICMPV6 && icmp->icmp_type == ND_REDIRECT)
		return find_redirected(left);
	if (icmp->proto == IPPROTO_NUM_ICMPV6 ? !quotes_v6(icmp->icmp_type)
					      : !quotes_v4(icmp->icmp_type))
		return false;
	return left_take(left, ICMP_QUOTE) != NULL;
}

bool packet_quoted(const struct packet *icmp, struct packet *quoted)
{
	struct decode d = {.packet = quoted};

	if ((icmp->proto != IPPROTO_NUM_ICMP && icmp->proto != IPPROTO_NUM_ICMPV6) ||
	    !(icmp->flags & PACKET_L4))
		return false;
	d.left.c = cursor_over(icmp->l4, icmp->l4_len);
	if (!find_quote(icmp, &d.left))
		return false;
	d.left.open = true;
	packet_reset(quoted);
	quoted->l2 = d.left.c.at;
	quoted->l2_len = left_captured(&d.left);
	decode_ip(&d);
	return quoted->l3 != L3_NONE;
}
