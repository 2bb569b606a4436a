/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c - a packet in its flow: is its path known, is it strange, was it seen before?
 *
 *	known path, ordinary  ->  done                    (almost every packet)
 *	new path              ->  path_judge(), once      (the inventory is asked)
 *	strange path          ->  a watch (watching.c)
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/word.h"
#include "watching.h"

/* New unknown MACs told of in a second of packet time: ten times what makes a flood of them. */
#define MACS_A_SECOND 1000

/*
 * A path's key as two words.  They are compared in registers: a key that is put together in memory
 * piece by piece has to leave the store buffer first, which every packet would wait for.
 */
struct path_words {
	uint64_t word[2];
};

static inline struct path_words path_words_of(const struct packet *packet,
					      const struct place *place, uint16_t tap)
{
	typedef uint16_t halves __attribute__((vector_size(8)));
	const uint8_t *macs = (const uint8_t *)packet + offsetof(struct packet, smac);
	halves rest = {0, 0, place->scope, tap};
	struct path_words words;
	uint32_t tail;

	_Static_assert(offsetof(struct packet, dmac) == offsetof(struct packet, smac) + 6 &&
			   offsetof(struct path_key, scope) == 12,
		       "one behind the other, as in the key");
	memcpy(&words.word[0], macs, sizeof words.word[0]);
	memcpy(&tail, macs + sizeof words.word[0], sizeof tail);
	memcpy(&words.word[1], &rest, sizeof rest);
	words.word[1] |= __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? tail : (uint64_t)tail << 32;
	return words;
}

static inline bool is_path(const struct path_key *key, const struct path_words *words)
{
	return ((word_at(key, 0) ^ words->word[0]) | (word_at(key, 8) ^ words->word[1])) == 0;
}

/* ---- new paths ------------------------------------------------------------------------------ */

static void tell_new_mac(struct worker *w, const struct packet *packet, const struct place *place)
{
	uint64_t mac = mac_to_u64(packet->smac) | (uint64_t)place->scope << 48;
	uint64_t *known = &w->mac_filter[hash_word(&w->shared->key, mac) % MAC_FILTER];
	struct record *r;

	if (*known == mac || !worker_wants(w, EVENT_NEW_MAC))
		return;
	*known = mac;
	if (w->mac_second != w->second) {
		w->mac_second = w->second;
		w->macs_told = 0;
	}
	if (++w->macs_told > MACS_A_SECOND)
		return;
	r = emit_begin(w,
		       &(struct emission){
			   .kind = EVENT_NEW_MAC, .packet = packet, .whole = true, .place = place});
	if (r != NULL)
		emit_commit(w, r);
}

static bool outside_its_segments(const struct worker *w, const struct packet *packet,
				 const struct place *place, const struct carrier *from)
{
	if (from->tenant < TENANT_FIRST)
		return false;
	if (packet->tag_count > 1)
		return true;
	if (place->segment == SEGMENT_NONE)
		return packet->vlan != 0;
	return !inventory_tenant_in_segment(w->inv, from->tenant, place->segment);
}

static void tell_segment(struct worker *w, const struct packet *packet, const struct place *place)
{
	struct record *r;

	if (!worker_wants(w, EVENT_SEGMENT))
		return;
	r = emit_begin(w,
		       &(struct emission){
			   .kind = EVENT_SEGMENT, .packet = packet, .whole = true, .place = place});
	if (r != NULL)
		emit_commit(w, r);
}

static void tell_flow(struct worker *w, const struct flow *flow, unsigned direction,
		      const struct packet *packet, const struct place *place,
		      const struct path_parties *parties)
{
	struct record *r;

	r = emit_begin(w, &(struct emission){.kind = EVENT_FLOW,
					     .packet = packet,
					     .flow = flow,
					     .direction = direction,
					     .place = place});
	if (r == NULL)
		return;
	r->u.flow.parties = *parties;
	r->u.flow.generation = w->generation;
	emit_commit(w, r);
}

/* A switch sends no frame back by the port where its sender is. */
static bool at_its_own_port(const struct worker *w, const struct carrier *from)
{
	const struct tap *tap = worker_tap(w);

	return tap->view == VIEW_PORT && from->host != HOST_NONE && from->host == tap->host;
}

struct findings_of_path {
	uint32_t bits;
	bool watched; /* strange enough to be followed from its first packet on */
	bool dynamic; /* a lease, which the judge knows, may decide */
};

/* Is a tenant's packet at a NIC that may have a right to it?  With a dynamic address at the NIC's
 * own end that is what every client's packets look like. */
static bool maybe_strange(uint32_t bits, const struct path_parties *p)
{
	if (p->src.tenant < TENANT_FIRST && p->dst.tenant < TENANT_FIRST)
		return false;
	return (bits & (PATH_TO_MAYBE | PATH_FROM_MAYBE)) != 0 &&
	       !((bits & PATH_FROM_MAYBE) && p->src.kind == OWNER_DYNAMIC) &&
	       !((bits & PATH_TO_MAYBE) && p->dst.kind == OWNER_DYNAMIC);
}

/* Asks the inventory about a path that was not seen before (or before a reload). */
static struct findings_of_path judge_path(struct worker *w, struct flow *flow, bool fresh,
					  unsigned direction, const struct packet *packet,
					  const struct place *place)
{
	struct path_parties p = {
	    .src = inventory_owner(w->inv, place->domain, &packet->src),
	    .dst = inventory_owner(w->inv, place->domain, &packet->dst),
	    .from = inventory_carrier(w->inv, packet->smac),
	    .to = inventory_carrier(w->inv, packet->dmac),
	    /* Without a link header's destination (SLL) it may have been for everybody. */
	    .to_group = mac_is_group(packet->dmac) || !(packet->flags & PACKET_MAC),
	};
	struct findings_of_path found = {0};

	stat_add(&w->stats, STAT_PATHS_NEW, 1);
	found.bits = path_judge(w->inv, worker_tap(w), &p, &packet->src, &packet->dst);
	if (flow->flags & FLOW_NO_PATHS)
		found.bits &= PATH_KNOWN | PATH_EXPOSED;
	if ((found.bits & PATH_FROM_STRANGER) &&
	    answer_is_from_home(w, flow, direction, &p, packet))
		found.bits ^= PATH_FROM_STRANGER | PATH_FROM_MAYBE;
	found.dynamic = (found.bits & (PATH_TO_MAYBE | PATH_FROM_MAYBE)) != 0 &&
			(p.src.kind == OWNER_DYNAMIC || p.dst.kind == OWNER_DYNAMIC);
	found.watched = (found.bits & PATH_STRANGE) != 0 || maybe_strange(found.bits, &p);
	if (p.from.tenant == TENANT_UNKNOWN && !mac_is_group(packet->smac))
		tell_new_mac(w, packet, place);
	if (outside_its_segments(w, packet, place, &p.from))
		tell_segment(w, packet, place);
	if (((p.from.tenant == TENANT_INFRASTRUCTURE && p.to.tenant >= TENANT_FIRST &&
	      (ip_equal(&packet->src, &packet->dst) || p.src.tenant == p.to.tenant)) ||
	     at_its_own_port(w, &p.from)) &&
	    worker_wants(w, EVENT_RETURNED))
		watching_odd(w, EVENT_RETURNED, flow, direction, packet, place);
	if (answer_is_unasked(w, flow, direction, &p, packet) && worker_wants(w, EVENT_STRAY))
		watching_odd(w, EVENT_STRAY, flow, direction, packet, place);
	if (fresh && (p.src.tenant >= TENANT_FIRST || p.dst.tenant >= TENANT_FIRST) &&
	    worker_wants(w, EVENT_FLOW))
		tell_flow(w, flow, direction, packet, place, &p);
	return found;
}

void follow_macs(struct worker *w, const struct packet *packet, const struct place *place)
{
	struct carrier from;

	if (!(packet->flags & PACKET_MAC) || mac_is_group(packet->smac))
		return;
	from = inventory_carrier(w->inv, packet->smac);
	if (from.tenant == TENANT_UNKNOWN)
		tell_new_mac(w, packet, place);
	else if (outside_its_segments(w, packet, place, &from))
		tell_segment(w, packet, place);
}

static void remember(struct flow *flow, unsigned direction, const struct path_key *key,
		     uint32_t bits)
{
	unsigned at = 0;

	while (at + 1 < FLOW_PATHS && !path_key_is_zero(&flow->path[direction][at]))
		at++;
	if (!path_key_is_zero(&flow->path[direction][at]))
		conflict_forget_path(flow, direction, at);
	flow->path[direction][at] = *key;
	flow->verdict[direction][at] = (uint8_t)bits;
	if (flow->paths_seen[direction] < UINT8_MAX)
		flow->paths_seen[direction]++;
}

/* A reload happened: verdicts are those of another inventory. */
static void forget_verdicts(struct worker *w, struct flow *flow)
{
	if (flow->watch != 0)
		watch_close(w->watches, watch_at(w->watches, flow->watch - 1));
	for (unsigned i = 0; i < 2 * FLOW_PATHS; i++)
		conflict_forget_path(flow, i % 2, i / 2);
	memset(flow->path, 0, sizeof flow->path);
	memset(flow->verdict, 0, sizeof flow->verdict);
	memset(flow->paths_seen, 0, sizeof flow->paths_seen);
	flow->generation = w->generation;
}

/* By the verdict on a path that is known; -1: it is new. */
static inline int known_verdict(const struct flow *flow, unsigned direction,
				const struct path_words *words)
{
	for (unsigned i = 0; i < FLOW_PATHS; i++)
		if (is_path(&flow->path[direction][i], words))
			return flow->verdict[direction][i];
	return -1;
}

static __attribute__((noinline)) uint32_t follow_new(struct worker *w, struct flow *flow,
						     bool fresh, unsigned direction,
						     const struct path_key *key,
						     const struct packet *packet,
						     const struct place *place)
{
	uint64_t begin = profile_begin(w);
	struct findings_of_path judged = judge_path(w, flow, fresh, direction, packet, place);

	profile_end(w, STAT_CYCLES_TENANT, begin);
	if (flow->watch == 0 &&
	    (judged.watched || watching_chained(flow, direction, key, judged.bits)))
		(void)watching_start(w, flow);
	if (judged.dynamic && flow->watch == 0)
		watching_undecided(w, flow, direction, key, judged.bits, packet, place);
	remember(flow, direction, key, judged.bits);
	return judged.bits;
}

/* What is not over with a known path. */
static __attribute__((noinline)) uint32_t follow_closely(struct worker *w, struct flow *flow,
							 bool fresh, unsigned direction,
							 const struct packet *packet,
							 const struct place *place)
{
	const struct path_words words = path_words_of(packet, place, w->frame->tap);
	struct path_key key;
	struct watch *watch;
	uint32_t bits;
	int known;

	if (flow->generation != w->generation)
		forget_verdicts(w, flow);
	known = known_verdict(flow, direction, &words);
	memcpy(&key, &words, sizeof key);
	bits = known >= 0 ? (uint32_t)known
			  : follow_new(w, flow, fresh, direction, &key, packet, place);
	if (flow->watch != 0) {
		watch = watch_at(w->watches, flow->watch - 1);
		if (watching_packet(w, flow, watch, direction, &key, bits, packet, place))
			bits |= PATH_YOUNG;
	}
	return bits;
}

uint32_t follow_packet(struct worker *w, struct flow *flow, bool fresh, unsigned direction,
		       const struct packet *packet, const struct place *place)
{
	if (flow->generation == w->generation && flow->watch == 0) { /* almost always */
		const struct path_words words = path_words_of(packet, place, w->frame->tap);
		int known = known_verdict(flow, direction, &words);

		if (known >= 0)
			return (uint32_t)known;
	}
	return follow_closely(w, flow, fresh, direction, packet, place);
}
