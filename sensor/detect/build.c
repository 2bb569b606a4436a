/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - see build.h. */
#include "detect/build.h"

#include <string.h>

struct finding *build_finding(struct findings *out, const struct event *ev, const char *kind,
			      enum confidence confidence)
{
	struct finding *f = findings_add(out);

	if (f == NULL)
		return NULL;
	f->kind = kind;
	f->confidence = confidence;
	f->attribution = ATTRIBUTION_CLAIMED;
	f->ts_ns = ev->ts_ns;
	f->tap = ev->tap->id;
	f->segment = ev->segment;
	f->vlan_count = ev->vlan_count;
	memcpy(f->vlan, ev->vlan, sizeof f->vlan);
	f->has_vni = ev->has_vni;
	f->vni = ev->vni;
	f->has_flow = ev->has_ip;
	f->tuple = ev->tuple;
	f->flow_id = ev->flow_id;
	f->has_ether = ev->has_mac && !mac_is_zero(ev->dmac);
	f->smac = ev->smac;
	f->dmac = ev->dmac;
	f->actor.host_id = HOST_NONE;
	f->victim.host_id = HOST_NONE;
	f->peer.host_id = HOST_NONE;
	f->next.host_id = HOST_NONE;
	build_frame(f, &ev->frame);
	return f;
}

struct party party_of_carrier(const struct carrier *carrier, struct mac_addr mac)
{
	return (struct party){.tenant_id = carrier->tenant,
			      .host_id = carrier->host,
			      .roles = carrier->roles,
			      .mac = mac,
			      .has_mac = true};
}

struct party party_of_owner(const struct owner *owner, const struct ip_addr *ip)
{
	return (struct party){
	    .tenant_id = owner->tenant, .host_id = owner->host, .ip = *ip, .has_ip = true};
}

struct party party_of_tenant(uint32_t tenant)
{
	return (struct party){.tenant_id = tenant, .host_id = HOST_NONE};
}

struct party party_of_host(const struct inventory *inv, uint32_t id)
{
	const struct host *host = inventory_host(inv, id);

	return (struct party){.tenant_id = host != NULL ? host->tenant : TENANT_UNKNOWN,
			      .host_id = id};
}

void build_actor_from(struct finding *f, const struct event *ev)
{
	f->actor = party_of_carrier(&ev->from, ev->smac);
	if (ev->has_ip && is_tenant(ev->from.tenant) && ev->src.tenant == ev->from.tenant &&
	    (ev->src.host == ev->from.host || ev->src.host == HOST_NONE)) {
		f->actor.ip = ev->tuple.src;
		f->actor.has_ip = true;
	}
}

void build_frame(struct finding *f, const struct finding_frame *frame)
{
	if (f->frame_count == FINDING_FRAMES || frame->caplen == 0)
		return;
	f->frame[f->frame_count++] = *frame;
}

unsigned build_victims(const struct event *ev, uint32_t actor, unsigned which[2])
{
	unsigned count = 0;

	if (is_other_tenant(ev->src.tenant, actor))
		which[count++] = 0;
	if (is_other_tenant(ev->dst.tenant, actor) && ev->dst.tenant != ev->src.tenant)
		which[count++] = 1;
	return count;
}

void build_victim_end(struct finding *f, const struct event *ev, unsigned end)
{
	f->victim = end == 0 ? party_of_owner(&ev->src, &ev->tuple.src)
			     : party_of_owner(&ev->dst, &ev->tuple.dst);
	f->peer = end == 0 ? party_of_owner(&ev->dst, &ev->tuple.dst)
			   : party_of_owner(&ev->src, &ev->tuple.src);
}

bool carrier_has_role(const struct carrier *carrier, uint32_t roles)
{
	return carrier->tenant == TENANT_INFRASTRUCTURE && (carrier->roles & roles) != 0;
}

/*
 * A shared address behind a MAC nobody registered; or one that bears the address in it, as
 * Microsoft's network load balancing makes it in unicast mode (02:bf and the IPv4 address): no NIC
 * ever sends with that MAC, so that switches flood what is for it.
 */
bool is_for_cluster(const struct event *ev)
{
	static const uint8_t mark[2] = {0x02, 0xbf};
	const uint8_t *v4 = ev->tuple.dst.b + 12;

	if (ev->to.tenant != TENANT_UNKNOWN)
		return false;
	return ev->dst.kind == OWNER_SHARED ||
	       (ev->dst.kind != OWNER_NONE && ip_is_v4(&ev->tuple.dst) &&
		memcmp(ev->dmac.b, mark, sizeof mark) == 0 && memcmp(ev->dmac.b + 2, v4, 4) == 0);
}

bool relay_is_allowed(const struct event *ev, const struct carrier *carrier)
{
	const struct owner *end[2] = {&ev->src, &ev->dst};

	for (unsigned i = 0; i < 2; i++)
		if (is_tenant(end[i]->tenant) &&
		    inventory_allowed(ev->inv, carrier->tenant, carrier->host, end[i]->tenant,
				      end[i]->host, "relay.forward", ev->ts_ns, NULL))
			return true;
	return false;
}
