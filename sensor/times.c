/* SPDX-License-Identifier: Apache-2.0 */
/* times.c - packet time: what frames say of the time, less their errors.  It runs backwards only
 * when it was wrong. */
#include "worker.h"

/* The clock is set back when so many frames in a row say that it is ahead by more than this. */
#define BEHIND_NS (60 * NS_PER_SEC)
#define BEHIND_FRAMES 32
#define CONFIRM_NS (10 * NS_PER_SEC)
/* Captures of several queues are out of order by this much without anything being wrong. */
#define REORDER_NS NS_PER_MS

/* Frames that agree with each other but not with the clock: it was the clock that went wrong. */
static bool is_ahead(struct packet_time *t, uint64_t ts)
{
	uint64_t apart = ts > t->behind_ns ? ts - t->behind_ns : t->behind_ns - ts;

	t->behind = apart < CONFIRM_NS ? t->behind + 1 : 1;
	t->behind_ns = ts;
	return t->behind >= BEHIND_FRAMES;
}

/* Whether a frame so far ahead is the first to say so, after others that said something else. */
static bool jump_ahead(struct packet_time *t, uint64_t ts)
{
	uint64_t apart = ts > t->suspect_ns ? ts - t->suspect_ns : t->suspect_ns - ts;
	bool wrong = apart >= CONFIRM_NS && t->suspect_ns != 0;

	if (apart < CONFIRM_NS)
		t->now_ns = ts;
	t->suspect_ns = ts;
	return wrong;
}

bool packet_time_doubt(struct packet_time *t, uint64_t ts)
{
	if (t->now_ns == 0) {
		t->now_ns = ts;
	} else if (ts > t->now_ns + TIME_JUMP_NS) {
		return jump_ahead(t, ts);
	} else if (ts > t->now_ns) {
		t->now_ns = ts;
		t->behind = 0;
	} else if (ts + REORDER_NS < t->now_ns) {
		if (ts + BEHIND_NS < t->now_ns && is_ahead(t, ts)) {
			t->now_ns = ts;
			t->behind = 0;
		}
		return true;
	}
	return false;
}
