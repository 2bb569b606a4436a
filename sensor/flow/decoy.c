/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoy.c - finding declared secrets in payload: see secret.h.
 *
 * The rolling hash is a polynomial modulo 2^64 with a random odd base.  It alone can be made to
 * collide, so it only says where to look: the keyed 128-bit hash of the window decides.
 *
 *	h(i) = d[i-L+1] * B^(L-1) + ... + d[i]
 *	h(i+1) = (h(i) - d[i-L+1] * B^(L-1)) * B + d[i+1]
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/secret.h"

#define FORMS 4		/* raw, and base64 behind 0, 1 and 2 bytes */
#define DECOYS_MAX 4096 /* bait is planted by hand */
#define LENGTHS_MAX 64	/* each costs a pass over every payload */
#define SECRET_LONGEST                                                                             \
	96 /* of a longer one the beginning is looked for: it names it well enough                 \
	    */
#define FILTER_BITS 4096

struct pattern {
	uint64_t rolling;
	struct hash128 hash;
	uint32_t decoy;
	uint32_t tenant; /* TENANT_UNKNOWN: declared by two, so that it betrays nobody */
	uint16_t length;
	uint8_t form;
};

struct decoy_set {
	struct hash_key key;
	uint64_t base;
	uint32_t generation;
	unsigned lengths;
	struct {
		uint16_t length;
		uint32_t first, count; /* of pattern[] */
		uint64_t drop;	       /* base^(length-1) */
	} length[LENGTHS_MAX];
	uint64_t filter[FILTER_BITS / 64];
	uint32_t count;
	struct pattern pattern[];
};

static size_t base64_of(const uint8_t *in, size_t len, unsigned shift, uint8_t *out)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	/* Digits that hold a bit of the unknown bytes before or behind are left out. */
	size_t first = (8 * shift + 5) / 6;
	size_t end = 8 * (shift + len) / 6;

	for (size_t i = first; i < end; i++) {
		unsigned value = 0;

		for (size_t bit = 6 * i; bit < 6 * i + 6; bit++) {
			size_t at = bit / 8;
			unsigned byte = at < shift ? 0 : in[at - shift];

			value = value << 1 | (byte >> (7 - bit % 8) & 1);
		}
		out[i - first] = (uint8_t)digit[value];
	}
	return end - first;
}

static uint64_t rolling_of(const struct decoy_set *set, const uint8_t *data, size_t len)
{
	uint64_t h = 0;

	for (size_t i = 0; i < len; i++)
		h = h * set->base + data[i];
	return h;
}

static unsigned filter_bit(uint64_t rolling)
{
	return (unsigned)((rolling * UINT64_C(0x9e3779b97f4a7c15)) >> 52);
}

static void add_pattern(struct decoy_set *set, const uint8_t *text, size_t len, uint32_t decoy,
			uint32_t tenant, uint8_t form)
{
	struct pattern *p = &set->pattern[set->count++];

	*p = (struct pattern){.rolling = rolling_of(set, text, len),
			      .hash = hash128(&set->key, text, len),
			      .decoy = decoy,
			      .tenant = tenant,
			      .length = (uint16_t)len,
			      .form = form};
	set->filter[filter_bit(p->rolling) / 64] |= UINT64_C(1) << filter_bit(p->rolling) % 64;
}

static void add_decoy(struct decoy_set *set, const struct decoy *decoy, uint32_t index)
{
	const uint8_t *text = (const uint8_t *)decoy->secret;
	size_t len = strlen(decoy->secret);
	uint8_t form[SECRET_LONGEST * 2];

	if (len > SECRET_LONGEST)
		len = SECRET_LONGEST;
	add_pattern(set, text, len, index, decoy->tenant, 0);
	for (unsigned shift = 0; shift < FORMS - 1; shift++)
		add_pattern(set, form, base64_of(text, len, shift, form), index, decoy->tenant,
			    (uint8_t)(shift + 1));
}

static int by_length(const void *a, const void *b)
{
	const struct pattern *x = a;
	const struct pattern *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	if (x->hash.lo != y->hash.lo)
		return x->hash.lo < y->hash.lo ? -1 : 1;
	return x->decoy < y->decoy ? -1 : x->decoy > y->decoy;
}

static bool same_text(const struct pattern *a, const struct pattern *b)
{
	return a->length == b->length && a->hash.lo == b->hash.lo && a->hash.hi == b->hash.hi;
}

static void group(struct decoy_set *set)
{
	qsort(set->pattern, set->count, sizeof set->pattern[0], by_length);
	for (uint32_t i = 0; i < set->count; i++) {
		const struct pattern *p = &set->pattern[i];

		for (uint32_t k = i + 1; k < set->count && same_text(p, &set->pattern[k]); k++)
			if (set->pattern[k].tenant != p->tenant) {
				set->pattern[k].tenant = TENANT_UNKNOWN;
				set->pattern[i].tenant = TENANT_UNKNOWN;
			}
		if (i > 0 && set->pattern[i - 1].length == p->length) {
			set->length[set->lengths - 1].count++;
			continue;
		}
		if (set->lengths == LENGTHS_MAX) {
			log_warn("decoys=%u error=\"secrets of more than %d lengths: the longest "
				 "are not looked for\"",
				 set->count / FORMS, LENGTHS_MAX);
			return;
		}
		set->length[set->lengths].length = p->length;
		set->length[set->lengths].first = i;
		set->length[set->lengths].count = 1;
		set->length[set->lengths].drop = 1;
		for (unsigned k = 1; k < p->length; k++)
			set->length[set->lengths].drop *= set->base;
		set->lengths++;
	}
}

struct decoy_set *decoy_set_new(const struct inventory *inv, uint64_t seed)
{
	unsigned count;
	const struct decoy *decoys = inventory_decoys(inv, &count);
	struct decoy_set *set;

	if (count == 0)
		return NULL;
	if (count > DECOYS_MAX) {
		log_warn("decoys=%u error=\"only the first %d are looked for\"", count, DECOYS_MAX);
		count = DECOYS_MAX;
	}
	set = calloc(1, sizeof *set + (size_t)count * FORMS * sizeof set->pattern[0]);
	if (set == NULL)
		return NULL;
	set->generation = inventory_generation(inv);
	hash_key_init(&set->key, seed);
	set->base = hash_word(&set->key, 1) | 1;
	for (unsigned i = 0; i < count; i++)
		add_decoy(set, &decoys[i], i);
	group(set);
	return set;
}

void decoy_set_free(struct decoy_set *set)
{
	free(set);
}

static const struct pattern *match(const struct decoy_set *set, unsigned group, uint64_t rolling,
				   const uint8_t *window)
{
	const struct pattern *p = &set->pattern[set->length[group].first];
	struct hash128 hash;

	for (uint32_t i = 0; i < set->length[group].count; i++, p++) {
		if (p->rolling != rolling)
			continue;
		hash = hash128(&set->key, window, p->length);
		if (hash.lo == p->hash.lo && hash.hi == p->hash.hi)
			return p;
	}
	return NULL;
}

static unsigned note(const struct decoy_set *set, const struct pattern *p, struct secret *out,
		     unsigned found)
{
	if (p == NULL || p->tenant == TENANT_UNKNOWN)
		return found;
	for (unsigned i = 0; i < found; i++)
		if (out[i].decoy == p->decoy)
			return found;
	out[found] = (struct secret){.kind = SECRET_DECOY,
				     .encoded = p->form != 0,
				     .decoy = p->decoy,
				     .generation = set->generation,
				     .lo = p->hash.lo,
				     .hi = p->hash.hi};
	return found + 1;
}

unsigned decoy_set_scan(const struct decoy_set *set, const uint8_t *data, size_t len,
			struct secret out[static SECRETS_A_PACKET])
{
	unsigned found = 0;

	for (unsigned g = 0; g < set->lengths; g++) {
		size_t span = set->length[g].length;
		uint64_t drop = set->length[g].drop;
		uint64_t h;

		if (span > len)
			break; /* they ascend */
		h = rolling_of(set, data, span);
		for (size_t at = 0;; at++) {
			if ((set->filter[filter_bit(h) / 64] >> filter_bit(h) % 64 & 1) &&
			    found < SECRETS_A_PACKET)
				found = note(set, match(set, g, h, data + at), out, found);
			if (at + span == len)
				break;
			h = (h - data[at] * drop) * set->base + data[at + span];
		}
	}
	return found;
}
