/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello.c - TLS ClientHellos that do not fit into one packet.
 *
 * With a key share that quantum computers do not break (ML-KEM-768, 1,184 bytes) a hello is longer
 * than a segment, and browsers put the server's name anywhere in it; an interceptor may cut his as
 * small as he likes.  So a hello that begins is put together, segment by segment and record by
 * record, until it is whole, or will not be.
 *
 *	data:  record header (5, made up) | handshake, as far as it has come
 *
 * Slots are few; a flow that finds none is told of by what its first packet says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "worker.h"

#define SETS 32
#define WAYS 8 /* their keys are a cache line */
#define HELLO_BYTES 4096
#define RECORD 5 /* type, version, length */
#define HANDSHAKE 4
#define TLS_HANDSHAKE 22
#define CLIENT_HELLO 1
/* Who begins a hello and says no more: the next takes his place. */
#define PATIENCE_NS (2 * NS_PER_SEC)

struct slot {
	uint64_t *key;
	uint64_t ts_ns;
	uint32_t next_seq;
	uint16_t have;	/* bytes of data */
	uint16_t left;	/* of the record at hand */
	uint8_t header; /* bytes of its header that have come */
	uint8_t record[RECORD];
	uint8_t data[HELLO_BYTES];
};

struct hellos {
	struct stats *stats;
	uint64_t key[SETS][WAYS]; /* 0: free */
	struct slot slot[SETS][WAYS];
};

struct hellos *hellos_new(struct stats *stats)
{
	struct hellos *hellos = calloc(1, sizeof *hellos);

	if (hellos != NULL)
		hellos->stats = stats;
	return hellos;
}

void hellos_free(struct hellos *hellos)
{
	free(hellos);
}

static struct slot *find(struct hellos *hellos, uint64_t key)
{
	uint64_t set = (key >> 2) % SETS;

	for (unsigned i = 0; i < WAYS; i++)
		if (hellos->key[set][i] == key)
			return &hellos->slot[set][i];
	return NULL;
}

static struct slot *take_slot(struct hellos *hellos, uint64_t key, uint64_t now_ns)
{
	uint64_t set = (key >> 2) % SETS;

	for (unsigned i = 0; i < WAYS; i++) {
		struct slot *s = &hellos->slot[set][i];

		if (hellos->key[set][i] != 0 && now_ns - s->ts_ns < PATIENCE_NS)
			continue;
		hellos->key[set][i] = key;
		s->key = &hellos->key[set][i];
		s->ts_ns = now_ns;
		s->have = RECORD;
		s->left = s->header = 0;
		return s;
	}
	return NULL;
}

/* As far as it can be seen. */
static bool begins(const uint8_t *p, size_t len)
{
	return p[0] == TLS_HANDSHAKE && (len < 2 || p[1] == 3) &&
	       (len <= RECORD || p[RECORD] == CLIENT_HELLO);
}

/* Bytes of the first record with all of the hello in it; what may follow it is none of its. */
static size_t whole_len(const uint8_t *p)
{
	return RECORD + HANDSHAKE + ((size_t)p[6] << 16 | (size_t)p[7] << 8 | p[8]);
}

static bool is_whole(const uint8_t *p, size_t len)
{
	return len > RECORD + HANDSHAKE && len >= whole_len(p) &&
	       RECORD + (size_t)read_be16(p + 3) >= whole_len(p);
}

/* False: this is no hello, or none any more. */
static bool take_header(struct slot *s, uint8_t byte)
{
	s->record[s->header++] = byte;
	if (s->header < RECORD)
		return true;
	s->left = read_be16(s->record + 3);
	return s->record[0] == TLS_HANDSHAKE && s->record[1] == 3 && s->left != 0;
}

static bool take(struct slot *s, const uint8_t *p, size_t len)
{
	while (len > 0 && s->have < HELLO_BYTES) {
		size_t part = HELLO_BYTES - s->have;

		if (s->left == 0) {
			if (s->header == RECORD)
				s->header = 0;
			if (!take_header(s, *p))
				return false;
			p++;
			len--;
			continue;
		}
		part = part < len ? part : len;
		part = part < s->left ? part : s->left;
		memcpy(s->data + s->have, p, part);
		s->have = (uint16_t)(s->have + part);
		s->left = (uint16_t)(s->left - part);
		p += part;
		len -= part;
	}
	return s->have == RECORD || s->data[RECORD] == CLIENT_HELLO;
}

static bool is_complete(const struct slot *s)
{
	return s->have == HELLO_BYTES ||
	       (s->have > RECORD + HANDSHAKE && s->have >= whole_len(s->data));
}

static enum hello_state done(struct slot *s, struct flow *flow, struct hello_bytes *said)
{
	static const uint8_t made_up[RECORD] = {TLS_HANDSHAKE, 3, 1, 0, 0};
	size_t len = s->have;

	*s->key = 0;
	if (len <= RECORD + HANDSHAKE || s->data[RECORD] != CLIENT_HELLO)
		return HELLO_NONE; /* its head may hold something else (head.c) */
	flow->flags &= (uint8_t)~FLOW_HEAD;
	memcpy(s->data, made_up, RECORD);
	len = len < whole_len(s->data) ? len : whole_len(s->data);
	*said = (struct hello_bytes){s->data, len};
	return HELLO_SAID;
}

/* The hello goes on from skip bytes into the payload. */
static enum hello_state go_on(struct slot *s, struct flow *flow, const struct packet *packet,
			      uint32_t skip, struct hello_bytes *said)
{
	if (!take(s, packet->payload + skip, packet->payload_len - skip) || is_complete(s) ||
	    packet->payload_len < packet->payload_wire)
		return done(s, flow, said);
	s->next_seq = packet->tcp_seq + packet->payload_wire;
	flow->flags |= FLOW_HEAD;
	return HELLO_WAITS;
}

enum hello_state hellos_add(struct hellos *hellos, struct flow *flow, unsigned direction,
			    const struct packet *packet, bool early, uint64_t now_ns,
			    struct hello_bytes *said)
{
	uint64_t key = flow->id << 2 | direction << 1 | 1;
	struct slot *s = find(hellos, key);

	if (s != NULL) {
		uint32_t skip = s->next_seq - packet->tcp_seq;

		if (packet->tcp_seq - s->next_seq - 1 < UINT32_MAX / 2)
			return done(s, flow, said); /* a piece is missing */
		return skip >= packet->payload_len ? HELLO_NONE
						   : go_on(s, flow, packet, skip, said);
	}
	if (!early || packet->payload_len == 0 || !begins(packet->payload, packet->payload_len))
		return HELLO_NONE;
	if (is_whole(packet->payload, packet->payload_len)) {
		*said = (struct hello_bytes){packet->payload, whole_len(packet->payload)};
		return HELLO_SAID;
	}
	s = take_slot(hellos, key, now_ns);
	if (s == NULL) {
		stat_add(hellos->stats, STAT_STATE_EVICTED, 1);
		*said = (struct hello_bytes){packet->payload, packet->payload_len};
		return HELLO_SAID;
	}
	return go_on(s, flow, packet, 0, said);
}
