/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts.c - the `tenants` and `infrastructure` sections: who there is, and what NICs and addresses
 * each host has.
 *
 * A MAC belongs to one host; infrastructure hosts alone may share one (a virtual router's).  What
 * an address clashes with shows when the tables are built (build.c).
 */
#include <stdlib.h>

#include "tenant/load.h"

/* Where a host's addresses may count: its tenant's segments, or its own for infrastructure. */
struct home {
	uint32_t tenant;
	const uint16_t *segments;
	uint32_t segment_count;
	bool listed;
};

static const char *segment_name_at(const void *inv, uint32_t index)
{
	return ((const struct inventory *)inv)->segments[index].name;
}

static int compare_segments(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* A `segments` list as ascending numbers. */
static void read_segment_list(struct loader *l, const struct yaml_doc *doc,
			      const struct yaml_node *map, struct home *home)
{
	const struct yaml_node *value = yaml_get(map, "segments"), *node;
	struct inventory *inv = l->inv;
	uint16_t *list = keep_array(l, one_or_count(value), sizeof *list);
	char near[HINT_SIZE];
	const char *name;
	uint32_t count = 0;

	if (list == NULL || one_or_count(value) == 0)
		return;
	home->listed = true;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		uint32_t segment;

		if (!yaml_text(doc, node, &name, l->problems))
			continue;
		segment = names_find(&inv->names, SCOPE_SEGMENT, name);
		if (segment == NAME_NONE)
			wrong(l, doc, node, "no segment \"%.60s\"%s", name,
			      hint(l, name, segment_name_at, inv, inv->segment_count, near,
				   sizeof near));
		else
			list[count++] = (uint16_t)segment;
	}
	if (count > 1)
		qsort(list, count, sizeof *list, compare_segments);
	for (uint32_t i = 0; i < count; i++) {
		if (home->segment_count == 0 || list[home->segment_count - 1] != list[i])
			list[home->segment_count++] = list[i];
	}
	home->segments = list;
}

static void read_roles(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct host *host)
{
	const struct yaml_node *value = yaml_get(map, "roles"), *node;
	const char *name;

	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		uint32_t role;
		const char *near;

		if (!yaml_text(doc, node, &name, l->problems))
			continue;
		role = role_parse(name);
		near = role == 0 ? nearest_name(name, role_names()) : NULL;
		if (role == 0)
			wrong(l, doc, node, "no role \"%.60s\"; %s%s", name,
			      near != NULL ? "did you mean "
					   : "roles are server router dhcp dns "
					     "load-balancer proxy nat vtep "
					     "monitor hypervisor",
			      near != NULL ? near : "");
		host->roles |= role;
	}
}

static void read_ports(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct host *host)
{
	const struct yaml_node *value = yaml_get(map, "port"), *node;
	const char *text;

	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		if (!yaml_text(doc, node, &text, l->problems))
			continue;
		if (*text == '\0' || strlen(text) > INVENTORY_MAX_NAME) {
			wrong(l, doc, node, "name of a switch port: 1 to %u bytes",
			      INVENTORY_MAX_NAME);
			continue;
		}
		if (host->port_count == TENANT_MAX_HOST_PORTS) {
			wrong(l, doc, node, "too many ports; a host may have %d",
			      TENANT_MAX_HOST_PORTS);
			return;
		}
		host->port[host->port_count++] = keep(l, text);
	}
}

static void claim_mac(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		      const struct host *host, struct mac_addr mac)
{
	struct inventory *inv = l->inv;
	char text[MAC_TEXT_SIZE], there[PLACE_TEXT_SIZE], other[LABEL_SIZE];
	struct mac_slot *slot;
	bool fresh;

	slot = mac_table_put(inv, mac_to_u64(mac), &fresh);
	if (fresh) {
		slot->tenant = host->tenant;
		slot->host = host->id;
		slot->key |= (uint64_t)host->roles << MAC_ROLE_SHIFT;
		l->mac_place[slot - inv->mac.slots] = (struct place){doc, node};
		return;
	}
	if (slot->host == host->id)
		return;
	if (slot->tenant == TENANT_INFRASTRUCTURE && host->tenant == TENANT_INFRASTRUCTURE) {
		slot->key |= (uint64_t)host->roles << MAC_ROLE_SHIFT | MAC_SHARED;
		return;
	}
	wrong(l, doc, node, "MAC %s is that of %s at %s; a MAC belongs to one host",
	      mac_format(mac, text), label(inv, slot->tenant, slot->host, other, sizeof other),
	      place_text(l->mac_place[slot - inv->mac.slots], there, sizeof there));
}

static void read_macs(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		      struct host *host)
{
	const struct yaml_node *value = yaml_get(map, "mac"), *node;
	struct mac_addr *list;
	const char *text;

	if (one_or_count(value) == 0)
		return;
	list = keep_array(l, one_or_count(value), sizeof *list);
	if (list == NULL)
		return;
	host->mac = list;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct mac_addr mac;

		if (!yaml_text(doc, node, &text, l->problems))
			continue;
		if (!mac_parse(text, &mac)) {
			wrong(l, doc, node, "\"%.60s\" is no MAC; write \"52:54:00:00:0b:01\"",
			      text);
		} else if (mac_is_group(mac) || mac_is_zero(mac)) {
			wrong(l, doc, node, "%s is no MAC of one NIC: %s", text,
			      mac_is_zero(mac) ? "all zero" : "a group address");
		} else {
			list[host->mac_count++] = mac;
			claim_mac(l, doc, node, host, mac);
		}
	}
}

static void read_addresses(struct loader *l, const struct yaml_doc *doc,
			   const struct yaml_node *map, struct host *host, const struct home *home)
{
	const struct yaml_node *value = yaml_get(map, "ip"), *node;
	struct ip_addr *list;

	if (one_or_count(value) == 0)
		return;
	list = keep_array(l, one_or_count(value), sizeof *list);
	if (list == NULL)
		return;
	host->ip = list;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct ip_addr *ip = &list[host->ip_count];
		struct entry entry = {.place = {doc, node}};
		struct ip_key key;

		if (!parse_address(l, doc, node, ip))
			continue;
		host->ip_count++;
		key = ip_key_of(ip);
		entry.slot = (struct addr_slot){
		    .hi = key.hi,
		    .lo = key.lo,
		    .tenant = host->tenant,
		    .who = host->id,
		    .segment = SEGMENT_NONE,
		    .kind = OWNER_HOST,
		    .length = 128,
		};
		place_address(l, &entry, home->segments, home->segment_count, home->listed);
	}
}

static void read_host(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		      const struct home *home)
{
	static const char *const known[] = {"name", "mac", "ip", "port", "roles", NULL};
	static const char *const known_infrastructure[] = {"name",  "mac",	"ip", "port",
							   "roles", "segments", NULL};
	bool infrastructure = home->tenant == TENANT_INFRASTRUCTURE;
	const char *what = infrastructure ? "infrastructure host" : "host";
	struct inventory *inv = l->inv;
	struct host *host = &inv->hosts[inv->host_count];
	struct home own = *home;
	char there[PLACE_TEXT_SIZE];
	const char *name;
	uint32_t other;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, infrastructure ? known_infrastructure : known, l->problems);
	name = required_name(l, doc, map, what);
	if (name == NULL)
		return;
	other = names_add(&inv->names, home->tenant, name, inv->host_count);
	if (other != NAME_NONE) {
		wrong(l, doc, yaml_get(map, "name"), "%s \"%s\" is there already, at %s", what,
		      name, place_text(l->host_place[other], there, sizeof there));
		return;
	}
	*host = (struct host){.name = name, .id = inv->host_count, .tenant = home->tenant};
	l->host_place[inv->host_count++] = (struct place){doc, map};
	if (infrastructure)
		read_segment_list(l, doc, map, &own);
	read_roles(l, doc, map, host);
	read_ports(l, doc, map, host);
	read_macs(l, doc, map, host);
	read_addresses(l, doc, map, host, &own);
	if (host->mac_count + host->ip_count + host->port_count == 0)
		beware(l, doc, map, "%s \"%s\" has neither mac nor ip nor port", what, name);
}

/* "FR", "AS64500" */
static bool is_residency(const char *text)
{
	size_t digits;

	if (strncmp(text, "AS", 2) == 0 && text[2] != '\0') {
		digits = strspn(text + 2, "0123456789");
		return text[2 + digits] == '\0' && digits <= 10;
	}
	return text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z' &&
	       text[2] == '\0';
}

static void read_residency(struct loader *l, const struct yaml_doc *doc,
			   const struct yaml_node *map, struct tenant *tenant)
{
	const struct yaml_node *value = yaml_get(map, "residency"), *node;
	const char **list;
	const char *text;

	if (one_or_count(value) == 0)
		return;
	list = keep_array(l, one_or_count(value), sizeof *list);
	if (list == NULL)
		return;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		if (!yaml_text(doc, node, &text, l->problems))
			continue;
		if (is_residency(text))
			list[tenant->residency_count++] = keep(l, text);
		else
			wrong(l, doc, node,
			      "\"%.60s\" is no residency; write a country as FR or a network as "
			      "AS64500",
			      text);
	}
	tenant->residency = list;
}

static void read_tenant_prefixes(struct loader *l, const struct yaml_doc *doc,
				 const struct yaml_node *map, uint32_t tenant)
{
	const struct yaml_node *value = yaml_get(map, "prefixes"), *node;

	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct entry entry = {.place = {doc, node}};
		struct ip_prefix prefix;
		struct ip_key key;

		if (!parse_prefix(l, doc, node, &prefix))
			continue;
		if (ip_is_multicast(&prefix.addr) || ip_is_link_local(&prefix.addr) ||
		    ip_is_loopback(&prefix.addr)) {
			wrong(l, doc, node,
			      "\"%s\" is nobody's own: multicast, link-local or loopback",
			      node->text);
			continue;
		}
		key = ip_key_of(&prefix.addr);
		entry.slot = (struct addr_slot){
		    .hi = key.hi,
		    .lo = key.lo,
		    .tenant = tenant,
		    .who = HOST_NONE,
		    .segment = SEGMENT_NONE,
		    .kind = OWNER_PREFIX,
		    .length = prefix.length,
		};
		place_prefix(l, &entry, &l->inv->members[tenant]);
	}
}

static const char *const tenant_keys[] = {"name",  "residency",	       "prefixes", "segments",
					  "hosts", "shared_addresses", "decoys",   NULL};

static void read_tenant(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map)
{
	struct inventory *inv = l->inv;
	uint32_t id = inv->tenant_count, other;
	struct home home = {.tenant = id};
	char there[PLACE_TEXT_SIZE];
	const struct yaml_node *at;
	const char *name;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, tenant_keys, l->problems);
	name = required_name(l, doc, map, "tenant");
	if (name == NULL)
		return;
	other = names_add(&inv->names, SCOPE_TENANT, name, id);
	if (other != NAME_NONE && other < TENANT_FIRST) {
		wrong(l, doc, yaml_get(map, "name"), "\"%s\" is no tenant's name: it has a meaning",
		      name);
		return;
	}
	if (other != NAME_NONE) {
		wrong(l, doc, yaml_get(map, "name"), "tenant \"%s\" is there already, at %s", name,
		      place_text(l->tenant_place[other], there, sizeof there));
		return;
	}
	inv->tenants[id] = (struct tenant){.name = name, .id = id};
	l->tenant_place[id] = (struct place){doc, map};
	inv->tenant_count++;
	read_segment_list(l, doc, map, &home);
	inv->members[id] = (struct member){.segments = home.segments,
					   .segment_count = home.segment_count,
					   .listed = home.listed,
					   .first_shared = HOST_NONE};
	read_residency(l, doc, map, &inv->tenants[id]);
	read_tenant_prefixes(l, doc, map, id);
	for (at = section(l, doc, map, "hosts"); at != NULL && !l->memory; at = at->next)
		read_host(l, doc, at, &home);
}

static void count_macs(struct loader *l, const struct yaml_node *host)
{
	for (; host != NULL; host = host->next) {
		if (host->kind == YAML_MAP)
			l->macs_max += one_or_count(yaml_get(host, "mac"));
	}
}

static const struct yaml_node *first_of(const struct yaml_node *map, const char *key)
{
	return section_count(map, key) == 0 ? NULL : yaml_get(map, key)->first;
}

static int mac_room(struct loader *l)
{
	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_node *root = l->docs[i].root;
		const struct yaml_node *tenant = first_of(root, "tenants");

		count_macs(l, first_of(root, "infrastructure"));
		for (; tenant != NULL; tenant = tenant->next)
			count_macs(l, first_of(tenant, "hosts"));
	}
	if (mac_table_init(&l->inv->mac, l->macs_max) != 0)
		return ERR_MEMORY;
	l->mac_place = calloc(l->inv->mac.mask + 1, sizeof *l->mac_place);
	return l->mac_place == NULL ? ERR_MEMORY : 0;
}

void tenants_load(struct loader *l)
{
	if (mac_room(l) != 0) {
		l->memory = true;
		return;
	}
	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];
		const struct yaml_node *at = section(l, doc, doc->root, "tenants");

		for (; at != NULL && !l->memory; at = at->next)
			read_tenant(l, doc, at);
	}
}

void infrastructure_load(struct loader *l)
{
	const struct home home = {.tenant = TENANT_INFRASTRUCTURE};

	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];
		const struct yaml_node *at = section(l, doc, doc->root, "infrastructure");

		for (; at != NULL && !l->memory; at = at->next)
			read_host(l, doc, at, &home);
	}
}
