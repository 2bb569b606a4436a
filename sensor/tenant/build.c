/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c - from entries to look-up tables, and what cannot be told apart is refused here: one
 * address or one stretch of addresses with two owners in one domain.
 *
 * A segment's prefix inside a tenant's prefix goes into the table as that tenant's, so that a
 * look-up is one longest match and never has to ask twice.
 */
#include <stdlib.h>

#include "tenant/load.h"

struct build {
	struct loader *l;
	struct place *exact_place;    /* by slot */
	const struct yaml_node *last; /* of the last conflict: one line, not one a domain */
	struct spans owned;	      /* tenants' prefixes; id: entry */
	uint32_t *next_other;	      /* by span under DOMAIN_ALL: the next of another tenant */
};

static const char *slot_label(const struct inventory *inv, const struct addr_slot *slot, char *buf)
{
	return label(inv, slot->tenant, slot->kind == OWNER_HOST ? slot->who : HOST_NONE, buf,
		     LABEL_SIZE);
}

static struct ip_addr slot_address(const struct addr_slot *slot)
{
	struct ip_addr ip;
	uint64_t hi = htobe64(slot->hi), lo = htobe64(slot->lo);

	memcpy(ip.b, &hi, sizeof hi);
	memcpy(ip.b + 8, &lo, sizeof lo);
	return ip;
}

static void two_owners(struct build *b, const struct entry *entry, const struct addr_slot *other,
		       struct place place)
{
	struct ip_addr ip = slot_address(&entry->slot);
	char text[IP_TEXT_SIZE], there[PLACE_TEXT_SIZE], a[LABEL_SIZE], c[LABEL_SIZE];

	if (b->last == entry->place.node)
		return;
	b->last = entry->place.node;
	wrong(b->l, entry->place.doc, entry->place.node,
	      "%s of %s is an address of %s at %s; in a domain it has one owner",
	      ip_format(&ip, text), slot_label(b->l->inv, &entry->slot, a),
	      slot_label(b->l->inv, other, c), place_text(place, there, sizeof there));
}

static void add_exact(struct build *b, const struct entry *entry)
{
	struct inventory *inv = b->l->inv;
	const struct addr_slot *want = &entry->slot;
	struct ip_key ip = {want->hi, want->lo};
	struct addr_slot *slot = addr_table_put(inv, &inv->exact, want->domain, 128, ip);
	struct place *place = &b->exact_place[slot - inv->exact.slots];

	if (slot->kind == OWNER_NONE) {
		*slot = *want;
		*place = entry->place;
	} else if (slot->tenant != want->tenant) {
		two_owners(b, entry, slot, *place);
	} else {
		shared_merge(b->l, slot, want);
	}
	inv->exact_all = inv->exact_all || want->domain == DOMAIN_ALL;
}

/* The segment of an address, and which tenants that brings into which segments. */
static void settle_exact(struct build *b, const struct entry *entry)
{
	struct inventory *inv = b->l->inv;
	const struct addr_slot *want = &entry->slot;
	struct ip_key ip = {want->hi, want->lo};
	struct addr_slot *slot = addr_table_put(inv, &inv->exact, want->domain, 128, ip);
	const struct addr_slot *all;
	const struct spans *spans = &b->l->by_domain;
	uint16_t domain = want->domain;
	uint32_t at;

	if (domain == DOMAIN_ALL) {
		spans = &b->l->anywhere;
		domain = 0;
	} else if (inv->exact_all) {
		all = addr_table_find(inv, &inv->exact, DOMAIN_ALL, 128, ip);
		if (all != NULL && all->tenant != want->tenant)
			two_owners(b, entry, all, b->exact_place[all - inv->exact.slots]);
	}
	at = spans_find(spans, domain, ip, 128);
	if (want->domain != DOMAIN_ALL && at != SPAN_NONE)
		slot->segment = (uint16_t)spans->v[at].id;
	if (want->tenant < TENANT_FIRST)
		return;
	for (; at != SPAN_NONE; at = spans->v[at].parent)
		pair_add(b->l, (uint16_t)spans->v[at].id, want->tenant);
}

static int build_exact(struct build *b)
{
	struct loader *l = b->l;
	struct inventory *inv = l->inv;

	if (addr_table_init(&inv->exact, l->addresses.count) != 0)
		return ERR_MEMORY;
	b->exact_place = calloc(inv->exact.mask + 1, sizeof *b->exact_place);
	if (b->exact_place == NULL)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < l->addresses.count; i++)
		add_exact(b, &l->addresses.v[i]);
	for (uint32_t i = 0; i < l->addresses.count; i++)
		settle_exact(b, &l->addresses.v[i]);
	return 0;
}

/* Told at the one that comes later in the files. */
static void overlap(struct build *b, const struct span *one, const struct span *two)
{
	bool swap = one->id < two->id;
	const struct entry *entry = &b->l->prefixes.v[swap ? two->id : one->id];
	const struct entry *other = &b->l->prefixes.v[swap ? one->id : two->id];
	char there[PLACE_TEXT_SIZE];

	if (entry->slot.tenant == other->slot.tenant || b->last == entry->place.node)
		return;
	b->last = entry->place.node;
	wrong(b->l, entry->place.doc, entry->place.node,
	      "prefix %.50s of \"%.60s\" overlaps %.50s of \"%.60s\" at %s; in a domain an address "
	      "has one owner",
	      entry->place.node->text, b->l->inv->tenants[entry->slot.tenant].name,
	      other->place.node->text, b->l->inv->tenants[other->slot.tenant].name,
	      place_text(other->place, there, sizeof there));
}

static uint32_t span_tenant(const struct build *b, uint32_t span)
{
	return b->l->prefixes.v[b->owned.v[span].id].slot.tenant;
}

/* The first span of DOMAIN_ALL that is not before the given one. */
static uint32_t all_from(const struct build *b, uint32_t first_all, const struct span *span)
{
	uint32_t low = first_all, high = b->owned.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct span *at = &b->owned.v[middle];
		bool before = at->ip.hi != span->ip.hi	 ? at->ip.hi < span->ip.hi
			      : at->ip.lo != span->ip.lo ? at->ip.lo < span->ip.lo
							 : at->length < span->length;

		if (before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A prefix of one domain against those that hold everywhere: around it, and inside it. */
static void check_against_all(struct build *b, uint32_t first_all, const struct span *span)
{
	uint32_t tenant = b->l->prefixes.v[span->id].slot.tenant;
	uint32_t at = spans_find(&b->owned, DOMAIN_ALL, span->ip, span->length);

	if (at != SPAN_NONE)
		overlap(b, span, &b->owned.v[at]);
	at = all_from(b, first_all, span);
	if (at < b->owned.count && span_tenant(b, at) == tenant)
		at = b->next_other[at];
	if (at < b->owned.count && span_holds(span, b->owned.v[at].ip, b->owned.v[at].length))
		overlap(b, &b->owned.v[at], span);
}

/* Neighbours in the order of spans suffice: whatever encloses an encloser was compared with it. */
static int check_overlaps(struct build *b)
{
	const struct entries *prefixes = &b->l->prefixes;
	uint32_t first_all = 0;

	if (spans_init(&b->owned, prefixes->count) != 0)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < prefixes->count; i++) {
		const struct addr_slot *slot = &prefixes->v[i].slot;

		b->owned.v[b->owned.count++] = (struct span){.ip = {slot->hi, slot->lo},
							     .id = i,
							     .domain = slot->domain,
							     .length = slot->length};
	}
	spans_link(&b->owned);
	b->next_other = calloc((size_t)b->owned.count + 1, sizeof *b->next_other);
	if (b->next_other == NULL)
		return ERR_MEMORY;
	for (uint32_t i = b->owned.count; i-- > 0;)
		b->next_other[i] =
		    i + 1 == b->owned.count || span_tenant(b, i + 1) != span_tenant(b, i)
			? i + 1
			: b->next_other[i + 1];
	while (first_all < b->owned.count && b->owned.v[first_all].domain != DOMAIN_ALL)
		first_all++;
	for (uint32_t i = 0; i < b->owned.count; i++) {
		const struct span *span = &b->owned.v[i];

		if (span->parent != SPAN_NONE)
			overlap(b, span, &b->owned.v[span->parent]);
		if (i < first_all && first_all < b->owned.count)
			check_against_all(b, first_all, span);
	}
	return 0;
}

/* Puts a prefix where nothing stands yet; the first of equals stays. */
static void add_prefix(struct build *b, const struct addr_slot *want)
{
	struct inventory *inv = b->l->inv;
	struct ip_key ip = {want->hi, want->lo};
	struct addr_slot *slot = addr_table_put(inv, &inv->prefix, want->domain, want->length, ip);

	if (slot->kind != OWNER_NONE)
		return;
	*slot = *want;
	lengths_note(inv, want->domain, ip, want->length);
	inv->prefix_all = inv->prefix_all || want->domain == DOMAIN_ALL;
}

static int build_prefixes(struct build *b)
{
	struct loader *l = b->l;
	struct inventory *inv = l->inv;
	uint32_t at;

	inv->lengths = keep_array(l, (uint64_t)inv->domain_count + 1, sizeof *inv->lengths);
	if (inv->lengths == NULL ||
	    addr_table_init(&inv->prefix, (uint64_t)l->prefixes.count + l->ranges.count) != 0)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < l->prefixes.count; i++) {
		struct addr_slot slot = l->prefixes.v[i].slot;

		at = spans_find(&l->by_domain, slot.domain, (struct ip_key){slot.hi, slot.lo},
				slot.length);
		if (at != SPAN_NONE)
			slot.segment = (uint16_t)l->by_domain.v[at].id;
		add_prefix(b, &slot);
	}
	for (uint32_t i = 0; i < l->ranges.count; i++) {
		if (l->ranges.v[i].slot.kind == OWNER_DYNAMIC)
			add_prefix(b, &l->ranges.v[i].slot);
	}
	for (uint32_t i = 0; i < l->ranges.count; i++) {
		struct addr_slot slot = l->ranges.v[i].slot;

		if (slot.kind != OWNER_SEGMENT)
			continue;
		at = spans_find(&b->owned, slot.domain, (struct ip_key){slot.hi, slot.lo},
				slot.length);
		if (at != SPAN_NONE) {
			slot.kind = OWNER_PREFIX;
			slot.tenant = span_tenant(b, at);
		}
		add_prefix(b, &slot);
	}
	return 0;
}

static int compare_words(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The tenants of each segment, side by side in one array. */
static int build_segment_tenants(struct build *b)
{
	struct loader *l = b->l;
	struct inventory *inv = l->inv;
	uint32_t kept = 0;

	for (uint32_t t = TENANT_FIRST; t < inv->tenant_count; t++) {
		for (uint32_t i = 0; i < inv->members[t].segment_count; i++)
			pair_add(l, inv->members[t].segments[i], t);
		if (inv->implicit_segment)
			pair_add(l, 0, t);
	}
	inv->segment_tenant = keep_array(l, l->pairs.count, sizeof *inv->segment_tenant);
	if (inv->segment_tenant == NULL)
		return ERR_MEMORY;
	if (l->pairs.count > 1)
		qsort(l->pairs.v, l->pairs.count, sizeof *l->pairs.v, compare_words);
	for (uint32_t i = 0; i < l->pairs.count; i++) {
		struct segment_info *info = &inv->segment_info[l->pairs.v[i] >> 32];

		if (i > 0 && l->pairs.v[i] == l->pairs.v[i - 1])
			continue;
		if (info->tenant_count++ == 0)
			info->first_tenant = kept;
		inv->segment_tenant[kept++] = (uint32_t)l->pairs.v[i];
	}
	return 0;
}

/* Declared inside what another tenant owns: the address wins, but it is worth a look. */
static void warn_strangers(struct build *b)
{
	const struct entries *addresses = &b->l->addresses;
	const struct inventory *inv = b->l->inv;
	char who[LABEL_SIZE];

	for (uint32_t i = 0; i < addresses->count && b->owned.count > 0; i++) {
		const struct entry *entry = &addresses->v[i];
		struct ip_key ip = {entry->slot.hi, entry->slot.lo};
		uint32_t at = spans_find(&b->owned, entry->slot.domain, ip, 128);

		if (at == SPAN_NONE && entry->slot.domain != DOMAIN_ALL && inv->prefix_all)
			at = spans_find(&b->owned, DOMAIN_ALL, ip, 128);
		if (at == SPAN_NONE || entry->slot.tenant < TENANT_FIRST ||
		    span_tenant(b, at) == entry->slot.tenant || b->last == entry->place.node)
			continue;
		b->last = entry->place.node;
		beware(b->l, entry->place.doc, entry->place.node,
		       "%.60s of %s is inside prefix %.50s of \"%.60s\"", entry->place.node->text,
		       slot_label(inv, &entry->slot, who),
		       b->l->prefixes.v[b->owned.v[at].id].place.node->text,
		       inv->tenants[span_tenant(b, at)].name);
	}
}

void build_tables(struct loader *l)
{
	struct build b = {.l = l};

	if (build_exact(&b) != 0 || check_overlaps(&b) != 0 || build_prefixes(&b) != 0 ||
	    build_segment_tenants(&b) != 0)
		l->memory = true;
	else
		warn_strangers(&b);
	free(b.exact_place);
	free(b.next_other);
	spans_free(&b.owned);
}
