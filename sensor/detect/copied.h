/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copied.h - is a packet inside a tunnel or a capture another tenant's?
 *
 * Private to sensor/detect/.  Addresses alone do not answer it: inside a tenant's own overlay
 * anybody's private addresses may occur.  See copied.c for what does.
 */
#ifndef DETECT_COPIED_H
#define DETECT_COPIED_H

#include "bulkhead/detector.h"

/* An end of a tunnel or of a stream: whose it is, by address or, where nobody owns that, by NIC. */
struct copied_end {
	uint32_t tenant;
	uint32_t roles;
	struct party party;
};

struct copied_end copied_end_of(const struct event *ev, uint16_t domain, const struct ip_addr *ip,
				const struct mac_addr *mac);
/* A tenant's end that has no business with others' packets: no declared tunnel end or monitor. */
bool copied_end_is_suspect(const struct copied_end *end);
/* Is it the sender who took that tenant's packets?  Then he is told of, and not his receiver:
 * anybody can be sent anything. */
bool copied_end_took_it(const struct copied_end *sender, uint32_t victim);
/* EVENT_TUNNEL, EVENT_SEGMENT: the routing domain that the tunnel's ends are in. */
uint16_t copied_outer_domain(const struct event *ev);

/* How many of whose packets went between whom. */
struct copied_book;

struct copied_book *copied_book_new(uint64_t seed);
void copied_book_free(struct copied_book *book);
uint64_t copied_evicted(const struct copied_book *book);
/* EVENT_RELAYED: what a tenant passes on to somebody else's NIC is not behind its own. */
void copied_note_relay(struct copied_book *book, const struct event *ev);

struct copied_case {
	struct copied_book *book;
	const struct event *ev; /* inventory, leases and time */
	const struct packet *packet;
	uint16_t domain;
	bool trusted;	 /* the domain is an overlay's, and the provider's own end said so */
	bool mirrored;	 /* both directions of its conversation travel the same way */
	uint32_t tenant; /* who may have no business with it */
	uint32_t sender; /* tenant of who sent the tunnel or the stream */
	uint32_t sender_roles;
};

struct copied {
	struct owner owner[2];
	unsigned count;	   /* 0..2 victims */
	unsigned which[2]; /* 0 its source, 1 its destination */
	enum confidence confidence;
	bool native; /* the packet was seen on the wire too */
};

void copied_judge(const struct copied_case *c, struct copied *out);
/*
 * After copied_judge(), of every packet in a tunnel.  Does it belong to a conversation of an
 * outsider who lives behind this tunnel of the suspect's: what the suspect sends into it is for the
 * other tenant, and what that one says comes out of it?
 */
bool copied_is_behind(const struct copied_case *c, const struct copied *copied, bool receives);

/*
 * Counts a victim's packets between two ends.  True when they are more than a switch floods now and
 * then, or nobody's own traffic could be in them (`certain`); *packets and *bytes are then all that
 * were not told yet.
 */
bool copied_enough(struct copied_book *book, const struct ip_addr ends[2], uint32_t victim,
		   bool certain, uint64_t now_ns, uint64_t *packets, uint64_t *bytes);

/* Fills what both kinds of finding have in common. */
void copied_fill(struct finding *f, const struct copied_case *c, const struct copied *copied,
		 unsigned victim);

#endif
