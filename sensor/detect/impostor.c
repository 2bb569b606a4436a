/* SPDX-License-Identifier: Apache-2.0 */
/* impostor.c - see impostor.h. */
#include "detect/impostor.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/claim.h"

#define IMPOSTORS 4096

struct said {
	bool lies;   /* another NIC has an address that it claimed */
	bool router; /* it claimed an address of the provider's whose NIC nobody registered */
};

struct impostors {
	struct table *macs;
};

struct impostors *impostors_new(uint64_t seed)
{
	struct impostors *i = calloc(1, sizeof *i);

	if (i == NULL)
		return NULL;
	i->macs = table_new(IMPOSTORS, sizeof(uint64_t), sizeof(struct said), seed);
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

static void note(struct said *said, const struct event *ev, const struct ip_addr *ip)
{
	struct owner owner = bindings_owner(ev->bindings, ev->inv, ev->domain, ip, ev->ts_ns);
	const struct host *host = inventory_host(ev->inv, owner.host);

	/* A tenant's prefix or its cluster is any device of it, or a virtual MAC. */
	if (host == NULL ? owner.tenant == TENANT_INFRASTRUCTURE : host->mac_count > 0)
		said->lies = true;
	else if (host != NULL && owner.tenant == TENANT_INFRASTRUCTURE)
		said->router = true;
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
	if (scratch.count > 0 && scratch.finding[0].actor.tenant_id == TENANT_UNKNOWN)
		note(table_put(impostors->macs, &mac, NULL), ev, &claim.ip);
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
