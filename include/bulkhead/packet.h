/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - a packet is one decoded layer of a frame: link header, tags, IP, transport.
 *
 *	capture > DECODE > tenant > flow > dpi > detect > rule > alert > sink
 *
 * A frame decodes into one packet, or into several when it carries tunnels: layer 0 is the
 * outer one, layer n+1 was carried in layer n.  The link layer is always decoded first and
 * kept whatever is wrong above it (macof's frames have broken IP lengths), so the checks of
 * MAC, VLAN and port never depend on a valid IP header.
 *
 * Decoding allocates nothing, keeps nothing and never recurses; every read goes through one
 * bounds-checked cursor.  Pointers are borrowed from the frame.  Any thread.
 *
 * To add a protocol: one file in sensor/decode/, one call where its parent decides.
 */
#ifndef BULKHEAD_PACKET_H
#define BULKHEAD_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/frame.h"

#define PACKET_MAX_TAGS 8
#define PACKET_MAX_LAYERS 16

/* What the network layer of a packet is. */
enum packet_l3 {
	L3_NONE, /* no network layer, or not both of its addresses, was decoded: see verdict */
	L3_ARP,
	L3_RARP,
	L3_IPV4,
	L3_IPV6,
	L3_LLC,	  /* 802.2 without SNAP: STP, CLNS ...; dsap in ethertype's low byte */
	L3_OTHER, /* an EtherType we know the number of and no more: LLDP, LACP, EAPOL ... */
};

/* How the layer was carried in the one before it. */
enum encap {
	ENCAP_NONE, /* layer 0 */
	ENCAP_VXLAN,
	ENCAP_VXLAN_GPE,
	ENCAP_GENEVE,
	ENCAP_GRE,   /* IP in GRE */
	ENCAP_NVGRE, /* Ethernet in GRE, key carries a VSID */
	ENCAP_TEB,   /* Ethernet in GRE (0x6558) without a key */
	ENCAP_ERSPAN1,
	ENCAP_ERSPAN2,
	ENCAP_ERSPAN3,
	ENCAP_IPIP, /* 4 in 4, 6 in 4 (6in4), 4 in 6, 6 in 6 */
	ENCAP_TZSP,
	ENCAP_GTPU,
	ENCAP_L2TP,
	ENCAP_MPLS_ETH, /* Ethernet in MPLS, with or without control word */
	ENCAP_MPLS_IP,	/* MPLS in IP or UDP (RFC 4023, RFC 7510) */
	ENCAP_ETHERIP,	/* RFC 3378 */
	ENCAP_MAX
};

/* Outcome of decoding a layer; also the index of its counter. */
enum decode_verdict {
	DECODE_OK,
	DECODE_TRUNCATED, /* the capture ends before the header does (snaplen) */
	DECODE_MALFORMED, /* a length or version contradicts itself */
	DECODE_UNKNOWN_LINKTYPE,
	DECODE_UNKNOWN_ETHERTYPE,
	DECODE_DEPTH, /* more layers, tags or extension headers than we follow */
	DECODE_MAX
};

enum packet_flags {
	PACKET_MAC = 1u << 0,		 /* smac and dmac are set (SLL: no flag, smac alone) */
	PACKET_FRAGMENT = 1u << 1,	 /* IP fragment, first or later */
	PACKET_LATER_FRAGMENT = 1u << 2, /* no transport header in it */
	PACKET_L4 = 1u << 3,		 /* ports or icmp fields are valid */
	PACKET_TCP_WHOLE = 1u << 4,	 /* TCP header with its options is within the capture */
	PACKET_SNAP = 1u << 5,		 /* came in 802.3/LLC-SNAP */
	PACKET_PRIORITY_TAG = 1u << 6,	 /* VLAN 0 present */
	PACKET_EXT_HEADERS = 1u << 7,	 /* IPv6 extension headers or IPv4 options present */
	PACKET_VNI = 1u << 8,		 /* vni is set: the segment is an overlay's */
	PACKET_BAD_LENGTH = 1u << 9, /* IP total length contradicts the frame, addresses valid */
	PACKET_MPLS = 1u << 10,
	PACKET_SRH = 1u << 11,	    /* IPv6 routing header seen */
	PACKET_OUTGOING = 1u << 12, /* SLL: sent by the capturing machine */
	PACKET_KEY = 1u << 13,	    /* tunnel_key is set (GRE key, ERSPAN session ...) */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

#define IPPROTO_NUM_ICMP 1
#define IPPROTO_NUM_IGMP 2
#define IPPROTO_NUM_TCP 6
#define IPPROTO_NUM_UDP 17
#define IPPROTO_NUM_GRE 47
#define IPPROTO_NUM_ICMPV6 58
#define IPPROTO_NUM_SCTP 132

struct vlan_tag {
	uint16_t tpid; /* 0x8100, 0x88a8, 0x9100, 0x9200 */
	uint16_t tci;  /* PCP, DEI, VID */
};

/* What the fast path needs first; tags, which few frames have several of, last. */
struct packet {
	uint8_t l3;	 /* enum packet_l3 */
	uint8_t encap;	 /* enum encap: how this layer was carried */
	uint8_t verdict; /* enum decode_verdict */
	uint8_t tag_count;
	uint32_t flags; /* enum packet_flags */
	struct mac_addr smac, dmac;
	uint16_t ethertype; /* of the network layer, tags removed; 0 when the link has none.  With
			     * SNAP of another organisation (CDP, DTP ...): its protocol id */
	uint16_t vlan;	    /* VID of the innermost non-zero tag before L3; 0 = untagged.  When
			     * ERSPAN says it took the tag out: that VLAN */
	uint8_t proto;	    /* transport protocol after extension headers */
	uint8_t ttl;	    /* TTL or hop limit */
	uint8_t icmp_type, icmp_code;
	uint16_t sport, dport;
	struct ip_addr src, dst; /* IP, or ARP sender/target protocol address */

	uint32_t ip_id;		   /* IPv4 identification, IPv6 fragment identification, else 0 */
	uint16_t fragment_offset;  /* bytes */
	uint16_t fragment_more;	   /* 1 when more fragments follow */
	uint32_t tcp_seq, tcp_ack; /* TCP's fields: valid when tcp_header_len is not 0 */
	uint8_t tcp_flags;
	uint8_t tcp_header_len;
	uint16_t tcp_window;
	uint16_t l4_checksum; /* TCP, UDP, ICMP as in the header */
	uint16_t arp_op;      /* 1 request, 2 reply, 3/4 RARP */
	uint32_t ip_len; /* IP datagram length as its header says (jumbo/TSO 0: from the frame) */
	uint32_t l2_len; /* captured bytes from l2 */
	uint32_t l3_len; /* captured bytes from l3_data, cut to the IP total length */
	uint32_t l4_len; /* captured bytes from l4 */
	uint32_t payload_len;	/* captured bytes at payload */
	uint32_t payload_wire;	/* bytes the payload had on the wire */
	const uint8_t *l2;	/* first byte of this layer */
	const uint8_t *l3_data; /* IP or ARP header; of L3_LLC and L3_OTHER what follows; or NULL */

	const uint8_t *l4;	/* transport header, or NULL: a later fragment has none */
	const uint8_t *payload; /* behind the transport header, or NULL; of a later fragment: its
				 * bytes.  Protocols without ports: NULL, see l4 */
	uint32_t vni;		/* VXLAN/GENEVE VNI, NVGRE VSID */
	uint32_t tunnel_key;	/* GRE key, ERSPAN session id, TEID, L2TP session */
	struct mac_addr arp_sha, arp_tha;     /* ARP hardware addresses */
	struct vlan_tag tag[PACKET_MAX_TAGS]; /* tag_count are set: outermost first, priority too */
};

/* Every layer of one frame. */
struct packet_stack {
	const struct frame *frame;
	unsigned count;	 /* 1..PACKET_MAX_LAYERS */
	uint8_t verdict; /* worst of the layers: what the ledger counts */
	struct packet layer[PACKET_MAX_LAYERS];
};

/*
 * Decodes a whole frame.  Always yields at least one layer.  extra_vxlan_ports etc. are not
 * configurable: the IANA ports and Linux' 8472 are known.
 */
void packet_decode(const struct frame *frame, struct packet_stack *stack);

/* Decodes bytes that hold an Ethernet frame or (ip=true) an IP packet: quoted or exported copies.
 */
void packet_decode_bytes(const uint8_t *data, uint32_t caplen, uint32_t len, bool ip,
			 struct packet_stack *stack);

/* An ICMP or ICMPv6 echo request or reply, as pings are. */
static inline bool packet_is_echo(const struct packet *packet)
{
	if (packet->proto == IPPROTO_NUM_ICMPV6)
		return packet->icmp_type == 128 || packet->icmp_type == 129;
	return packet->proto == IPPROTO_NUM_ICMP &&
	       (packet->icmp_type == 8 || packet->icmp_type == 0);
}

/*
 * Decodes the IP packet quoted in an ICMP(v6) error or redirect (RFC 792, RFC 4443, RFC 4861
 * 4.5 option 4).  False when there is none or it is too short for its addresses.
 */
bool packet_quoted(const struct packet *icmp, struct packet *quoted);

const char *encap_name(enum encap encap);		/* "VXLAN", "ERSPAN II" ... */
const char *decode_verdict_name(enum decode_verdict v); /* "truncated" ... */
/* "TCP", "UDP", "ICMP", "IPv6-ICMP" as EVE writes them; a number's text otherwise, in buf. */
const char *ip_proto_name(uint8_t proto, char buf[static 8]);

#endif
