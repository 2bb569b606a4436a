/* SPDX-License-Identifier: Apache-2.0 */
/* impostor.c - see impostor.h. */
#include "detect/impostor.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/claim.h"

#define IMPOSTORS 4096

struct impostors {
	struct table *macs; /* the value is the time */
};

struct impostors *impostors_new(uint64_t seed)
{
	struct impostors *i = calloc(1, sizeof *i);

	if (i == NULL)
		return NULL;
	i->macs = table_new(IMPOSTORS, sizeof(uint64_t), sizeof(uint64_t), seed);
	if (i->macs == NULL) {
		free(i);
		return NULL;
	}
	return i;
}

void impostors_free(struct impostors *impostors)
{
	if (impostors == NULL)
		return;
	table_free(impostors->macs);
	free(impostors);
}

/* Is it known by which NIC the address is reached, so that another one's claim is a lie? */
static bool has_nic(const struct event *ev, const struct ip_addr *ip)
{
	struct owner owner = bindings_owner(ev->bindings, ev->inv, ev->domain, ip, ev->ts_ns);
	const struct host *host = inventory_host(ev->inv, owner.host);

	if (host != NULL)
		return host->mac_count > 0;
	/* A tenant's prefix or its cluster: any device of it, or a virtual MAC. */
	return owner.tenant == TENANT_INFRASTRUCTURE;
}

void impostors_note(struct impostors *impostors, const struct event *ev)
{
	struct findings scratch __attribute__((uninitialized)); /* 61 KiB: its counts are enough */
	struct claim claim;
	uint64_t mac;

	if (ev->from.tenant != TENANT_UNKNOWN ||
	    !(ev->kind == EVENT_ARP ? claim_of_arp(ev, &claim) : claim_of_nd(ev, &claim)))
		return;
	scratch.count = 0;
	scratch.dropped = 0;
	claim_judge(ev, &claim, "spoof.arp", &scratch);
	mac = mac_to_u64(claim.mac);
	if (scratch.count > 0 && scratch.finding[0].actor.tenant_id == TENANT_UNKNOWN &&
	    has_nic(ev, &claim.ip))
		*(uint64_t *)table_put(impostors->macs, &mac, NULL) = ev->ts_ns;
}

bool impostors_has(const struct impostors *impostors, struct mac_addr mac)
{
	uint64_t key = mac_to_u64(mac);

	return table_find(impostors->macs, &key) != NULL;
}

uint64_t impostors_evicted(const struct impostors *impostors)
{
	return table_evicted(impostors->macs);
}
