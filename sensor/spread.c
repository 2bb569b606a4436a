/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.c - which worker of a replay a frame belongs to.
 *
 * By the addresses of the first IP header: both directions of all flows between two hosts,
 * fragments included, meet in one worker.  Everything else goes to the first.  Who deals out the
 * frames must see at a glance whose they are: plain frames are told by their addresses, where
 * decoding would find them too; all others are decoded first.
 */
#include <string.h>

#include "base/cursor.h"
#include "worker.h"

#define ETHERNET 14
#define TAG 4
#define IPV4 20
#define IPV6 40

/* The exclusive or of both, which is the same in both directions; of IPv4 addresses that of their
 * four bytes. */
static uint32_t pair_of(const struct ip_addr *src, const struct ip_addr *dst)
{
	uint64_t a[2];
	uint64_t b[2];
	uint64_t pair;

	memcpy(a, src->b, sizeof a);
	memcpy(b, dst->b, sizeof b);
	pair = a[0] ^ a[1] ^ b[0] ^ b[1];
	return (uint32_t)(pair ^ pair >> 32);
}

static uint32_t pair_of_v4(const uint8_t src[static 4], const uint8_t dst[static 4])
{
	uint32_t a;
	uint32_t b;

	memcpy(&a, src, sizeof a);
	memcpy(&b, dst, sizeof b);
	return a ^ b;
}

/* Multiply, add, shift: no two pairs meet more often than by chance, whoever chose them. */
static uint32_t hash_of(const struct shared *shared, uint32_t pair)
{
	uint64_t key[2];

	memcpy(key, shared->key.secret, sizeof key);
	return (uint32_t)((key[0] * pair + key[1]) >> 32);
}

static unsigned owner_of(const struct shared *shared, uint32_t pair)
{
	return hash_of(shared, pair) % shared->workers;
}

uint32_t spread_hash(const struct shared *shared, const struct ip_addr *src,
		     const struct ip_addr *dst)
{
	return hash_of(shared, pair_of(src, dst));
}

unsigned spread_glance(const struct shared *shared, const struct frame *frame)
{
	uint32_t captured = frame->caplen < frame->len ? frame->caplen : frame->len;
	const uint8_t *h = frame->data + ETHERNET;
	struct ip_addr src;
	struct ip_addr dst;
	uint32_t left;
	uint16_t type;

	if (frame->linktype != LINK_ETHERNET || captured < ETHERNET + TAG + IPV6)
		return SPREAD_UNKNOWN;
	type = read_be16(h - 2);
	left = frame->len - ETHERNET;
	if (type == 0x8100) {
		type = read_be16(h + 2);
		h += TAG;
		left -= TAG;
	}
	/* Lengths that contradict the frame's leave it to the decoder what that means. */
	if (type == 0x0800 && h[0] == 0x45 && read_be16(h + 2) >= IPV4 && read_be16(h + 2) <= left)
		return owner_of(shared, pair_of_v4(h + 12, h + 16));
	if (type == 0x86dd && h[0] >> 4 == 6 && read_be16(h + 4) != 0 &&
	    IPV6 + (uint32_t)read_be16(h + 4) <= left) {
		memcpy(src.b, h + 8, sizeof src);
		memcpy(dst.b, h + 24, sizeof dst);
		return owner_of(shared, pair_of(&src, &dst));
	}
	return SPREAD_UNKNOWN;
}

unsigned spread_decoded(const struct shared *shared, const struct packet *packet)
{
	if (packet->l3 != L3_IPV4 && packet->l3 != L3_IPV6)
		return 0;
	return owner_of(shared, pair_of(&packet->src, &packet->dst));
}

unsigned spread_owner(const struct shared *shared, const struct frame *frame,
		      struct packet_stack *stack)
{
	unsigned owner = spread_glance(shared, frame);

	if (owner != SPREAD_UNKNOWN)
		return owner;
	packet_decode(frame, stack);
	return spread_decoded(shared, &stack->layer[0]);
}
