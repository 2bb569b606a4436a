/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.c - which worker of a replay a frame belongs to.
 *
 * By the addresses of the first IP header: both directions of all flows between two hosts,
 * fragments included, meet in one worker.  Everything else goes to the first.  Each worker reads
 * the whole capture, so it must see at a glance what belongs to others: plain frames are told by
 * their addresses, where decoding would find them too; all others are decoded first.
 */
#include <string.h>

#include "base/cursor.h"
#include "worker.h"

#define ETHERNET 14
#define TAG 4
#define IPV4 20
#define IPV6 40

uint64_t spread_hash(const struct worker *w, const struct ip_addr *src, const struct ip_addr *dst)
{
	uint64_t from[2];
	uint64_t to[2];

	memcpy(from, src->b, sizeof from);
	memcpy(to, dst->b, sizeof to);
	return hash_word(&w->shared->key, from[0] ^ from[1] ^ to[0] ^ to[1]);
}

static bool pair_is_mine(const struct worker *w, const struct ip_addr *src,
			 const struct ip_addr *dst)
{
	return spread_hash(w, src, dst) % w->shared->workers == w->index;
}

static bool is_alone(const struct worker *w)
{
	return w->shared->workers == 1 || w->shared->live;
}

enum spread spread_glance(const struct worker *w, const struct frame *frame)
{
	uint32_t captured = frame->caplen < frame->len ? frame->caplen : frame->len;
	const uint8_t *h = frame->data + ETHERNET;
	uint32_t left;
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t type;

	if (is_alone(w))
		return SPREAD_MINE;
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
	if (type == 0x0800 && h[0] == 0x45 && read_be16(h + 2) >= IPV4 &&
	    read_be16(h + 2) <= left) {
		src = ip_from_v4(h + 12);
		dst = ip_from_v4(h + 16);
	} else if (type == 0x86dd && h[0] >> 4 == 6 && read_be16(h + 4) != 0 &&
		   IPV6 + (uint32_t)read_be16(h + 4) <= left) {
		memcpy(src.b, h + 8, sizeof src);
		memcpy(dst.b, h + 24, sizeof dst);
	} else {
		return SPREAD_UNKNOWN;
	}
	return pair_is_mine(w, &src, &dst) ? SPREAD_MINE : SPREAD_OTHERS;
}

bool spread_is_mine(const struct worker *w, const struct packet *packet)
{
	if (is_alone(w))
		return true;
	if (packet->l3 != L3_IPV4 && packet->l3 != L3_IPV6)
		return w->index == 0;
	return pair_is_mine(w, &packet->src, &packet->dst);
}
