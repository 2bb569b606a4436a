/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpdu.h - what a bridge says in a spanning tree BPDU (IEEE 802.1D clause 9.3, 802.1Q clause 14).
 *
 *	protocol 2 | version 1 | type 1 | flags 1 | root id 8 | cost 4 | bridge id 8 | port 2 ...
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_BPDU_H
#define DETECT_BPDU_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/detector.h"

struct bpdu {
	bool change_notice;   /* a TCN: nothing below is set */
	bool topology_change; /* the TC flag */
	uint64_t root;	      /* priority in the upper 16 bits, then the MAC: lower wins */
	uint64_t bridge;
};

/* False when the packet is no BPDU (plain, rapid, multiple or per VLAN). */
bool bpdu_parse(const struct packet *packet, struct bpdu *out);

/* Somebody who may announces a topology change: tables age fast, unicast is flooded for a while. */
bool bpdu_announces_change(const struct event *ev);

#endif
