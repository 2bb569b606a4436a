/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.c - a frame, layer by layer.
 *
 * Each turn of the loop decodes one layer, from its link or IP header to its transport header,
 * and learns from it what it carries.  The loop ends with a layer that carries nothing, or at
 * PACKET_MAX_LAYERS with the verdict DECODE_DEPTH on the last one.
 */
#include "decode/decode.h"

static void decode_layer(struct decode *d, struct packet *packet)
{
	const struct carried how = d->carried;

	packet_reset(packet);
	d->packet = packet;
	d->left = how.left;
	d->carried.kind = CARRIED_NOTHING;
	packet->encap = how.encap;
	packet->flags = how.flags;
	packet->vni = how.vni;
	packet->tunnel_key = how.key;
	packet->l2 = how.left.c.at;
	packet->l2_len = left_captured(&how.left);
	switch (how.kind) {
	case CARRIED_LINK:
		decode_link(d, how.type);
		break;
	case CARRIED_ETHERNET:
		decode_ethernet(d);
		break;
	default:
		decode_ethertype(d, how.type);
		break;
	}
	if (packet->tag_count == 0)
		packet->vlan = how.vlan;
}

void decode_layers(struct packet_stack *stack, const struct carried *first)
{
	struct decode d = {.carried = *first};
	struct packet *packet;

	stack->verdict = DECODE_OK;
	stack->count = 0;
	do {
		packet = &stack->layer[stack->count++];
		decode_layer(&d, packet);
		if (d.carried.kind != CARRIED_NOTHING && stack->count == PACKET_MAX_LAYERS)
			packet->verdict = DECODE_DEPTH;
		if (packet->verdict > stack->verdict)
			stack->verdict = packet->verdict;
	} while (d.carried.kind != CARRIED_NOTHING && stack->count < PACKET_MAX_LAYERS);
}

static struct carried first_layer(const uint8_t *data, uint32_t caplen, uint32_t len)
{
	/* A record may claim more captured bytes than the frame had: those are not the frame's. */
	uint32_t captured = caplen < len ? caplen : len;

	return (struct carried){
	    .kind = CARRIED_LINK,
	    .left = {.c = cursor_over(data, captured), .beyond = len - captured},
	};
}

void decode_slowly(const struct frame *frame, struct packet_stack *stack)
{
	struct carried first = first_layer(frame->data, frame->caplen, frame->len);

	first.type = frame->linktype;
	stack->frame = frame;
	decode_layers(stack, &first);
}

void packet_decode(const struct frame *frame, struct packet_stack *stack)
{
	if (!decode_fast(frame, &stack->layer[0])) {
		decode_slowly(frame, stack);
		return;
	}
	stack->frame = frame;
	stack->count = 1;
	stack->verdict = DECODE_OK;
}

void packet_decode_bytes(const uint8_t *data, uint32_t caplen, uint32_t len, bool ip,
			 struct packet_stack *stack)
{
	struct carried first = first_layer(data, caplen, len);

	first.type = ip ? LINK_RAW : LINK_ETHERNET;
	stack->frame = NULL;
	decode_layers(stack, &first);
}
