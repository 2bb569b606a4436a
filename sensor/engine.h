/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - the running sensor: workers, judge and delivery put together.
 *
 * cli/run.c and cli/replay.c build a config, make an engine, run it and read its counters; they
 * know nothing of what is inside.
 *
 * Threads: engine_run() returns when the captures end or engine_stop() was called.
 * engine_stop() is async-signal-safe.  engine_reload() may be called by another thread while
 * engine_run() runs.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/alert.h"
#include "bulkhead/capture.h"
#include "bulkhead/detector.h"
#include "bulkhead/dpi.h"
#include "bulkhead/err.h"
#include "bulkhead/options.h"
#include "bulkhead/rule.h"
#include "bulkhead/sink.h"
#include "bulkhead/stats.h"
#include "bulkhead/tenant.h"

struct engine;

struct engine_progress {
	uint64_t frames, bytes;
	uint64_t first_ns, last_ns; /* packet time seen so far */
	double done;		    /* share of the input's bytes, 0..1; negative when unknown */
};

struct engine_config {
	const struct options *options; /* borrowed for the engine's life */
	struct inventory *inventory;   /* the engine takes its own reference */
	struct ruleset *rules;	       /* handed over: the engine frees it */
	struct delivery *delivery;     /* borrowed; NULL: alerts go to on_alert only */
	uint64_t seed;		       /* of every keyed hash: random live, fixed in a replay */

	bool live;		  /* true: options->capture[]; false: files[] */
	const char *const *files; /* replay: capture files in order, or "-" */
	unsigned file_count;
	const char *filter; /* replay: BPF or NULL */
	int tap; /* replay: index of the tap for every file; -1: by interface name, else 0 */
	unsigned workers; /* replay: threads; live: options->capture[].workers */
	double speed;	  /* replay: 0 as fast as possible, 1 as recorded, 2 twice as fast */
	const char *evidence_directory; /* NULL: none */
	const struct dpi_segment *dpi;	/* live: DPI has a process of its own; NULL: the worker's */
	/* Live: on the monotonic clock, since when nobody looked, because a worker died; 0 never.
	 * Then an interface that cannot be opened is waited for (engine_blind()): better to see
	 * some than none. */
	uint64_t unseen_since_ns;

	/* Called by the judge's thread for every state change, before delivery.  May be NULL. */
	void (*on_alert)(void *context, const struct alert *alert);
	/* Called about ten times a second of wall time by the thread of engine_run().  May be NULL.
	 */
	void (*on_progress)(void *context, const struct engine_progress *progress);
	void *context;
};

/* Opens captures and tables.  ERR_NOINPUT, ERR_DATA, ERR_PERM, ERR_USAGE (filter), ERR_MEMORY. */
int engine_new(struct engine **engine, const struct engine_config *config, struct err *err)
    __attribute__((warn_unused_result));
/* Before engine_run(), for who opens captures with rights that delivery shall not have. */
void engine_attach_delivery(struct engine *engine, struct delivery *delivery);
/* 0; or ERR_DATA when a capture was corrupt or cut short (all that was readable has been judged),
 * or ERR_RUN. */
int engine_run(struct engine *engine, struct err *err);
void engine_stop(struct engine *engine);
/* Swaps in a new inventory and rules (both handed over; NULL keeps the old). */
void engine_reload(struct engine *engine, struct inventory *inventory, struct ruleset *rules);
/* Live, index into options->capture[]: what is known of the interface's link.  Any thread. */
void engine_link(struct engine *engine, unsigned index, enum link_state state);
/* Live, one caller: whether every worker and the judge have moved since the last call. */
bool engine_moves(struct engine *engine);
/* Live: the interface is not being read any more; opening it again takes a new engine. */
bool engine_blind(const struct engine *engine, unsigned index);
void engine_stats(struct engine *engine, struct stats *total);
/* Packet time of the first and last frame; 0 before any. */
void engine_span(struct engine *engine, uint64_t *first_ns, uint64_t *last_ns);
/* Fills a heartbeat with everything known: health, revisions, counters. */
void engine_heartbeat(struct engine *engine, struct heartbeat *beat);
void engine_free(struct engine *engine);

#endif
