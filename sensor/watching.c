/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watching.c - a flow with a strange path: its packets are counted, known again on the other leg,
 * and told of one by one at first, summed up later.
 */
#include "watching.h"

#include <stdlib.h>
#include <string.h>

/* The first of each are told one by one, so that thresholds see them in time; later ones are
 * summed up once a second. */
#define TELL_FIRST 10
#define TELL_EVERY NS_PER_SEC
#define SWEEP_MAX 256
/* Packets of a strange path that are looked for with other addresses: a relay may begin in the
 * middle of a conversation. */
#define YOUNG_PACKETS 32
/* Answers of one conversation, by who was not asked, that are told. */
#define STRAYS 3

/* Did packets of the same direction come by another NIC, one that may send them? */
static bool comes_rightfully(const struct flow *flow, const struct watch_path *path)
{
	for (unsigned i = 0; i < FLOW_PATHS; i++) {
		const struct path_key *other = &flow->path[path->direction][i];

		if (!path_key_is_zero(other) && !mac_equal(other->smac, path->key.smac) &&
		    !(flow->verdict[path->direction][i] & (PATH_IN | PATH_OUT)))
			return true;
	}
	return false;
}

/* What a path had since it was last told of; to be filled and committed, or NULL. */
static struct record *begin_counts(struct worker *w, enum event_kind kind, const struct flow *flow,
				   const struct watch_path *path, const struct packet *packet,
				   const struct place *place, bool frameless)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = kind,
					     .packet = packet,
					     .flow = flow,
					     .direction = path->direction,
					     .place = place,
					     .path = path->bits,
					     .frameless = frameless});
	if (r == NULL)
		return NULL;
	r->has_mac = true;
	r->smac = path->key.smac;
	r->dmac = path->key.dmac;
	r->tap = path->key.tap;
	return r;
}

static void tell_path(struct worker *w, const struct flow *flow, const struct watch_path *path,
		      const struct packet *packet, const struct place *place, bool frameless)
{
	struct record *r = begin_counts(w, EVENT_PATH, flow, path, packet, place, frameless);

	if (r == NULL)
		return;
	r->u.path.packets = path->packets - path->told_packets;
	r->u.path.bytes = path->bytes - path->told_bytes;
	r->u.path.answered = flow->packets[!path->direction] != 0;
	r->u.path.rightful = comes_rightfully(flow, path);
	emit_commit(w, r);
}

static void tell_exposed(struct worker *w, const struct flow *flow, const struct watch_path *path,
			 const struct packet *packet, const struct place *place, bool frameless)
{
	struct record *r = begin_counts(w, EVENT_EXPOSED, flow, path, packet, place, frameless);

	if (r == NULL)
		return;
	r->u.exposed.packets = path->packets - path->told_packets;
	r->u.exposed.bytes = path->bytes - path->told_bytes;
	r->u.exposed.both_directions = flow->packets[!path->direction] != 0;
	emit_commit(w, r);
}

void watching_odd(struct worker *w, enum event_kind kind, const struct flow *flow,
		  unsigned direction, const struct packet *packet, const struct place *place)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = kind,
					     .packet = packet,
					     .whole = true,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r == NULL)
		return;
	if (kind == EVENT_STRAY)
		r->u.stray.asked = flow->path[!direction][0].dmac;
	emit_commit(w, r);
}

/* Does a path hang together with another of its direction, so that a relay is possible? */
bool watching_chained(const struct flow *flow, unsigned direction, const struct path_key *key,
		      uint32_t bits)
{
	for (unsigned i = 0; i < FLOW_PATHS; i++) {
		const struct path_key *other = &flow->path[direction][i];
		uint32_t other_bits = flow->verdict[direction][i];

		if (path_key_is_zero(other))
			continue;
		if (mac_equal(other->dmac, key->smac) && (other_bits & PATH_IN) &&
		    (bits & PATH_OUT))
			return true;
		if (mac_equal(other->smac, key->dmac) && (other_bits & PATH_OUT) &&
		    (bits & PATH_IN))
			return true;
		if (mac_equal(other->smac, key->smac) && mac_equal(other->dmac, key->dmac) &&
		    other->scope != key->scope && other->tap == key->tap &&
		    !mac_is_group(key->dmac))
			return true;
	}
	return false;
}

static struct watch_path watch_path_of(const struct worker *w, unsigned direction,
				       const struct path_key *key, uint32_t bits)
{
	return (struct watch_path){.key = *key,
				   .bits = bits,
				   .direction = (uint8_t)direction,
				   .from = inventory_carrier(w->inv, key->smac).tenant,
				   .to = inventory_carrier(w->inv, key->dmac).tenant};
}

struct watch *watching_start(struct worker *w, struct flow *flow)
{
	struct watch *watch = watch_open(w->watches, flow_table_slot(w->flows, flow), w->now_ns);
	struct watch_path left;

	flow->watch = watch_slot(w->watches, watch) + 1;
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < FLOW_PATHS; i++) {
			struct watch_path path =
			    watch_path_of(w, d, &flow->path[d][i], flow->verdict[d][i]);

			if (!path_key_is_zero(&flow->path[d][i]))
				(void)watch_path_add(w->watches, watch, &path, &left);
		}
	return watch;
}

static void tell_relayed(struct worker *w, const struct flow *flow, const struct watch_match *m,
			 const struct packet *packet, const struct place *place)
{
	struct watch_path *out = m->out;
	struct frame_sample *current;
	struct record *r;
	struct emission e = {.kind = EVENT_RELAYED,
			     .packet = packet,
			     .flow = flow,
			     .direction = out->direction,
			     .place = place,
			     .path = out->bits};
	uint8_t room[sizeof(struct frame_sample) + 512] __attribute__((aligned(8)));

	if (m->in_is_late && m->sample != NULL) {
		/* The frame at hand is the in-leg: hand the two over the right way round. */
		uint32_t keep = w->frame->caplen < 512 ? w->frame->caplen : 512;

		current = (struct frame_sample *)(void *)room;
		*current = (struct frame_sample){.number = w->frame->number,
						 .ts_ns = w->now_ns,
						 .caplen = keep,
						 .len = w->frame->len,
						 .linktype = w->frame->linktype};
		memcpy(current->data, w->frame->data, keep);
		e.sample = m->sample;
		e.other = current;
	} else {
		e.other = m->sample;
	}
	r = emit_begin(w, &e);
	if (r == NULL)
		return;
	r->smac = out->key.smac;
	r->dmac = out->key.dmac;
	r->u.relayed.in_smac = m->in->key.smac;
	r->u.relayed.in_dmac = m->in->key.dmac;
	r->u.relayed.in_bits = m->in->bits;
	r->u.relayed.in_segment = m->in->segment;
	r->u.relayed.in_vlan_count = m->in->vlan_count;
	memcpy(r->u.relayed.in_vlan, m->in->vlan, sizeof m->in->vlan);
	r->u.relayed.delay_ns = m->in_is_late ? 0 : w->now_ns - m->first_ns;
	r->u.relayed.ttl_delta = m->ttl_delta;
	r->u.relayed.packets = out->relayed - out->told_relayed;
	r->u.relayed.bytes = out->relayed_bytes - out->told_relayed_bytes;
	r->u.relayed.bridged = m->bridged;
	r->u.relayed.answered = flow->packets[!out->direction] != 0;
	out->told_relayed = out->relayed;
	out->told_relayed_bytes = out->relayed_bytes;
	out->told_relay_ns = w->now_ns;
	emit_commit(w, r);
}

static void tell_counts(struct worker *w, const struct flow *flow, struct watch_path *path,
			const struct packet *packet, const struct place *place, bool frameless)
{
	if (path->packets == path->told_packets)
		return;
	if (path->bits & PATH_EXPOSED)
		tell_exposed(w, flow, path, packet, place, frameless);
	if (path->bits & (PATH_TO_STRANGER | PATH_FROM_STRANGER))
		tell_path(w, flow, path, packet, place, frameless);
	path->told_packets = path->packets;
	path->told_bytes = path->bytes;
	path->told_ns = w->now_ns;
}

static void note_place(struct watch_path *path, const struct packet *packet,
		       const struct place *place)
{
	if (path->packets != 0)
		return;
	path->segment = place->segment;
	for (unsigned i = 0; i < packet->tag_count; i++)
		if ((packet->tag[i].tci & 0x0fff) != 0)
			path->vlan[path->vlan_count++] = packet->tag[i].tci & 0x0fff;
}

static struct watch_path *new_path(struct worker *w, const struct flow *flow, struct watch *watch,
				   unsigned direction, const struct path_key *key, uint32_t bits)
{
	struct watch_path path = watch_path_of(w, direction, key, bits);
	struct watch_path left;
	struct watch_path *added = watch_path_add(w->watches, watch, &path, &left);
	struct place place = {.segment = left.segment, .domain = flow->key.domain};

	if (left.packets != 0)
		tell_counts(w, flow, &left, NULL, &place, true);
	return added;
}

/* One conversation may be answered again and again, as echoes are. */
static void answer_again(struct worker *w, const struct flow *flow, unsigned direction,
			 const struct packet *packet, const struct place *place)
{
	struct path_parties p = {.from = inventory_carrier(w->inv, packet->smac)};

	if (p.from.tenant < TENANT_FIRST)
		return;
	p.src = inventory_owner(w->inv, place->domain, &packet->src);
	if (answer_is_unasked(w, flow, direction, &p, packet))
		watching_odd(w, EVENT_STRAY, flow, direction, packet, place);
}

/* Returns whether the path is young. */
bool watching_packet(struct worker *w, struct flow *flow, struct watch *watch, unsigned direction,
		     const struct path_key *key, uint32_t bits, const struct packet *packet,
		     const struct place *place)
{
	struct watch_path *path = watch_path_find(watch, direction, key);
	struct watch_match match;

	if (path == NULL)
		path = new_path(w, flow, watch, direction, key, bits);
	watch_touch(w->watches, watch, w->now_ns);
	note_place(path, packet, place);
	path->packets++;
	path->bytes += packet->ip_len;
	/* judge_path() told of the first. */
	if (path->packets > 1 && path->packets <= STRAYS && worker_wants(w, EVENT_STRAY))
		answer_again(w, flow, direction, packet, place);
	if (path->packets <= TELL_FIRST || w->now_ns - path->told_ns >= TELL_EVERY)
		tell_counts(w, flow, path, packet, place, false);
	if (shed_match(w, packet)) {
		stat_add(&w->stats, STAT_MATCHES_SHED, 1);
		return path->packets <= YOUNG_PACKETS;
	}
	if (!watch_packet(w->watches, watch, path, packet, w->frame, w->now_ns, &match))
		return path->packets <= YOUNG_PACKETS;
	stat_add(&w->stats, STAT_RELAY_MATCHES, 1);
	if (watch->relays < UINT8_MAX)
		watch->relays++;
	match.out->relayed++;
	match.out->relayed_bytes += packet->ip_len;
	if (match.out->relayed <= TELL_FIRST || w->now_ns - match.out->told_relay_ns >= TELL_EVERY)
		tell_relayed(w, flow, &match, packet, place);
	return path->packets <= YOUNG_PACKETS;
}

/* A dynamic address: the worker cannot know, the judge has the leases. */
void watching_undecided(struct worker *w, const struct flow *flow, unsigned direction,
			const struct path_key *key, uint32_t bits, const struct packet *packet,
			const struct place *place)
{
	struct watch_path path = {.key = *key,
				  .bits = bits,
				  .direction = (uint8_t)direction,
				  .packets = 1,
				  .bytes = packet->ip_len};

	if (worker_wants(w, EVENT_PATH))
		tell_path(w, flow, &path, packet, place, false);
}

/* ---- ends ------------------------------------------------------------------------------------ */

void follow_watch_gone(struct worker *w, struct watch *watch)
{
	struct flow *flow = flow_table_at(w->flows, watch->flow);
	struct place place = {.domain = flow->key.domain};
	struct record *r;

	for (unsigned i = 0; i < watch->path_count; i++) {
		place.segment = watch->path[i].segment;
		tell_counts(w, flow, &watch->path[i], NULL, &place, true);
	}
	flow->watch = 0;
	if (!worker_wants(w, EVENT_FLOW_END))
		return;
	place.segment = watch->path[0].segment;
	r = emit_begin(
	    w, &(struct emission){
		   .kind = EVENT_FLOW_END, .place = &place, .flow = flow, .frameless = true});
	if (r == NULL)
		return;
	for (unsigned d = 0; d < 2; d++) {
		r->u.flow_end.packets[d] = flow->packets[d];
		r->u.flow_end.bytes[d] = flow->bytes[d];
	}
	r->u.flow_end.first_ns = flow->first_ns;
	r->u.flow_end.last_ns = flow->last_ns;
	emit_commit(w, r);
}

struct ending {
	uint64_t flow_id;
	struct watch *watch;
};

static int by_flow_id(const void *a, const void *b)
{
	const struct ending *x = a;
	const struct ending *y = b;

	return x->flow_id < y->flow_id ? -1 : x->flow_id > y->flow_id;
}

/* Ends watches whose flow fell silent; in the order of flow ids, which does not depend on how
 * flows are spread over workers. */
void follow_sweep(struct worker *w)
{
	uint64_t idle = w->shared->options->windows.flow_idle;
	struct ending ending[SWEEP_MAX];
	struct watch *watch = watch_oldest(w->watches);
	size_t count = 0;

	while (watch != NULL && count < SWEEP_MAX && w->now_ns - watch->last_ns > idle) {
		ending[count++] = (struct ending){
		    .flow_id = flow_table_at(w->flows, watch->flow)->id, .watch = watch};
		watch = watch->newer != 0 ? watch_at(w->watches, watch->newer - 1) : NULL;
	}
	qsort(ending, count, sizeof ending[0], by_flow_id);
	for (size_t i = 0; i < count; i++)
		watch_close(w->watches, ending[i].watch);
}
