/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - the one thread that knows everything: it takes the workers' events in the order of
 * frames, shows them to the detectors, and what these find to the rules and the incidents.
 *
 * Threads: judge_run() is its thread's body; judge_wake(), judge_reload() and the stats are for
 * others.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "detect/meet.h"
#include "engine.h"
#include "worker.h"

struct judge;

struct judge_config {
	struct shared *shared;
	struct ruleset *rules;	   /* handed over */
	struct delivery *delivery; /* NULL: none, or attached later */
	struct dpi *dpi;	   /* NULL: nothing gets a label */
	const char *evidence_directory;
	const char *in_iface; /* NULL: none */
	void (*on_alert)(void *context, const struct alert *alert);
	void *context;
};

int judge_new(struct judge **judge, const struct judge_config *config, struct err *err);
void judge_free(struct judge *judge);
/* Before judge_run(): the workers whose rings it reads. */
void judge_attach(struct judge *judge, struct worker *workers, unsigned count);
/* The same for where alerts go. */
void judge_attach_delivery(struct judge *judge, struct delivery *delivery);
/* The same: for how long nobody looked before this start. */
void judge_unseen(struct judge *judge, uint64_t ms);
void judge_run(struct judge *judge);
/* Takes all that is in the rings and may be taken yet; for judge_run() and for who has no thread.
 */
void judge_drain(struct judge *judge);
void judge_wake(struct judge *judge); /* cheap when it is awake */
/* Replay: no opening will be asked for as of a frame before this. */
uint64_t judge_asks_from(const struct judge *judge);
/* New rules (handed over; NULL keeps the old ones).  The inventory is in shared. */
void judge_reload(struct judge *judge, struct ruleset *rules);
/* One caller: whether it has moved since the last call. */
bool judge_moves(struct judge *judge);
const struct stats *judge_stats(const struct judge *judge);
const char *judge_rules_revision(struct judge *judge);

/* sight.c: what the sensor sees of itself, added up over its workers. */
struct sight {
	struct stats total, before;
	struct sight_vlan vlan[SIGHT_VLANS];
	struct sight_link link[OPTIONS_MAX_CAPTURES];
};
/* Fills ev->u.sight but for `last`; borrowed until the next call.  own: counters of all others. */
void sight_look(struct sight *sight, const struct shared *shared, struct worker *workers,
		unsigned count, const struct stats *own, struct event *ev);
/* What was looked at is what the next look is compared with. */
void sight_looked(struct sight *sight);

/* event.c: puts back what a record left out.  The stacks are room for decoding again. */
struct event_room {
	struct packet_stack stack;
	struct packet quoted;
};
void event_rebuild(struct event *ev, const struct record *record, const struct inventory *inv,
		   struct bindings *bindings, struct event_room *room);
/* Where a token was seen, out of its record. */
void event_leg(const struct record *record, struct leg *leg);

#endif
