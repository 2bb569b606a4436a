/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c - in which routing domains does an address count?
 *
 *	a tenant's host		the domains of its tenant's segments whose prefixes hold the
 *				address; when none does, all domains of its tenant's segments;
 *				every domain for a tenant without a list of segments
 *	infrastructure		every domain with a segment prefix that holds it, or all
 *	a tenant's prefix	everywhere; private space only in the domains of its segments
 *
 * "Every domain" is stored once, under DOMAIN_ALL, so that five thousand domains cost no more
 * than one; with a single domain in the inventory all of this is domain 0.
 */
#include "tenant/load.h"

/* Up to this many segments of a tenant are tried one by one; with more, the prefixes around the
 * address are fewer than the segments. */
#define FEW_SEGMENTS 16u

static void add_in(struct loader *l, struct entries *to, const struct entry *entry, uint16_t domain)
{
	struct entry copy = *entry;

	if (domain != DOMAIN_ALL) {
		if (l->stamp[domain] == l->stamp_now)
			return;
		l->stamp[domain] = l->stamp_now;
	}
	copy.slot.domain = domain;
	entry_add(l, to, &copy);
}

static void add_everywhere(struct loader *l, struct entries *to, const struct entry *entry)
{
	add_in(l, to, entry, l->inv->domain_count == 1 ? 0 : DOMAIN_ALL);
}

static bool among(const uint16_t *segments, uint32_t count, uint32_t segment)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (segments[middle] == segment)
			return true;
		if (segments[middle] < segment)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool segment_holds(const struct inventory *inv, uint16_t segment, struct ip_key ip)
{
	const struct segment_info *info = &inv->segment_info[segment];

	for (uint32_t i = 0; i < info->prefix_count; i++) {
		struct span span = {.ip = ip_key_of(&info->prefix[i].addr),
				    .length = info->prefix[i].length};

		if (span_holds(&span, ip, 128))
			return true;
	}
	return false;
}

/* Adds the entry where one of the segments holds it; says whether any did. */
static bool add_where_held(struct loader *l, const struct entry *entry, const uint16_t *segments,
			   uint32_t count, bool listed)
{
	struct ip_key ip = {entry->slot.hi, entry->slot.lo};
	bool held = false;

	if (listed && count <= FEW_SEGMENTS) {
		for (uint32_t i = 0; i < count; i++) {
			if (!segment_holds(l->inv, segments[i], ip))
				continue;
			add_in(l, &l->addresses, entry, l->inv->segments[segments[i]].domain);
			held = true;
		}
		return held;
	}
	for (uint32_t at = spans_find(&l->anywhere, 0, ip, 128); at != SPAN_NONE;
	     at = l->anywhere.v[at].parent) {
		uint32_t segment = l->anywhere.v[at].id;

		if (listed && !among(segments, count, segment))
			continue;
		add_in(l, &l->addresses, entry, l->inv->segments[segment].domain);
		held = true;
	}
	return held;
}

static void add_in_domains_of(struct loader *l, struct entries *to, const struct entry *entry,
			      const uint16_t *segments, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add_in(l, to, entry, l->inv->segments[segments[i]].domain);
}

void place_address(struct loader *l, const struct entry *entry, const uint16_t *segments,
		   uint32_t segment_count, bool listed)
{
	bool infrastructure = entry->slot.tenant == TENANT_INFRASTRUCTURE;

	l->stamp_now++;
	if (l->inv->domain_count == 1 || (!listed && !infrastructure)) {
		add_everywhere(l, &l->addresses, entry);
		return;
	}
	if (add_where_held(l, entry, segments, segment_count, listed))
		return;
	if (listed)
		add_in_domains_of(l, &l->addresses, entry, segments, segment_count);
	else
		add_everywhere(l, &l->addresses, entry);
}

void place_prefix(struct loader *l, const struct entry *entry, const struct member *member)
{
	struct ip_addr ip;
	uint64_t hi = htobe64(entry->slot.hi), lo = htobe64(entry->slot.lo);

	memcpy(ip.b, &hi, sizeof hi);
	memcpy(ip.b + 8, &lo, sizeof lo);
	l->stamp_now++;
	if (l->inv->domain_count > 1 && member->listed && ip_is_private(&ip))
		add_in_domains_of(l, &l->prefixes, entry, member->segments, member->segment_count);
	else
		add_everywhere(l, &l->prefixes, entry);
}
