/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bindings.c - the leases that legitimate DHCP servers gave, of at most capacity addresses.
 *
 *	index	hash slots -> lease number + 1	(0: empty; linear probing, at most half full)
 *	leases	capacity of them
 *	heap	lease numbers, the one that expires first on top
 *
 * All memory is taken at the start.  Ended leases are dropped as new ones come; a full table
 * gives up the lease that would end first.  What the inventory says is not in here and cannot be
 * pushed out.
 *
 * An address that goes from one NIC to another belongs to neither for a while: neighbours and the
 * gateway still know the old one, whose last connections may be dying.  So an ended lease is kept
 * that long, to tell that the next one moves the address.
 *
 * invariant: heap[leases[i].at] == i for every lease in use; used == heap length.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/table.h"
#include "bulkhead/clock.h"
#include "tenant/inventory.h"

#define BINDINGS_MAX (UINT32_C(1) << 30)
/* A rogue server reaches one segment: some hundred clients boot there while it runs. */
#define MISLED 1024
/* Linux believes a neighbour for 45 s at most, then asks for 8 s before it gives up; others alike.
 */
#define SETTLE_NS (60 * NS_PER_SEC)

struct lease {
	struct ip_key ip;
	uint64_t expires_ns;
	uint64_t settled_ns; /* of nobody before that */
	struct mac_addr mac;
	uint16_t domain;
	bool doubted;  /* somebody else was offered it, maybe */
	uint32_t at;   /* place in the heap */
	uint32_t slot; /* place in the index */
};

struct misled_key {
	struct ip_addr ip;
	struct mac_addr mac;
	uint16_t domain;
};

struct bindings {
	struct table *misled; /* misled_key; the value is when it ends */
	uint32_t doubted;     /* leases */
	uint64_t seed[3];
	uint64_t evicted;
	struct lease *leases;
	uint32_t *heap;
	uint32_t *index;
	uint32_t *spare; /* numbers of unused leases, a stack */
	uint32_t mask;
	uint32_t capacity;
	uint32_t used;
};

struct bindings *bindings_new(uint32_t capacity, uint64_t seed)
{
	struct bindings *b = calloc(1, sizeof *b);
	uint64_t size = 4;

	if (b == NULL)
		return NULL;
	b->capacity = capacity == 0 ? 1 : capacity > BINDINGS_MAX ? BINDINGS_MAX : capacity;
	while (size < (uint64_t)b->capacity * 2)
		size *= 2;
	b->mask = (uint32_t)(size - 1);
	b->leases = calloc(b->capacity, sizeof *b->leases);
	b->heap = calloc(b->capacity, sizeof *b->heap);
	b->spare = calloc(b->capacity, sizeof *b->spare);
	b->index = calloc(size, sizeof *b->index);
	b->misled = table_new(MISLED, sizeof(struct misled_key), sizeof(uint64_t), seed);
	if (b->leases == NULL || b->heap == NULL || b->spare == NULL || b->index == NULL ||
	    b->misled == NULL) {
		bindings_free(b);
		return NULL;
	}
	for (uint32_t i = 0; i < b->capacity; i++)
		b->spare[i] = b->capacity - 1 - i;
	for (unsigned i = 0; i < 3; i++) {
		struct hash128 h = hash128_plain(&(uint64_t[2]){seed, i}, 2 * sizeof seed);

		b->seed[i] = h.lo | 1;
	}
	return b;
}

void bindings_free(struct bindings *b)
{
	if (b == NULL)
		return;
	table_free(b->misled);
	free(b->leases);
	free(b->heap);
	free(b->spare);
	free(b->index);
	free(b);
}

static uint32_t home(const struct bindings *b, uint16_t domain, struct ip_key ip)
{
	uint64_t head = mix64(ip.hi ^ b->seed[0], b->seed[1] ^ (uint64_t)domain << 32);

	return (uint32_t)mix64(ip.lo ^ head, b->seed[2]) & b->mask;
}

/* The index slot that leads to the lease, or the empty one where it would stand. */
static uint32_t probe(const struct bindings *b, uint16_t domain, struct ip_key ip)
{
	uint32_t slot = home(b, domain, ip);

	for (; b->index[slot] != 0; slot = (slot + 1) & b->mask) {
		const struct lease *lease = &b->leases[b->index[slot] - 1];

		if (lease->ip.lo == ip.lo && lease->ip.hi == ip.hi && lease->domain == domain)
			break;
	}
	return slot;
}

static void heap_set(struct bindings *b, uint32_t at, uint32_t number)
{
	b->heap[at] = number;
	b->leases[number].at = at;
}

static uint64_t heap_time(const struct bindings *b, uint32_t at)
{
	return b->leases[b->heap[at]].expires_ns;
}

/* Moves the entry at a place up or down to where it belongs. */
static void heap_settle(struct bindings *b, uint32_t at)
{
	uint32_t number = b->heap[at];
	uint64_t time = b->leases[number].expires_ns;

	while (at > 0 && heap_time(b, (at - 1) / 2) > time) {
		heap_set(b, at, b->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		uint64_t child = (uint64_t)at * 2 + 1;

		if (child >= b->used)
			break;
		if (child + 1 < b->used &&
		    heap_time(b, (uint32_t)child + 1) < heap_time(b, (uint32_t)child))
			child++;
		if (heap_time(b, (uint32_t)child) >= time)
			break;
		heap_set(b, at, b->heap[child]);
		at = (uint32_t)child;
	}
	heap_set(b, at, number);
}

/* Empties an index slot and closes the gap, so that no marker of the dead is needed. */
static void index_remove(struct bindings *b, uint32_t hole)
{
	for (uint32_t slot = (hole + 1) & b->mask; b->index[slot] != 0;
	     slot = (slot + 1) & b->mask) {
		struct lease *lease = &b->leases[b->index[slot] - 1];
		uint32_t from_home = (slot - home(b, lease->domain, lease->ip)) & b->mask;

		if (from_home < ((slot - hole) & b->mask))
			continue;
		b->index[hole] = b->index[slot];
		lease->slot = hole;
		hole = slot;
	}
	b->index[hole] = 0;
}

static void believe(struct bindings *b, struct lease *lease)
{
	b->doubted -= lease->doubted;
	lease->doubted = false;
}

static void drop(struct bindings *b, uint32_t number)
{
	uint32_t at = b->leases[number].at;
	uint32_t last;

	believe(b, &b->leases[number]);
	index_remove(b, b->leases[number].slot);
	last = b->heap[--b->used];
	if (last != number) {
		heap_set(b, at, last);
		heap_settle(b, at);
	}
	b->spare[b->capacity - b->used - 1] = number;
}

void bindings_lease(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		    struct mac_addr mac, uint64_t now_ns, uint64_t expires_ns)
{
	struct ip_key key = ip_key_of(ip);
	uint32_t slot, number;
	struct lease *lease;

	while (b->used > 0 && heap_time(b, 0) + SETTLE_NS <= now_ns)
		drop(b, b->heap[0]);
	slot = probe(b, domain, key);
	if (b->index[slot] != 0) {
		lease = &b->leases[b->index[slot] - 1];
		believe(b, lease);
		if (!mac_equal(lease->mac, mac))
			lease->settled_ns = now_ns + SETTLE_NS;
		lease->mac = mac;
		lease->expires_ns = expires_ns;
		heap_settle(b, lease->at);
		return;
	}
	if (b->used == b->capacity) {
		b->evicted += heap_time(b, 0) > now_ns; /* an ended one is no loss */
		drop(b, b->heap[0]);
		slot = probe(b, domain, key);
	}
	number = b->spare[b->capacity - b->used - 1];
	lease = &b->leases[number];
	*lease = (struct lease){.ip = key, .expires_ns = expires_ns, .mac = mac, .domain = domain};
	lease->slot = slot;
	b->index[slot] = number + 1;
	heap_set(b, b->used++, number);
	heap_settle(b, lease->at);
}

void bindings_release(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		      uint64_t now_ns)
{
	uint32_t number = b->index[probe(b, domain, ip_key_of(ip))];

	if (number == 0 || b->leases[number - 1].expires_ns <= now_ns)
		return;
	b->leases[number - 1].expires_ns = now_ns;
	heap_settle(b, b->leases[number - 1].at);
}

void bindings_doubt(struct bindings *b, uint16_t domain, const struct ip_addr *ip, uint64_t now_ns)
{
	uint32_t number = b->index[probe(b, domain, ip_key_of(ip))];
	struct lease *lease = number != 0 ? &b->leases[number - 1] : NULL;

	if (lease == NULL || lease->expires_ns <= now_ns || lease->doubted)
		return;
	lease->doubted = true;
	b->doubted++;
}

void bindings_trust(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		    struct mac_addr mac)
{
	uint32_t number;

	if (b->doubted == 0) /* almost always */
		return;
	number = b->index[probe(b, domain, ip_key_of(ip))];
	if (number != 0 && mac_equal(b->leases[number - 1].mac, mac))
		believe(b, &b->leases[number - 1]);
}

void bindings_mislead(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		      struct mac_addr mac, uint64_t expires_ns)
{
	struct misled_key key = {.ip = *ip, .mac = mac, .domain = domain};

	*(uint64_t *)table_put(b->misled, &key, NULL) = expires_ns;
}

bool bindings_misled(const struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		     struct mac_addr mac, uint64_t now_ns)
{
	struct misled_key key = {.ip = *ip, .mac = mac, .domain = domain};
	const uint64_t *expires_ns;

	if (table_used(b->misled) == 0) /* almost always */
		return false;
	expires_ns = table_find(b->misled, &key);
	return expires_ns != NULL && now_ns < *expires_ns;
}

bool bindings_mac(const struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		  uint64_t now_ns, struct mac_addr *mac)
{
	uint32_t number = b->index[probe(b, domain, ip_key_of(ip))];

	if (number == 0 || b->leases[number - 1].expires_ns <= now_ns)
		return false;
	*mac = b->leases[number - 1].mac;
	return true;
}

struct owner bindings_owner(const struct bindings *b, const struct inventory *inv, uint16_t domain,
			    const struct ip_addr *ip, uint64_t now_ns)
{
	struct owner owner = inventory_owner(inv, domain, ip);
	struct carrier carrier;
	const struct lease *lease;
	uint32_t number;

	if (owner.kind != OWNER_DYNAMIC)
		return owner;
	number = b->index[probe(b, domain, ip_key_of(ip))];
	lease = number != 0 ? &b->leases[number - 1] : NULL;
	if (lease == NULL || lease->expires_ns <= now_ns || now_ns < lease->settled_ns ||
	    lease->doubted)
		return owner;
	carrier = inventory_carrier(inv, lease->mac);
	if (carrier.tenant == TENANT_UNKNOWN)
		return owner;
	owner.tenant = carrier.tenant;
	owner.host = carrier.shared ? HOST_NONE : carrier.host;
	owner.kind = carrier.shared ? OWNER_SHARED : OWNER_HOST;
	return owner;
}

uint64_t bindings_evicted(const struct bindings *b)
{
	return b->evicted + table_evicted(b->misled);
}

uint32_t bindings_used(const struct bindings *b)
{
	return b->used;
}
