/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c - see hash.h. */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>

/* A packet is hashed in 5 ns: a call through the linkage table would be a part of that. */
#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(HASH_SECRET_SIZE >= XXH3_SECRET_SIZE_MIN, "XXH3 refuses shorter secrets");

void hash_key_init(struct hash_key *key, uint64_t seed)
{
	/* XXH3's own derivation: the secret must not be low in entropy, or its output is not. */
	XXH128_hash_t h;

	for (size_t at = 0; at < sizeof key->secret; at += sizeof h) {
		uint64_t counter = at;

		h = XXH3_128bits_withSeed(&counter, sizeof counter, seed);
		memcpy(key->secret + at, &h, sizeof h);
	}
}

uint64_t hash_random_seed(void)
{
	uint64_t seed = 0;

	/* 8 bytes never block once the pool is up, and never come short (getrandom(2)). */
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		seed ^= (uint64_t)(uintptr_t)&seed;
	return seed;
}

uint64_t hash64(const struct hash_key *key, const void *data, size_t len)
{
	return XXH3_64bits_withSecret(data, len, key->secret, sizeof key->secret);
}

/* Inlined whole, with the length known, it is half of the instructions. */
__attribute__((flatten)) uint64_t hash64_40(const struct hash_key *key, const void *data)
{
	return XXH3_64bits_withSecret(data, 40, key->secret, sizeof key->secret);
}

struct hash128 hash128(const struct hash_key *key, const void *data, size_t len)
{
	XXH128_hash_t h = XXH3_128bits_withSecret(data, len, key->secret, sizeof key->secret);

	return (struct hash128){.lo = h.low64, .hi = h.high64};
}

struct hash128 hash128_plain(const void *data, size_t len)
{
	XXH128_hash_t h = XXH3_128bits(data, len);

	return (struct hash128){.lo = h.low64, .hi = h.high64};
}

uint64_t hash_word(const struct hash_key *key, uint64_t word)
{
	return hash64(key, &word, sizeof word);
}
