/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h - what a neighbour discovery message (LLDP, CDP) claims that its sender is.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_DISCOVERY_H
#define DETECT_DISCOVERY_H

#include <stdbool.h>

#include "bulkhead/packet.h"

struct discovery {
	const char *protocol; /* "LLDP" or "CDP" */
	bool gear;	      /* a bridge, switch, router or access point, and active as such */
	bool phone;	      /* asks for the voice VLAN, as telephones do */
	bool has_chassis;     /* LLDP: the MAC by which it calls itself */
	struct mac_addr chassis;
};

/* False when the packet is neither, or damaged before it claims anything. */
bool discovery_parse(const struct packet *packet, struct discovery *out);

#endif
