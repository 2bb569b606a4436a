/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.c - the snapshot's life, and the plain questions to it: by number, by name, by
 * segment.  Addresses and NICs are looked up in lookup.c.
 */
#include "tenant/inventory.h"

#include <stdio.h>
#include <stdlib.h>

/* Generations only tell snapshots apart, wherever in the process they were made; nothing else
 * in this room outlives a call. */
static _Atomic uint32_t generations;

struct inventory *inventory_alloc(void)
{
	struct inventory *inv = calloc(1, sizeof *inv);

	if (inv == NULL)
		return NULL;
	inv->arena = arena_new();
	if (inv->arena == NULL) {
		free(inv);
		return NULL;
	}
	atomic_init(&inv->refs, 1);
	inv->generation = atomic_fetch_add(&generations, 1) + 1;
	for (unsigned i = 0; i < 3; i++)
		inv->seed[i] = hash_random_seed() | 1;
	for (unsigned i = 0; i < VLAN_COUNT; i++)
		inv->vlan[i] = SEGMENT_NONE;
	return inv;
}

struct inventory *inventory_empty(void)
{
	struct inventory *inv = NULL;
	struct problems none = {0};

	/* No file cannot be wrong: what may fail is memory. */
	if (inventory_load(NULL, 0, 0, &inv, &none, NULL) != 0)
		inv = NULL;
	problems_fini(&none);
	return inv;
}

struct inventory *inventory_ref(struct inventory *inv)
{
	if (inv != NULL)
		atomic_fetch_add_explicit(&inv->refs, 1, memory_order_relaxed);
	return inv;
}

void inventory_unref(struct inventory *inv)
{
	if (inv == NULL || atomic_fetch_sub_explicit(&inv->refs, 1, memory_order_acq_rel) != 1)
		return;
	names_fini(&inv->names);
	free(inv->mac.slots);
	free(inv->exact.slots);
	free(inv->prefix.slots);
	free(inv->shared);
	free(inv->holders);
	arena_free(inv->arena);
	free(inv);
}

void tenants_builtin(struct inventory *inv)
{
	static const char *const names[] = {"unknown", "external", "infrastructure"};

	for (uint32_t id = 0; id < TENANT_FIRST; id++) {
		inv->tenants[id] = (struct tenant){.name = names[id], .id = id};
		inv->members[id] = (struct member){.first_shared = HOST_NONE};
		(void)names_add(&inv->names, SCOPE_TENANT, names[id], id); /* the table is empty */
	}
	inv->tenant_count = TENANT_FIRST;
}

void taps_default(struct inventory *inv)
{
	inv->taps[0] = (struct tap){
	    .name = "default", .view = VIEW_INGRESS, .host = HOST_NONE, .tenant = TENANT_UNKNOWN};
	inv->tap_count = 1;
	(void)names_add(&inv->names, SCOPE_TAP, "default", 0);
}

void segments_implicit(struct inventory *inv)
{
	inv->segments[0] = (struct segment){.name = "default", .domain_name = "default"};
	inv->segment_count = 1;
	inv->domain_names[0] = "default";
	inv->domain_count = 1;
	inv->implicit_segment = true;
	(void)names_add(&inv->names, SCOPE_DOMAIN, "default", 0);
}

const char *inventory_revision(const struct inventory *inv)
{
	return inv->revision;
}

uint32_t inventory_generation(const struct inventory *inv)
{
	return inv->generation;
}

const struct tenant *inventory_tenant(const struct inventory *inv, uint32_t id)
{
	return id < inv->tenant_count ? &inv->tenants[id] : NULL;
}

uint32_t inventory_tenant_count(const struct inventory *inv)
{
	return inv->tenant_count;
}

const char *inventory_tenant_name(const struct inventory *inv, uint32_t id)
{
	return inv->tenants[id < inv->tenant_count ? id : TENANT_UNKNOWN].name;
}

uint32_t inventory_find_tenant(const struct inventory *inv, const char *name)
{
	uint32_t id = names_find(&inv->names, SCOPE_TENANT, name);

	return id == NAME_NONE ? TENANT_UNKNOWN : id;
}

const struct host *inventory_host(const struct inventory *inv, uint32_t id)
{
	return id < inv->host_count ? &inv->hosts[id] : NULL;
}

uint32_t inventory_host_count(const struct inventory *inv)
{
	return inv->host_count;
}

uint32_t inventory_find_host(const struct inventory *inv, const char *full_name)
{
	const char *slash = strchr(full_name, '/');
	char tenant[256];
	uint32_t id;

	if (slash == NULL || (size_t)(slash - full_name) >= sizeof tenant)
		return HOST_NONE;
	memcpy(tenant, full_name, (size_t)(slash - full_name));
	tenant[slash - full_name] = '\0';
	id = names_find(&inv->names, SCOPE_TENANT, tenant);
	return id == NAME_NONE ? HOST_NONE : names_find(&inv->names, id, slash + 1);
}

const struct segment *inventory_segment(const struct inventory *inv, uint16_t id)
{
	return id < inv->segment_count ? &inv->segments[id] : NULL;
}

uint16_t inventory_segment_count(const struct inventory *inv)
{
	return inv->segment_count;
}

const struct tap *inventory_tap(const struct inventory *inv, uint16_t id)
{
	return id < inv->tap_count ? &inv->taps[id] : NULL;
}

uint16_t inventory_tap_count(const struct inventory *inv)
{
	return inv->tap_count;
}

int inventory_find_tap(const struct inventory *inv, const char *name)
{
	uint32_t id = names_find(&inv->names, SCOPE_TAP, name);

	return id == NAME_NONE ? -1 : (int)id;
}

const struct decoy *inventory_decoys(const struct inventory *inv, unsigned *count)
{
	*count = inv->decoy_count;
	return inv->decoys;
}

uint16_t inventory_segment_of(const struct inventory *inv, uint16_t vlan, bool vni_set,
			      uint32_t vni)
{
	if (inv->implicit_segment)
		return 0;
	if (!vni_set)
		return inv->vlan[vlan % VLAN_COUNT];
	for (uint32_t at = vni_home(inv, vni); inv->vni[at].segment != SEGMENT_NONE;
	     at = (at + 1) & inv->vni_mask) {
		if (inv->vni[at].vni == vni)
			return inv->vni[at].segment;
	}
	return SEGMENT_NONE;
}

uint16_t inventory_domain_outside(const struct inventory *inv, uint16_t vlan)
{
	return vlan == 0 ? inv->untagged_domain : (uint16_t)(DOMAIN_UNKNOWN | vlan);
}

bool inventory_tenant_in_segment(const struct inventory *inv, uint32_t tenant, uint16_t segment)
{
	const struct member *member;
	uint32_t low = 0, high;

	if (segment >= inv->segment_count || tenant >= inv->tenant_count ||
	    tenant < TENANT_INFRASTRUCTURE)
		return false;
	member = &inv->members[tenant];
	if (!member->listed)
		return true;
	high = member->segment_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (member->segments[middle] == segment)
			return true;
		if (member->segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool inventory_segment_prefix(const struct inventory *inv, uint16_t segment,
			      const struct ip_addr *ip)
{
	const struct segment_info *info;

	if (segment >= inv->segment_count)
		return false;
	info = &inv->segment_info[segment];
	for (uint32_t i = 0; i < info->prefix_count; i++) {
		if (prefix_contains(&info->prefix[i], ip))
			return true;
	}
	return false;
}

uint32_t inventory_segment_tenants(const struct inventory *inv, uint16_t segment, uint32_t *out,
				   uint32_t max)
{
	const struct segment_info *info;

	if (segment >= inv->segment_count)
		return 0;
	info = &inv->segment_info[segment];
	for (uint32_t i = 0; i < info->tenant_count && i < max; i++)
		out[i] = inv->segment_tenant[info->first_tenant + i];
	return info->tenant_count;
}

bool inventory_host_has_ip(const struct inventory *inv, uint32_t host, const struct ip_addr *ip)
{
	const struct host *h = inventory_host(inv, host);

	for (unsigned i = 0; h != NULL && i < h->ip_count; i++) {
		if (ip_equal(&h->ip[i], ip))
			return true;
	}
	return false;
}

bool inventory_host_has_mac(const struct inventory *inv, uint32_t host, struct mac_addr mac)
{
	const struct host *h = inventory_host(inv, host);

	for (unsigned i = 0; h != NULL && i < h->mac_count; i++) {
		if (mac_equal(h->mac[i], mac))
			return true;
	}
	return false;
}

bool inventory_host_speaks(const struct inventory *inv, uint32_t host, const char *protocol)
{
	const struct host *h = inventory_host(inv, host);
	uint32_t at = h == NULL ? HOST_NONE : inv->members[h->tenant].first_shared;

	for (; at != HOST_NONE; at = inv->shared[at].next) {
		const struct shared *shared = &inv->shared[at];
		uint32_t holder = shared->first;

		if (strcmp(shared->protocol, protocol) != 0)
			continue;
		if (holder == HOST_NONE)
			return true;
		for (; holder != HOST_NONE; holder = inv->holders[holder].next) {
			if (inv->holders[holder].host == host)
				return true;
		}
	}
	return false;
}

static bool same_tenant(const struct inventory *old, uint32_t was, const struct inventory *now,
			uint32_t is)
{
	return strcmp(old->tenants[was].name, now->tenants[is].name) == 0;
}

bool inventory_moved(const struct inventory *old, const struct inventory *now, uint16_t domain,
		     const struct ip_addr *ip)
{
	struct owner is = inventory_owner(now, domain, ip);
	struct owner was;
	uint32_t before = NAME_NONE;

	if (domain < now->domain_count)
		before = names_find(&old->names, SCOPE_DOMAIN, now->domain_names[domain]);
	/* What no segment has, then or now, is a domain too: there counts what is owned everywhere.
	 */
	was = inventory_owner(old, before != NAME_NONE ? (uint16_t)before : UINT16_MAX, ip);
	return !same_tenant(old, was.tenant, now, is.tenant);
}

bool inventory_mac_moved(const struct inventory *old, const struct inventory *now,
			 struct mac_addr mac)
{
	return !same_tenant(old, inventory_carrier(old, mac).tenant, now,
			    inventory_carrier(now, mac).tenant);
}
