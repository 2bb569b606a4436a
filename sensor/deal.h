/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deal.h - the frames of a replay, read once and dealt out to its workers.
 *
 *	window:  [ frames of 256 KiB of input ]  [ worker 0's hand | worker 1's hand | ... ]
 *	ring:    ..given back.. | dealt, not yet used by all | being read | free ..
 *
 * There is no thread that reads.  A worker that comes for frames reads the next window itself when
 * no other is reading and one is free: it looks at each record once and writes down whose it is
 * and what time it is then.  So a frame costs its own worker alone, and each worker's share of
 * reading is what it has time for: who has little to do reads more.  A window is used again when
 * all have given it back, which bounds memory and how far one may run ahead of another.
 *
 * Every worker's hand tells the time whenever a second begins and at the end of the window, so
 * that what happens in a worker does not depend on how many there are.
 *
 * Threads: deal_next() by each worker for itself.  The lock is taken once a window.
 */
#ifndef DEAL_H
#define DEAL_H

#include <stdbool.h>

#include "bulkhead/err.h"

struct deal;
struct portion;
struct reading;
struct shared;
struct worker;

/* Borrows both; shared->workers is how many come for frames. */
int deal_new(struct deal **deal, struct shared *shared, struct reading *reading, struct err *err)
    __attribute__((warn_unused_result));
void deal_free(struct deal *deal);
/* The worker's next frames, at most FRAME_BATCH; they stay until it asks again.  Waits for others.
 * False: there are no more, or shared->stop is set. */
bool deal_next(struct deal *deal, struct worker *worker, struct portion *portion);

#endif
