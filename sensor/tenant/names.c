/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - from a name in the inventory to its number.
 *
 * One table for all kinds of names; the scope keeps them apart (two tenants may each have a host
 * "web").  The texts belong to the snapshot's arena.
 */
#include "tenant/inventory.h"

#include <stdlib.h>

int names_init(struct names *names, uint64_t capacity, uint64_t seed)
{
	uint64_t size = 16;

	while (size < capacity * 2)
		size *= 2;
	names->slots = table_memory(size, sizeof *names->slots);
	if (names->slots == NULL)
		return ERR_MEMORY;
	names->mask = size - 1;
	hash_key_init(&names->key, seed);
	return 0;
}

void names_fini(struct names *names)
{
	free(names->slots);
	names->slots = NULL;
}

static struct name_slot *slot_of(const struct names *names, uint32_t scope, const char *text,
				 uint64_t *hash)
{
	struct name_slot *slot;
	uint64_t at;

	*hash = mix64(hash64(&names->key, text, strlen(text)), (uint64_t)scope * 2 + 1);
	for (at = *hash & names->mask;; at = (at + 1) & names->mask) {
		slot = &names->slots[at];
		if (slot->text == NULL ||
		    (slot->hash == *hash && slot->scope == scope && strcmp(slot->text, text) == 0))
			return slot;
	}
}

uint32_t names_add(struct names *names, uint32_t scope, const char *text, uint32_t id)
{
	uint64_t hash;
	struct name_slot *slot = slot_of(names, scope, text, &hash);

	if (slot->text != NULL)
		return slot->id;
	*slot = (struct name_slot){.hash = hash, .text = text, .scope = scope, .id = id};
	return NAME_NONE;
}

uint32_t names_find(const struct names *names, uint32_t scope, const char *text)
{
	uint64_t hash;
	const struct name_slot *slot;

	if (names->slots == NULL)
		return NAME_NONE;
	slot = slot_of(names, scope, text, &hash);
	return slot->text == NULL ? NAME_NONE : slot->id;
}
