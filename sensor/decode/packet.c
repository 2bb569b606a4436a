/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.c - a frame, layer by layer.
 *
 * Each turn of the loop decodes one layer, from its link or IP header to its transport header,
 * and learns from it what it carries.  The loop ends with a layer that carries nothing, or at
 * PACKET_MAX_LAYERS with the verdict DECODE_DEPTH on the last one.
 */
#include "decode/decode.h"

static bool may_carry(const struct packet *packet)
{
	return packet->proto == IPPROTO_NUM_UDP && tunnel_may_be_port(packet->dport);
}

/* What carried the layer tells of it. */
static void apply_carrier(struct packet *packet, const struct carried *how)
{
	packet->encap = how->encap;
	packet->flags |= how->flags;
	packet->vni = how->vni;
	packet->tunnel_key = how->key;
	if (packet->tag_count == 0)
		packet->vlan = how->vlan;
}

static bool layer_fast(struct decode *d, const struct carried *how, struct packet *packet)
{
	if (d->slowly || how->left.open ||
	    (how->kind != CARRIED_ETHERNET &&
	     (how->kind != CARRIED_LINK || how->type != LINK_ETHERNET)) ||
	    !decode_fast(how->left.c.at, left_captured(&how->left), left_wire(&how->left), packet))
		return false;
	if (may_carry(packet)) {
		d->left = (struct left){
		    .c = cursor_over(packet->payload, packet->payload_len),
		    .beyond = packet->payload_wire - packet->payload_len,
		};
		tunnel_of_udp(d);
	}
	return true;
}

static void layer_slow(struct decode *d, const struct carried *how, struct packet *packet)
{
	packet_reset(packet);
	d->left = how->left;
	packet->l2 = how->left.c.at;
	packet->l2_len = left_captured(&how->left);
	switch (how->kind) {
	case CARRIED_LINK:
		decode_link(d, how->type);
		break;
	case CARRIED_ETHERNET:
		decode_ethernet(d);
		break;
	default:
		decode_ethertype(d, how->type);
		break;
	}
}

static void decode_layers(struct packet_stack *stack, const struct carried *first, bool slowly)
{
	struct decode d = {.carried = *first, .slowly = slowly};
	struct packet *packet;

	stack->verdict = DECODE_OK;
	stack->count = 0;
	do {
		const struct carried how = d.carried;

		packet = &stack->layer[stack->count++];
		d.packet = packet;
		d.carried.kind = CARRIED_NOTHING;
		if (!layer_fast(&d, &how, packet))
			layer_slow(&d, &how, packet);
		apply_carrier(packet, &how);
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

static __attribute__((noinline)) void decode_frame(const struct frame *frame,
						   struct packet_stack *stack, bool slowly)
{
	struct carried first = first_layer(frame->data, frame->caplen, frame->len);

	first.type = frame->linktype;
	stack->frame = frame;
	decode_layers(stack, &first, slowly);
}

void decode_slowly(const struct frame *frame, struct packet_stack *stack)
{
	decode_frame(frame, stack, true);
}

void packet_decode(const struct frame *frame, struct packet_stack *stack)
{
	struct packet *first = &stack->layer[0];

	if (frame->linktype == LINK_ETHERNET &&
	    decode_fast(frame->data, frame->caplen < frame->len ? frame->caplen : frame->len,
			frame->len, first) &&
	    !may_carry(first)) {
		stack->frame = frame;
		stack->count = 1;
		stack->verdict = DECODE_OK;
		return;
	}
	decode_frame(frame, stack, false);
}

void packet_decode_bytes(const uint8_t *data, uint32_t caplen, uint32_t len, bool ip,
			 struct packet_stack *stack)
{
	struct carried first = first_layer(data, caplen, len);

	first.type = ip ? LINK_RAW : LINK_ETHERNET;
	stack->frame = NULL;
	decode_layers(stack, &first, false);
}
