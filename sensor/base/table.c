/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - see table.h.
 *
 * One block holds the entries, another the index: open addressing with linear probing over
 * slots of (hash, entry number), at least two slots an entry.
 *
 *	entry:  | struct entry | key | value (16-byte aligned) |
 *
 * The key comes first so that a look-up mostly ends in the cache line it began in.
 *
 * invariants:
 *  1. every entry in use is reachable from slot[hash & mask] without crossing an empty slot;
 *     removal shifts later slots back instead of leaving tombstones.
 *  2. entries in use form one list from oldest to newest, all others one free list.
 */
#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"

#define NONE UINT32_MAX
#define LARGEST_SIZE 4096
#define ALIGNMENT 16
#define EVICT_AHEAD 8
struct entry {
	uint32_t older, newer; /* newer also links the free list */
	uint32_t hash;
	uint32_t self; /* own number, so that a value leads back to it */
};

_Static_assert(sizeof(struct entry) == ALIGNMENT, "the key follows at once");

struct slot {
	uint32_t hash;
	uint32_t number; /* entry number + 1; 0 empty */
};

struct table {
	unsigned char *entries;
	struct slot *slots;
	size_t stride;
	size_t value_at; /* offset of the value in an entry */
	size_t key_size, value_size;
	uint32_t mask;
	uint32_t capacity;
	uint32_t used;
	uint32_t untouched; /* entries from here on were never used */
	uint32_t free_list;
	uint32_t oldest, newest;
	uint64_t evicted;
	struct hash_key hash_key;
};

static size_t round_up(size_t size, size_t step)
{
	return (size + step - 1) / step * step;
}

struct table *table_new(uint32_t capacity, size_t key_size, size_t value_size, uint64_t seed)
{
	struct table *table;
	uint64_t slots = 2;

	assert(capacity > 0 && key_size > 0 && key_size <= LARGEST_SIZE &&
	       value_size <= LARGEST_SIZE);
	while (slots < 2 * (uint64_t)capacity)
		slots *= 2;
	if (slots > UINT32_MAX)
		return NULL;
	table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->value_at = sizeof(struct entry) + round_up(key_size, ALIGNMENT);
	table->stride = table->value_at + round_up(value_size, ALIGNMENT);
	table->key_size = key_size;
	table->value_size = value_size;
	table->capacity = capacity;
	table->mask = (uint32_t)(slots - 1);
	table->entries = pages_new(capacity, table->stride);
	table->slots = pages_new(slots, sizeof *table->slots);
	if (table->entries == NULL || table->slots == NULL) {
		table_free(table);
		return NULL;
	}
	hash_key_init(&table->hash_key, seed);
	table->free_list = table->oldest = table->newest = NONE;
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	pages_free(table->entries, table->capacity, table->stride);
	pages_free(table->slots, (size_t)table->mask + 1, sizeof *table->slots);
	free(table);
}

static struct entry *entry_at(const struct table *table, uint32_t number)
{
	return (struct entry *)(void *)(table->entries + number * table->stride);
}

static struct entry *entry_of(const struct table *table, const void *value)
{
	return (struct entry *)((uintptr_t)value - table->value_at);
}

static void *value_of(const struct table *table, struct entry *entry)
{
	return (unsigned char *)entry + table->value_at;
}

static void *key_of(struct entry *entry)
{
	return entry + 1;
}

static void unlink_entry(struct table *table, struct entry *entry)
{
	if (entry->older == NONE)
		table->oldest = entry->newer;
	else
		entry_at(table, entry->older)->newer = entry->newer;
	if (entry->newer == NONE)
		table->newest = entry->older;
	else
		entry_at(table, entry->newer)->older = entry->older;
}

static void link_newest(struct table *table, struct entry *entry)
{
	entry->older = table->newest;
	entry->newer = NONE;
	if (table->newest == NONE)
		table->oldest = entry->self;
	else
		entry_at(table, table->newest)->newer = entry->self;
	table->newest = entry->self;
}

/* The slot that holds key, or the empty one where it would go. */
static struct slot *find_slot(const struct table *table, const void *key, uint32_t hash)
{
	uint32_t at = hash & table->mask;

	for (;; at = (at + 1) & table->mask) {
		struct slot *slot = &table->slots[at];

		if (slot->number == 0)
			return slot;
		if (slot->hash == hash &&
		    memcmp(key_of(entry_at(table, slot->number - 1)), key, table->key_size) == 0)
			return slot;
	}
}

static uint32_t hash_of(const struct table *table, const void *key)
{
	return (uint32_t)hash64(&table->hash_key, key, table->key_size);
}

void *table_find(const struct table *table, const void *key)
{
	struct slot *slot = find_slot(table, key, hash_of(table, key));

	return slot->number == 0 ? NULL : value_of(table, entry_at(table, slot->number - 1));
}

uint32_t table_prefetch_slot(const struct table *table, const void *key)
{
	uint32_t hash = hash_of(table, key);

	__builtin_prefetch(&table->slots[hash & table->mask]);
	return hash;
}

/* With a load factor of one half, mostly the first slot's. */
void table_prefetch_entry(const struct table *table, uint32_t hash)
{
	const struct slot *slot = &table->slots[hash & table->mask];

	if (slot->number != 0 && slot->hash == hash)
		__builtin_prefetch(entry_at(table, slot->number - 1), 1);
}

/* The slots of entries that will be pushed out soon.  Where entries are only put and never touched,
 * the oldest ones lie side by side. */
static void prefetch_oldest(const struct table *table)
{
	uint32_t soon = table->oldest + EVICT_AHEAD;

	if (soon + EVICT_AHEAD >= table->capacity)
		return;
	__builtin_prefetch(entry_at(table, soon + EVICT_AHEAD), 1);
	__builtin_prefetch(&table->slots[entry_at(table, soon)->hash & table->mask], 1);
}

void table_touch(struct table *table, void *value)
{
	struct entry *entry = entry_of(table, value);

	if (table->newest == entry->self)
		return;
	unlink_entry(table, entry);
	link_newest(table, entry);
}

/* Empties the slot of entry and moves later ones of the same run back (invariant 1). */
static void clear_slot(struct table *table, const struct entry *entry)
{
	uint32_t hole = entry->hash & table->mask;

	while (table->slots[hole].number != entry->self + 1)
		hole = (hole + 1) & table->mask;
	for (uint32_t at = (hole + 1) & table->mask; table->slots[at].number != 0;
	     at = (at + 1) & table->mask) {
		uint32_t home = table->slots[at].hash & table->mask;

		/* May move only when the hole is not before its home, seen around the ring. */
		if (((at - home) & table->mask) < ((at - hole) & table->mask))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct slot){0};
}

void table_remove(struct table *table, void *value)
{
	struct entry *entry = entry_of(table, value);

	clear_slot(table, entry);
	unlink_entry(table, entry);
	entry->newer = table->free_list;
	table->free_list = entry->self;
	table->used--;
}

static struct entry *take_free(struct table *table)
{
	struct entry *entry;

	if (table->free_list != NONE) {
		entry = entry_at(table, table->free_list);
		table->free_list = entry->newer;
		return entry;
	}
	entry = entry_at(table, table->untouched);
	entry->self = table->untouched++;
	return entry;
}

void *table_put(struct table *table, const void *key, bool *fresh)
{
	uint32_t hash = hash_of(table, key);
	struct slot *slot = find_slot(table, key, hash);
	struct entry *entry;

	if (fresh != NULL)
		*fresh = slot->number == 0;
	if (slot->number != 0) {
		entry = entry_at(table, slot->number - 1);
		table_touch(table, value_of(table, entry));
		return value_of(table, entry);
	}
	if (table->used == table->capacity) {
		prefetch_oldest(table);
		table_remove(table, table_oldest(table));
		table->evicted++;
		slot = find_slot(table, key, hash); /* slots may have moved */
	}
	entry = take_free(table);
	entry->hash = hash;
	*slot = (struct slot){.hash = hash, .number = entry->self + 1};
	memset(value_of(table, entry), 0, table->value_size);
	memcpy(key_of(entry), key, table->key_size);
	link_newest(table, entry);
	table->used++;
	return value_of(table, entry);
}

void table_clear(struct table *table)
{
	memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof *table->slots);
	table->used = table->untouched = 0;
	table->free_list = table->oldest = table->newest = NONE;
}

const void *table_key(const struct table *table, const void *value)
{
	return key_of(entry_of(table, value));
}

void *table_oldest(const struct table *table)
{
	return table->oldest == NONE ? NULL : value_of(table, entry_at(table, table->oldest));
}

void *table_newer(const struct table *table, const void *value)
{
	uint32_t newer = entry_of(table, value)->newer;

	return newer == NONE ? NULL : value_of(table, entry_at(table, newer));
}

uint32_t table_used(const struct table *table)
{
	return table->used;
}

uint32_t table_capacity(const struct table *table)
{
	return table->capacity;
}

uint64_t table_evicted(const struct table *table)
{
	return table->evicted;
}
