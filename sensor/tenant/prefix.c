/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefix.c - longest match: one hash probe for each prefix length that a domain has.
 *
 * An inventory has few lengths (a handful of /24, /28, /64), so this beats a trie: every probe is
 * one cache line.  IPv4 lives in ::ffff:0:0/96; an IPv4 address is never matched against an IPv6
 * length, since no prefix that spans the mapped range is let in.
 */
#include "tenant/inventory.h"

static struct lengths *lengths_of(const struct inventory *inv, uint16_t domain)
{
	return &inv->lengths[domain == DOMAIN_ALL ? inv->domain_count : domain];
}

/* Inserts into a descending list without repetition. */
static void insert(uint8_t *list, uint8_t *count, uint8_t length)
{
	unsigned at = 0;

	while (at < *count && list[at] > length)
		at++;
	if (at < *count && list[at] == length)
		return;
	memmove(list + at + 1, list + at, (size_t)(*count - at));
	list[at] = length;
	(*count)++;
}

void lengths_note(struct inventory *inv, uint16_t domain, struct ip_key ip, uint8_t length)
{
	struct lengths *lengths = lengths_of(inv, domain);

	if (ip_key_is_v4(ip))
		insert(lengths->v4, &lengths->v4_count, length);
	else
		insert(lengths->v6, &lengths->v6_count, length);
}

const struct addr_slot *prefix_find(const struct inventory *inv, uint16_t domain, struct ip_key ip)
{
	const struct lengths *lengths;
	const uint8_t *list;
	unsigned count;

	if (domain >= inv->domain_count && domain != DOMAIN_ALL)
		return NULL;
	lengths = lengths_of(inv, domain);
	list = ip_key_is_v4(ip) ? lengths->v4 : lengths->v6;
	count = ip_key_is_v4(ip) ? lengths->v4_count : lengths->v6_count;
	for (unsigned i = 0; i < count; i++) {
		const struct addr_slot *slot =
		    addr_table_find(inv, &inv->prefix, domain, list[i], ip_key_mask(ip, list[i]));

		if (slot != NULL)
			return slot;
	}
	return NULL;
}
