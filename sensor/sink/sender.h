/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.h - takes state changes from the outbox to every sink, in order, each at its own pace.
 *
 * Every sink is in one of four states:
 *
 *	          resume ok              deliver ok
 *	WAITING ------------> READY -----------------> READY (caught up or not)
 *	   ^                    |
 *	   +--- any failure ----+        SINK_FATAL: GONE, for good
 *
 * invariant 1: position is the last record the sink has for good; what is behind it is sent next.
 * invariant 2: a sink with resume() is asked for its position after every failure; the outbox's
 *		own note of it counts only for sinks that remember nothing, and against a cursor
 *that claims more than was ever sent.
 *
 * Without an outbox there is no thread: sender_hand() delivers from the caller's.
 */
#ifndef SINK_SENDER_H
#define SINK_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/sink.h"
#include "sink/outbox.h"

#define SENDER_MAX_SINKS (OPTIONS_MAX_OUTPUTS + 2)

struct sender;

struct sender_config {
	struct outbox *outbox; /* NULL: none */
	bool private_outbox;   /* sequences start anew each time, a cursor ahead is no wonder */
	bool replay;
};

struct sender *sender_new(const struct sender_config *config); /* NULL: memory is short */
void sender_free(struct sender *sender); /* after sender_finish(), or never started */

/* Opens a sink.  required: sender_finish() fails when it did not get everything.  mark: its name in
 * the outbox. */
int sender_attach(struct sender *sender, const struct sink *sink, const struct sink_setup *setup,
		  bool required, struct err *err) __attribute__((warn_unused_result));
/* Before the thread runs: makes the last attached sink ready, or says why it cannot be. */
int sender_ready_now(struct sender *sender, struct err *err) __attribute__((warn_unused_result));

int sender_start(struct sender *sender, struct err *err) __attribute__((warn_unused_result));
/* There is something new in the outbox. */
void sender_wake(struct sender *sender);
/* From now on give up when nothing has moved for timeout_ns (live: when it has passed at all). */
void sender_hurry(struct sender *sender, uint64_t timeout_ns);
/* Waits until everything is delivered or given up, then ends the thread. */
int sender_finish(struct sender *sender, struct err *err);

/* Without an outbox: delivers, retrying; false when some sink was given up on. */
bool sender_hand(struct sender *sender, const struct stored *record, uint32_t count);

void sender_heartbeat(struct sender *sender, const struct heartbeat *beat);
bool sender_soc_word(struct sender *sender, struct soc_word *word);

struct stats *sender_counters(struct sender *sender); /* written by the sender's thread only */
uint64_t sender_backlog(struct sender *sender);	      /* of the slowest sink */
bool sender_all_up(struct sender *sender);	      /* of those that can be down */
uint64_t sender_cursor_ahead(struct sender *sender);

#endif
