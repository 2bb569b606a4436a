/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.h - the snapshot's inside, seen by sensor/tenant only.
 *
 *	names		text -> number, for tenants, hosts, segments, taps, domains
 *	mac		MAC -> tenant, host, roles		one 16-byte slot
 *	exact		(domain, address) -> owner		one 32-byte slot
 *	prefix		(domain, length, prefix) -> owner	one 32-byte slot a length probed
 *
 * The three hot tables are open addressing with linear probing, at most half full, in slots that
 * never straddle a cache line.  What counts "in every domain" stands once under DOMAIN_ALL
 * instead of once per domain; an inventory with one domain has nothing there and never looks.
 *
 * invariant: nothing changes after inventory_load() returned, but the reference count.
 */
#ifndef TENANT_INVENTORY_H
#define TENANT_INVENTORY_H

#include <endian.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "bulkhead/tenant.h"

#define DOMAIN_ALL UINT16_MAX
#define VLAN_COUNT 4096
#define NAME_NONE UINT32_MAX

/* An address as two numbers, so that masks are shifts. */
struct ip_key {
	uint64_t hi, lo;
};

struct mac_slot {
	uint64_t key; /* 48 bits of MAC; above them the roles, MAC_SHARED and MAC_USED */
	uint32_t tenant;
	uint32_t host;
};

#define MAC_BITS ((UINT64_C(1) << 48) - 1)
#define MAC_ROLE_SHIFT 48
#define MAC_ROLE_BITS 0x3ffu
#define MAC_SHARED (UINT64_C(1) << 62)
#define MAC_USED (UINT64_C(1) << 63)

struct addr_slot {
	uint64_t hi, lo;
	uint32_t tenant;
	uint32_t who; /* a host, or for OWNER_SHARED an index into shared */
	uint16_t domain;
	uint16_t segment;
	uint8_t kind; /* enum owner_kind; OWNER_NONE: the slot is empty */
	uint8_t length;
};

_Static_assert(sizeof(struct mac_slot) == 16, "four to a cache line");
_Static_assert(sizeof(struct addr_slot) == 32, "two to a cache line");

struct addr_table {
	struct addr_slot *slots;
	uint64_t mask;
	uint32_t used;
};

struct mac_table {
	struct mac_slot *slots;
	uint64_t mask;
};

/* The prefix lengths that occur in a domain, longest first, by family. */
struct lengths {
	uint8_t v4_count, v6_count;
	uint8_t v4[33], v6[129];
};

struct name_slot {
	uint64_t hash;
	const char *text; /* NULL: empty */
	uint32_t scope;
	uint32_t id;
};

struct names {
	struct name_slot *slots;
	uint64_t mask;
	struct hash_key key;
};

/* Scopes of names; hosts use their tenant's id. */
#define SCOPE_TENANT UINT32_MAX
#define SCOPE_SEGMENT (UINT32_MAX - 1)
#define SCOPE_TAP (UINT32_MAX - 2)
#define SCOPE_DOMAIN (UINT32_MAX - 3)
#define SCOPE_TAP_PORT (UINT32_MAX - 4)

/* Hosts that may hold one shared address. */
struct holder {
	uint32_t host;
	uint32_t next; /* index, or HOST_NONE */
};

struct shared {
	uint32_t tenant;
	uint32_t first;	      /* holder, or HOST_NONE: any host of the tenant */
	uint32_t next;	      /* the tenant's next declared one, or HOST_NONE */
	uint32_t roles;	      /* of all holders together */
	const char *protocol; /* "" when none was given */
};

/* What lookups need to know of a tenant beyond struct tenant. */
struct member {
	const uint16_t *segments; /* ascending */
	uint32_t segment_count;
	bool listed;	       /* has a `segments` list; without one it lives everywhere */
	uint32_t first_shared; /* its declared shared addresses, or HOST_NONE */
};

/* What an allow entry means, beside what it says. */
struct allow_row {
	struct allow entry;
	uint32_t actor_tenant, actor_host; /* ALLOW_ANY; HOST_NONE: any host */
	uint32_t victim_tenant, victim_host;
};
#define ALLOW_ANY UINT32_MAX
#define ALLOW_NOBODY (UINT32_MAX - 1)

struct segment_info {
	const struct ip_prefix *prefix;
	uint32_t prefix_count;
	uint32_t first_tenant; /* into segment_tenant */
	uint32_t tenant_count;
};

struct vni_slot {
	uint32_t vni;
	uint16_t segment; /* SEGMENT_NONE: empty */
};

struct inventory {
	_Atomic uint32_t refs;
	uint32_t generation;
	char revision[17];
	struct arena *arena;
	struct names names;
	uint64_t seed[3];

	struct tenant *tenants;
	struct member *members;
	uint32_t tenant_count;
	struct host *hosts;
	uint32_t host_count;
	struct tap *taps;
	uint16_t tap_count;
	struct decoy *decoys;
	unsigned decoy_count;
	struct allow_row *allow;
	unsigned allow_count;

	struct segment *segments;
	struct segment_info *segment_info;
	uint16_t segment_count;
	bool implicit_segment;
	uint32_t *segment_tenant;
	uint16_t vlan[VLAN_COUNT];
	uint16_t untagged_domain; /* that of all VLANs, or DOMAIN_UNKNOWN when they have several */
	struct vni_slot *vni;
	uint32_t vni_mask;

	uint16_t domain_count; /* at least 1; 0 is "default" */
	const char **domain_names;
	struct lengths *lengths; /* by domain; DOMAIN_ALL's is the last */
	struct mac_table mac;
	struct addr_table exact;
	struct addr_table prefix;
	bool exact_all, prefix_all; /* something stands under DOMAIN_ALL */

	struct shared *shared;
	uint32_t shared_count;
	struct holder *holders;
	uint32_t holder_count;
};

static inline uint64_t mix64(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline struct ip_key ip_key_of(const struct ip_addr *ip)
{
	uint64_t hi, lo;

	memcpy(&hi, ip->b, sizeof hi);
	memcpy(&lo, ip->b + 8, sizeof lo);
	return (struct ip_key){be64toh(hi), be64toh(lo)};
}

static inline bool ip_key_is_v4(struct ip_key ip)
{
	return ip.hi == 0 && ip.lo >> 32 == 0xffff;
}

static inline struct ip_key ip_key_mask(struct ip_key ip, unsigned length)
{
	if (length >= 128)
		return ip;
	if (length > 64)
		return (struct ip_key){ip.hi, ip.lo & (~UINT64_C(0) << (128 - length))};
	if (length == 0)
		return (struct ip_key){0, 0};
	return (struct ip_key){ip.hi & (~UINT64_C(0) << (64 - length)), 0};
}

static inline uint32_t vni_home(const struct inventory *inv, uint32_t vni)
{
	return (uint32_t)mix64(vni ^ inv->seed[0], inv->seed[1]) & inv->vni_mask;
}

/* names.c */
int names_init(struct names *names, uint64_t capacity, uint64_t seed);
void names_fini(struct names *names);
/* NAME_NONE when the name was new and now is id; else the id it had. */
uint32_t names_add(struct names *names, uint32_t scope, const char *text, uint32_t id);
uint32_t names_find(const struct names *names, uint32_t scope, const char *text);

/* lookup.c */
void *table_memory(uint64_t slots, size_t slot_size); /* zeroed; free() */
int mac_table_init(struct mac_table *table, uint64_t entries);
struct mac_slot *mac_table_put(struct inventory *inv, uint64_t mac, bool *fresh);
int addr_table_init(struct addr_table *table, uint64_t entries);
/* The slot of (domain, length, ip), taken for it when there was none (kind OWNER_NONE). */
struct addr_slot *addr_table_put(const struct inventory *inv, struct addr_table *table,
				 uint16_t domain, uint8_t length, struct ip_key ip);
const struct addr_slot *addr_table_find(const struct inventory *inv, const struct addr_table *table,
					uint16_t domain, uint8_t length, struct ip_key ip);

/* prefix.c */
/* Notes that the length occurs in the domain (or DOMAIN_ALL). */
void lengths_note(struct inventory *inv, uint16_t domain, struct ip_key ip, uint8_t length);
const struct addr_slot *prefix_find(const struct inventory *inv, uint16_t domain, struct ip_key ip);

/* inventory.c */
struct inventory *inventory_alloc(void); /* nothing in it, one reference */
/* The three tenants that are nobody's name, into the first places of inv->tenants. */
void tenants_builtin(struct inventory *inv);
void taps_default(struct inventory *inv);      /* the tap that is there without any */
void segments_implicit(struct inventory *inv); /* the segment likewise */

/* role.c */
const char *const *role_names(void); /* NULL-terminated */

#endif
