/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel.c - what UDP ports and IP protocols carry: VXLAN, GENEVE, GTP-U, TZSP, IP in IP ...
 *
 * A port proves nothing: a resolver's answer may go to port 4789.  So a tunnel is believed only
 * when its header and the first bytes of what it carries agree with the port.  If not there is
 * no tunnel, and nothing wrong with the packet.
 */
#include "decode/decode.h"

#include <assert.h>

#define VXLAN_HEADER 8
#define VXLAN_VNI_VALID 0x08
#define GPE_VERSION 0x30
#define GPE_NEXT_PROTOCOL 0x04
#define GENEVE_HEADER 8
#define GENEVE_VERSION 0xc0
#define GENEVE_OPTION_WORDS 0x3f
#define GTPU_HEADER 8
#define GTPU_VERSION_TYPE 0xf0 /* version, protocol type and a spare bit ... */
#define GTPU_V1 0x30	       /* ... of GTPv1 (TS 29.281 5.1) */
#define GTPU_EXTENSION 0x04
#define GTPU_OPTIONAL 0x07 /* any of these: four more bytes */
#define GTPU_MAX_EXTENSIONS 8
#define GTPU_DATA 255 /* message type G-PDU */
#define TZSP_HEADER 4
#define TZSP_MAX_TAGS 32
#define TZSP_TAG_PADDING 0
#define TZSP_TAG_END 1
#define TZSP_ETHERNET 1
#define ETHERIP_HEADER 2
#define ETHERIP_VERSION 0x30

enum ip_carrier {
	PROTO_IPIP = 4,
	PROTO_IPV6 = 41,
	PROTO_ETHERIP = 97,
	PROTO_L2TP = 115,
	PROTO_MPLS = 137,
};

static void carry(struct decode *d, enum carried_kind kind, enum encap encap, uint16_t type,
		  const struct left *left)
{
	d->carried = (struct carried){
	    .kind = (uint8_t)kind, .encap = (uint8_t)encap, .type = type, .left = *left};
}

bool carry_ethernet(struct decode *d, enum encap encap, const struct left *left)
{
	if (!ethernet_plausible(left))
		return false;
	carry(d, CARRIED_ETHERNET, encap, 0, left);
	return true;
}

bool carry_ethertype(struct decode *d, enum encap encap, uint16_t type, const struct left *left)
{
	if (type == ETHERTYPE_TEB)
		return carry_ethernet(d, encap, left);
	if (left_captured(left) == 0)
		return false;
	if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6) {
		if (left->c.at[0] >> 4 != (type == ETHERTYPE_IPV4 ? 4 : 6))
			return false;
		carry(d, CARRIED_LINK, encap, LINK_RAW, left);
		return true;
	}
	if (!ethertype_known(type) && !ethertype_is_tag(type))
		return false;
	carry(d, CARRIED_ETHERTYPE, encap, type, left);
	return true;
}

static void carry_vni(struct decode *d, const uint8_t *vni)
{
	d->carried.vni = (uint32_t)vni[0] << 16 | (uint32_t)vni[1] << 8 | vni[2];
	d->carried.flags |= PACKET_VNI;
}

/* RFC 7348; reserved bits are ignored on receipt, and group policy uses some of them. */
static void tunnel_vxlan(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, VXLAN_HEADER);

	if (h != NULL && (h[0] & VXLAN_VNI_VALID) && carry_ethernet(d, ENCAP_VXLAN, &in))
		carry_vni(d, h + 4);
}

static void tunnel_gpe(struct decode *d)
{
	static const uint16_t types[] = {0, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_TEB,
					 0, ETHERTYPE_MPLS};
	struct left in = d->left;
	const uint8_t *h = left_take(&in, VXLAN_HEADER);
	uint16_t type = ETHERTYPE_TEB;

	if (h == NULL || (h[0] & GPE_VERSION) || !(h[0] & VXLAN_VNI_VALID))
		return;
	if (h[0] & GPE_NEXT_PROTOCOL)
		type = h[3] < sizeof types / sizeof types[0] ? types[h[3]] : 0;
	if (type != 0 && carry_ethertype(d, ENCAP_VXLAN_GPE, type, &in))
		carry_vni(d, h + 4);
}

/* RFC 8926. */
static void tunnel_geneve(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, GENEVE_HEADER);

	if (h == NULL || (h[0] & GENEVE_VERSION) ||
	    left_take(&in, (h[0] & GENEVE_OPTION_WORDS) * 4u) == NULL)
		return;
	if (carry_ethertype(d, ENCAP_GENEVE, read_be16(h + 2), &in))
		carry_vni(d, h + 4);
}

static void tunnel_gtpu(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, GTPU_HEADER), *more;
	uint8_t next = 0;

	if (h == NULL || (h[0] & GTPU_VERSION_TYPE) != GTPU_V1 || h[1] != GTPU_DATA)
		return;
	if (h[0] & GTPU_OPTIONAL) {
		more = left_take(&in, 4);
		if (more == NULL)
			return;
		next = (h[0] & GTPU_EXTENSION) ? more[3] : 0;
	}
	for (unsigned n = 0; next != 0; n++) {
		uint32_t len = left_captured(&in) != 0 ? in.c.at[0] * 4u : 0;

		if (len == 0 || n == GTPU_MAX_EXTENSIONS)
			return;
		more = left_take(&in, len);
		if (more == NULL)
			return;
		next = more[len - 1];
	}
	if (!ip_plausible(&in, ETHERTYPE_IPV4) && !ip_plausible(&in, ETHERTYPE_IPV6))
		return;
	carry(d, CARRIED_LINK, ENCAP_GTPU, LINK_RAW, &in);
	d->carried.key = read_be32(h + 4);
	d->carried.flags |= PACKET_KEY;
}

/* TaZmen Sniffer Protocol: what MikroTik and others export captured frames in. */
static void tunnel_tzsp(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, TZSP_HEADER);

	if (h == NULL || h[0] != 1 || h[1] > 1 || read_be16(h + 2) != TZSP_ETHERNET)
		return;
	for (unsigned n = 0; n < TZSP_MAX_TAGS; n++) {
		h = left_take(&in, 1);
		if (h == NULL)
			return;
		if (h[0] == TZSP_TAG_END) {
			in.open = true; /* sniffers cut frames without saying so */
			(void)carry_ethernet(d, ENCAP_TZSP, &in);
			return;
		}
		if (h[0] == TZSP_TAG_PADDING)
			continue;
		h = left_take(&in, 1);
		if (h == NULL || left_take(&in, h[0]) == NULL)
			return;
	}
}

bool tunnel_is_port(uint16_t dport)
{
	switch (dport) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
	case PORT_VXLAN_GPE:
	case PORT_GENEVE:
	case PORT_GTPU:
	case PORT_TZSP:
	case PORT_L2TP:
	case PORT_MPLS_IN_UDP:
	case PORT_GRE_IN_UDP:
		return true;
	default:
		return false;
	}
}

void tunnel_of_udp(struct decode *d)
{
	switch (d->packet->dport) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		tunnel_vxlan(d);
		break;
	case PORT_VXLAN_GPE:
		tunnel_gpe(d);
		break;
	case PORT_GENEVE:
		tunnel_geneve(d);
		break;
	case PORT_GTPU:
		tunnel_gtpu(d);
		break;
	case PORT_TZSP:
		tunnel_tzsp(d);
		break;
	case PORT_L2TP:
		tunnel_l2tp_udp(d);
		break;
	case PORT_MPLS_IN_UDP:
		(void)carry_ethertype(d, ENCAP_MPLS_IP, ETHERTYPE_MPLS, &d->left);
		break;
	default:
		assert(d->packet->dport == PORT_GRE_IN_UDP); /* tunnel_is_port() was asked */
		tunnel_gre(d);
		break;
	}
}

static void tunnel_etherip(struct decode *d)
{
	struct left in = d->left;
	const uint8_t *h = left_take(&in, ETHERIP_HEADER);

	if (h != NULL && h[0] == ETHERIP_VERSION)
		(void)carry_ethernet(d, ENCAP_ETHERIP, &in);
}

void tunnel_of_ip(struct decode *d)
{
	switch (d->packet->proto) {
	case PROTO_IPIP:
		(void)carry_ethertype(d, ENCAP_IPIP, ETHERTYPE_IPV4, &d->left);
		break;
	case PROTO_IPV6:
		(void)carry_ethertype(d, ENCAP_IPIP, ETHERTYPE_IPV6, &d->left);
		break;
	case IPPROTO_NUM_GRE:
		tunnel_gre(d);
		break;
	case PROTO_ETHERIP:
		tunnel_etherip(d);
		break;
	case PROTO_L2TP:
		tunnel_l2tp_ip(d);
		break;
	case PROTO_MPLS:
		(void)carry_ethertype(d, ENCAP_MPLS_IP, ETHERTYPE_MPLS, &d->left);
		break;
	default:
		break;
	}
}
