/* SPDX-License-Identifier: Apache-2.0 */
/* watching.h - flows with a strange path, packet by packet: see watching.c. */
#ifndef WATCHING_H
#define WATCHING_H

#include "worker.h"

static inline bool path_key_is_zero(const struct path_key *key)
{
	return mac_is_zero(key->smac) && mac_is_zero(key->dmac) && key->scope == 0;
}

/* Does a path hang together with another of its direction, so that a relay is possible? */
bool watching_chained(const struct flow *flow, unsigned direction, const struct path_key *key,
		      uint32_t bits);
/* Opens the flow's watch, with the paths that it has had. */
struct watch *watching_start(struct worker *w, struct flow *flow);
/* Takes a packet of a watched flow; true while what is strange in it is young. */
bool watching_packet(struct worker *w, struct flow *flow, struct watch *watch, unsigned direction,
		     const struct path_key *key, uint32_t bits, const struct packet *packet,
		     const struct place *place);
/* Tells of one packet: EVENT_STRAY, EVENT_RETURNED. */
void watching_odd(struct worker *w, enum event_kind kind, const struct flow *flow,
		  unsigned direction, const struct packet *packet, const struct place *place);
/* Tells of a path with a dynamic address: the judge has the leases. */
void watching_undecided(struct worker *w, const struct flow *flow, unsigned direction,
			const struct path_key *key, uint32_t bits, const struct packet *packet,
			const struct place *place);

#endif
