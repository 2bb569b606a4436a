/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c - what several hosts may hold: declared shared addresses, and addresses that several
 * hosts of one tenant (or of infrastructure) declare each for itself.  Also decoys, which hang on
 * tenants as well.
 */
#include <stdlib.h>

#include "tenant/load.h"

static uint32_t add_shared(struct loader *l, const struct shared *shared)
{
	struct inventory *inv = l->inv;

	if (inv->shared_count == l->shared_room) {
		uint32_t room = l->shared_room == 0 ? 64 : l->shared_room * 2;
		struct shared *v = realloc(inv->shared, room * sizeof *v);

		if (v == NULL) {
			l->memory = true;
			return HOST_NONE;
		}
		inv->shared = v;
		l->shared_room = room;
	}
	inv->shared[inv->shared_count] = *shared;
	return inv->shared_count++;
}

static void add_holder(struct loader *l, uint32_t shared, uint32_t host)
{
	struct inventory *inv = l->inv;
	uint32_t first = inv->shared[shared].first;

	/* The same host comes once a domain, in a row. */
	if (first != HOST_NONE && inv->holders[first].host == host)
		return;
	if (inv->holder_count == l->holder_room) {
		uint32_t room = l->holder_room == 0 ? 64 : l->holder_room * 2;
		struct holder *v = realloc(inv->holders, room * sizeof *v);

		if (v == NULL) {
			l->memory = true;
			return;
		}
		inv->holders = v;
		l->holder_room = room;
	}
	inv->holders[inv->holder_count] = (struct holder){.host = host, .next = first};
	inv->shared[shared].first = inv->holder_count++;
	inv->shared[shared].roles |= inv->hosts[host].roles;
}

void shared_merge(struct loader *l, struct addr_slot *slot, const struct addr_slot *more)
{
	uint32_t shared = more->who;

	if (slot->kind == OWNER_HOST && more->kind == OWNER_HOST) {
		struct shared both = {
		    .tenant = slot->tenant, .first = HOST_NONE, .next = HOST_NONE, .protocol = ""};

		if (slot->who == more->who)
			return;
		shared = add_shared(l, &both);
		if (shared == HOST_NONE)
			return;
		add_holder(l, shared, slot->who);
		add_holder(l, shared, more->who);
		slot->kind = OWNER_SHARED;
		slot->who = shared;
		return;
	}
	/* A declared list without hosts means any host of the tenant: it stays without. */
	if (slot->kind == OWNER_HOST) {
		slot->kind = OWNER_SHARED;
		if (l->inv->shared[shared].first != HOST_NONE)
			add_holder(l, shared, slot->who);
		slot->who = shared;
	} else if (more->kind == OWNER_HOST && l->inv->shared[slot->who].first != HOST_NONE) {
		add_holder(l, slot->who, more->who);
	}
}

static const char *host_name_at(const void *hosts, uint32_t index)
{
	return ((const struct host *)hosts)[index].name;
}

/* "; did you mean X?" among one tenant's hosts, which stand together. */
static const char *host_hint(struct loader *l, uint32_t tenant, const char *word, char *buf,
			     size_t size)
{
	const struct inventory *inv = l->inv;
	uint32_t first = 0, count = 0;

	while (first < inv->host_count && inv->hosts[first].tenant != tenant)
		first++;
	while (first + count < inv->host_count && inv->hosts[first + count].tenant == tenant)
		count++;
	return hint(l, word, host_name_at, inv->hosts + first, count, buf, size);
}

static void read_holders(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			 uint32_t tenant, uint32_t shared)
{
	const struct yaml_node *value = yaml_get(map, "hosts"), *node;
	char near[HINT_SIZE];
	const char *name;

	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		uint32_t host;

		if (!yaml_text(doc, node, &name, l->problems))
			continue;
		host = host_reference(l, tenant, name);
		if (host == HOST_NONE)
			beware(l, doc, node, "tenant \"%s\" has no host \"%.60s\"%s",
			       l->inv->tenants[tenant].name, name,
			       host_hint(l, tenant, name, near, sizeof near));
		else
			add_holder(l, shared, host);
	}
}

static void read_shared(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			uint32_t tenant)
{
	static const char *const known[] = {"ip", "hosts", "protocol", NULL};
	struct member *member = &l->inv->members[tenant];
	struct shared shared = {
	    .tenant = tenant, .first = HOST_NONE, .next = member->first_shared, .protocol = ""};
	const struct yaml_node *value, *node;
	const char *protocol;
	uint32_t index;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, known, l->problems);
	value = yaml_get(map, "ip");
	if (one_or_count(value) == 0)
		wrong(l, doc, map, "shared address without \"ip\"");
	node = yaml_get(map, "protocol");
	if (node != NULL && yaml_text(doc, node, &protocol, l->problems))
		shared.protocol = keep(l, protocol);
	index = add_shared(l, &shared);
	if (index == HOST_NONE)
		return;
	member->first_shared = index;
	read_holders(l, doc, map, tenant, index);
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct entry entry = {.place = {doc, node}};
		struct ip_addr ip;
		struct ip_key key;

		if (!parse_address(l, doc, node, &ip))
			continue;
		key = ip_key_of(&ip);
		entry.slot = (struct addr_slot){
		    .hi = key.hi,
		    .lo = key.lo,
		    .tenant = tenant,
		    .who = index,
		    .segment = SEGMENT_NONE,
		    .kind = OWNER_SHARED,
		    .length = 128,
		};
		place_address(l, &entry, member->segments, member->segment_count, member->listed);
	}
}

static void read_decoy(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		       uint32_t tenant)
{
	static const char *const known[] = {"name", "secret", NULL};
	struct decoy *decoy = &l->inv->decoys[l->inv->decoy_count];
	const char *name, *secret;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, known, l->problems);
	name = required_name(l, doc, map, "decoy");
	secret = required_text(l, doc, map, "decoy", "secret");
	if (name == NULL || secret == NULL)
		return;
	if (strlen(secret) < DECOY_MIN_SECRET) {
		/* The text of a secret is in no message. */
		wrong(l, doc, yaml_get(map, "secret"),
		      "secret of decoy \"%s\" is too short to be no accident; %u bytes or more",
		      name, DECOY_MIN_SECRET);
		return;
	}
	*decoy = (struct decoy){.name = name, .secret = keep(l, secret), .tenant = tenant};
	l->inv->decoy_count++;
}

/* Calls each for the entries of a list that the tenants of all files have. */
static void for_tenants(struct loader *l, const char *key,
			void (*each)(struct loader *, const struct yaml_doc *,
				     const struct yaml_node *, uint32_t))
{
	const struct inventory *inv = l->inv;

	for (uint32_t id = TENANT_FIRST; id < inv->tenant_count; id++) {
		struct place place = l->tenant_place[id];
		const struct yaml_node *at = section(l, place.doc, place.node, key);

		for (; at != NULL && !l->memory; at = at->next)
			each(l, place.doc, at, id);
	}
}

void shared_load(struct loader *l)
{
	uint64_t decoys = 0;

	for (uint32_t id = TENANT_FIRST; id < l->inv->tenant_count; id++)
		decoys += section_count(l->tenant_place[id].node, "decoys");
	l->inv->decoys = keep_array(l, decoys, sizeof *l->inv->decoys);
	if (l->inv->decoys == NULL)
		return;
	for_tenants(l, "shared_addresses", read_shared);
	for_tenants(l, "decoys", read_decoy);
}
