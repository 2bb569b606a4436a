/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments.c - the `segments` section: L2 broadcast domains, by VLAN or VNI, and the routing domain
 * each belongs to.  Domains are numbered as they are first named.
 */
#include <stdlib.h>

#include "tenant/load.h"

#define VLAN_LAST 4094u
#define VNI_LAST 0xffffffu

static uint16_t domain_number(struct loader *l, const char *name)
{
	struct inventory *inv = l->inv;
	uint32_t known = names_find(&inv->names, SCOPE_DOMAIN, name);

	if (known != NAME_NONE)
		return (uint16_t)known;
	inv->domain_names[inv->domain_count] = name;
	(void)names_add(&inv->names, SCOPE_DOMAIN, name, inv->domain_count); /* is new */
	return inv->domain_count++;
}

static void read_domain(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			struct segment *segment)
{
	const struct yaml_node *node = yaml_get(map, "domain");
	const char *name = "default";

	if (node != NULL && !yaml_text(doc, node, &name, l->problems))
		return;
	if (*name == '\0' || strlen(name) > INVENTORY_MAX_NAME) {
		wrong(l, doc, node, "name of a domain: 1 to %u bytes", INVENTORY_MAX_NAME);
		return;
	}
	segment->domain_name = keep(l, name);
	segment->domain = domain_number(l, segment->domain_name);
}

/* Takes the segment's VLAN or VNI; the one that has it already, or SEGMENT_NONE. */
static uint16_t claim(struct inventory *inv, const struct segment *segment)
{
	uint32_t at;
	uint16_t holder;

	if (!segment->is_vni) {
		holder = inv->vlan[segment->vlan];
		if (holder == SEGMENT_NONE)
			inv->vlan[segment->vlan] = segment->id;
		return holder;
	}
	for (at = vni_home(inv, segment->vni); inv->vni[at].segment != SEGMENT_NONE;
	     at = (at + 1) & inv->vni_mask) {
		if (inv->vni[at].vni == segment->vni)
			return inv->vni[at].segment;
	}
	inv->vni[at] = (struct vni_slot){.vni = segment->vni, .segment = segment->id};
	return SEGMENT_NONE;
}

static void read_tag(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		     struct segment *segment)
{
	const struct yaml_node *vlan = yaml_get(map, "vlan"), *vni = yaml_get(map, "vni");
	char there[PLACE_TEXT_SIZE];
	uint64_t number = 0;
	uint16_t holder;

	if (vlan != NULL && vni != NULL) {
		wrong(l, doc, vni, "a segment has a vlan or a vni; two segments can have one each");
		return;
	}
	if (vni != NULL) {
		if (!yaml_uint(doc, vni, 0, VNI_LAST, &number, l->problems))
			return;
		segment->is_vni = true;
		segment->vni = (uint32_t)number;
	} else if (vlan != NULL && !yaml_uint(doc, vlan, 0, VLAN_LAST, &number, l->problems)) {
		return;
	}
	if (!segment->is_vni)
		segment->vlan = (uint16_t)number;
	holder = claim(l->inv, segment);
	if (holder == SEGMENT_NONE)
		return;
	place_text(l->segment_place[holder], there, sizeof there);
	if (vlan == NULL && vni == NULL)
		wrong(l, doc, map, "two untagged segments; \"%s\" at %s is the other",
		      l->inv->segments[holder].name, there);
	else
		wrong(l, doc, vni != NULL ? vni : vlan, "%s %u is that of segment \"%s\" at %s",
		      segment->is_vni ? "vni" : "vlan", (unsigned)number,
		      l->inv->segments[holder].name, there);
}

static void add_range(struct loader *l, const struct segment *segment,
		      const struct ip_prefix *prefix, enum owner_kind kind, struct place place)
{
	struct ip_key ip = ip_key_of(&prefix->addr);
	struct entry entry = {
	    .slot =
		{
		    .hi = ip.hi,
		    .lo = ip.lo,
		    .tenant = TENANT_UNKNOWN,
		    .who = HOST_NONE,
		    .domain = segment->domain,
		    .segment = segment->id,
		    .kind = (uint8_t)kind,
		    .length = prefix->length,
		},
	    .place = place,
	};

	entry_add(l, &l->ranges, &entry);
}

static void read_prefixes(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			  const struct segment *segment)
{
	struct segment_info *info = &l->inv->segment_info[segment->id];
	const struct yaml_node *value = yaml_get(map, "prefixes"), *node;
	struct ip_prefix *list = keep_array(l, one_or_count(value), sizeof *list);

	if (list == NULL)
		return;
	info->prefix = list;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct ip_prefix *prefix = &list[info->prefix_count];

		if (!parse_prefix(l, doc, node, prefix))
			continue;
		info->prefix_count++;
		add_range(l, segment, prefix, OWNER_SEGMENT, (struct place){doc, node});
	}
}

static void read_dynamic(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			 const struct segment *segment)
{
	const struct segment_info *info = &l->inv->segment_info[segment->id];
	const struct yaml_node *value = yaml_get(map, "dynamic"), *node;

	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		struct ip_prefix range;
		bool inside = false;

		if (!parse_prefix(l, doc, node, &range))
			continue;
		for (uint32_t i = 0; i < info->prefix_count; i++)
			inside = inside || (info->prefix[i].length <= range.length &&
					    prefix_contains(&info->prefix[i], &range.addr));
		if (!inside)
			beware(l, doc, node,
			       "dynamic range \"%s\" is in no prefix of segment \"%s\"", node->text,
			       segment->name);
		add_range(l, segment, &range, OWNER_DYNAMIC, (struct place){doc, node});
	}
}

static void read_segment(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map)
{
	static const char *const known[] = {"name",   "vlan",	 "vni", "prefixes",
					    "domain", "dynamic", NULL};
	struct inventory *inv = l->inv;
	struct segment *segment = &inv->segments[inv->segment_count];
	char there[PLACE_TEXT_SIZE];
	const char *name;
	uint32_t other;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, known, l->problems);
	name = required_name(l, doc, map, "segment");
	if (name == NULL)
		return;
	other = names_add(&inv->names, SCOPE_SEGMENT, name, inv->segment_count);
	if (other != NAME_NONE) {
		wrong(l, doc, yaml_get(map, "name"), "segment \"%s\" is there already, at %s", name,
		      place_text(l->segment_place[other], there, sizeof there));
		return;
	}
	*segment = (struct segment){.name = name, .id = inv->segment_count};
	l->segment_place[inv->segment_count++] = (struct place){doc, map};
	read_domain(l, doc, map, segment);
	read_tag(l, doc, map, segment);
	read_prefixes(l, doc, map, segment);
	read_dynamic(l, doc, map, segment);
}

/* The indexes that place.c and build.c search. */
static void index_prefixes(struct loader *l)
{
	if (spans_init(&l->by_domain, l->ranges.count) != 0 ||
	    spans_init(&l->anywhere, l->ranges.count) != 0) {
		l->memory = true;
		return;
	}
	for (uint32_t i = 0; i < l->ranges.count; i++) {
		const struct addr_slot *slot = &l->ranges.v[i].slot;
		struct span span = {.ip = {slot->hi, slot->lo},
				    .id = slot->segment,
				    .domain = slot->domain,
				    .length = slot->length};

		if (slot->kind != OWNER_SEGMENT)
			continue;
		l->by_domain.v[l->by_domain.count++] = span;
		span.domain = 0;
		l->anywhere.v[l->anywhere.count++] = span;
	}
	spans_link(&l->by_domain);
	spans_link(&l->anywhere);
}

static int vni_room(struct loader *l)
{
	struct inventory *inv = l->inv;
	uint32_t size = 4, count = 0;

	for (unsigned i = 0; i < l->doc_count; i++)
		count += section_count(l->docs[i].root, "segments");
	while (size < count * 2)
		size *= 2;
	inv->vni = keep_array(l, size, sizeof *inv->vni);
	if (inv->vni == NULL)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < size; i++)
		inv->vni[i].segment = SEGMENT_NONE;
	inv->vni_mask = size - 1;
	return 0;
}

/*
 * A mirror may take tags off.  With one segment, and that a VLAN, what has no tag is of it; with
 * several VLANs in one routing domain at least that is known.
 */
static void place_untagged(struct inventory *inv)
{
	uint16_t domain = DOMAIN_UNKNOWN;

	for (uint16_t i = 0; i < inv->segment_count; i++) {
		const struct segment *segment = &inv->segments[i];

		if (segment->is_vni)
			continue;
		if (domain != DOMAIN_UNKNOWN && domain != segment->domain) {
			domain = DOMAIN_UNKNOWN;
			break;
		}
		domain = segment->domain;
	}
	inv->untagged_domain = domain;
	if (inv->segment_count == 1 && !inv->segments[0].is_vni && inv->vlan[0] == SEGMENT_NONE)
		inv->vlan[0] = 0;
}

void segments_load(struct loader *l)
{
	struct inventory *inv = l->inv;

	if (vni_room(l) != 0)
		return;
	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];
		const struct yaml_node *at = section(l, doc, doc->root, "segments");

		for (; at != NULL && !l->memory; at = at->next)
			read_segment(l, doc, at);
	}
	if (inv->segment_count == 0)
		segments_implicit(inv);
	place_untagged(inv);
	if (inv->domain_count == 0) /* every domain name was wrong, and reported */
		inv->domain_names[inv->domain_count++] = "default";
	index_prefixes(l);
}
