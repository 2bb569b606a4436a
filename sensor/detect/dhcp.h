/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp.h - a DHCPv4 message (RFC 2131, options RFC 2132), as far as detectors need it.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_DHCP_H
#define DETECT_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/packet.h"

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
	DHCP_FORCERENEW, /* RFC 3203 */
};

#define DHCP_ROUTES 4

struct dhcp_message {
	uint8_t op;   /* 1 from a client, 2 from a server */
	uint8_t type; /* enum dhcp_type, 0 for BOOTP */
	struct mac_addr chaddr;
	struct ip_addr ciaddr, yiaddr, giaddr;
	uint32_t lease_seconds; /* 0 not said */
	bool has_server, has_router, has_dns;
	unsigned routes;		       /* in route_via */
	struct ip_addr server;		       /* option 54 */
	struct ip_addr requested;	       /* option 50, unspecified when not there */
	struct ip_addr router;		       /* option 3, first one */
	struct ip_addr dns;		       /* option 6, first one */
	struct ip_addr route_via[DHCP_ROUTES]; /* option 121 or 249, gateways of the first */
};

/* False when the packet is no DHCP message or is cut before its options. */
bool dhcp_parse(const struct packet *packet, struct dhcp_message *message);
/* What stands at the front of a server's message that is cut before its options: op, addresses
 * and the client; type 0.  False for everything else. */
bool dhcp_parse_cut(const struct packet *packet, struct dhcp_message *message);

#endif
