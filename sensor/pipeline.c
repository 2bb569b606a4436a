/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c - the stages that a batch of frames goes through; the file to read first.
 *
 *	decode     every frame into layers
 *	place      VLAN or VNI to segment and routing domain
 *	look up    hash every flow, prefetch its bucket, prefetch its slot, find it
 *	follow     compare the path with the known ones          (follow.c)
 *	content    first payload packets: kept, tokens             (content.c)
 *	control    ARP, ND, DHCP, DNS ... become events           (control.c)
 *	inner      what tunnels carry goes the same way            (inner.c)
 *	ledger     every frame ends attributed, or not with a reason
 *
 * Stages run over the whole batch as far as they do not depend on each other, so that memory
 * is on its way when it is needed.  A steady packet of a known flow on a known path allocates
 * nothing, locks nothing and calls no detector.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/unseen.h"
#include "worker.h"

/* What a frame may be older than the moment when its worker finds nothing to read: a block of the
 * ring is handed over after some ms, a thread that waits for a busy CPU is late by tens. */
#define IDLE_LAG_NS (200 * NS_PER_MS)
#define FLOW_ID_MASK ((UINT64_C(1) << 50) - 1) /* exact in a JSON number */

/* ---- time ------------------------------------------------------------------------------------ */

static void set_clock(struct worker *w, uint64_t now_ns)
{
	if (w->now_ns == 0)
		atomic_store_explicit(&w->first_ns, now_ns, memory_order_relaxed);
	w->now_ns = now_ns;
}

/* The frame at hand, and what is known of where it was taken. */
static inline void set_frame(struct worker *w, const struct frame *frame)
{
	w->frame = frame;
	if (!w->tap_cached || w->tap_id != frame->tap) {
		w->tap = inventory_tap(w->inv, frame->tap);
		w->tap_id = frame->tap;
		w->tap_cached = true;
	}
}

/* Another second. */
static void tick(struct worker *w)
{
	w->second = w->now_ns / NS_PER_SEC;
	if (w->index == 0)
		emit_tick(w, w->second * NS_PER_SEC);
	loss_sweep(w);
	follow_sweep(w);
}

/* ---- place ----------------------------------------------------------------------------------- */

static __attribute__((noinline)) struct place find_place(struct worker *w,
							 const struct packet *packet)
{
	struct place place = {.segment = inventory_segment_of(w->inv, packet->vlan, false, 0)};
	bool by_vlan = true;

	if (place.segment == SEGMENT_NONE && packet->tag_count > 1) {
		/* Provider tagging: the outer tag may be the one the inventory knows. */
		uint16_t outer = packet->tag[0].tci & 0x0fff;

		place.segment = inventory_segment_of(w->inv, outer, false, 0);
		by_vlan = false;
	}
	if (place.segment == SEGMENT_NONE) {
		place.scope = (uint16_t)(SCOPE_VLAN | packet->vlan);
		place.domain = inventory_domain_outside(w->inv, packet->vlan);
	} else {
		place.scope = place.segment;
		place.domain = inventory_segment(w->inv, place.segment)->domain;
	}
	if (by_vlan) {
		w->last_place = place;
		w->last_vlan = packet->vlan;
		w->place_cached = true;
	}
	return place;
}

/* Most frames are in the VLAN of those before them. */
static inline struct place place_outer(struct worker *w, const struct packet *packet)
{
	if (w->place_cached && w->last_vlan == packet->vlan &&
	    (packet->tag_count <= 1 || w->last_place.segment != SEGMENT_NONE))
		return w->last_place;
	return find_place(w, packet);
}

/* ---- ledger ---------------------------------------------------------------------------------- */

/* By which VLANs: the judge reads along. */
static void count_one(uint64_t *count)
{
	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void unattributed(struct worker *w,
						   const struct packet_stack *stack,
						   const struct place *place)
{
	const struct packet *packet = &stack->layer[0];
	struct sight_vlan *vlan = &w->vlan[packet->vlan % SIGHT_VLANS];
	enum stat reason = STAT_UNATTRIBUTED_UNMAPPED;

	switch (stack->verdict) {
	case DECODE_TRUNCATED:
		reason = STAT_UNATTRIBUTED_TRUNCATED;
		break;
	case DECODE_MALFORMED:
		reason = STAT_UNATTRIBUTED_MALFORMED;
		break;
	case DECODE_UNKNOWN_LINKTYPE:
		reason = STAT_UNATTRIBUTED_LINKTYPE;
		break;
	case DECODE_UNKNOWN_ETHERTYPE:
		reason = STAT_UNATTRIBUTED_ETHERTYPE;
		break;
	case DECODE_DEPTH:
		reason = STAT_UNATTRIBUTED_DEPTH;
		break;
	default:
		if (place->segment == SEGMENT_NONE) {
			reason = STAT_UNATTRIBUTED_SEGMENT;
			/* What switches say among themselves is in no VLAN. */
			if (!(control_events(packet) & EVENT_BIT(EVENT_L2_CONTROL)))
				count_one(&vlan->unknown);
		} else {
			count_one(&vlan->unmapped);
		}
		break;
	}
	stat_add(&w->stats, reason, 1);
}

static __attribute__((noinline)) bool has_known_nic(const struct worker *w,
						    const struct packet *packet)
{
	return (packet->flags & PACKET_MAC) &&
	       (inventory_carrier(w->inv, packet->smac).tenant != TENANT_UNKNOWN ||
		inventory_carrier(w->inv, packet->dmac).tenant != TENANT_UNKNOWN);
}

/* Summed up over a batch: a counter that others read costs more than a sum in a register. */
struct batch_sum {
	uint64_t frames, bytes, packets, attributed;
};

static inline void ledger(struct worker *w, const struct packet_stack *stack,
			  const struct place *place, uint32_t bits, struct batch_sum *sum)
{
	const struct packet *packet = &stack->layer[0];

	count_one(&w->vlan[packet->vlan % SIGHT_VLANS].frames);
	if ((bits & PATH_KNOWN) || has_known_nic(w, packet))
		sum->attributed++;
	else
		unattributed(w, stack, place);
}

/* ---- flows ----------------------------------------------------------------------------------- */

static bool is_address_assignment(const struct packet *packet)
{
	uint16_t d = packet->dport;
	uint16_t s = packet->sport;

	return packet->proto == IPPROTO_NUM_UDP && (d == 67 || d == 68 || d == 546 || d == 547) &&
	       (s == 67 || s == 68 || s == 546 || s == 547);
}

/* Of the flow that begins with this frame. */
static uint64_t flow_id(const struct worker *w, uint64_t number, uint32_t hash)
{
	return (hash_word(&w->shared->key, number) ^ (uint64_t)hash << 18) & FLOW_ID_MASK;
}

void pipeline_begin_flow(struct worker *w, struct flow *flow, const struct packet *packet,
			 uint32_t hash, unsigned direction)
{
	bool answer = packet->proto == IPPROTO_NUM_TCP &&
		      (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

	if ((direction != 0) != answer)
		flow->flags |= FLOW_FROM_B;
	flow->id = flow_id(w, w->frame->number, hash);
	flow->generation = w->generation;
	if (is_address_assignment(packet))
		flow->flags |= FLOW_NO_PATHS;
}

/* outer: the frame's first layer. */
uint32_t pipeline_flow(struct worker *w, const struct packet *packet, const struct packet *outer,
		       const struct lookup *look)
{
	unsigned direction = look->direction;
	uint32_t bits;
	bool fresh;
	bool copy;
	struct flow *flow =
	    flow_table_get(w->flows, &look->key, look->hash, look->guess, w->now_ns, &fresh);

	if (fresh)
		pipeline_begin_flow(w, flow, packet, look->hash, direction);
	copies_age(flow, w->now_ns);
	flow->last_ns = w->now_ns;
	copy = copies_happen(w) && copies_note(w, flow, direction, packet, &look->place);
	if (!copy) {
		flow->packets[direction]++;
		flow->bytes[direction] += packet->ip_len;
	}
	if (!copy && content_keeps(w, flow, packet))
		content_keep(w, flow, packet);
	bits = follow_packet(w, flow, fresh, direction, packet, &look->place);
	if (!copy)
		content_packet(w, flow, direction, packet, &look->place, bits);
	if (packet->proto == IPPROTO_NUM_TCP)
		loss_packet(w, flow, direction, packet, outer);
	return bits;
}

static __attribute__((noinline)) void tell_control(struct worker *w, uint64_t events,
						   const struct packet *packet,
						   const struct place *place)
{
	while (events != 0) {
		enum event_kind kind = (enum event_kind)__builtin_ctzll(events);
		struct record *r;

		events &= events - 1;
		r = emit_begin(w,
			       &(struct emission){
				   .kind = kind, .packet = packet, .whole = true, .place = place});
		if (r != NULL)
			emit_commit(w, r);
	}
}

void pipeline_control(struct worker *w, const struct packet *packet, const struct place *place)
{
	uint64_t events = control_events(packet) & w->shared->wants;

	if (events != 0)
		tell_control(w, events, packet, place);
}

/* A message that guards of switches do not see: whole again, it is a control frame like any
 * other.  Hosts take ND with a hop limit of 255 alone (RFC 4861 7.1), which no ping has. */
static void whole_again(struct worker *w, const struct packet *packet, const struct place *place)
{
	struct packet_stack *whole = &w->stack[PIPELINE_DEPTH];
	const struct frame *frame = w->frame;
	struct frame inner = *frame;
	struct place outside = *place;
	unsigned versions;

	if (place->layer > 0) { /* in an overlay: without what is around it */
		if (!(packet->flags & PACKET_MAC))
			return;
		inner.data = packet->l2;
		inner.caplen = packet->l2_len;
		inner.len = packet->l2_len;
		inner.linktype = LINK_ETHERNET;
		outside.layer = 0;
	}
	versions = reassembly_add(w->reassembly, &inner, packet, place->scope, w->now_ns);
	for (unsigned i = 0; i < versions; i++) {
		w->frame = reassembly_frame(w->reassembly, &inner, i);
		packet_decode(w->frame, whole);
		pipeline_control(w, &whole->layer[0], &outside);
	}
	w->frame = frame;
}

void pipeline_fragment(struct worker *w, const struct packet *packet, const struct place *place)
{
	if ((packet->flags & PACKET_FRAGMENT) && packet->l3 == L3_IPV6 && packet->ttl == 255)
		whole_again(w, packet, place);
}

/* ---- the batch ------------------------------------------------------------------------------- */

static void prepare(struct worker *w, const struct frame *frame, struct packet_stack *stack,
		    struct lookup *look)
{
	const struct packet *packet = &stack->layer[0];
	unsigned direction;

	look->has_flow = false;
	if (frame->data == NULL)
		return;
	packet_decode(frame, stack);
	look->place = place_outer(w, packet);
	look->has_flow = flow_key_of(packet, look->place.domain, &look->key, &direction);
	if (!look->has_flow)
		return;
	look->direction = (uint8_t)direction;
	look->hash = flow_hash(&w->shared->key, &look->key);
	flow_table_prefetch_bucket(w->flows, look->hash);
}

#define HEADERS 54 /* Ethernet, IPv4, TCP without options */

/* What another worker has read is in another core's cache. */
static void prefetch_headers(const struct frame *frame)
{
	uintptr_t at = (uintptr_t)frame->data; /* the end may lie beyond the frame */

	__builtin_prefetch((const void *)at);
	__builtin_prefetch((const void *)(at + HEADERS - 1));
}

/* A new flow's path will ask the inventory. */
static void prefetch_parties(const struct worker *w, const struct packet *packet,
			     const struct place *place)
{
	inventory_prefetch_mac(w->inv, packet->smac);
	inventory_prefetch_mac(w->inv, packet->dmac);
	inventory_prefetch_ip(w->inv, place->domain, &packet->src);
	inventory_prefetch_ip(w->inv, place->domain, &packet->dst);
}

static inline __attribute__((always_inline)) void handle_frame(struct worker *w,
							       const struct packet_stack *stack,
							       const struct lookup *look,
							       struct batch_sum *sum)
{
	const struct packet *packet = &stack->layer[0];
	uint32_t bits = 0;

	if (look->has_flow)
		bits = pipeline_flow(w, packet, packet, look);
	else
		follow_macs(w, packet, &look->place); /* no flow, but its NICs count all the same */
	if (control_maybe(packet))
		pipeline_control(w, packet, &look->place);
	if (packet->flags & PACKET_FRAGMENT)
		pipeline_fragment(w, packet, &look->place);
	if (stack->count > 1)
		inner_layers(w, stack, &look->place);
	ledger(w, stack, &look->place, bits, sum);
}

/* Flows cost what the inventory did not meanwhile. */
static __attribute__((noinline)) void handle_profiled(struct worker *w,
						      const struct packet_stack *stack,
						      const struct lookup *look,
						      struct batch_sum *sum)
{
	uint64_t begin = profile_begin(w);
	uint64_t inner = stat_get(&w->stats, STAT_CYCLES_TENANT);

	handle_frame(w, stack, look, sum);
	inner = stat_get(&w->stats, STAT_CYCLES_TENANT) - inner;
	profile_end(w, STAT_CYCLES_FLOW, begin + inner);
}

static inline void count_frame(struct worker *w, const struct packet_stack *stack,
			       const struct frame *frame, struct batch_sum *sum)
{
	sum->frames++;
	sum->bytes += frame->len;
	sum->packets += stack->count;
	if (frame->caplen < frame->len)
		stat_add(&w->stats, STAT_TRUNCATED_FRAMES, 1);
	if (stack->count > 1)
		stat_add(&w->stats, STAT_TUNNELLED, 1);
	if (stack->layer[0].flags & PACKET_FRAGMENT)
		stat_add(&w->stats, STAT_FRAGMENTS, 1);
}

static void count_batch(struct worker *w, const struct batch_sum *sum)
{
	stat_add(&w->stats, STAT_FRAMES, sum->frames);
	stat_add(&w->stats, STAT_BYTES, sum->bytes);
	stat_add(&w->stats, STAT_PACKETS, sum->packets);
	stat_add(&w->stats, STAT_ATTRIBUTED, sum->attributed);
	stat_set(&w->stats, STAT_FLOWS_OPEN, flow_table_used(w->flows));
}

/* The flow, which is not in the cache yet. */
static inline void fetch_flow(struct worker *w, const struct frame *frame,
			      const struct packet *packet, struct lookup *look)
{
	look->guess = NULL;
	if (!look->has_flow)
		return;
	look->guess =
	    flow_table_prefetch_slot(w->flows, look->hash, packet->proto == IPPROTO_NUM_TCP);
	if (look->guess != NULL)
		return;
	prefetch_parties(w, packet, &look->place);
	if (w->openings != NULL && packet->payload_wire != 0)
		openings_prefetch(w->openings, flow_id(w, frame->number, look->hash));
}

/* What the flow leads to: its first packet this way will ask the inventory, too, and an early one
 * will be kept. */
static inline void fetch_further(const struct worker *w, const struct packet *packet,
				 const struct lookup *look)
{
	if (!look->has_flow || look->guess == NULL)
		return;
	if (look->guess->paths_seen[look->direction] == 0)
		prefetch_parties(w, packet, &look->place);
	if (content_keeps(w, look->guess, packet))
		openings_prefetch(w->openings, look->guess->id);
}

/* A frame is fetched some frames before it is decoded, that before its flow's slot is fetched, and
 * that before what the flow leads to and before it is handled: about what memory takes, and little
 * enough to stay in the first cache. */
#define HEADERS_AHEAD 8
#define FLOW_BEHIND 8
#define FURTHER_BEHIND 12
#define HANDLE_BEHIND 16

_Static_assert(PIPELINE_DEPTH > HANDLE_BEHIND && (PIPELINE_DEPTH & (PIPELINE_DEPTH - 1)) == 0,
	       "a frame keeps its place until it is handled");

static inline void begin_frame(struct worker *w, const struct portion *portion, unsigned at,
			       struct lookup *look)
{
	uint64_t begin = profile_begin(w);

	if (portion->remote && at + HEADERS_AHEAD < portion->count)
		prefetch_headers(&portion->frame[at + HEADERS_AHEAD]);
	prepare(w, &portion->frame[at], &w->stack[at % PIPELINE_DEPTH], look);
	profile_end(w, STAT_CYCLES_DECODE, begin);
}

static inline void end_frame(struct worker *w, const struct portion *portion, unsigned at,
			     const struct lookup *look, struct batch_sum *sum)
{
	const struct packet_stack *stack = &w->stack[at % PIPELINE_DEPTH];

	set_clock(w, portion->now_ns[at]);
	set_frame(w, &portion->frame[at]);
	if (w->now_ns - w->second * NS_PER_SEC >= NS_PER_SEC) {
		count_batch(w, sum);
		*sum = (struct batch_sum){0};
		tick(w);
	}
	if (w->frame->data == NULL)
		return;
	count_frame(w, stack, w->frame, sum);
	if (w->profile)
		handle_profiled(w, stack, look, sum);
	else
		handle_frame(w, stack, look, sum);
}

void pipeline_batch(struct worker *w, const struct portion *portion)
{
	/* prepare() fills it */
	struct lookup look[PIPELINE_DEPTH] __attribute__((uninitialized));
	struct batch_sum sum = {0};

	for (unsigned i = 0; portion->remote && i < HEADERS_AHEAD && i < portion->count; i++)
		prefetch_headers(&portion->frame[i]);
	for (unsigned i = 0; i < portion->count + HANDLE_BEHIND; i++) {
		unsigned at = i - FLOW_BEHIND; /* before the first one far beyond the last */

		if (i < portion->count)
			begin_frame(w, portion, i, &look[i % PIPELINE_DEPTH]);
		if (at < portion->count)
			fetch_flow(w, &portion->frame[at], &w->stack[at % PIPELINE_DEPTH].layer[0],
				   &look[at % PIPELINE_DEPTH]);
		at = i - FURTHER_BEHIND;
		if (at < portion->count)
			fetch_further(w, &w->stack[at % PIPELINE_DEPTH].layer[0],
				      &look[at % PIPELINE_DEPTH]);
		at = i - HANDLE_BEHIND;
		if (at < portion->count)
			end_frame(w, portion, at, &look[at % PIPELINE_DEPTH], &sum);
	}
	count_batch(w, &sum);
}

/* Without frames the wall clock goes on, behind what may still lie in an open block of the ring:
 * else its frames would come late, which looks like a clock that went back. */
void pipeline_idle(struct worker *w, uint64_t wall_ns)
{
	if (wall_ns <= w->now_ns + IDLE_LAG_NS)
		return;
	wall_ns -= IDLE_LAG_NS;
	set_clock(w, wall_ns);
	w->time.now_ns = wall_ns;
	w->frame = NULL;
	if (w->now_ns / NS_PER_SEC != w->second)
		tick(w);
}

/* Four packets one way without an answer are no scan and no refused connection: an answer was not
 * shown.  What leaves one port is one-way by nature. */
#define ONE_WAY_PACKETS 4

static void count_directions(struct worker *w, const struct flow *flow)
{
	const struct tap *tap;
	unsigned d = flow->packets[0] == 0;

	if (flow->key.proto != IPPROTO_NUM_TCP || flow->packets[d] < ONE_WAY_PACKETS)
		return;
	/* Inside a tunnel: one direction each, and other things are counted (tell_tunnel()). */
	if ((flow->key.domain & (DOMAIN_UNKNOWN | DOMAIN_TUNNELLED)) == DOMAIN_TUNNELLED)
		return;
	tap = inventory_tap(w->inv, flow->path[d][0].tap);
	if (tap == NULL || tap->view == VIEW_PORT)
		return;
	stat_add(&w->stats, STAT_FLOWS_TCP, 1);
	if (flow->packets[!d] == 0)
		stat_add(&w->stats, STAT_FLOWS_ONE_WAY, 1);
}

void pipeline_flow_gone(void *context, struct flow *flow)
{
	struct worker *w = context;

	count_directions(w, flow);
	unseen_flow_gone(w->unseen, flow);
	if (flow->watch != 0)
		watch_close(w->watches, watch_at(w->watches, flow->watch - 1));
}

void pipeline_watch_gone(void *context, struct watch *watch)
{
	follow_watch_gone(context, watch);
}

void pipeline_finish(struct worker *w)
{
	w->frame = NULL;
	flow_table_end_all(w->flows);
	loss_tell(w);
}
