/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk.h - what clients and servers say: scripts of real protocols, as nDPI recognises them.
 *
 * A script is a sequence of steps; a step is a packet of one side, with or without payload.
 * Payload is kept as a template with blanks: bytes that differ from flow to flow (TLS randoms,
 * DNS ids, cookies).  Blanks with the same key hold the same bytes within a flow, so that an
 * answer repeats the question's id.
 */
#ifndef TALK_H
#define TALK_H

#include "wire.h"

#define BLANKS 6

struct blank {
	uint16_t at, len;
	uint8_t key;
	bool text; /* letters and digits only */
};

struct message {
	uint8_t *bytes;
	uint16_t len;
	uint8_t blanks;
	struct blank blank[BLANKS];
};

struct step {
	uint8_t from;  /* 0 client, 1 server */
	uint8_t flags; /* TCP's */
	uint16_t message;
};

#define NO_MESSAGE UINT16_MAX

struct script {
	const char *name;
	uint8_t proto;
	uint16_t port;
	unsigned weight; /* how often it is spoken */
	unsigned steps, messages;
	struct step *step;
	struct message *message;
};

struct scripts {
	struct script *script;
	unsigned count;
	unsigned *pick; /* index by weight */
	unsigned picks;
};

/* A few hundred scripts of forty protocols, ten to thirty packets each. */
void talk_mix(struct scripts *scripts);
/* Hello, request or question only: three or four packets each. */
void talk_short(struct scripts *scripts);
const struct script *talk_pick(const struct scripts *scripts, struct rng *rng);
/* Writes the message with the flow's own bytes in its blanks; returns the length. */
size_t talk_say(const struct message *message, uint64_t flow_seed, uint8_t out[PAYLOAD_MAX]);
void talk_free(struct scripts *scripts);

/* For those who write scripts (talk.c; tls.c, binary.c, text.c). */
struct script *talk_new(struct scripts *scripts, const char *name, uint8_t proto, uint16_t port,
			unsigned weight);
struct message *talk_add(struct script *script, unsigned from, const void *bytes, size_t len);
void talk_blank(struct message *message, size_t at, size_t len, uint8_t key, bool text);
/* Data that means nothing: count packets in turn, mostly from the server. */
void talk_tail(struct script *script, unsigned count, size_t len);
/* TCP: the three packets before and, if whole, acknowledgements and the FINs. */
void talk_finish(struct script *script, bool whole);

void tls_scripts(struct scripts *scripts, bool whole);
void text_scripts(struct scripts *scripts);
void http_scripts(struct scripts *scripts, bool whole);
void binary_scripts(struct scripts *scripts);
void dns_scripts(struct scripts *scripts, bool whole);

extern const char *const talk_names[];
extern const unsigned talk_name_count;

#endif
