/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - encapsulations, verdicts and protocols as people write them.
 */
#include <stdio.h>

#include "bulkhead/packet.h"

const char *encap_name(enum encap encap)
{
	static const char *const names[ENCAP_MAX] = {
	    [ENCAP_NONE] = "none",
	    [ENCAP_VXLAN] = "VXLAN",
	    [ENCAP_VXLAN_GPE] = "VXLAN-GPE",
	    [ENCAP_GENEVE] = "GENEVE",
	    [ENCAP_GRE] = "GRE",
	    [ENCAP_NVGRE] = "NVGRE",
	    [ENCAP_TEB] = "Ethernet in GRE",
	    [ENCAP_ERSPAN1] = "ERSPAN I",
	    [ENCAP_ERSPAN2] = "ERSPAN II",
	    [ENCAP_ERSPAN3] = "ERSPAN III",
	    [ENCAP_IPIP] = "IP in IP",
	    [ENCAP_TZSP] = "TZSP",
	    [ENCAP_GTPU] = "GTP-U",
	    [ENCAP_L2TP] = "L2TP",
	    [ENCAP_MPLS_ETH] = "Ethernet in MPLS",
	    [ENCAP_MPLS_IP] = "MPLS in IP",
	    [ENCAP_ETHERIP] = "EtherIP",
	};

	return (unsigned)encap < ENCAP_MAX ? names[encap] : "?";
}

const char *decode_verdict_name(enum decode_verdict v)
{
	static const char *const names[DECODE_MAX] = {
	    [DECODE_OK] = "ok",
	    [DECODE_TRUNCATED] = "truncated",
	    [DECODE_MALFORMED] = "malformed",
	    [DECODE_UNKNOWN_LINKTYPE] = "unknown link type",
	    [DECODE_UNKNOWN_ETHERTYPE] = "unknown EtherType",
	    [DECODE_DEPTH] = "too deep",
	};

	return (unsigned)v < DECODE_MAX ? names[v] : "?";
}

const char *ip_proto_name(uint8_t proto, char buf[static 8])
{
	switch (proto) {
	case IPPROTO_NUM_ICMP:
		return "ICMP";
	case IPPROTO_NUM_IGMP:
		return "IGMP";
	case IPPROTO_NUM_TCP:
		return "TCP";
	case IPPROTO_NUM_UDP:
		return "UDP";
	case IPPROTO_NUM_GRE:
		return "GRE";
	case 50:
		return "ESP";
	case IPPROTO_NUM_ICMPV6:
		return "IPv6-ICMP";
	case 112:
		return "VRRP";
	case IPPROTO_NUM_SCTP:
		return "SCTP";
	default:
		(void)snprintf(buf, 8, "%u", proto); /* three digits at most: always fits */
		return buf;
	}
}
