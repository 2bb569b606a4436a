/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c - the judgement every path gets once: owner by IP, carrier by MAC.
 *
 * A carrier that owns neither end of a packet, while another tenant owns one, is a stranger to it,
 * unless it is the provider's own.  What keeps this silent in ordinary life is the "maybe": an
 * address that nobody registered may well be the carrier's own (a second address, a container, a
 * link-local one), so at the carrier's own end it accuses nobody by itself.  The other end may be
 * the carrier's own too when it is next door: behind another NIC of its tenant, or behind one that
 * nobody registered (a nested machine, a back end) and not behind the provider's router.
 *
 * A public address that nobody registered is where the provider's gear says it is: what it hands to
 * a NIC for an address that is not on the link it has a route for (a tenant's own prefix, a service
 * behind the balancer).
 */
#include <string.h>

#include "bulkhead/flow.h"

static bool is_tenant(uint32_t tenant)
{
	return tenant >= TENANT_FIRST;
}

/* May an address of this owner be the carrier's own although the inventory does not say so? */
static bool could_be_own(const struct owner *owner, const struct ip_addr *ip)
{
	switch (owner->kind) {
	case OWNER_SEGMENT:
	case OWNER_DYNAMIC:
		return owner->tenant == TENANT_UNKNOWN;
	case OWNER_NONE:
		return ip_is_private(ip) || ip_is_link_local(ip) || ip_is_unspecified(ip) ||
		       ip_is_multicast(ip) || ip_is_broadcast(ip) || ip_is_loopback(ip);
	default:
		return false;
	}
}

bool owner_undecided(const struct owner *owner, const struct ip_addr *ip)
{
	return could_be_own(owner, ip) && !ip_is_unspecified(ip) && !ip_is_multicast(ip) &&
	       !ip_is_broadcast(ip) && !ip_is_loopback(ip);
}

/* An end of a packet, and the NIC at that end of the frame. */
struct end {
	const struct carrier *nic;
	const struct owner *owner;
	const struct ip_addr *ip;
	bool group; /* the frame is for everybody: nobody's own end */
};

static bool is_next_door(const struct end *end, uint32_t tenant)
{
	return !end->group && (end->nic->tenant == TENANT_UNKNOWN || end->nic->tenant == tenant) &&
	       could_be_own(end->owner, end->ip);
}

/* Would the provider's gear at the other end of the frame have a route to here for the address? */
static bool is_routed(const struct end *near, const struct end *far)
{
	return near->owner->kind == OWNER_NONE && !ip_is_multicast(near->ip) &&
	       !ip_is_broadcast(near->ip) && far->nic->tenant == TENANT_INFRASTRUCTURE &&
	       (far->nic->roles & ROLES_CARRY) != 0;
}

/* near: where the carrier stands that is judged (the source when it sent the frame). */
static uint32_t judge_carrier(const struct end *near, const struct end *far, uint32_t stranger,
			      uint32_t maybe, uint32_t unknown)
{
	uint32_t tenant = near->nic->tenant;
	uint32_t own = near->owner->tenant, other = far->owner->tenant;
	bool foreign_end =
	    (is_tenant(own) && own != tenant) || (is_tenant(other) && other != tenant);

	if (tenant == TENANT_INFRASTRUCTURE)
		return 0;
	if (tenant == TENANT_UNKNOWN)
		return foreign_end ? unknown : 0;
	if (own == tenant || other == tenant)
		return 0;
	if (!foreign_end)
		return owner_undecided(near->owner, near->ip) ||
			       owner_undecided(far->owner, far->ip)
			   ? maybe
			   : 0;
	return could_be_own(near->owner, near->ip) || is_next_door(far, tenant) ||
		       is_routed(near, far)
		   ? maybe
		   : stranger;
}

/* A shared address behind a MAC nobody registered: a cluster that is delivered to by flooding on
 * purpose (NLB in unicast mode and its kin). */
static bool is_cluster(const struct path_parties *p)
{
	return p->dst.kind == OWNER_SHARED && p->to.tenant == TENANT_UNKNOWN;
}

/* The provider's load balancer hands a packet for its own address to a real server, which will
 * answer the client directly (direct server return).  It may be registered without its NIC. */
static bool is_balanced(const struct inventory *inv, const struct path_parties *p)
{
	const struct host *host = inventory_host(inv, p->dst.host);

	if (p->dst.tenant != TENANT_INFRASTRUCTURE)
		return false;
	if (p->from.tenant == TENANT_INFRASTRUCTURE)
		return (p->from.roles & ROLE_LOAD_BALANCER) != 0;
	return p->from.tenant == TENANT_UNKNOWN && host != NULL && host->mac_count == 0 &&
	       (host->roles & ROLE_LOAD_BALANCER) != 0;
}

static bool host_at_port(const struct inventory *inv, uint32_t id, const char *port)
{
	const struct host *host = inventory_host(inv, id);

	for (unsigned i = 0; host != NULL && i < host->port_count; i++)
		if (strcmp(host->port[i], port) == 0)
			return true;
	return false;
}

static uint32_t judge_exposure(const struct inventory *inv, const struct tap *tap,
			       const struct path_parties *p, const struct ip_addr *dst)
{
	const struct host *host = inventory_host(inv, tap->host);

	if (p->to_group || is_cluster(p))
		return 0;
	/* A port of the provider's own, or of a declared monitor, carries what it likes; a canary
	 * port (no host) nothing. */
	if (host != NULL && (host->tenant == TENANT_INFRASTRUCTURE || (host->roles & ROLE_MONITOR)))
		return 0;
	/* To a machine that nobody registered: a container behind this very port, maybe, or the one
	 * whose port nobody registered either; or the port's own host, whose NIC is not known. */
	if (p->to.tenant == TENANT_UNKNOWN &&
	    (host == NULL || host->mac_count == 0 || could_be_own(&p->dst, dst)))
		return 0;
	if (!is_tenant(p->src.tenant) && !is_tenant(p->dst.tenant) && !is_tenant(p->from.tenant) &&
	    !is_tenant(p->to.tenant))
		return 0;
	if (is_tenant(tap->tenant) &&
	    (p->from.tenant == tap->tenant || p->to.tenant == tap->tenant ||
	     p->src.tenant == tap->tenant || p->dst.tenant == tap->tenant))
		return 0;
	if (host_at_port(inv, p->to.host, tap->port) || host_at_port(inv, p->from.host, tap->port))
		return 0;
	return PATH_EXPOSED;
}

uint32_t path_judge(const struct inventory *inv, const struct tap *tap,
		    const struct path_parties *p, const struct ip_addr *src,
		    const struct ip_addr *dst)
{
	const struct end from = {.nic = &p->from, .owner = &p->src, .ip = src};
	const struct end to = {.nic = &p->to, .owner = &p->dst, .ip = dst, .group = p->to_group};
	uint32_t bits = 0;

	if (p->from.tenant != TENANT_UNKNOWN || p->to.tenant != TENANT_UNKNOWN ||
	    (p->src.tenant != TENANT_EXTERNAL && p->src.tenant != TENANT_UNKNOWN) ||
	    (p->dst.tenant != TENANT_EXTERNAL && p->dst.tenant != TENANT_UNKNOWN))
		bits |= PATH_KNOWN;
	if (!ip_is_unspecified(src))
		bits |= judge_carrier(&from, &to, PATH_FROM_STRANGER, PATH_FROM_MAYBE,
				      PATH_FROM_UNKNOWN);
	if (!p->to_group && !is_balanced(inv, p))
		bits |= judge_carrier(&to, &from, PATH_TO_STRANGER, PATH_TO_MAYBE, PATH_TO_UNKNOWN);
	if (tap->view == VIEW_PORT && tap->port != NULL)
		bits |= judge_exposure(inv, tap, p, dst);
	return bits;
}
