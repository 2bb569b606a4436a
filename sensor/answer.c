/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c - an answer and the NICs that its question was delivered to.
 *
 * A flow remembers the last paths of each direction: an answer's NIC is compared with those that
 * the other direction arrived at.
 */
#include "worker.h"

static bool no_path(const struct path_key *key)
{
	return mac_is_zero(key->smac) && mac_is_zero(key->dmac) && key->scope == 0;
}

/*
 * Somebody answers who was not asked: the questions of this flow went to other tenants' NICs
 * alone.  Only first answers: a refused or accepted connection, an echo, a neighbour.
 *
 * He was asked after all by a NIC that passes things on: what leaves a port never shows that, and
 * where the answer goes to that NIC as well it stands in the middle.
 */
bool answer_is_unasked(const struct worker *w, const struct flow *flow, unsigned direction,
		       const struct path_parties *p, const struct packet *packet)
{
	const struct path_key *asked = flow->path[!direction];
	bool answer = (packet->proto == IPPROTO_NUM_TCP &&
		       ((packet->tcp_flags & TCP_RST) ||
			(packet->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))) ||
		      (packet->proto == IPPROTO_NUM_ICMP && packet->icmp_type == 0) ||
		      (packet->proto == IPPROTO_NUM_ICMPV6 &&
		       (packet->icmp_type == 129 || packet->icmp_type == 136));

	if (!answer || worker_tap(w)->view == VIEW_PORT || p->from.tenant < TENANT_FIRST ||
	    p->src.tenant != p->from.tenant || flow->paths_seen[!direction] == 0 ||
	    flow->paths_seen[!direction] > FLOW_PATHS)
		return false;
	for (unsigned i = 0; i < FLOW_PATHS && !no_path(&asked[i]); i++) {
		struct carrier to = inventory_carrier(w->inv, asked[i].dmac);

		if (mac_is_group(asked[i].dmac) || to.tenant < TENANT_FIRST ||
		    to.tenant == p->from.tenant || mac_equal(asked[i].dmac, packet->dmac))
			return false;
	}
	return true;
}

/* Does the provider's gear bring this NIC what the packet answers?  Then a public address that
 * nobody registered is at home there, although the answer takes the short way to a neighbour. */
bool answer_is_from_home(const struct worker *w, const struct flow *flow, unsigned direction,
			 const struct path_parties *p, const struct packet *packet)
{
	if (p->src.kind != OWNER_NONE)
		return false;
	for (unsigned i = 0; i < FLOW_PATHS; i++) {
		const struct path_key *asked = &flow->path[!direction][i];
		struct carrier by = inventory_carrier(w->inv, asked->smac);

		if (mac_equal(asked->dmac, packet->smac) && by.tenant == TENANT_INFRASTRUCTURE &&
		    (by.roles & ROLES_CARRY) != 0)
			return true;
	}
	return false;
}
