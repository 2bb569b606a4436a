/* SPDX-License-Identifier: Apache-2.0 */
/* judge_state.h - what the judge's thread (judge.c) and its way with findings (verdict.c) share. */
#ifndef JUDGE_STATE_H
#define JUDGE_STATE_H

#include <pthread.h>

#include "judge.h"
#include "labels.h"

#define LISTENERS_MAX 32
#define DETECTORS_MAX 64

struct lost_state {
	uint64_t evicted, forgotten;
};

struct judge {
	struct shared *shared;
	struct worker *workers;
	unsigned worker_count;
	struct inventory *inv;
	struct inventory *previous; /* of before the last reload, while grace lasts */
	uint64_t grace_until_ns;
	struct ruleset *rules;
	_Atomic(struct ruleset *) new_rules;
	struct bindings *bindings;
	struct meet *book;
	struct hidden *hidden;
	struct incidents *incidents;
	struct labels *labels;	    /* NULL: DPI is off */
	uint64_t until;		    /* frames up to this number count: that of the event at hand */
	_Atomic uint64_t asks_from; /* replay: `until` will not be below */
	struct delivery *delivery;
	void (*on_alert)(void *context, const struct alert *alert);
	void *context;
	void **state;		 /* of detectors[], same order */
	bool off[DETECTORS_MAX]; /* had no memory to begin anew after a reload */
	/* By event: the detectors that want it, as numbers in detectors[]. */
	uint8_t listener[EVENT_MAX][LISTENERS_MAX];
	uint8_t listeners[EVENT_MAX];
	/* Likewise those that have flow_soon. */
	uint8_t fetcher[LISTENERS_MAX];
	uint8_t fetchers;
	struct findings findings;
	struct event event;
	struct event_room room;
	uint64_t now_ns, second;
	struct stats stats;
	struct lost_state lost; /* as counted last */
	struct sight sight;

	pthread_mutex_t lock;
	pthread_cond_t more;
	atomic_bool asleep;
	_Atomic uint64_t rounds; /* of judge_run() and records: it moves */
	uint64_t rounds_seen;
};

/* verdict.c: asks a detector that may have more to say than fits, until it has nothing more. */
void judge_ask_until_quiet(struct judge *j, unsigned detector,
			   void (*ask)(void *state, uint64_t now_ns, struct findings *out),
			   uint64_t now_ns);
/* verdict.c: labels that came late. */
void judge_label(struct judge *j);
/* verdict.c: shows an event to all detectors that want it, and takes up what they find. */
void judge_show(struct judge *j, const struct event *ev);

#endif
