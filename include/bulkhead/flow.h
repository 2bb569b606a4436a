/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h - a flow is both directions of a 5-tuple inside one routing domain; a path is by
 * which NICs a direction's packets travelled; a token is a value that names content across flows.
 *
 *	capture > decode > tenant > FLOW > dpi > detect > rule > alert > sink
 *
 * The table itself is sensor/flow/table.h, seen by the worker alone.  What leaves this room is
 * the nouns below, by value.
 */
#ifndef BULKHEAD_FLOW_H
#define BULKHEAD_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/packet.h"

/* A direction of a flow as its packets say it. */
struct flow_tuple {
	struct ip_addr src, dst;
	uint16_t sport, dport; /* ICMP: type and code as Community ID maps them, or 0 */
	uint8_t proto;
	uint16_t domain;
};

#define COMMUNITY_ID_SIZE 40

/* Community ID version 1, seed 0 (github.com/corelight/community-id-spec).  Returns buf. */
const char *community_id(const struct flow_tuple *tuple, char buf[static COMMUNITY_ID_SIZE]);

/* What a token was taken from.  The strength tells how much a coincidence is excluded. */
enum token_kind {
	TOKEN_NONE,
	TOKEN_TLS_CLIENT_RANDOM,
	TOKEN_TLS_SERVER_RANDOM,
	TOKEN_SSH_COOKIE,
	TOKEN_QUIC_INITIAL, /* DCID and SCID of a client Initial */
	TOKEN_DTLS_RANDOM,
	TOKEN_IKE_SPI,
	TOKEN_MYSQL_SCRAMBLE,
	TOKEN_POSTGRES_SALT,
	TOKEN_SIP_BRANCH,
	TOKEN_HTTP_HEAD, /* request head of 60 bytes or more, without hop-by-hop headers */
	TOKEN_DNS_QUERY, /* id and question */
	TOKEN_TCP_SYN,	 /* initial sequence number with the options that a NAT leaves alone */
	TOKEN_PAYLOAD,	 /* 24 bytes or more of a payload */
	TOKEN_MAX
};

struct token {
	uint8_t kind;  /* enum token_kind */
	bool random;   /* 96 random bits or more: equality is proof of identity */
	uint16_t bytes; /* how much content it covers */
	uint64_t lo, hi; /* keyed 128-bit hash of kind and content */
};

#define TOKENS_A_PACKET 3

struct hash_key;

/*
 * The tokens in a packet's payload (TCP or UDP, first packets of a flow).  Returns how many were
 * written.  key: the run's hash key, equal in all workers.
 */
unsigned token_extract(const struct packet *packet, const struct hash_key *key,
		       struct token out[static TOKENS_A_PACKET]);
/* The token of a TCP SYN or SYN-ACK; false for anything else. */
bool token_of_syn(const struct packet *packet, const struct hash_key *key, struct token *out);
/* The token of any payload of 24 bytes or more. */
bool token_of_payload(const struct packet *packet, const struct hash_key *key,
		      struct token *out);
const char *token_name(enum token_kind kind); /* "TLS client random" ... */

#endif
