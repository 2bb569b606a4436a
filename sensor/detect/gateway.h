/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.h - what a message of a router protocol claims: VRRP, CARP, HSRP, GLBP and routing.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_GATEWAY_H
#define DETECT_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/packet.h"

#define GATEWAY_ADDRESSES 8

struct gateway_message {
	const char *protocol; /* "vrrp" ...: also what the inventory's shared_addresses say */
	bool group_protocol;  /* a virtual address moves between hosts; else it is routing */
	bool link;	      /* for everybody on the link, or between two (BGP) */
	unsigned group, priority;
	unsigned address_count;
	struct ip_addr address[GATEWAY_ADDRESSES];
	bool has_mac;
	struct mac_addr mac; /* the virtual MAC of the group */
};

/* False when the packet is none, or claims nothing (a RIP request, a mere BGP connection). */
bool gateway_parse(const struct packet *packet, struct gateway_message *message);

#endif
