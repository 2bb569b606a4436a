/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.c - what a flow's first payload packets say: tokens, names, secrets.
 *
 * Rationed: only the first packets with payload of each direction are looked at, whatever the
 * flow's length, so that a long flow costs nothing here.
 */
#include <string.h>

#include "detect/export.h"
#include "detect/gunzip.h"
#include "dpi/fit.h"
#include "flow/opening.h"
#include "flow/server_name.h"
#include "worker.h"

/* A SOCKS or CONNECT relay begins with two rounds of its own before the client's hello. */
#define TOKEN_PACKETS 6
/* ... and may come byte by byte as far as its nonce. */
#define HEAD_PACKETS 64
/* A packet relayed with other addresses is recognised by its payload: early ones are enough, as
 * the rewritten flow begins with the relay. */
#define PAYLOAD_TOKEN_PACKETS 3
/* Datagrams of a few bytes are most of what some networks carry, and little is named by them. */
#define LITTLE_TOKEN_PACKETS 1
/* Clear text that may hold a secret: log-ins come first ... */
#define SECRET_PACKETS 8
/* ... but HTTP asks for more on the same connection, with the same head. */
#define HTTP_PACKETS 200
/* A capture stream shows itself in its first packets, maybe behind a banner. */
#define STREAM_LOOK 2
/* Of a capture stream: the first packets, then runs of some in every thousand: enough to prove what
 * it carries, whoever's packets come first in it. */
#define STREAM_PACKETS 200
#define STREAM_RUN 32
#define STREAM_EVERY 1024

/* ---- the opening ----------------------------------------------------------------------------- */

/* Before anything is told of the packet: who is told may ask at once. */
void content_keep(struct worker *w, struct flow *flow, const struct packet *packet)
{
	unsigned most;

	if (!dpi_fits(packet))
		return;
	if (w->shed >= SHED_DPI || (w->shed >= SHED_DPI_NEW && flow->kept == 0)) {
		flow->kept = KEPT_ENOUGH; /* late it would say little */
		stat_add(&w->stats, STAT_DPI_SHED, 1);
		return;
	}
	most = dpi_packets_of(packet, (unsigned)w->shared->options->dpi.packets);
	most = most < OPENING_PACKETS ? most : OPENING_PACKETS;
	if (openings_keep(w->openings, flow->id, flow->kept, w->frame->number, w->now_ns,
			  packet->l3_data, packet->l3_len) &&
	    !w->shared->live)
		worker_wait_for_judge(w);
	if (++flow->kept >= most)
		flow->kept = KEPT_ENOUGH;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool wants_tokens(const struct worker *w)
{
	return worker_wants(w, EVENT_TOKEN) || worker_wants(w, EVENT_MEET);
}

static void tell_token(struct worker *w, const struct flow *flow, unsigned direction,
		       const struct packet *packet, const struct place *place, uint32_t path,
		       const struct token *token)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_TOKEN,
					     .packet = packet,
					     .flow = flow,
					     .direction = direction,
					     .place = place,
					     .path = path & PATH_ALL});
	if (r == NULL)
		return;
	r->u.token = *token;
	stat_add(&w->stats, STAT_TOKENS, 1);
	emit_commit(w, r);
}

/* What a stranger carries may come back rewritten at any time. */
static bool carried_young(uint32_t path)
{
	return (path & PATH_YOUNG) && (path & (PATH_TO_STRANGER | PATH_FROM_STRANGER)) != 0;
}

/* Is there anything for tokens() to do?  Of a long flow's packets there is not. */
static inline bool may_hold_tokens(const struct flow *flow, unsigned direction, uint32_t path)
{
	unsigned nth = flow->payloads[direction];

	return nth <= TOKEN_PACKETS || ((flow->flags & FLOW_HEAD) && nth <= HEAD_PACKETS) ||
	       carried_young(path);
}

/* The nonce of a stream that begins in pieces. */
static unsigned tokens_of_head(struct worker *w, struct flow *flow, unsigned direction,
			       const struct packet *packet,
			       struct token token[static TOKENS_A_PACKET])
{
	struct packet whole __attribute__((uninitialized)); /* set when there is more of it */
	bool early = flow->payloads[direction] <= TOKEN_PACKETS;
	unsigned count;

	if ((!early && !(flow->flags & FLOW_HEAD)) || packet->payload_len == 0 ||
	    packet->payload_len < packet->payload_wire ||
	    !heads_add(w->heads, flow, direction, packet, early, &whole))
		return 0;
	count = token_extract(&whole, &w->shared->key, token);
	if (count > 0)
		heads_done(w->heads, flow, direction);
	return count;
}

static void hello(struct worker *w, struct flow *flow, unsigned direction,
		  const struct packet *packet, const struct place *place, bool early)
{
	struct hello_bytes said;
	char name[APP_HOST_SIZE];
	struct record *r;

	if (!worker_wants(w, EVENT_HELLO) ||
	    hellos_add(w->hellos, flow, direction, packet, early, w->now_ns, &said) != HELLO_SAID ||
	    !server_name(said.data, said.len, name, sizeof name))
		return;
	r = emit_begin(w, &(struct emission){.kind = EVENT_HELLO,
					     .packet = packet,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r == NULL)
		return;
	memcpy(r->u.hello.name, name, sizeof name);
	r->u.hello.print = hello_print(said.data, said.len, &w->shared->key);
	emit_commit(w, r);
}

static bool begins_record(const struct packet *packet)
{
	return packet->payload_len > 0 && packet->payload[0] == 22;
}

/* Of how many packets, each way. */
static unsigned payload_tokens(const struct packet *packet)
{
	return packet->payload_len < TOKEN_LITTLE ? LITTLE_TOKEN_PACKETS : PAYLOAD_TOKEN_PACKETS;
}

/* True when the payload's protocol was recognised. */
static bool tokens(struct worker *w, struct flow *flow, unsigned direction,
		   const struct packet *packet, const struct place *place, uint32_t path)
{
	struct token token[TOKENS_A_PACKET] __attribute__((uninitialized)); /* count are set */
	struct token body __attribute__((uninitialized));		    /* likewise */
	bool strange = carried_young(path);
	bool in_pieces = (flow->flags & FLOW_HEAD) != 0;
	unsigned nth = flow->payloads[direction];
	unsigned count = 0;

	if (nth <= TOKEN_PACKETS || strange)
		count = token_extract(packet, &w->shared->key, token);
	if (count == 0 && nth <= HEAD_PACKETS && packet->proto == IPPROTO_NUM_TCP)
		count = tokens_of_head(w, flow, direction, packet, token);
	for (unsigned i = 0; i < count; i++) {
		tell_token(w, flow, direction, packet, place, path, &token[i]);
		if (token[i].random || token[i].kind == TOKEN_DNS_QUERY)
			flow->flags |= FLOW_NAMED;
	}
	if (packet->proto == IPPROTO_NUM_TCP && (in_pieces || begins_record(packet)))
		hello(w, flow, direction, packet, place, nth <= TOKEN_PACKETS || strange);
	body.status = 0;
	body.length = 0;
	if (nth <= TOKEN_PACKETS && token_of_http(packet, &w->shared->key, &body))
		tell_token(w, flow, direction, packet, place, path, &body);
	/* A nonce names the conversation as well as its bytes do, a question its answer. */
	if (count == 0 &&
	    ((nth <= payload_tokens(packet) && !(flow->flags & FLOW_NAMED)) || strange) &&
	    token_of_payload(packet, &w->shared->key, &token[0])) {
		token[0].status = body.status;
		token[0].length = body.length;
		tell_token(w, flow, direction, packet, place, path, &token[0]);
	}
	return count > 0;
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void tcp_handshake(struct worker *w, struct flow *flow, unsigned direction,
			  const struct packet *packet, const struct place *place, uint32_t path)
{
	struct token token;

	if (!(packet->tcp_flags & TCP_SYN))
		return;
	/* The client's opening is enough: its answer would say the same of the same two flows. */
	if (!(packet->tcp_flags & TCP_ACK) && wants_tokens(w) &&
	    token_of_syn(packet, &w->shared->key, &token))
		tell_token(w, flow, direction, packet, place, path, &token);
	if (worker_wants(w, EVENT_CONFLICT))
		conflict_handshake(w, flow, direction, packet, place);
}

/* ---- secrets in clear text ------------------------------------------------------------------- */

static bool looks_encrypted(const struct packet *packet)
{
	/* A TLS record: type 20..24, version 3.x. */
	return packet->payload_len >= 3 && packet->payload[0] >= 20 && packet->payload[0] <= 24 &&
	       packet->payload[1] == 3;
}

/* No word that HTTP begins with has another first letter. */
#define HTTP_FIRST 'C'
#define HTTP_LAST 'P'

static bool begins_http(const struct packet *packet)
{
	static const char *const word[] = {"GET ",     "POST ",	 "HEAD ",     "PUT ",	 "DELETE ",
					   "OPTIONS ", "PATCH ", "PROPFIND ", "CONNECT", "HTTP/1."};

	/* Most payloads end here. */
	if (packet->payload[0] < HTTP_FIRST || packet->payload[0] > HTTP_LAST)
		return false;
	for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
		size_t len;

		if (word[i][0] != (char)packet->payload[0])
			continue;
		len = strlen(word[i]);
		if (packet->payload_len > len && memcmp(packet->payload, word[i], len) == 0)
			return true;
	}
	return false;
}

static void tell_secret(struct worker *w, const struct flow *flow, unsigned direction,
			const struct packet *packet, const struct place *place,
			const struct secret *secret)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_SECRET,
					     .packet = packet,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r == NULL)
		return;
	r->u.secret = *secret;
	emit_commit(w, r);
}

static void secrets(struct worker *w, const struct flow *flow, unsigned direction,
		    const struct packet *packet, const struct place *place)
{
	struct secret secret[SECRETS_A_PACKET] __attribute__((uninitialized)); /* count are set */
	unsigned nth = flow->payloads[direction];
	unsigned count;
	bool http;

	if (nth > HTTP_PACKETS || looks_encrypted(packet))
		return;
	http = begins_http(packet);
	if (w->decoys != NULL && (http || nth <= SECRET_PACKETS)) {
		count = decoy_set_scan(w->decoys, packet->payload, packet->payload_len, secret);
		for (unsigned i = 0; i < count; i++)
			tell_secret(w, flow, direction, packet, place, &secret[i]);
	}
	if (!http)
		return;
	count = secret_of_http(packet->payload, packet->payload_len, &w->shared->key, secret);
	for (unsigned i = 0; i < count; i++)
		tell_secret(w, flow, direction, packet, place, &secret[i]);
}

/* ---- capture streams ------------------------------------------------------------------------- */

static bool is_sampled(const struct flow *flow, unsigned direction)
{
	return flow->payloads[direction] <= STREAM_PACKETS ||
	       flow->packets[direction] % STREAM_EVERY < STREAM_RUN;
}

static bool in_stream(const struct worker *w, struct flow *flow, unsigned direction,
		      const struct packet *packet)
{
	unsigned nth = flow->payloads[direction];

	if (!(flow->flags & FLOW_STREAM) && nth <= STREAM_LOOK &&
	    (export_begins(packet->payload, packet->payload_len, packet->payload_wire, w->now_ns) ||
	     (nth == 1 && gunzip_begins(packet->payload, packet->payload_len))))
		flow->flags |= FLOW_STREAM;
	return (flow->flags & FLOW_STREAM) && is_sampled(flow, direction);
}

static void tell_payload(struct worker *w, const struct flow *flow, unsigned direction,
			 const struct packet *packet, const struct place *place, uint32_t path)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_PAYLOAD,
					     .packet = packet,
					     .whole = true,
					     .flow = flow,
					     .direction = direction,
					     .place = place,
					     .path = path & PATH_ALL});
	if (r != NULL)
		emit_commit(w, r);
}

static void read_payload(struct worker *w, struct flow *flow, unsigned direction,
			 const struct packet *packet, const struct place *place, uint32_t path)
{
	bool tcp = packet->proto == IPPROTO_NUM_TCP;
	bool known = false;

	if (flow->payloads[direction] < UINT8_MAX) {
		flow->payloads[direction]++;
	} else if (!(flow->flags & FLOW_STREAM) &&
		   !(path & (PATH_TO_STRANGER | PATH_FROM_STRANGER))) {
		/* Every look but this one is at first payloads. */
		if (tcp && worker_wants(w, EVENT_CONFLICT))
			conflict_payload(w, flow, direction, packet, place);
		return;
	}
	if (may_hold_tokens(flow, direction, path) && wants_tokens(w))
		known = tokens(w, flow, direction, packet, place, path);
	if (tcp && worker_wants(w, EVENT_CONFLICT))
		conflict_payload(w, flow, direction, packet, place);
	if (packet->payload_len > 0 && worker_wants(w, EVENT_SECRET))
		secrets(w, flow, direction, packet, place);
	/* What is uploaded by HTTP may follow in the same packet. */
	if (packet->payload_len > 0 && (!known || packet->payload[0] == 'P') &&
	    worker_wants(w, EVENT_PAYLOAD) && in_stream(w, flow, direction, packet))
		tell_payload(w, flow, direction, packet, place, path);
}

/* A packet in an echo, which pings have none of: looked for in each, for a tunnel may begin late.
 */
static void read_echo(struct worker *w, struct flow *flow, unsigned direction,
		      const struct packet *packet, const struct place *place, uint32_t path)
{
	if (packet->payload_len == 0 || !worker_wants(w, EVENT_PAYLOAD))
		return;
	if (export_holds(packet->payload, packet->payload_len, packet->payload_wire))
		flow->flags |= FLOW_STREAM;
	if ((flow->flags & FLOW_STREAM) && is_sampled(flow, direction))
		tell_payload(w, flow, direction, packet, place, path);
}

/* The first echoes of each direction, and of what a stranger carries: a NAT changes their id. */
static void echo(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct place *place, uint32_t path)
{
	bool strange = (path & PATH_YOUNG) && (path & (PATH_TO_STRANGER | PATH_FROM_STRANGER)) != 0;
	struct token token;

	if (flow->payloads[direction] < UINT8_MAX)
		flow->payloads[direction]++;
	if ((flow->payloads[direction] <= PAYLOAD_TOKEN_PACKETS || strange) && wants_tokens(w) &&
	    token_of_echo(packet, &w->shared->key, &token))
		tell_token(w, flow, direction, packet, place, path, &token);
	if (packet_is_echo(packet))
		read_echo(w, flow, direction, packet, place, path);
}

static __attribute__((noinline)) void content_look(struct worker *w, struct flow *flow,
						   unsigned direction, const struct packet *packet,
						   const struct place *place, uint32_t path)
{
	bool tcp = packet->proto == IPPROTO_NUM_TCP;

	if (!tcp && packet->proto != IPPROTO_NUM_UDP) {
		if (packet->proto == IPPROTO_NUM_ICMP || packet->proto == IPPROTO_NUM_ICMPV6)
			echo(w, flow, direction, packet, place, path);
		return;
	}
	if (tcp)
		tcp_handshake(w, flow, direction, packet, place, path);
	if (packet->payload_wire > 0)
		read_payload(w, flow, direction, packet, place, path);
}

/* More than any look at first payloads wants, but for what begins like HTTP. */
#define LATE_PACKETS SECRET_PACKETS
_Static_assert(LATE_PACKETS >= TOKEN_PACKETS && LATE_PACKETS >= STREAM_LOOK, "late for all");

/* In the midst of a flow of which nothing is left to be known: most packets.  The same looks as
 * content_look() has, in the order in which they end. */
static inline bool is_late(const struct flow *flow, unsigned direction, const struct packet *packet,
			   uint32_t path)
{
	uint8_t first;

	if (flow->payloads[direction] < LATE_PACKETS || packet->payload_len == 0 ||
	    (flow->flags & (FLOW_HEAD | FLOW_STREAM)) || carried_young(path))
		return false;
	first = packet->payload[0];
	return first < HTTP_FIRST || first > HTTP_LAST;
}

void content_packet(struct worker *w, struct flow *flow, unsigned direction,
		    const struct packet *packet, const struct place *place, uint32_t path)
{
	bool tcp = packet->proto == IPPROTO_NUM_TCP;

	if (!(packet->flags & PACKET_L4))
		return;
	if (tcp ? !(packet->tcp_flags & TCP_SYN) : packet->proto == IPPROTO_NUM_UDP) {
		if (packet->payload_wire == 0)
			return;
		if (is_late(flow, direction, packet, path)) {
			if (flow->payloads[direction] < UINT8_MAX)
				flow->payloads[direction]++;
			if (tcp && worker_wants(w, EVENT_CONFLICT))
				conflict_payload(w, flow, direction, packet, place);
			return;
		}
	}
	content_look(w, flow, direction, packet, place, path);
}
