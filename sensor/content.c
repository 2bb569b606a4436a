/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.c - what a flow's first payload packets say: application, tokens, secrets.
 *
 * Rationed: only the first packets with payload of each direction are looked at, whatever the
 * flow's length, so that a long flow costs nothing here.
 */
#include <string.h>

#include "base/log.h"
#include "detect/export.h"
#include "detect/gunzip.h"
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

/* ---- labels ---------------------------------------------------------------------------------- */

const struct app *content_label(const struct worker *w, const struct flow *flow)
{
	if (flow->app == 0 || w->label_of[flow->app - 1] != flow->id)
		return NULL;
	return &w->labels[flow->app - 1];
}

static void keep_label(struct worker *w, struct flow *flow, const struct app *app)
{
	uint32_t at = w->label_next;

	w->label_next = at + 1 < w->label_count ? at + 1 : 0;
	w->labels[at] = *app;
	w->label_of[at] = flow->id;
	flow->app = at + 1;
}

/* Tells in the direction of who began the flow, and by which NICs it went that way. */
static void tell_app(struct worker *w, const struct flow *flow, const struct app *app,
		     const struct packet *packet, const struct place *place)
{
	unsigned direction = (flow->flags & FLOW_FROM_B) != 0;
	const struct path_key *path = &flow->path[direction][0];
	struct place its = {.segment = path->scope < SCOPE_VLAN ? path->scope : SEGMENT_NONE,
			    .domain = flow->key.domain};
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_APP,
					     .packet = packet,
					     .place = packet != NULL ? place : &its,
					     .flow = flow,
					     .direction = direction,
					     .app = app,
					     .frameless = packet == NULL});
	if (r == NULL)
		return;
	if (packet == NULL)
		r->tap = path->tap;
	r->has_mac = !mac_is_zero(path->smac) || !mac_is_zero(path->dmac);
	r->smac = path->smac;
	r->dmac = path->dmac;
	emit_commit(w, r);
}

/* Labels come when they come, and not always for the flow at hand. */
static void collect(struct worker *w, const struct flow *current, const struct packet *packet,
		    const struct place *place)
{
	struct dpi_result result;

	while (dpi_collect(w->dpi, &result)) {
		struct flow *flow = flow_table_at(w->flows, (uint32_t)result.flow);

		if (!flow->used || flow->hash != (uint32_t)(result.flow >> 32) ||
		    result.app.proto[0] == '\0')
			continue;
		keep_label(w, flow, &result.app);
		if ((result.app.flags & APP_ENCRYPTED) && result.app.host[0] != '\0' &&
		    worker_wants(w, EVENT_APP))
			tell_app(w, flow, &result.app, flow == current ? packet : NULL, place);
	}
}

/* For who wants to know who did it.  In the direction of who began the flow. */
static void tell_suspect(struct worker *w, uint64_t name)
{
	const struct flow *flow = flow_table_at(w->flows, (uint32_t)name);
	char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE], proto[8];
	struct flow_tuple t;

	if (!flow->used || flow->hash != (uint32_t)(name >> 32))
		return;
	t = flow_tuple_of(flow, (flow->flags & FLOW_FROM_B) != 0);
	log_warn("worker=%u dpi=died busy-with=\"%s %s:%u > %s:%u\"", w->index,
		 ip_proto_name(t.proto, proto), ip_format(&t.src, src), t.sport,
		 ip_format(&t.dst, dst), t.dport);
}

void content_turn(struct worker *w)
{
	struct place place = {.segment = SEGMENT_NONE};
	uint64_t suspect;

	if (w->dpi == NULL)
		return;
	if (!dpi_turn(w->dpi, w->now_ns))
		return;
	if (dpi_suspect(w->dpi, &suspect))
		tell_suspect(w, suspect);
	collect(w, NULL, NULL, &place);
}

static void inspect(struct worker *w, struct flow *flow, const struct packet *packet,
		    const struct place *place)
{
	uint64_t name = flow_table_slot(w->flows, flow) | (uint64_t)flow->hash << 32;

	if (w->shed >= SHED_DPI || (w->shed >= SHED_DPI_NEW && flow->dpi == 0)) {
		flow->flags |= flow->dpi == 0 ? FLOW_DPI_DONE : 0; /* late it would say little */
		stat_add(&w->stats, STAT_DPI_SHED, 1);
		return;
	}
	switch (dpi_submit(w->dpi, name, &flow->dpi, packet, w->now_ns)) {
	case DPI_MORE:
		return;
	case DPI_FULL: /* the flow's next packet may find room */
		stat_add(&w->stats, STAT_DPI_FULL, 1);
		break;
	case DPI_DONE:
		flow->flags |= FLOW_DPI_DONE;
		break;
	}
	collect(w, flow, packet, place);
}

void content_flow_gone(struct worker *w, struct flow *flow)
{
	struct place place = {.segment = SEGMENT_NONE};

	if (flow->dpi == 0)
		return;
	dpi_finish(w->dpi, &flow->dpi);
	collect(w, flow, NULL, &place);
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
					     .path = path & PATH_ALL,
					     .app = content_label(w, flow)});
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

/* The hello of a stream that begins in pieces. */
static unsigned tokens_of_head(struct worker *w, struct flow *flow, unsigned direction,
			       const struct packet *packet,
			       struct token token[static TOKENS_A_PACKET])
{
	struct packet whole __attribute__((uninitialized)); /* set when heads_add() says so */
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

/*
 * TLS behind a preamble (CONNECT, SOCKS, STARTTLS): DPI has made up its mind at the preamble and
 * does not tell the server's name.
 */
static void name_behind(struct worker *w, struct flow *flow, unsigned direction,
			const struct packet *packet, const struct place *place)
{
	const struct app *known = content_label(w, flow);
	struct app app = {.flags = APP_SURE | APP_ENCRYPTED, .proto = "TLS", .category = "Web"};

	if (flow->payloads[direction] < 2 || !worker_wants(w, EVENT_APP) ||
	    (known != NULL && strcmp(known->proto, "TLS") == 0 && known->host[0] != '\0') ||
	    !server_name(packet->payload, packet->payload_len, app.host, sizeof app.host))
		return;
	keep_label(w, flow, &app);
	tell_app(w, flow, &app, packet, place);
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
	if (count > 0 && token[0].kind == TOKEN_TLS_CLIENT_RANDOM)
		name_behind(w, flow, direction, packet, place);
	if (nth <= TOKEN_PACKETS && token_of_http(packet, &w->shared->key, &body))
		tell_token(w, flow, direction, packet, place, path, &body);
	/* A nonce names the conversation as well as its bytes do, a question its answer. */
	if (count == 0 &&
	    ((nth <= payload_tokens(packet) && !(flow->flags & FLOW_NAMED)) || strange) &&
	    token_of_payload(packet, &w->shared->key, &token[0]))
		tell_token(w, flow, direction, packet, place, path, &token[0]);
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
					     .place = place,
					     .app = content_label(w, flow)});
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
					     .path = path & PATH_ALL,
					     .app = content_label(w, flow)});
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
	if (w->dpi != NULL && !(flow->flags & FLOW_DPI_DONE)) {
		uint64_t begin = profile_begin(w);

		inspect(w, flow, packet, place);
		profile_end(w, STAT_CYCLES_DPI, begin);
	}
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
	/* Nothing more will come: what is known has to do, and the state is free for another. */
	if (tcp && flow->dpi != 0 && (packet->tcp_flags & (TCP_FIN | TCP_RST))) {
		dpi_finish(w->dpi, &flow->dpi);
		flow->flags |= FLOW_DPI_DONE;
		collect(w, flow, packet, place);
	}
}

/* More than any look at first payloads wants, but for what begins like HTTP. */
#define LATE_PACKETS SECRET_PACKETS
_Static_assert(LATE_PACKETS >= TOKEN_PACKETS && LATE_PACKETS >= STREAM_LOOK, "late for all");

/* In the midst of a flow of which nothing is left to be known: most packets.  The same looks as
 * content_look() has, in the order in which they end. */
static inline bool is_late(const struct worker *w, const struct flow *flow, unsigned direction,
			   const struct packet *packet, uint32_t path)
{
	uint8_t first;

	if (flow->payloads[direction] < LATE_PACKETS || packet->payload_len == 0 ||
	    (flow->flags & (FLOW_HEAD | FLOW_STREAM)) || carried_young(path) ||
	    (w->dpi != NULL && !(flow->flags & FLOW_DPI_DONE)))
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
	if (tcp ? !(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))
		: packet->proto == IPPROTO_NUM_UDP) {
		if (packet->payload_wire == 0)
			return;
		if (is_late(w, flow, direction, packet, path)) {
			if (flow->payloads[direction] < UINT8_MAX)
				flow->payloads[direction]++;
			if (tcp && worker_wants(w, EVENT_CONFLICT))
				conflict_payload(w, flow, direction, packet, place);
			return;
		}
	}
	content_look(w, flow, direction, packet, place, path);
}
