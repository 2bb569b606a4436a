/* SPDX-License-Identifier: Apache-2.0 */
/* impostor.c - see impostor.h. */
#include "detect/impostor.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/claim.h"

#define IMPOSTORS 4096
/* Shared addresses of the provider's, of the inventory at hand. */
#define SHARED 256

struct said {
	bool lies;   /* another NIC has an address that it claimed */
	bool router; /* it claimed an address of the provider's whose NIC nobody registered, or
		      * spoke for a group of routers in the provider's name */
};

struct impostors {
	struct table *macs;
	struct table *shared; /* addresses: is one of their NICs registered? */
};

struct impostors *impostors_new(uint64_t seed)
{
	struct impostors *i = calloc(1, sizeof *i);

	if (i == NULL)
		return NULL;
	i->macs = table_new(IMPOSTORS, sizeof(uint64_t), sizeof(struct said), seed);
	i->shared = table_new(SHARED, sizeof(struct ip_addr), sizeof(bool), seed);
	if (i->macs == NULL || i->shared == NULL) {
		impostors_free(i);
		return NULL;
	}
	return i;
}

void impostors_free(struct impostors *impostors)
{
	if (impostors == NULL)
		return;
	table_free(impostors->macs);
	table_free(impostors->shared);
	free(impostors);
}

/* An address of several of the provider's hosts (a virtual router's): looked for once. */
static bool has_nic(struct impostors *impostors, const struct inventory *inv,
		    const struct ip_addr *ip)
{
	bool fresh;
	bool *has = table_put(impostors->shared, ip, &fresh);

	for (uint32_t i = 0; fresh && !*has && i < inventory_host_count(inv); i++) {
		const struct host *host = inventory_host(inv, i);

		*has = host->tenant == TENANT_INFRASTRUCTURE && host->mac_count > 0 &&
		       inventory_host_has_ip(inv, i, ip);
	}
	return *has;
}

static void note(struct impostors *impostors, struct said *said, const struct event *ev,
		 const struct ip_addr *ip)
{
	struct owner owner = bindings_owner(ev->bindings, ev->inv, ev->domain, ip, ev->ts_ns);
	const struct host *host = inventory_host(ev->inv, owner.host);

	/* A tenant's prefix or its cluster is any device of it, or a virtual MAC. */
	if (host == NULL && owner.tenant != TENANT_INFRASTRUCTURE)
		return;
	if (host != NULL ? host->mac_count > 0 : has_nic(impostors, ev->inv, ip))
		said->lies = true;
	else if (owner.tenant == TENANT_INFRASTRUCTURE)
		said->router = true;
}

void impostors_note(struct impostors *impostors, const struct event *ev)
{
	struct findings scratch __attribute__((uninitialized)); /* 61 KiB: its counts are enough */
	struct claim claim;
	uint64_t mac;

	if (ev->from.tenant != TENANT_UNKNOWN)
		return;
	if (ev->kind == EVENT_GATEWAY) {
		mac = mac_to_u64(ev->smac);
		if (ev->has_mac && inventory_is_gateway_ip(ev->inv, ev->domain, &ev->tuple.src))
			((struct said *)table_put(impostors->macs, &mac, NULL))->router = true;
		return;
	}
	if (!(ev->kind == EVENT_ARP ? claim_of_arp(ev, &claim) : claim_of_nd(ev, &claim)))
		return;
	scratch.count = 0;
	scratch.dropped = 0;
	claim_judge(ev, &claim, "spoof.arp", &scratch);
	mac = mac_to_u64(claim.mac);
	if (scratch.count > 0 && scratch.finding[0].actor.tenant_id == TENANT_UNKNOWN)
		note(impostors, table_put(impostors->macs, &mac, NULL), ev, &claim.ip);
}

bool impostors_has(const struct impostors *impostors, struct mac_addr mac)
{
	uint64_t key = mac_to_u64(mac);
	const struct said *said = table_find(impostors->macs, &key);

	/* The provider's router, for all one knows, may answer for others. */
	return said != NULL && said->lies && !said->router;
}

uint64_t impostors_evicted(const struct impostors *impostors)
{
	return table_evicted(impostors->macs);
}
