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
#include "bulkhead/tenant.h"

/* A direction of a flow as its packets say it. */
struct flow_tuple {
	struct ip_addr src, dst;
	uint16_t sport, dport; /* ICMP: type and code as Community ID maps them, or 0 */
	uint8_t proto;
	uint16_t domain;
};

/*
 * How the NICs of a path stand to the owners of its packets.  "Stranger": a tenant's NIC whose
 * tenant owns neither end while another tenant owns one.  "Maybe": an address could be the NIC's
 * own (unassigned, private, link-local, or a dynamic one without a lease), at its end of the packet
 * or next door, so only a packet whose other side is a stranger's for certain proves anything.
 */
enum path_bits {
	PATH_TO_STRANGER = 1u << 0,   /* delivered to a stranger: in-leg */
	PATH_FROM_STRANGER = 1u << 1, /* sent by a stranger: out-leg */
	PATH_TO_MAYBE = 1u << 2,
	PATH_FROM_MAYBE = 1u << 3,
	PATH_TO_UNKNOWN = 1u << 4,   /* a tenant's packet to a MAC in no inventory */
	PATH_FROM_UNKNOWN = 1u << 5, /* ... from one */
	PATH_EXPOSED = 1u << 6,	     /* left by a tapped port that it was not for */
	PATH_KNOWN = 1u << 7,	     /* some NIC or address is in the inventory: for the ledger */
	PATH_IN = PATH_TO_STRANGER | PATH_TO_MAYBE | PATH_TO_UNKNOWN,
	PATH_OUT = PATH_FROM_STRANGER | PATH_FROM_MAYBE | PATH_FROM_UNKNOWN,
	/* Worth following packet by packet from the first one on. */
	PATH_STRANGE = PATH_TO_STRANGER | PATH_FROM_STRANGER | PATH_EXPOSED,
};

/* Who owns the ends of a packet and which NICs it went between. */
struct path_parties {
	struct owner src, dst;
	struct carrier from, to;
	bool to_group; /* multicast or broadcast destination MAC: delivered to everybody */
};

/* A host's address that is nobody's as far as the inventory goes (unassigned, private, link-local,
 * dynamic without a lease): whose it is, the NIC where its packets begin may tell. */
bool owner_undecided(const struct owner *owner, const struct ip_addr *ip);

/* The verdict over one path: enum path_bits.  Pure; any thread. */
uint32_t path_judge(const struct inventory *inv, const struct tap *tap,
		    const struct path_parties *parties, const struct ip_addr *src,
		    const struct ip_addr *dst);

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
	TOKEN_HTTP_HEAD,    /* request head of 60 bytes or more: path and end-to-end headers */
	TOKEN_HTTP_TARGET,  /* method, path and host of a request */
	TOKEN_HTTP_REQUEST, /* head of a request with a value of its own, without its host */
	TOKEN_HTTP_ANSWER,  /* what an answer bears of its own: a date, a session, or its body */
	TOKEN_DNS_QUERY,    /* id and question */
	TOKEN_TCP_SYN,	    /* initial sequence number with the options that a NAT leaves alone */
	TOKEN_TLS_RECORD,   /* an enciphered record: of one session alone */
	TOKEN_PAYLOAD,	    /* 24 bytes or more of a payload */
	TOKEN_MAX
};

struct token {
	uint8_t kind;	 /* enum token_kind */
	bool random;	 /* 64 random bits or more: equality is proof of identity */
	bool rare;	 /* HTTP: bears a value that others would not say by chance */
	uint16_t bytes;	 /* how much content it covers */
	uint16_t status; /* of an HTTP answer; 0 it is none */
	uint32_t length; /* ... of its body as it is, and one; 0 not said, or it is packed */
	uint64_t lo, hi; /* keyed 128-bit hash of kind and content */
};

#define TOKENS_A_PACKET 3

/* A secret in clear text.  What leaves the worker is a keyed hash. */
enum secret_kind {
	SECRET_DECOY, /* one that the inventory declares */
	SECRET_BASIC, /* HTTP credentials of 64 bits of entropy or more */
	SECRET_BEARER,
	SECRET_COOKIE,
	SECRET_COOKIE_SET, /* by a server */
};

struct secret {
	uint8_t kind;	     /* enum secret_kind */
	bool encoded;	     /* a decoy in base64 */
	uint32_t decoy;	     /* index into inventory_decoys() ... */
	uint32_t generation; /* ... of this snapshot */
	uint64_t lo, hi;
};

struct hash_key;

/*
 * The tokens in a packet's payload (TCP or UDP, first packets of a flow).  Returns how many were
 * written.  key: the run's hash key, equal in all workers.
 */
unsigned token_extract(const struct packet *packet, const struct hash_key *key,
		       struct token out[static TOKENS_A_PACKET]);
/* The token of a TCP SYN or SYN-ACK; false for anything else. */
bool token_of_syn(const struct packet *packet, const struct hash_key *key, struct token *out);
/* Payloads below this size are little to be known by. */
#define TOKEN_LITTLE 24

/* The token of any payload of 24 bytes or more, of kind TOKEN_TLS_RECORD when it is one; of a
 * smaller datagram together with its IP id. */
bool token_of_payload(const struct packet *packet, const struct hash_key *key, struct token *out);
/* The token of what an HTTP answer has of its own, or of a request's body: proxies pass it on.
 * status and length are set of every answer, whether it has a token or not; else left alone. */
bool token_of_http(const struct packet *packet, const struct hash_key *key, struct token *out);
/* The token of an echo request or reply with 24 bytes or more of data: a NAT changes its id. */
bool token_of_echo(const struct packet *packet, const struct hash_key *key, struct token *out);
const char *token_name(enum token_kind kind); /* "TLS client random" ... */

#endif
