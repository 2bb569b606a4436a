/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ethernet.c - Ethernet II and 802.3, and the EtherTypes we follow or know.
 *
 * The addresses are kept whatever follows is worth: who sent a frame to whom is known even if
 * its IP header is nonsense (macof).
 */
#include "decode/decode.h"

void decode_ethernet(struct decode *d)
{
	const uint8_t *h = decode_take(d, ETHERNET_HEADER);

	if (h == NULL)
		return;
	memcpy(d->packet->dmac.b, h, sizeof d->packet->dmac);
	memcpy(d->packet->smac.b, h + 6, sizeof d->packet->smac);
	d->packet->flags |= PACKET_MAC;
	decode_ethertype(d, read_be16(h + 12));
}

/* Followed, or not followed but nobody's mistake: registered types that occur on switched networks.
 */
static const uint16_t known[] = {
    ETHERTYPE_IPV4,
    ETHERTYPE_ARP,
    ETHERTYPE_TEB,
    ETHERTYPE_RARP,
    ETHERTYPE_IPX,
    ETHERTYPE_IPV6,
    ETHERTYPE_MPLS,
    ETHERTYPE_MPLS_MULTICAST,
    ETHERTYPE_PPPOE_SESSION,
    0x0842, /* wake on LAN */
    0x22ea, /* stream reservation */
    0x22f0, /* audio/video transport */
    0x22f3, /* TRILL */
    0x22f4, /* L2 IS-IS */
    0x4305, /* B.A.T.M.A.N. advanced */
    0x6002, /* DEC MOP remote console */
    0x6003, /* DECnet */
    0x6007, /* DEC LAVC */
    0x809b, /* AppleTalk */
    0x80f3, /* AppleTalk ARP */
    0x8808, /* MAC control: pause */
    0x8809, /* slow protocols: LACP */
    0x8819, /* CobraNet */
    0x8863, /* PPPoE discovery */
    0x886d, /* Intel ANS probes */
    0x8870, /* jumbo LLC */
    0x887b, /* HomePlug 1.0 */
    0x888e, /* EAPOL */
    0x8892, /* PROFINET */
    0x8899, /* Realtek remote control, loop detection */
    0x88a2, /* ATA over Ethernet */
    0x88a4, /* EtherCAT */
    0x88ab, /* POWERLINK */
    0x88b5, /* local experimental */
    0x88b6, /* local experimental */
    0x88b8, /* GOOSE */
    0x88ba, /* sampled values */
    0x88ca, /* TIPC */
    0x88cc, /* LLDP */
    0x88e1, /* HomePlug AV */
    0x88e3, /* media redundancy */
    0x88e5, /* MACsec */
    0x88e7, /* provider backbone bridge */
    0x88f5, /* MVRP */
    0x88f6, /* MMRP */
    0x88f7, /* PTP */
    0x88f8, /* NC-SI */
    0x88fb, /* PRP */
    0x8902, /* CFM, Y.1731 */
    0x8906, /* FCoE */
    0x8909, /* Cisco metadata */
    0x8914, /* FCoE initialisation */
    0x8915, /* RoCE */
    0x8917, /* media independent control */
    0x892f, /* HSR */
    0x893a, /* IEEE 1905.1 */
    0x8940, /* edge control */
    0x894f, /* network service header */
    0x9000, /* loopback test */
    0xf1c1, /* redundancy tag */
};

bool ethertype_known(uint16_t type)
{
	for (size_t n = 0; n < sizeof known / sizeof known[0]; n++)
		if (known[n] == type)
			return true;
	return false;
}

void decode_ethertype(struct decode *d, uint16_t type)
{
	struct packet *p = d->packet;

	if (!decode_tags(d, &type))
		return;
	if (type < ETHERTYPE_MIN && (!decode_llc(d, &type) || !decode_tags(d, &type)))
		return;
	p->ethertype = type;
	switch (type) {
	case ETHERTYPE_IPV4:
		decode_ipv4(d);
		return;
	case ETHERTYPE_IPV6:
		decode_ipv6(d);
		return;
	case ETHERTYPE_ARP:
	case ETHERTYPE_RARP:
		decode_arp(d, type);
		return;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		decode_mpls(d);
		return;
	case ETHERTYPE_PPPOE_SESSION:
		decode_pppoe(d);
		return;
	default:
		break;
	}
	if (!ethertype_known(type)) {
		decode_fail(d, DECODE_UNKNOWN_ETHERTYPE);
		return;
	}
	p->l3 = L3_OTHER;
	p->l3_data = d->left.c.at;
	p->l3_len = left_captured(&d->left);
}

/* Any EtherType alone would fit one in a thousand random frames; what it announces must begin. */
bool ethernet_plausible(const struct left *left)
{
	struct left in = *left;
	const uint8_t *h = left_take(&in, ETHERNET_HEADER);
	uint16_t type;

	if (h == NULL)
		return false;
	type = read_be16(h + 12);
	for (unsigned tags = 0; ethertype_is_tag(type); tags++) {
		h = left_take(&in, 4);
		if (tags == PACKET_MAX_TAGS || h == NULL)
			return h != NULL; /* more tags than we follow are still a frame */
		type = read_be16(h + 2);
	}
	if (type < ETHERTYPE_MIN)
		return type >= 3 && (in.open || type <= left_wire(&in));
	if (left_captured(&in) < 2)
		return ethertype_known(type);
	h = in.c.at;
	switch (type) {
	case ETHERTYPE_IPV4:
		return h[0] >> 4 == 4;
	case ETHERTYPE_IPV6:
		return h[0] >> 4 == 6;
	case ETHERTYPE_ARP:
	case ETHERTYPE_RARP:
		return h[0] == 0;
	default:
		return ethertype_known(type);
	}
}
