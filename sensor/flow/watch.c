/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - see watch.h. */
#include "flow/watch.h"

#include <stdlib.h>
#include <string.h>

#include "bulkhead/clock.h"

/* Frame samples kept for the first leg of a match; at a relay's delay of milliseconds this many
 * are seconds of a busy relayed flow. */
#define SAMPLES 8192
/* Eviction prefers watches without a relay among this many of the oldest. */
#define EVICT_CANDIDATES 8

struct watch_table {
	struct watch *watch;
	uint32_t capacity;
	uint32_t fresh;
	uint32_t free_list;	 /* slot + 1, chained by newer */
	uint32_t newest, oldest; /* slot + 1 */
	uint64_t window_ns;
	uint64_t serial;
	size_t sample_size;
	uint32_t snap;
	unsigned char *samples;
	watch_gone *gone;
	void *context;
	struct stats *stats;
};

struct watch_table *watch_table_new(uint32_t capacity, uint32_t snap, uint64_t window_ns,
				    watch_gone *gone, void *context, struct stats *stats)
{
	struct watch_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->capacity = capacity;
	t->snap = snap;
	t->window_ns = window_ns;
	t->gone = gone;
	t->context = context;
	t->stats = stats;
	t->sample_size = (sizeof(struct frame_sample) + snap + 15) / 16 * 16;
	t->watch = calloc(capacity, sizeof *t->watch);
	t->samples = calloc(SAMPLES, t->sample_size);
	if (t->watch == NULL || t->samples == NULL) {
		watch_table_free(t);
		return NULL;
	}
	return t;
}

void watch_table_free(struct watch_table *t)
{
	if (t == NULL)
		return;
	free(t->watch);
	free(t->samples);
	free(t);
}

static void unlink_watch(struct watch_table *t, struct watch *w)
{
	if (w->newer != 0)
		t->watch[w->newer - 1].older = w->older;
	else
		t->newest = w->older;
	if (w->older != 0)
		t->watch[w->older - 1].newer = w->newer;
	else
		t->oldest = w->newer;
	w->newer = 0;
	w->older = 0;
}

static void link_newest(struct watch_table *t, struct watch *w)
{
	uint32_t slot = watch_slot(t, w) + 1;

	w->older = t->newest;
	w->newer = 0;
	if (t->newest != 0)
		t->watch[t->newest - 1].newer = slot;
	else
		t->oldest = slot;
	t->newest = slot;
}

void watch_touch(struct watch_table *t, struct watch *w, uint64_t now_ns)
{
	w->last_ns = now_ns;
	if (t->newest == watch_slot(t, w) + 1)
		return;
	unlink_watch(t, w);
	link_newest(t, w);
}

void watch_close(struct watch_table *t, struct watch *w)
{
	t->gone(t->context, w);
	unlink_watch(t, w);
	w->used = 0;
	w->newer = t->free_list;
	t->free_list = watch_slot(t, w) + 1;
}

static void evict(struct watch_table *t)
{
	struct watch *victim = &t->watch[t->oldest - 1];
	struct watch *w = victim;

	for (unsigned i = 0; i < EVICT_CANDIDATES && victim->relays != 0 && w->newer != 0; i++) {
		w = &t->watch[w->newer - 1];
		if (w->relays == 0)
			victim = w;
	}
	stat_add(t->stats, STAT_WATCH_FULL, 1);
	watch_close(t, victim);
}

struct watch *watch_open(struct watch_table *t, uint32_t flow_slot, uint64_t now_ns)
{
	struct watch *w;

	if (t->free_list == 0 && t->fresh == t->capacity)
		evict(t);
	if (t->free_list != 0) {
		w = &t->watch[t->free_list - 1];
		t->free_list = w->newer;
	} else {
		w = &t->watch[t->fresh++];
	}
	memset(w, 0, sizeof *w);
	w->used = 1;
	w->flow = flow_slot;
	w->last_ns = now_ns;
	link_newest(t, w);
	return w;
}

struct watch *watch_at(struct watch_table *t, uint32_t slot)
{
	return &t->watch[slot];
}

uint32_t watch_slot(const struct watch_table *t, const struct watch *w)
{
	return (uint32_t)(w - t->watch);
}

struct watch *watch_oldest(struct watch_table *t)
{
	return t->oldest == 0 ? NULL : &t->watch[t->oldest - 1];
}

struct watch_path *watch_path_find(struct watch *w, unsigned direction, const struct path_key *key)
{
	for (unsigned i = 0; i < w->path_count; i++)
		if (w->path[i].direction == direction &&
		    memcmp(&w->path[i].key, key, sizeof *key) == 0)
			return &w->path[i];
	return NULL;
}

/*
 * Which path makes room.  Whoever sends a flow's packets from made-up MACs must not push out the
 * two of a relay: paths of a match stay while there are others, the one just used stays, and of
 * the rest nobody can tell which goes.
 */
static unsigned path_to_leave(struct watch *w)
{
	unsigned matched = 0, start, path;

	for (unsigned i = 0; i < WATCH_PATHS; i++)
		matched += w->path[i].matched || i == w->last_path;
	start = (++w->replaced * 0x9e3779b1u >> 16) % WATCH_PATHS;
	for (unsigned i = 0; i < WATCH_PATHS; i++) {
		path = (start + i) % WATCH_PATHS;
		if (path != w->last_path && (!w->path[path].matched || matched == WATCH_PATHS))
			break;
	}
	return path;
}

static struct watch_path *free_path(struct watch_table *t, struct watch *w)
{
	unsigned path;

	if (w->path_count < WATCH_PATHS)
		return &w->path[w->path_count++];
	stat_add(t->stats, STAT_PATHS_FULL, 1);
	path = path_to_leave(w);
	for (unsigned i = 0; i < WATCH_PRINTS; i++)
		if (w->print[i].path == path)
			w->print[i].prints = (struct packet_prints){0};
	return &w->path[path];
}

struct watch_path *watch_path_add(struct watch_table *t, struct watch *w,
				  const struct watch_path *path, struct watch_path *left)
{
	struct watch_path *place = free_path(t, w);

	*left = *place;
	*place = *path;
	return place;
}

static struct frame_sample *sample_at(const struct watch_table *t, uint64_t serial)
{
	return (struct frame_sample *)(void *)(t->samples + serial % SAMPLES * t->sample_size);
}

static uint64_t keep_sample(struct watch_table *t, const struct frame *frame, uint64_t now_ns)
{
	struct frame_sample *s = sample_at(t, ++t->serial);

	s->serial = t->serial;
	s->number = frame->number;
	s->ts_ns = now_ns;
	s->len = frame->len;
	s->caplen = frame->caplen < t->snap ? frame->caplen : t->snap;
	s->linktype = frame->linktype;
	memcpy(s->data, frame->data, s->caplen);
	return t->serial;
}

/* Copies of one frame that a SPAN makes follow within this time; a retransmission does not. */
#define DUPLICATE_NS (10 * NS_PER_MS)

enum chain { CHAIN_NONE, CHAIN_FORWARD, CHAIN_BACKWARD, CHAIN_BRIDGED };

/* Does one path end at the NIC that the other begins at?  What comes in by one NIC, VLAN or host of
 * a tenant and goes out by another was passed on all the same.  So was what a stranger got and a
 * MAC nobody registered sent, or the other way round: MACs are free to make up. */
static bool arrives_where(const struct watch_path *in, const struct watch_path *out)
{
	if (mac_is_zero(in->key.dmac)) /* a cooked capture: by whom it was got is not shown */
		return !mac_equal(in->key.smac, out->key.smac) && (out->bits & PATH_FROM_STRANGER);
	if (mac_equal(in->key.dmac, out->key.smac))
		return true;
	if (mac_equal(in->key.dmac, out->key.dmac) || mac_equal(in->key.smac, out->key.smac))
		return false; /* delivered twice, or sent twice */
	if (out->from == TENANT_UNKNOWN)
		return (in->bits & PATH_TO_STRANGER) != 0;
	if (in->to == TENANT_UNKNOWN)
		return (out->bits & PATH_FROM_STRANGER) != 0;
	return in->to == out->from && in->to >= TENANT_FIRST;
}

static bool may_arrive(const struct watch_path *in)
{
	return (in->bits & PATH_IN) != 0 || mac_is_zero(in->key.dmac);
}

/* How two frames with one packet hang together; before was captured first. */
static enum chain chain_of(const struct watch_path *before, const struct watch_path *now)
{
	bool same_src = mac_equal(before->key.smac, now->key.smac);
	bool same_dst = mac_equal(before->key.dmac, now->key.dmac);

	if (same_src && same_dst)
		return before->key.scope != now->key.scope && before->key.tap == now->key.tap
			   ? CHAIN_BRIDGED
			   : CHAIN_NONE;
	if (arrives_where(before, now) && may_arrive(before) && (now->bits & PATH_OUT))
		return CHAIN_FORWARD;
	if (arrives_where(now, before) && may_arrive(now) && (before->bits & PATH_OUT))
		return CHAIN_BACKWARD;
	return CHAIN_NONE;
}

/* By other NICs than one the legs hang together by their packet alone: then it has to have gone the
 * way that packets go, and its TTL not to have grown on it. */
static bool is_likely(enum chain chain, const struct watch_path *before,
		      const struct watch_path *now, uint8_t ttl_before, uint8_t ttl_now)
{
	const struct watch_path *in = chain == CHAIN_BACKWARD ? now : before;
	const struct watch_path *out = chain == CHAIN_BACKWARD ? before : now;

	if (chain == CHAIN_NONE || chain == CHAIN_BRIDGED || mac_equal(in->key.dmac, out->key.smac))
		return chain != CHAIN_NONE;
	/* A cooked capture is one machine's, which takes frames down in the order of its clock. */
	if (chain == CHAIN_BACKWARD)
		return ttl_before <= ttl_now && !mac_is_zero(in->key.dmac);
	return ttl_now <= ttl_before;
}

static void fill_match(struct watch_table *t, struct watch_match *match, enum chain chain,
		       const struct watch_print *print, struct watch_path *before,
		       struct watch_path *now, uint8_t ttl)
{
	const struct frame_sample *sample = sample_at(t, print->sample);

	*match = (struct watch_match){.first_ns = print->ts_ns};
	match->sample = sample->serial == print->sample ? sample : NULL;
	match->bridged = chain == CHAIN_BRIDGED;
	match->in_is_late = chain == CHAIN_BACKWARD;
	match->in = match->in_is_late ? now : before;
	match->out = match->in_is_late ? before : now;
	match->ttl_delta = match->in_is_late ? print->ttl - ttl : ttl - print->ttl;
}

static bool is_duplicate(const struct watch_print *print, const struct watch_print *now)
{
	return print->path == now->path && print->ttl == now->ttl && print->len == now->len &&
	       print->prints.head == now->prints.head && print->prints.body == now->prints.body &&
	       now->ts_ns - print->ts_ns < DUPLICATE_NS;
}

/* The other leg of this packet: by its head, the newest, else by its body.  Sets *duplicate when it
 * is a copy of a frame instead. */
static struct watch_print *other_leg(struct watch_table *t, struct watch *w,
				     const struct watch_print *now, bool *duplicate)
{
	const struct watch_path *path = &w->path[now->path];
	struct watch_print *by_head = NULL, *by_body = NULL;

	for (unsigned i = 0; i < WATCH_PRINTS; i++) {
		struct watch_print *print = &w->print[i];
		bool head = print->prints.head != 0 && print->prints.head == now->prints.head;
		bool body = print->prints.body != 0 && print->prints.body == now->prints.body;

		if (!head && !body)
			continue;
		if (is_duplicate(print, now)) {
			*duplicate = true;
			return NULL;
		}
		if (print->path == now->path || now->ts_ns - print->ts_ns > t->window_ns ||
		    w->path[print->path].direction != path->direction ||
		    !is_likely(chain_of(&w->path[print->path], path), &w->path[print->path], path,
			       print->ttl, now->ttl))
			continue;
		if (head && (by_head == NULL || print->ts_ns > by_head->ts_ns))
			by_head = print;
		if (by_body == NULL)
			by_body = print;
	}
	return by_head != NULL ? by_head : by_body;
}

static struct watch_print *print_slot(struct watch *w, const struct packet_prints *prints)
{
	struct watch_print *slot;

	if ((prints->head ^ prints->body) % 32 == 0) {
		slot = &w->print[WATCH_RECENT + w->sampled_next];
		w->sampled_next = (uint8_t)((w->sampled_next + 1) % WATCH_SAMPLED);
		return slot;
	}
	slot = &w->print[w->print_next];
	w->print_next = (uint8_t)((w->print_next + 1) % WATCH_RECENT);
	return slot;
}

bool watch_packet(struct watch_table *t, struct watch *w, struct watch_path *path,
		  const struct packet *packet, const struct frame *frame, uint64_t now_ns,
		  struct watch_match *match)
{
	struct watch_print now = {.prints = packet_prints(packet),
				  .path = (uint8_t)(path - w->path),
				  .ttl = packet->ttl,
				  .len = (uint16_t)packet->ip_len,
				  .ts_ns = now_ns};
	bool duplicate = false;
	struct watch_print *other;

	if (now.prints.head == 0 && now.prints.body == 0)
		return false;
	w->last_path = now.path;
	other = other_leg(t, w, &now, &duplicate);
	if (duplicate) {
		stat_add(t->stats, STAT_DUPLICATES, 1);
		return false;
	}
	if (other != NULL) {
		struct watch_path *before = &w->path[other->path];

		fill_match(t, match, chain_of(before, path), other, before, path, packet->ttl);
		before->matched = true;
		path->matched = true;
		other->prints = (struct packet_prints){0}; /* a pair counts once */
	}
	now.sample = keep_sample(t, frame, now_ns);
	*print_slot(w, &now.prints) = now;
	return other != NULL;
}
