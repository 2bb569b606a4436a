/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac.h - frames that only move a MAC to the sender's port: what spoof_mac.c tells and
 * spoof_source.c leaves to it.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_MAC_H
#define DETECT_MAC_H

#include "detect/build.h"

/*
 * A packet from a host's address to itself, delivered to its own NIC, with another tenant's MAC:
 * the receiver gets back what it sent, and only the switch learns something.  A SYN like that is an
 * attack of old on the receiver (LAND), and its sender's doing.
 */
static inline bool mac_steals_port(const struct event *ev)
{
	return ev->has_mac && ev->has_ip && ip_equal(&ev->tuple.src, &ev->tuple.dst) &&
	       ev->tuple.proto != IPPROTO_NUM_TCP && is_tenant(ev->to.tenant) &&
	       ev->src.tenant == ev->to.tenant && ev->src.host == ev->to.host &&
	       ev->src.host != HOST_NONE && is_other_tenant(ev->from.tenant, ev->to.tenant);
}

#endif
