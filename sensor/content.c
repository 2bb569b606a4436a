/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.c - what a flow's first payload packets say: application, tokens, contradictions.
 *
 * Rationed: only the first packets with payload of each direction are looked at, whatever the
 * flow's length, so that a long flow costs nothing here.
 */
#include <string.h>

#include "worker.h"

/* A SOCKS or CONNECT relay begins with two rounds of its own before the client's hello. */
#define TOKEN_PACKETS 6
/* A packet relayed with other addresses is recognised by its payload: early ones are enough, as
 * the rewritten flow begins with the relay. */
#define PAYLOAD_TOKEN_PACKETS 3
/* Injected data races the first answer. */
#define SEGMENT_PACKETS 8
#define SEGMENT_COMPARE 16
/* Clear text that may hold a secret: log-ins come first. */
#define SECRET_PACKETS 8
/* Of a capture stream: enough to prove what it carries. */
#define STREAM_PACKETS 200

static void tell_token(struct worker *w, const struct flow *flow, unsigned direction,
		       const struct packet *packet, const struct place *place, uint32_t path,
		       const struct token *token)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_TOKEN,
					     .phase = PHASE_FRAME,
					     .packet = packet,
					     .layer = place->layer,
					     .flow = flow,
					     .direction = direction,
					     .segment = place->segment,
					     .domain = place->domain,
					     .path = path,
					     .app = content_label(w, flow)});
	if (r == NULL)
		return;
	r->u.token = *token;
	stat_add(&w->stats, STAT_TOKENS, 1);
	emit_commit(w, r);
}

static void tokens(struct worker *w, struct flow *flow, unsigned direction,
		   const struct packet *packet, const struct place *place, uint32_t path)
{
	struct token token[TOKENS_A_PACKET];
	unsigned count = token_extract(packet, &w->shared->key, token);
	bool strange = (path & (PATH_TO_STRANGER | PATH_FROM_STRANGER)) != 0;

	for (unsigned i = 0; i < count; i++)
		tell_token(w, flow, direction, packet, place, path, &token[i]);
	if ((flow->payloads[direction] <= PAYLOAD_TOKEN_PACKETS || strange) &&
	    token_of_payload(packet, &w->shared->key, &token[0]))
		tell_token(w, flow, direction, packet, place, path, &token[0]);
}

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
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_APP,
					     .phase = packet != NULL ? PHASE_FRAME : PHASE_SWEEP,
					     .packet = packet,
					     .layer = place->layer,
					     .flow = flow,
					     .direction = direction,
					     .segment = place->segment,
					     .domain = flow->key.domain,
					     .app = app,
					     .frameless = packet == NULL});
	if (r == NULL)
		return;
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
		if (worker_wants(w, EVENT_APP))
			tell_app(w, flow, &result.app, flow == current ? packet : NULL, place);
	}
}

static void inspect(struct worker *w, struct flow *flow, const struct packet *packet,
		    const struct place *place)
{
	uint64_t name = flow_table_slot(w->flows, flow) | (uint64_t)flow->hash << 32;

	if (flow->flags & FLOW_DPI_DONE)
		return;
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

/* ---- contradictions: somebody else answers ------------------------------------------------- */

static void tell_conflict(struct worker *w, struct flow *flow, unsigned direction,
			  const struct packet *packet, const struct place *place, uint8_t other_ttl,
			  bool syn_ack)
{
	struct record *r;

	if (!worker_wants(w, EVENT_CONFLICT) || (flow->flags & FLOW_CONFLICT))
		return;
	flow->flags |= FLOW_CONFLICT;
	r = emit_begin(w, &(struct emission){.kind = EVENT_CONFLICT,
					     .phase = PHASE_FRAME,
					     .packet = packet,
					     .layer = place->layer,
					     .whole = true,
					     .flow = flow,
					     .direction = direction,
					     .segment = place->segment,
					     .domain = place->domain,
					     .app = content_label(w, flow)});
	if (r == NULL)
		return;
	r->u.conflict.other_ttl = other_ttl;
	r->u.conflict.syn_ack = syn_ack;
	emit_commit(w, r);
}

static void compare_segments(struct worker *w, struct flow *flow, unsigned direction,
			     const struct packet *packet, const struct place *place)
{
	struct flow_segment *kept = flow->segment[direction];
	uint32_t hash;

	if (packet->payload_len < SEGMENT_COMPARE || flow->payloads[direction] > SEGMENT_PACKETS)
		return;
	hash = (uint32_t)hash64(&w->shared->key, packet->payload, SEGMENT_COMPARE);
	for (unsigned i = 0; i < 2; i++) {
		if (!kept[i].used || kept[i].seq != packet->tcp_seq)
			continue;
		if (kept[i].hash != hash)
			tell_conflict(w, flow, direction, packet, place, kept[i].ttl, false);
		return;
	}
	kept[0] = kept[1];
	kept[1] = (struct flow_segment){
	    .seq = packet->tcp_seq, .hash = hash, .ttl = packet->ttl, .used = 1};
}

static void tcp_handshake(struct worker *w, struct flow *flow, unsigned direction,
			  const struct packet *packet, const struct place *place, uint32_t path)
{
	struct token token;

	if (!(packet->tcp_flags & TCP_SYN))
		return;
	if (token_of_syn(packet, &w->shared->key, &token))
		tell_token(w, flow, direction, packet, place, path, &token);
	if (!(packet->tcp_flags & TCP_ACK))
		return;
	if (!(flow->flags & FLOW_SYN_ACK)) {
		flow->flags |= FLOW_SYN_ACK;
		flow->syn_ack_seq = packet->tcp_seq;
		flow->syn_ack_ttl = packet->ttl;
	} else if (flow->syn_ack_seq != packet->tcp_seq) {
		tell_conflict(w, flow, direction, packet, place, flow->syn_ack_ttl, true);
	}
}

/* ---- payload for detectors that read it ------------------------------------------------------ */

/* The magic numbers of capture files and of rpcap (pcap-savefile(5), draft-ietf-opsawg-pcapng). */
static bool begins_capture(const struct packet *packet)
{
	static const uint8_t magic[][4] = {
	    {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
	    {0x4d, 0x3c, 0xb2, 0xa1}, {0x0a, 0x0d, 0x0d, 0x0a},
	};

	for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
		if (packet->payload_len >= 4 && memcmp(packet->payload, magic[i], 4) == 0)
			return true;
	/* rpcapd listens at 2002, sFlow collectors at 6343 (sflow.org). */
	return packet->sport == 2002 || packet->dport == 2002 || packet->dport == 6343;
}

static bool begins_http_request(const struct packet *packet)
{
	static const char *const method[] = {"GET ",	"POST ",    "HEAD ",  "PUT ",
					     "DELETE ", "OPTIONS ", "PATCH ", "PROPFIND "};

	for (size_t i = 0; i < sizeof method / sizeof method[0]; i++) {
		size_t len = strlen(method[i]);

		if (packet->payload_len > len && memcmp(packet->payload, method[i], len) == 0)
			return true;
	}
	return false;
}

static bool looks_encrypted(const struct packet *packet)
{
	/* A TLS record: type 20..24, version 3.x. */
	return packet->payload_len >= 3 && packet->payload[0] >= 20 && packet->payload[0] <= 24 &&
	       packet->payload[1] == 3;
}

static bool worth_reading(const struct worker *w, struct flow *flow, unsigned direction,
			  const struct packet *packet)
{
	unsigned nth = flow->payloads[direction];

	if (nth == 1 && begins_capture(packet))
		flow->flags |= FLOW_STREAM;
	if (flow->flags & FLOW_STREAM)
		return nth <= STREAM_PACKETS;
	if (nth > SECRET_PACKETS || looks_encrypted(packet))
		return false;
	return w->decoys || begins_http_request(packet);
}

static void tell_payload(struct worker *w, const struct flow *flow, unsigned direction,
			 const struct packet *packet, const struct place *place, uint32_t path)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_PAYLOAD,
					     .phase = PHASE_FRAME,
					     .packet = packet,
					     .layer = place->layer,
					     .whole = true,
					     .flow = flow,
					     .direction = direction,
					     .segment = place->segment,
					     .domain = place->domain,
					     .path = path,
					     .app = content_label(w, flow)});
	if (r != NULL)
		emit_commit(w, r);
}

void content_packet(struct worker *w, struct flow *flow, unsigned direction,
		    const struct packet *packet, const struct place *place, uint32_t path)
{
	bool tcp = packet->proto == IPPROTO_NUM_TCP;

	if (!(packet->flags & PACKET_L4) || (!tcp && packet->proto != IPPROTO_NUM_UDP))
		return;
	if (tcp && worker_wants(w, EVENT_TOKEN))
		tcp_handshake(w, flow, direction, packet, place, path);
	if (packet->payload_wire == 0)
		return;
	if (flow->payloads[direction] < UINT8_MAX)
		flow->payloads[direction]++;
	if (flow->payloads[direction] <= TOKEN_PACKETS && worker_wants(w, EVENT_TOKEN))
		tokens(w, flow, direction, packet, place, path);
	if (tcp)
		compare_segments(w, flow, direction, packet, place);
	if (w->dpi != NULL)
		inspect(w, flow, packet, place);
	if (worker_wants(w, EVENT_PAYLOAD) && worth_reading(w, flow, direction, packet))
		tell_payload(w, flow, direction, packet, place, path);
}
