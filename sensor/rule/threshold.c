/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threshold.c - "count within time", for each group of a rule.
 *
 * A group keeps the times of its latest findings in SLOTS places.  Up to SLOTS findings in the
 * window are counted exactly; when there are more, the two that lie closest together become one
 * with the older one's time, so that what is merged leaves the window early, never late: a
 * threshold is not reached by what lies outside it.
 *
 * Groups are a fixed table; when it is full the one untouched longest is forgotten, and counted.
 */
#include "ruleset.h"

#define SLOTS 16

struct window {
	uint64_t ts_ns[SLOTS]; /* rising */
	uint64_t n[SLOTS];
	uint32_t used;
};

struct group_key {
	uint64_t lo, hi;
};

struct table *thresholds_new(uint32_t groups, uint64_t seed)
{
	return table_new(groups, sizeof(struct group_key), sizeof(struct window), seed);
}

static void drop_slot(struct window *w, uint32_t at)
{
	w->used--;
	for (uint32_t i = at; i < w->used; i++) {
		w->ts_ns[i] = w->ts_ns[i + 1];
		w->n[i] = w->n[i + 1];
	}
}

static void merge_closest(struct window *w)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i + 1 < w->used; i++) {
		if (w->ts_ns[i + 1] - w->ts_ns[i] < w->ts_ns[best + 1] - w->ts_ns[best])
			best = i;
	}
	w->n[best] += w->n[best + 1];
	drop_slot(w, best + 1);
}

bool threshold_reached(struct table *thresholds, uint64_t group_lo, uint64_t group_hi,
		       uint64_t ts_ns, uint64_t n, uint64_t count, uint64_t within_ns)
{
	struct group_key key = {.lo = group_lo, .hi = group_hi};
	struct window *w = table_put(thresholds, &key, NULL);
	uint64_t sum = 0;

	/* Time never runs backwards here, whatever the frames say. */
	if (w->used > 0 && ts_ns < w->ts_ns[w->used - 1])
		ts_ns = w->ts_ns[w->used - 1];
	while (w->used > 0 && ts_ns - w->ts_ns[0] > within_ns)
		drop_slot(w, 0);
	if (w->used == SLOTS)
		merge_closest(w);
	w->ts_ns[w->used] = ts_ns;
	w->n[w->used++] = n;
	for (uint32_t i = 0; i < w->used; i++) {
		if (__builtin_add_overflow(sum, w->n[i], &sum))
			return true;
	}
	return sum >= count;
}
