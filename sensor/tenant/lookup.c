/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c - the two tables every new path asks: whose NIC, whose address.
 *
 * Open addressing, linear probing, at most half full.  The hash is keyed at random: the keys in
 * the tables are the operator's, but those looked up come from the wire, and nobody shall find the
 * longest run of full slots from outside.  Placement never shows in an answer.
 */
#include "tenant/inventory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CACHE_LINE 64
#define HUGE_PAGE ((size_t)2 << 20)

void *table_memory(uint64_t slots, size_t slot_size)
{
	size_t bytes, align;
	void *p;

	if (__builtin_mul_overflow(slots, slot_size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
	bytes = (bytes + align - 1) / align * align;
	p = aligned_alloc(align, bytes);
	if (p == NULL)
		return NULL;
	/* A random look-up in a big table misses the TLB as well; a refusal costs only speed. */
	if (align == HUGE_PAGE)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	return p;
}

static uint64_t slots_for(uint64_t entries)
{
	uint64_t size = 4;

	while (size < entries * 2)
		size *= 2;
	return size;
}

static inline uint64_t mac_hash(const struct inventory *inv, uint64_t mac)
{
	return mix64(mac ^ inv->seed[0], inv->seed[1]);
}

static inline uint64_t addr_hash(const struct inventory *inv, uint16_t domain, uint8_t length,
				 struct ip_key ip)
{
	uint64_t head =
	    mix64(ip.hi ^ inv->seed[0], inv->seed[1] ^ ((uint64_t)domain << 8 | length) << 32);

	return mix64(ip.lo ^ head, inv->seed[2]);
}

int mac_table_init(struct mac_table *table, uint64_t entries)
{
	uint64_t size = slots_for(entries);

	table->slots = table_memory(size, sizeof *table->slots);
	table->mask = size - 1;
	return table->slots == NULL ? ERR_MEMORY : 0;
}

struct mac_slot *mac_table_put(struct inventory *inv, uint64_t mac, bool *fresh)
{
	uint64_t at = mac_hash(inv, mac) & inv->mac.mask;

	for (;; at = (at + 1) & inv->mac.mask) {
		struct mac_slot *slot = &inv->mac.slots[at];

		if ((slot->key & MAC_USED) == 0) {
			slot->key = mac | MAC_USED;
			*fresh = true;
			return slot;
		}
		if ((slot->key & MAC_BITS) == mac) {
			*fresh = false;
			return slot;
		}
	}
}

struct carrier inventory_carrier(const struct inventory *inv, struct mac_addr mac)
{
	uint64_t key = mac_to_u64(mac);
	uint64_t at = mac_hash(inv, key) & inv->mac.mask;

	for (;; at = (at + 1) & inv->mac.mask) {
		const struct mac_slot *slot = &inv->mac.slots[at];

		if ((slot->key & MAC_USED) == 0)
			return (struct carrier){.tenant = TENANT_UNKNOWN, .host = HOST_NONE};
		if ((slot->key & MAC_BITS) == key)
			return (struct carrier){
			    .tenant = slot->tenant,
			    .host = slot->host,
			    .roles = (uint32_t)(slot->key >> MAC_ROLE_SHIFT) & MAC_ROLE_BITS,
			    .shared = (slot->key & MAC_SHARED) != 0,
			};
	}
}

void inventory_prefetch_mac(const struct inventory *inv, struct mac_addr mac)
{
	uint64_t at = mac_hash(inv, mac_to_u64(mac)) & inv->mac.mask;

	__builtin_prefetch(&inv->mac.slots[at]);
}

int addr_table_init(struct addr_table *table, uint64_t entries)
{
	uint64_t size = slots_for(entries);

	table->slots = table_memory(size, sizeof *table->slots);
	table->mask = size - 1;
	return table->slots == NULL ? ERR_MEMORY : 0;
}

/* The slot that has the key, or the empty one where it would stand. */
static inline struct addr_slot *addr_probe(const struct inventory *inv,
					   const struct addr_table *table, uint16_t domain,
					   uint8_t length, struct ip_key ip)
{
	uint64_t at = addr_hash(inv, domain, length, ip) & table->mask;

	for (;; at = (at + 1) & table->mask) {
		struct addr_slot *slot = &table->slots[at];

		if (slot->kind == OWNER_NONE || (slot->lo == ip.lo && slot->hi == ip.hi &&
						 slot->domain == domain && slot->length == length))
			return slot;
	}
}

struct addr_slot *addr_table_put(const struct inventory *inv, struct addr_table *table,
				 uint16_t domain, uint8_t length, struct ip_key ip)
{
	struct addr_slot *slot = addr_probe(inv, table, domain, length, ip);

	if (slot->kind == OWNER_NONE) {
		*slot = (struct addr_slot){
		    .hi = ip.hi,
		    .lo = ip.lo,
		    .domain = domain,
		    .length = length,
		    .segment = SEGMENT_NONE,
		};
		table->used++;
	}
	return slot;
}

const struct addr_slot *addr_table_find(const struct inventory *inv, const struct addr_table *table,
					uint16_t domain, uint8_t length, struct ip_key ip)
{
	const struct addr_slot *slot = addr_probe(inv, table, domain, length, ip);

	return slot->kind == OWNER_NONE ? NULL : slot;
}

/* Addresses that say nothing about who sent them, whatever prefix they would be in. */
static bool proves_nothing(const struct ip_addr *ip)
{
	return ip_is_link_local(ip) || ip_is_multicast(ip) || ip_is_unspecified(ip) ||
	       ip_is_broadcast(ip);
}

static struct owner owner_of(const struct addr_slot *slot, uint16_t segment)
{
	struct owner owner = {
	    .tenant = slot->tenant,
	    .host = slot->kind == OWNER_HOST ? slot->who : HOST_NONE,
	    .segment = segment,
	    .kind = slot->kind,
	};

	return owner;
}

/*
 * The NIC that an interface identifier was made from (RFC 4291 appendix A): with SLAAC, and for
 * link-local addresses, hosts need nobody to assign them, so no inventory has them.
 */
static struct owner owner_by_identifier(const struct inventory *inv, const struct ip_addr *ip,
					struct owner otherwise)
{
	const uint8_t *id = ip->b + 8;
	struct carrier nic;

	if (id[3] != 0xff || id[4] != 0xfe || ip_is_v4(ip))
		return otherwise;
	nic = inventory_carrier(
	    inv, (struct mac_addr){{(uint8_t)(id[0] ^ 2), id[1], id[2], id[5], id[6], id[7]}});
	if (nic.tenant == TENANT_UNKNOWN)
		return otherwise;
	otherwise.tenant = nic.tenant;
	otherwise.host = nic.shared ? HOST_NONE : nic.host;
	otherwise.kind = nic.shared ? OWNER_SHARED : OWNER_HOST;
	return otherwise;
}

static uint16_t segment_of_slot(const struct addr_slot *slot)
{
	return slot == NULL ? SEGMENT_NONE : slot->segment;
}

/* The exact slot in the domain or in all of them, or NULL. */
static inline const struct addr_slot *exact_find(const struct inventory *inv, uint16_t domain,
						 struct ip_key ip)
{
	const struct addr_slot *slot = addr_table_find(inv, &inv->exact, domain, 128, ip);

	if (slot == NULL && inv->exact_all)
		slot = addr_table_find(inv, &inv->exact, DOMAIN_ALL, 128, ip);
	return slot;
}

void inventory_prefetch_ip(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip)
{
	uint64_t at = addr_hash(inv, domain, 128, ip_key_of(ip)) & inv->exact.mask;

	__builtin_prefetch(&inv->exact.slots[at]);
}

struct owner inventory_owner(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip)
{
	static const struct owner nobody = {TENANT_EXTERNAL, HOST_NONE, SEGMENT_NONE, OWNER_NONE};
	struct ip_key key = ip_key_of(ip);
	const struct addr_slot *exact = exact_find(inv, domain, key);
	const struct addr_slot *here, *all = NULL;

	if (exact != NULL && exact->domain != DOMAIN_ALL)
		return owner_of(exact, exact->segment);
	if (exact == NULL && proves_nothing(ip))
		return ip_is_link_local(ip) ? owner_by_identifier(inv, ip, nobody) : nobody;
	here = prefix_find(inv, domain, key);
	if (exact != NULL)
		return owner_of(exact, segment_of_slot(here));
	if (inv->prefix_all)
		all = prefix_find(inv, DOMAIN_ALL, key);
	/* What is owned everywhere is a tenant's prefix: it outranks a segment's of any length,
	 * and this domain's own tenant prefixes and dynamic ranges where it is as long. */
	if (all != NULL &&
	    (here == NULL || here->kind == OWNER_SEGMENT || all->length >= here->length))
		return owner_of(all, segment_of_slot(here));
	if (here == NULL)
		return nobody;
	if (here->kind == OWNER_SEGMENT || here->kind == OWNER_DYNAMIC)
		return owner_by_identifier(inv, ip, owner_of(here, here->segment));
	return owner_of(here, here->segment);
}

bool inventory_shares(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip,
		      uint32_t host)
{
	const struct addr_slot *slot = exact_find(inv, domain, ip_key_of(ip));
	struct owner owner = inventory_owner(inv, domain, ip);

	if (host >= inv->host_count)
		return false;
	if (owner.tenant == inv->hosts[host].tenant)
		return true;
	if (slot == NULL || slot->kind != OWNER_SHARED)
		return false;
	for (uint32_t i = inv->shared[slot->who].first; i != HOST_NONE; i = inv->holders[i].next) {
		if (inv->holders[i].host == host)
			return true;
	}
	return false;
}

bool inventory_is_gateway_ip(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip)
{
	const struct addr_slot *slot = exact_find(inv, domain, ip_key_of(ip));

	if (slot == NULL || slot->tenant != TENANT_INFRASTRUCTURE)
		return false;
	if (slot->kind == OWNER_SHARED)
		return (inv->shared[slot->who].roles & ROLE_ROUTER) != 0;
	return (inv->hosts[slot->who].roles & ROLE_ROUTER) != 0;
}
