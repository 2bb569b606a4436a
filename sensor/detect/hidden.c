/* SPDX-License-Identifier: Apache-2.0 */
/* hidden.c - see hidden.h. */
#include "detect/hidden.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"
#include "detect/build.h"

/* NICs of tenants in the segments of one mirror.  Every new flow asks for two, so a NIC is one
 * word: its address and, below, the two bits. */
#define NICS 32768
/* Places where a NIC may be; the first one's NIC is forgotten when all are others'. */
#define PROBES 8

#define SPEAKS 1u
/* By its own address, or answered by ARP: it is there, and has said something. */
#define SPOKEN_TO 2u
#define MAC_SHIFT 8

struct hidden {
	uint64_t *nics; /* 0: none */
	uint64_t evicted;
	struct hash_key key;
};

struct hidden *hidden_new(uint64_t seed)
{
	struct hidden *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	hash_key_init(&h->key, seed);
	h->nics = pages_new(NICS, sizeof *h->nics);
	if (h->nics == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void hidden_free(struct hidden *h)
{
	if (h == NULL)
		return;
	pages_free(h->nics, NICS, sizeof *h->nics);
	free(h);
}

void hidden_clear(struct hidden *h)
{
	memset(h->nics, 0, NICS * sizeof *h->nics);
}

uint64_t hidden_evicted(const struct hidden *h)
{
	return h->evicted;
}

/* The NIC's word, or a free one, or that of the NIC to be forgotten. */
static uint64_t *find(const struct hidden *h, uint64_t mac)
{
	uint64_t at = hash_word(&h->key, mac);

	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t *nic = &h->nics[(at + i) % NICS];

		if (*nic == 0 || *nic >> MAC_SHIFT == mac)
			return nic;
	}
	return &h->nics[at % NICS];
}

static void note(struct hidden *h, struct mac_addr mac, unsigned what)
{
	uint64_t key = mac_to_u64(mac);
	uint64_t *nic = find(h, key);

	if (*nic >> MAC_SHIFT != key) {
		h->evicted += *nic != 0;
		*nic = key << MAC_SHIFT;
	}
	*nic |= what;
}

static bool is_for_it(const struct event *ev)
{
	if (mac_is_group(ev->dmac) || !is_tenant(ev->to.tenant) || ev->from.tenant == ev->to.tenant)
		return false;
	if (ev->kind == EVENT_ARP)
		return ev->packet != NULL && ev->packet->arp_op == 2;
	return ev->kind == EVENT_FLOW && ev->dst.tenant == ev->to.tenant;
}

void hidden_note(struct hidden *h, const struct event *ev)
{
	if (!ev->has_mac)
		return;
	if (is_tenant(ev->from.tenant))
		note(h, ev->smac, SPEAKS);
	if (is_for_it(ev))
		note(h, ev->dmac, SPOKEN_TO);
}

void hidden_prefetch(const struct hidden *h, struct mac_addr mac)
{
	__builtin_prefetch(&h->nics[hash_word(&h->key, mac_to_u64(mac)) % NICS], 1);
}

bool hidden_is(const struct hidden *h, struct mac_addr mac)
{
	uint64_t key = mac_to_u64(mac);

	return *find(h, key) == (key << MAC_SHIFT | SPOKEN_TO);
}
