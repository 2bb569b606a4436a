/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - keyed hashing for tables whose keys a stranger chooses.
 *
 * XXH3 with a secret derived from a seed: the seed is random live (getrandom) and fixed by
 * --seed in a replay, so that a replay is repeatable and a live sensor cannot be aimed at.
 * Also unkeyed 128-bit XXH3 for identifiers that must be the same on every run.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SECRET_SIZE 192

struct hash_key {
	uint8_t secret[HASH_SECRET_SIZE];
};

struct hash128 {
	uint64_t lo, hi;
};

void hash_key_init(struct hash_key *key, uint64_t seed);
uint64_t hash_random_seed(void); /* from the kernel */
uint64_t hash64(const struct hash_key *key, const void *data, size_t len);
/* The same of 40 bytes, in half the time: every packet's flow is such a key. */
uint64_t hash64_40(const struct hash_key *key, const void *data);
struct hash128 hash128(const struct hash_key *key, const void *data, size_t len);
struct hash128 hash128_plain(const void *data, size_t len);
/* A cheap mix for keys of one word. */
uint64_t hash_word(const struct hash_key *key, uint64_t word);

#endif
