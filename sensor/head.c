/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.c - the first bytes of TCP streams that begin in pieces.
 *
 * A relay can send a hello in two segments, or byte by byte, so that no packet holds the nonce by
 * which it would be known.  So the head of a stream that begins like a hello, and is too short for
 * one, is put together until it holds one.  Streams in pieces are few; the table is small, and
 * a newer one takes an older one's place.  Segments out of order end it: who reorders the pieces
 * of every hello has clients that wait.
 */
#include <stdlib.h>
#include <string.h>

#include "worker.h"

#define HEADS 1024
#define HEAD_BYTES 192 /* a banner line, a hello with its records */

struct head {
	uint64_t flow_id;
	uint32_t next_seq;
	uint8_t direction;
	uint8_t len; /* 0: unused */
	uint8_t data[HEAD_BYTES];
};

struct heads {
	struct head head[HEADS];
};

struct heads *heads_new(void)
{
	return calloc(1, sizeof(struct heads));
}

void heads_free(struct heads *heads)
{
	free(heads);
}

/* TLS handshake records, SSH banners and packets. */
static bool begins_hello(const struct packet *packet)
{
	const uint8_t *p = packet->payload;

	return p[0] == 22 || p[0] == 'S' || p[0] == 0;
}

static void append(struct head *head, const struct packet *packet)
{
	uint32_t room = HEAD_BYTES - head->len;
	uint32_t part = packet->payload_len < room ? packet->payload_len : room;

	memcpy(head->data + head->len, packet->payload, part);
	head->len = (uint8_t)(head->len + part);
	head->next_seq = packet->tcp_seq + packet->payload_wire;
}

bool heads_add(struct heads *heads, struct flow *flow, unsigned direction,
	       const struct packet *packet, bool early, struct packet *whole)
{
	struct head *head = &heads->head[(flow->id ^ direction) % HEADS];
	bool mine = (flow->flags & FLOW_HEAD) && head->len != 0 && head->flow_id == flow->id &&
		    head->direction == direction;

	if (mine && packet->tcp_seq != head->next_seq) {
		if ((int32_t)(packet->tcp_seq - head->next_seq) > 0)
			head->len = 0;
		return false;
	}
	if (!mine) {
		if (!early || packet->payload_len >= HEAD_BYTES || !begins_hello(packet))
			return false;
		*head = (struct head){.flow_id = flow->id, .direction = (uint8_t)direction};
		append(head, packet);
		flow->flags |= FLOW_HEAD;
		return false;
	}
	append(head, packet);
	*whole = *packet;
	whole->payload = head->data;
	whole->payload_len = head->len;
	whole->payload_wire = head->len;
	if (head->len == HEAD_BYTES)
		head->len = 0;
	return true;
}

void heads_done(struct heads *heads, struct flow *flow, unsigned direction)
{
	struct head *head = &heads->head[(flow->id ^ direction) % HEADS];

	flow->flags &= (uint8_t)~FLOW_HEAD;
	if (head->flow_id == flow->id && head->direction == direction)
		head->len = 0;
}
