/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim.h - "this address is at this MAC": the judgement that ARP and neighbour discovery share.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_CLAIM_H
#define DETECT_CLAIM_H

#include "bulkhead/detector.h"

struct claim {
	struct ip_addr ip;   /* the address claimed */
	struct mac_addr mac; /* where it is said to be */
	bool has_told;	     /* somebody in particular was told (unicast) */
	struct ip_addr told; /* his address, when known (unspecified otherwise) */
	bool answer;	     /* reply or advertisement, not a request */
};

/* What an ARP frame, or a neighbour solicitation or advertisement (RFC 4861 4.3, 4.4), claims;
 * false when it claims nothing. */
bool claim_of_arp(const struct event *ev, struct claim *claim);
bool claim_of_nd(const struct event *ev, struct claim *claim);

/* Does the claim contradict the inventory across tenants?  Adds findings of kind to out. */
void claim_judge(const struct event *ev, const struct claim *claim, const char *kind,
		 struct findings *out);

#endif
