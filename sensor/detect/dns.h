/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h - a DNS message (RFC 1035) and its relatives LLMNR (RFC 4795), mDNS (RFC 6762) and NetBIOS
 * name service (RFC 1002), as far as detectors need it.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_DNS_H
#define DETECT_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/packet.h"

/* Longer names are cut: enough to tell names apart and to show them. */
#define DNS_NAME_SIZE 64
/* Address records read of one message. */
#define DNS_ADDRESSES 4

enum dns_family { DNS_PLAIN, DNS_LLMNR, DNS_MDNS, DNS_NETBIOS };

struct dns_address {
	char name[DNS_NAME_SIZE]; /* lower case, dotted; rest zero */
	struct ip_addr ip;
};

struct dns_message {
	enum dns_family family;
	uint16_t id;
	bool response;
	uint8_t rcode;
	uint16_t questions, answers;  /* as the header says */
	char question[DNS_NAME_SIZE]; /* the first one, as above */
	uint16_t type;		      /* its type */
	unsigned address_count;
	struct dns_address address[DNS_ADDRESSES]; /* A, AAAA; NetBIOS: NB of a unique host name */
	uint64_t data;	/* what it answers: of all addresses in any order, else the rcode */
	bool truncated; /* the capture ends within it: data is not all of it */
};

/* False when the packet is none of them. */
bool dns_parse(const struct packet *packet, struct dns_message *message);

/* Whether a detector can have a use for it, at a glance: of plain DNS, which most messages are, for
 * answers and for questions of reverse names. */
bool dns_matters(const struct packet *packet);

#endif
