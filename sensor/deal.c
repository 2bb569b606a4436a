/* SPDX-License-Identifier: Apache-2.0 */
/* deal.c - see deal.h. */
#include "deal.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "base/pages.h"
#include "reading.h"
#include "worker.h"

/* How far the quickest worker may be ahead of the slowest.  All of them fit in the last cache. */
#define WINDOWS 8
/* A worker reads when fewer are left for it.  Who is behind has more, and leaves it to others. */
#define ENOUGH (WINDOWS / 2)
/* Of one window, for one worker; a window ends when it does. */
#define HAND_SIZE 2048
/* How long a signal may go unnoticed. */
#define WAIT_NS (100 * (long)NS_PER_MS)
#define NOBODY UINT_MAX

struct hand {
	unsigned count;
	struct frame frame[HAND_SIZE + 1]; /* + 1: the window's end */
	uint64_t now_ns[HAND_SIZE + 1];
};

struct window {
	uint8_t *memory;
	struct hand *hands; /* one a worker */
	unsigned file;
	uint64_t progress;
};

/* A worker's place at the table. */
struct seat {
	uint64_t back; /* windows given back; under the lock for others */
	bool holds;    /* the one behind those */
	unsigned at;   /* entries of its hand taken so far */
};

struct deal {
	struct shared *shared;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct window window[WINDOWS];
	struct seat *seat;
	uint64_t dealt;	 /* windows */
	uint64_t enough; /* who has as many left does not read: 1 where reading may mean waiting */
	bool busy;	 /* somebody reads */
	bool ended;

	/* who reads */
	struct reading *reading;
	struct packet_time time;
	uint64_t second;
	struct packet_stack *stack;
};

/* ---- reading a window ------------------------------------------------------------------------ */

static void put(struct hand *hand, const struct frame *frame, uint64_t now_ns)
{
	hand->frame[hand->count] = *frame;
	hand->now_ns[hand->count] = now_ns;
	hand->count++;
}

/* All but one, who has the frame itself (nobody: all). */
static void tell_time(const struct deal *d, const struct window *win, unsigned but,
		      const struct frame *frame)
{
	struct frame empty = *frame;

	empty.data = NULL;
	empty.caplen = 0;
	for (unsigned i = 0; i < d->shared->workers; i++)
		if (i != but)
			put(&win->hands[i], &empty, d->time.now_ns);
}

static void deal_frame(struct deal *d, struct worker *w, const struct window *win,
		       const struct frame *frame)
{
	unsigned owner = spread_owner(d->shared, frame, d->stack);

	if (packet_time_advance(&d->time, frame->ts_ns))
		stat_add(&w->stats, STAT_CLOCK_BACK, 1);
	put(&win->hands[owner], frame, d->time.now_ns);
	if (d->time.now_ns / NS_PER_SEC == d->second)
		return;
	d->second = d->time.now_ns / NS_PER_SEC;
	tell_time(d, win, owner, frame);
}

static bool has_room(const struct deal *d, const struct window *win)
{
	for (unsigned i = 0; i < d->shared->workers; i++)
		if (win->hands[i].count + FRAME_BATCH > HAND_SIZE)
			return false;
	return true;
}

/* What fits into a window: how many frames; *more: there may be others behind them. */
static unsigned fill(struct deal *d, struct worker *w, struct window *win, bool *more)
{
	struct frame_batch batch;
	struct frame last = {0};
	unsigned frames = 0;

	for (unsigned i = 0; i < d->shared->workers; i++)
		win->hands[i].count = 0;
	*more = reading_window(d->reading, win->memory);
	if (!*more)
		return 0;
	win->file = d->reading->at;
	do {
		*more = reading_next(d->reading, &batch);
		for (unsigned i = 0; i < batch.count; i++)
			deal_frame(d, w, win, &batch.frame[i]);
		frames += batch.count;
		if (batch.count > 0)
			last = batch.frame[batch.count - 1];
	} while (batch.count == FRAME_BATCH && has_room(d, win));
	win->progress = d->reading->progress;
	if (frames > 0)
		tell_time(d, win, NOBODY, &last);
	return frames;
}

/* Called and returns with the lock, which it lets go meanwhile. */
static void read_window(struct deal *d, struct worker *w)
{
	struct window *win = &d->window[d->dealt % WINDOWS];
	unsigned frames;
	bool more;
	uint64_t begin;

	d->busy = true;
	(void)pthread_mutex_unlock(&d->lock);
	begin = profile_begin(w);
	do {
		frames = fill(d, w, win, &more);
	} while (frames == 0 && more && !atomic_load(&d->shared->stop));
	profile_end(w, STAT_CYCLES_CAPTURE, begin);
	(void)pthread_mutex_lock(&d->lock);
	d->busy = false;
	d->dealt += frames > 0;
	d->ended = !more;
	d->enough = d->reading->progress == UINT64_MAX ? 1 : ENOUGH;
	(void)pthread_cond_broadcast(&d->changed);
}

/* ---- at the table ---------------------------------------------------------------------------- */

static bool has_free_window(const struct deal *d)
{
	uint64_t least = d->dealt;

	for (unsigned i = 0; i < d->shared->workers; i++)
		if (d->seat[i].back < least)
			least = d->seat[i].back;
	return d->dealt - least < WINDOWS;
}

static void wait_for_others(struct deal *d)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_NS;
	if (until.tv_nsec >= (long)NS_PER_SEC) {
		until.tv_nsec -= (long)NS_PER_SEC;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&d->changed, &d->lock, &until);
}

/* The worker's next window; false at the end. */
static bool take_window(struct deal *d, struct worker *w, struct seat *seat)
{
	(void)pthread_mutex_lock(&d->lock);
	if (seat->holds) {
		bool full = !has_free_window(d);

		seat->holds = false;
		seat->back++;
		if (full && has_free_window(d))
			(void)pthread_cond_broadcast(&d->changed);
	}
	while (!atomic_load(&d->shared->stop)) {
		uint64_t left = d->dealt - seat->back;

		if (left < d->enough && !d->busy && !d->ended && has_free_window(d)) {
			read_window(d, w);
		} else if (left > 0) {
			seat->holds = true;
			seat->at = 0;
			break;
		} else if (d->ended) {
			break;
		} else {
			wait_for_others(d);
		}
	}
	(void)pthread_mutex_unlock(&d->lock);
	return seat->holds;
}

bool deal_next(struct deal *d, struct worker *w, struct portion *portion)
{
	struct seat *seat = &d->seat[w->index];
	const struct window *win = &d->window[seat->back % WINDOWS];
	const struct hand *hand = &win->hands[w->index];
	unsigned left;

	if (!seat->holds || seat->at == hand->count) {
		if (!take_window(d, w, seat))
			return false;
		win = &d->window[seat->back % WINDOWS];
		hand = &win->hands[w->index];
	}
	left = hand->count - seat->at;
	*portion = (struct portion){.frame = hand->frame + seat->at,
				    .now_ns = hand->now_ns + seat->at,
				    .count = left < FRAME_BATCH ? left : FRAME_BATCH,
				    .remote = true,
				    .file = win->file,
				    .progress = win->progress};
	seat->at += portion->count;
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int make_windows(struct deal *d)
{
	d->seat = calloc(d->shared->workers, sizeof *d->seat);
	d->stack = calloc(1, sizeof *d->stack);
	if (d->seat == NULL || d->stack == NULL)
		return -1;
	for (unsigned i = 0; i < WINDOWS; i++) {
		struct window *win = &d->window[i];

		win->memory = pages_new(1, CAPTURE_WINDOW);
		win->hands = pages_new(d->shared->workers, sizeof *win->hands);
		if (win->memory == NULL || win->hands == NULL)
			return -1;
	}
	return 0;
}

int deal_new(struct deal **deal, struct shared *shared, struct reading *reading, struct err *err)
{
	struct deal *d = calloc(1, sizeof *d);
	pthread_condattr_t attr;

	if (d == NULL)
		return err_set(err, ERR_MEMORY, "no memory to share the reading");
	d->shared = shared;
	d->reading = reading;
	d->enough = 1;
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (make_windows(d) != 0) {
		deal_free(d);
		return err_set(err, ERR_MEMORY, "no memory to share the reading");
	}
	*deal = d;
	return 0;
}

void deal_free(struct deal *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < WINDOWS; i++) {
		pages_free(d->window[i].memory, 1, CAPTURE_WINDOW);
		pages_free(d->window[i].hands, d->shared->workers, sizeof *d->window[i].hands);
	}
	free(d->seat);
	free(d->stack);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}
