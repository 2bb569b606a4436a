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

/* Not followed, but nobody's mistake: registered types that occur on switched networks. */
bool ethertype_known(uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_ARP:
	case ETHERTYPE_TEB:
	case ETHERTYPE_RARP:
	case ETHERTYPE_IPX:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPPOE_SESSION:
	case 0x0842: /* wake on LAN */
	case 0x22ea: /* stream reservation */
	case 0x22f0: /* audio/video transport */
	case 0x22f3: /* TRILL */
	case 0x22f4: /* L2 IS-IS */
	case 0x4305: /* B.A.T.M.A.N. advanced */
	case 0x6002: /* DEC MOP remote console */
	case 0x6003: /* DECnet */
	case 0x6007: /* DEC LAVC */
	case 0x809b: /* AppleTalk */
	case 0x80f3: /* AppleTalk ARP */
	case 0x8808: /* MAC control: pause */
	case 0x8809: /* slow protocols: LACP */
	case 0x8819: /* CobraNet */
	case 0x8863: /* PPPoE discovery */
	case 0x886d: /* Intel ANS probes */
	case 0x8870: /* jumbo LLC */
	case 0x887b: /* HomePlug 1.0 */
	case 0x888e: /* EAPOL */
	case 0x8892: /* PROFINET */
	case 0x8899: /* Realtek remote control, loop detection */
	case 0x88a2: /* ATA over Ethernet */
	case 0x88a4: /* EtherCAT */
	case 0x88ab: /* POWERLINK */
	case 0x88b5: /* local experimental */
	case 0x88b6: /* local experimental */
	case 0x88b8: /* GOOSE */
	case 0x88ba: /* sampled values */
	case 0x88ca: /* TIPC */
	case 0x88cc: /* LLDP */
	case 0x88e1: /* HomePlug AV */
	case 0x88e3: /* media redundancy */
	case 0x88e5: /* MACsec */
	case 0x88e7: /* provider backbone bridge */
	case 0x88f5: /* MVRP */
	case 0x88f6: /* MMRP */
	case 0x88f7: /* PTP */
	case 0x88f8: /* NC-SI */
	case 0x88fb: /* PRP */
	case 0x8902: /* CFM, Y.1731 */
	case 0x8906: /* FCoE */
	case 0x8909: /* Cisco metadata */
	case 0x8914: /* FCoE initialisation */
	case 0x8915: /* RoCE */
	case 0x8917: /* media independent control */
	case 0x892f: /* HSR */
	case 0x893a: /* IEEE 1905.1 */
	case 0x8940: /* edge control */
	case 0x894f: /* network service header */
	case 0x9000: /* loopback test */
	case 0xf1c1: /* redundancy tag */
		return true;
	default:
		return false;
	}
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
