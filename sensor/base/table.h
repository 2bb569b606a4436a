/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - a hash table of fixed size that forgets its least recently used entry.
 *
 * What detectors and the judge remember by key.  Keys and values are plain bytes of fixed size
 * (zero a key's padding), held in one block allocated at start: nothing is allocated
 * afterwards.  The hash is keyed, so that a stranger cannot aim at one bucket; probes are bounded
 * by the load factor of one half.
 *
 * Entries are kept in order of use: table_put() and table_touch() make an entry the newest.
 * Threads: one.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* NULL when memory is short.  capacity at least 1; sizes up to 4096 bytes. */
struct table *table_new(uint32_t capacity, size_t key_size, size_t value_size, uint64_t seed);
void table_free(struct table *table); /* NULL is fine */

/* The value of key, or NULL.  Does not change the order of use. */
void *table_find(const struct table *table, const void *key);
/* The value of key, made (zeroed) when there is none; *fresh (may be NULL) tells.  Makes it the
 * newest; when the table is full the oldest entry goes and is counted.  Never NULL. */
void *table_put(struct table *table, const void *key, bool *fresh);
/* Has the memory fetched that a look-up of key will need, some time before it, in two steps: this
 * one gives what the second is told when the first one's memory has come. */
uint32_t table_prefetch_slot(const struct table *table, const void *key);
void table_prefetch_entry(const struct table *table, uint32_t hash);
void table_touch(struct table *table, void *value);
void table_remove(struct table *table, void *value);
void table_clear(struct table *table);

const void *table_key(const struct table *table, const void *value);
/* The least recently used entry's value and the one used next after it; NULL at the end.  The
 * entry given out may be removed once the following one has been asked for. */
void *table_oldest(const struct table *table);
void *table_newer(const struct table *table, const void *value);

uint32_t table_used(const struct table *table);
uint32_t table_capacity(const struct table *table);
uint64_t table_evicted(const struct table *table); /* since the start; never falls */

#endif
