/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender_state.h - what the thread that delivers (sender.c) and what it does to one sink
 * (attached.c) share.
 */
#ifndef SINK_SENDER_STATE_H
#define SINK_SENDER_STATE_H

#include <pthread.h>

#include "bulkhead/clock.h"
#include "sink/mailbox.h"
#include "sink/sender.h"

#define SENDER_BATCH 64
#define SENDER_POLL_NS NS_PER_SEC
#define MARK_SIZE 320

struct attached {
	const struct sink *sink;
	void *state;
	char mark[MARK_SIZE];	/* where the outbox remembers the position */
	char intent[MARK_SIZE]; /* and up to where records may have been sent */
	uint64_t position;	/* read by other threads: relaxed */
	uint64_t caught_up;	/* outbox_last() when nothing was left; the same */
	uint64_t saved, intended;
	uint64_t retry_at, poll_at;
	unsigned failures;
	bool ready, gone, required;
	bool down;    /* since a failure, until something went well */
	bool refused; /* the last delivery failed: answering alone is not being up */
	char why[sizeof(((struct err *)0)->text)]; /* the last failure */
};

struct sender {
	struct outbox *outbox;
	bool private_outbox, replay;
	struct attached to[SENDER_MAX_SINKS];
	unsigned count;
	struct mailbox *mailbox;
	struct stats stats;
	struct stored *batch;
	uint64_t random;
	uint64_t save_at, expire_at;
	bool up;	       /* atomic */
	uint64_t cursor_ahead; /* atomic */
	pthread_t thread;
	bool running;
	/* guarded by lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool work, finishing;
	uint64_t timeout_ns, give_up_at; /* 0: never */
};

/* Is everybody reached who counts? */
void sender_update_up(struct sender *s);

/* Makes a sink ready that is not: asks it where to go on.  False: later. */
bool attached_get_ready(struct sender *s, struct attached *a, struct err *err);
/* What there is to do for one sink now; true when there may be more at once. */
bool attached_serve(struct sender *s, struct attached *a);
/* Notes an outage, and when to try again. */
void attached_failed(struct sender *s, struct attached *a, enum sink_verdict verdict,
		     const struct err *err);
void attached_recovered(struct sender *s, struct attached *a);
/* Something moved: who waits for the end of a replay has reason to go on waiting. */
void sender_moved(struct sender *s);

static inline void attached_set_position(struct attached *a, uint64_t position)
{
	__atomic_store_n(&a->position, position, __ATOMIC_RELAXED);
}

static inline void attached_set_caught_up(struct attached *a, uint64_t last)
{
	__atomic_store_n(&a->caught_up, last, __ATOMIC_RELAXED);
}

#endif
