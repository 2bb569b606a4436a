/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - the link header a capture says its frames start with.
 *
 * Linux "cooked" headers (SLL, SLL2) tell the sender's address, and of the receiver only whether it
 * is a group: PACKET_MAC stays unset, dmac is zero or a stand-in for the group.  The BSD loopback
 * header is a number in the byte order of whoever captured: it is small, so the order shows.
 */
#include "decode/decode.h"

#define SLL_HEADER 16
#define SLL2_HEADER 20
#define SLL_BROADCAST 1
#define SLL_MULTICAST 2
#define SLL_OUTGOING 4
#define SLL_8023 1 /* Novell raw 802.3 */
#define SLL_8022 4 /* 802.2 LLC follows */
#define ARPHRD_NETLINK_NUM 824
#define BSD_AF_INET 2
/* AF_INET6 is another number on each system: Linux, BSDs, FreeBSD, Darwin. */
#define LINUX_AF_INET6 10
#define BSD_AF_INET6 24
#define FREEBSD_AF_INET6 28
#define DARWIN_AF_INET6 30

/* The packet's type: to everybody, to some, to another than the capturing machine ... */
static void cooked_type(struct decode *d, uint16_t type)
{
	static const struct mac_addr everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	static const struct mac_addr some = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x00}};

	if (type == SLL_OUTGOING)
		d->packet->flags |= PACKET_OUTGOING;
	else if (type == SLL_BROADCAST)
		d->packet->dmac = everybody;
	else if (type == SLL_MULTICAST)
		d->packet->dmac = some;
}

static void decode_cooked(struct decode *d, uint16_t protocol, uint16_t device,
			  const uint8_t *address, unsigned address_len)
{
	if (address_len == sizeof d->packet->smac)
		memcpy(d->packet->smac.b, address, sizeof d->packet->smac);
	if (device == ARPHRD_NETLINK_NUM) { /* protocol is no EtherType there */
		decode_fail(d, DECODE_UNKNOWN_ETHERTYPE);
		return;
	}
	if (protocol == SLL_8022 || protocol == SLL_8023) {
		uint32_t wire = left_wire(&d->left);

		protocol = (uint16_t)(wire < 1500 ? wire : 1500);
	}
	decode_ethertype(d, protocol);
}

static void decode_sll(struct decode *d)
{
	const uint8_t *h = decode_take(d, SLL_HEADER);

	if (h == NULL)
		return;
	cooked_type(d, read_be16(h));
	decode_cooked(d, read_be16(h + 14), read_be16(h + 2), h + 6, read_be16(h + 4));
}

static void decode_sll2(struct decode *d)
{
	const uint8_t *h = decode_take(d, SLL2_HEADER);

	if (h == NULL)
		return;
	cooked_type(d, h[10]);
	decode_cooked(d, read_be16(h), read_be16(h + 8), h + 12, h[11]);
}

static void decode_loopback(struct decode *d)
{
	const uint8_t *h = decode_take(d, 4);
	uint32_t family;

	if (h == NULL)
		return;
	family = read_be32(h);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case BSD_AF_INET:
	case LINUX_AF_INET6:
	case BSD_AF_INET6:
	case FREEBSD_AF_INET6:
	case DARWIN_AF_INET6:
		decode_ip(d);
		break;
	default:
		decode_fail(d, DECODE_UNKNOWN_ETHERTYPE);
		break;
	}
}

void decode_link(struct decode *d, uint16_t linktype)
{
	switch (linktype) {
	case LINK_ETHERNET:
		decode_ethernet(d);
		break;
	case LINK_RAW:
	case LINK_RAW_OLD:
	case LINK_IPV4:
	case LINK_IPV6:
		decode_ip(d);
		break;
	case LINK_LINUX_SLL:
		decode_sll(d);
		break;
	case LINK_LINUX_SLL2:
		decode_sll2(d);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		decode_loopback(d);
		break;
	default:
		decode_fail(d, DECODE_UNKNOWN_LINKTYPE);
		break;
	}
}
