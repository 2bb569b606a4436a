/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp6.h - a DHCPv6 message (RFC 8415), as far as detectors need it.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_DHCP6_H
#define DETECT_DHCP6_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/packet.h"

enum dhcp6_type {
	DHCP6_ADVERTISE = 2,
	DHCP6_REPLY = 7,
	DHCP6_RELEASE = 8,
	DHCP6_DECLINE = 9,
	DHCP6_RECONFIGURE = 10,
	DHCP6_RELAY_REPLY = 13,
};

struct dhcp6_message {
	uint8_t type; /* enum dhcp6_type; of the inner message when a relay agent carried it */
	bool has_client, has_dns, has_address;
	struct mac_addr client; /* in the client's DUID (DUID-LLT, DUID-LL) */
	struct ip_addr dns;	/* option 23, first one */
	struct ip_addr address; /* first one leased */
	uint32_t valid_seconds; /* its valid lifetime; UINT32_MAX: for good */
};

/* False when the packet is no DHCPv6 message. */
bool dhcp6_parse(const struct packet *packet, struct dhcp6_message *message);

/* ADVERTISE, REPLY, RECONFIGURE or a relay's reply: what only servers and relay agents send. */
bool dhcp6_from_server(uint8_t type);

#endif
