/* SPDX-License-Identifier: Apache-2.0 */
/* hidden.c - see hidden.h. */
#include "detect/hidden.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"

/* NICs of tenants in the segments of one mirror. */
#define NICS 16384

struct nic {
	bool speaks;
	bool spoken_to; /* by its own address, or answered by ARP: it is there, and has said
			   something */
};

struct hidden {
	struct table *nics;
};

struct hidden *hidden_new(uint64_t seed)
{
	struct hidden *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->nics = table_new(NICS, sizeof(uint64_t), sizeof(struct nic), seed);
	if (h->nics == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void hidden_free(struct hidden *h)
{
	if (h == NULL)
		return;
	table_free(h->nics);
	free(h);
}

static void note(struct hidden *h, struct mac_addr mac, bool speaks)
{
	uint64_t key = mac_to_u64(mac);
	struct nic *nic = table_find(h->nics, &key);

	if (nic == NULL)
		nic = table_put(h->nics, &key, NULL);
	nic->speaks |= speaks;
	nic->spoken_to |= !speaks;
}

static bool is_for_it(const struct event *ev)
{
	if (mac_is_group(ev->dmac) || !is_tenant(ev->to.tenant) || ev->from.tenant == ev->to.tenant)
		return false;
	if (ev->kind == EVENT_ARP)
		return ev->packet != NULL && ev->packet->arp_op == 2;
	return ev->kind == EVENT_FLOW && ev->dst.tenant == ev->to.tenant;
}

void hidden_note(struct hidden *h, const struct event *ev)
{
	if (!ev->has_mac)
		return;
	if (is_tenant(ev->from.tenant))
		note(h, ev->smac, true);
	if (is_for_it(ev))
		note(h, ev->dmac, false);
}

bool hidden_is(const struct hidden *h, struct mac_addr mac)
{
	uint64_t key = mac_to_u64(mac);
	const struct nic *nic = table_find(h->nics, &key);

	return nic != NULL && nic->spoken_to && !nic->speaks;
}
