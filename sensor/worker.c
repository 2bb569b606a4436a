/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - see worker.h. */
#include "worker.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "deal.h"
#include "flow/unseen.h"
#include "judge.h"
#include "reading.h"

/* One watch in so many flows: strange flows are few, or the network is on fire. */
#define FLOWS_A_WATCH 64
#define WATCHES_MIN 256
#define WATCHES_MAX 16384
#define EVIDENCE_SNAP_MAX 512
/* Of the ring of openings, for each of limits.dpi_flows: about what a short flow takes.  More would
 * be written to once and not be in any cache. */
#define OPENING_BYTES 256
#define WAIT_NS 50000

static uint32_t share(uint64_t limit, unsigned workers, uint32_t least, uint32_t most)
{
	uint64_t part = limit / workers;

	return part < least ? least : part > most ? most : (uint32_t)part;
}

int worker_init(struct worker *w, struct shared *shared, struct judge *judge, unsigned index,
		struct err *err)
{
	const struct options *o = shared->options;
	/* A replay's outcome must not depend on how many share the work: each gets room for all. */
	unsigned sharers = shared->live ? shared->workers : 1;
	uint32_t flows = share(o->limits.flows, sharers, 64, 1u << 28);
	uint32_t snap =
	    o->evidence.snap > EVIDENCE_SNAP_MAX ? EVIDENCE_SNAP_MAX : (uint32_t)o->evidence.snap;

	*w = (struct worker){
	    .shared = shared, .judge = judge, .index = index, .profile = o->sensor.profile};
	atomic_init(&w->progress, UINT64_MAX);
	w->inv = inventory_ref(atomic_load(&shared->inventory));
	w->generation = inventory_generation(w->inv);
	w->flows = flow_table_new(flows, o->windows.flow_idle, pipeline_flow_gone, w, &w->stats);
	w->watches = watch_table_new(share(flows / FLOWS_A_WATCH, 1, WATCHES_MIN, WATCHES_MAX),
				     snap, o->windows.relay, pipeline_watch_gone, w, &w->stats);
	if (o->dpi.packets > 0)
		w->openings = openings_new((size_t)o->limits.dpi_flows / sharers * OPENING_BYTES);
	w->stack = calloc(PIPELINE_DEPTH + 1, sizeof *w->stack);
	w->reassembly = reassembly_new(&w->stats);
	w->heads = heads_new();
	w->hellos = hellos_new(&w->stats);
	w->unseen = unseen_table_new(&w->stats);
	w->ring = ring_new(shared->live ? RING_LIVE : RING_REPLAY);
	if (w->flows == NULL || w->watches == NULL || (w->openings == NULL && o->dpi.packets > 0) ||
	    w->stack == NULL || w->ring == NULL || w->reassembly == NULL || w->heads == NULL ||
	    w->hellos == NULL || w->unseen == NULL)
		return err_set(err, ERR_MEMORY, "no memory for the tables of worker %u", index);
	w->decoys = decoy_set_new(w->inv, shared->seed);
	return 0;
}

void worker_fini(struct worker *w)
{
	if (w->capture != NULL)
		w->source->close(w->capture);
	flow_table_free(w->flows);
	watch_table_free(w->watches);
	openings_free(w->openings);
	free(w->stack);
	reassembly_free(w->reassembly);
	heads_free(w->heads);
	hellos_free(w->hellos);
	unseen_table_free(w->unseen);
	ring_free(w->ring);
	inventory_unref(w->inv);
	decoy_set_free(w->decoys);
}

void worker_add_vlans(const struct worker *w, struct sight_vlan sum[static SIGHT_VLANS])
{
	for (unsigned v = 0; v < SIGHT_VLANS; v++) {
		sum[v].frames += __atomic_load_n(&w->vlan[v].frames, __ATOMIC_RELAXED);
		sum[v].unknown += __atomic_load_n(&w->vlan[v].unknown, __ATOMIC_RELAXED);
		sum[v].unmapped += __atomic_load_n(&w->vlan[v].unmapped, __ATOMIC_RELAXED);
	}
}

/* A reload swapped the snapshot: take it between two batches. */
static void take_inventory(struct worker *w)
{
	struct inventory *newest =
	    atomic_load_explicit(&w->shared->inventory, memory_order_acquire);

	if (newest == w->inv)
		return;
	(void)pthread_mutex_lock(&w->shared->swap);
	newest = inventory_ref(atomic_load(&w->shared->inventory));
	(void)pthread_mutex_unlock(&w->shared->swap);
	inventory_unref(w->inv);
	w->inv = newest;
	w->generation = inventory_generation(newest);
	w->place_cached = false;
	w->tap_cached = false;
	w->tap = NULL;
	decoy_set_free(w->decoys);
	w->decoys = decoy_set_new(newest, w->shared->seed);
}

/* Replay at a multiple of the recorded speed. */
struct pace {
	bool begun;
	unsigned file; /* each file anew: days may lie between two */
	uint64_t wall_ns, packet_ns;
};

static void keep_pace(const struct worker *w, struct pace *pace, unsigned file)
{
	if (!pace->begun || pace->file != file)
		*pace = (struct pace){.begun = true,
				      .file = file,
				      .wall_ns = clock_monotonic(),
				      .packet_ns = w->now_ns};
	while (!atomic_load(&w->shared->stop)) {
		double due = (double)(w->now_ns - pace->packet_ns) / w->shared->speed;
		uint64_t spent = clock_monotonic() - pace->wall_ns;
		struct timespec pause;
		uint64_t rest;

		if (due <= (double)spent)
			return;
		rest = (uint64_t)due - spent;
		if (rest > NS_PER_SEC / 10)
			rest = NS_PER_SEC / 10; /* stays responsive to signals */
		pause = (struct timespec){.tv_nsec = (long)rest};
		(void)nanosleep(&pause, NULL);
	}
}

static void publish(struct worker *w, uint64_t number)
{
	ring_publish(w->ring);
	atomic_store_explicit(&w->last_ns, w->now_ns, memory_order_relaxed);
	atomic_store_explicit(&w->mark_ns, w->now_ns, memory_order_relaxed);
	atomic_store_explicit(&w->mark_number, number, memory_order_release);
	(void)atomic_fetch_add_explicit(&w->rounds, 1, memory_order_relaxed);
	/* Live, an alert is in a hurry.  In a replay the judge looks by himself, and waking him for
	 * every batch costs more than what he does. */
	if (ring_used(w->ring) > (w->shared->live ? 0 : RING_REPLAY / 4))
		judge_wake(w->judge);
}

/* A replay's labels shall not depend on how far ahead of the judge its workers are.  The judge gets
 * there: whoever is behind all others waits for what all of them have published. */
void worker_wait_for_judge(struct worker *w)
{
	const struct timespec pause = {.tv_nsec = WAIT_NS};

	if (judge_asks_from(w->judge) >= openings_wait_for(w->openings))
		return;
	publish(w, w->frame->number - 1);
	while (judge_asks_from(w->judge) < openings_wait_for(w->openings) &&
	       !atomic_load(&w->shared->failed)) {
		judge_wake(w->judge);
		(void)nanosleep(&pause, NULL);
	}
}

static void count_drops(struct worker *w)
{
	struct capture_stats now;

	w->source->stats(w->capture, &now);
	stat_set(&w->stats, STAT_DROP_KERNEL, now.dropped);
	stat_set(&w->stats, STAT_DROP_INTERFACE, now.ifdropped);
}

/* The batch's frames, all of them this worker's. */
static void take_batch(struct worker *w, struct portion *portion)
{
	for (unsigned i = 0; i < w->batch.count; i++) {
		if (packet_time_advance(&w->time, w->batch.frame[i].ts_ns))
			stat_add(&w->stats, STAT_CLOCK_BACK, 1);
		w->times[i] = w->time.now_ns;
	}
	*portion =
	    (struct portion){.frame = w->batch.frame, .now_ns = w->times, .count = w->batch.count};
}

/* ---- live ------------------------------------------------------------------------------------ */

/* An interface that is gone or down ends neither the others nor the clock. */
static bool read_live(struct worker *w)
{
	const struct timespec nap = {.tv_nsec = (long)(NS_PER_SEC / 10)};
	enum capture_verdict verdict;
	struct err err = {0};

	w->batch.count = 0;
	if (w->capture == NULL) {
		(void)nanosleep(&nap, NULL);
		return true;
	}
	verdict = w->source->next(w->capture, &w->batch, &err);
	if (verdict != CAPTURE_ERROR)
		return verdict == CAPTURE_OK;
	log_err("interface=%s state=lost error=\"%s\"", w->capture_options.name, err.text);
	count_drops(w);
	w->source->close(w->capture);
	w->capture = NULL;
	atomic_store(&w->blind, true);
	return true;
}

static void run_live(struct worker *w)
{
	uint64_t number = 0;
	bool more = true;

	while (more && !atomic_load_explicit(&w->shared->stop, memory_order_relaxed)) {
		uint64_t begin = profile_begin(w);
		struct portion portion;

		more = read_live(w);
		profile_end(w, STAT_CYCLES_CAPTURE, begin);
		take_inventory(w);
		take_batch(w, &portion);
		if (portion.count > 0) {
			pipeline_batch(w, &portion);
			number = portion.frame[portion.count - 1].number;
		} else {
			pipeline_idle(w, clock_wall());
		}
		publish(w, number);
		if (w->capture != NULL) {
			count_drops(w);
			shed_look(w);
		}
	}
}

/* ---- replay ---------------------------------------------------------------------------------- */

/* False: there are no more. */
static bool read_files(struct worker *w, struct portion *portion)
{
	struct reading *reading = w->shared->reading;
	uint64_t begin;
	bool more;

	if (w->shared->deal != NULL)
		return deal_next(w->shared->deal, w, portion);
	begin = profile_begin(w);
	more = reading_next(reading, &w->batch);
	profile_end(w, STAT_CYCLES_CAPTURE, begin);
	take_batch(w, portion);
	portion->file = reading->at;
	portion->progress = reading->progress;
	return more;
}

static void run_replay(struct worker *w)
{
	struct pace pace = {0};
	struct portion portion;
	uint64_t number = 0;

	while (!atomic_load_explicit(&w->shared->stop, memory_order_relaxed) &&
	       read_files(w, &portion)) {
		take_inventory(w);
		if (portion.count > 0) {
			pipeline_batch(w, &portion);
			number = portion.frame[portion.count - 1].number;
		}
		publish(w, number);
		if (w->shared->speed > 0 && portion.count > 0)
			keep_pace(w, &pace, portion.file);
		atomic_store_explicit(&w->progress, portion.progress, memory_order_relaxed);
	}
}

void worker_run(struct worker *w)
{
	take_inventory(w);
	if (w->shared->live)
		run_live(w);
	else
		run_replay(w);
	pipeline_finish(w);
	publish(w, UINT64_MAX);
	atomic_store(&w->done, true);
	judge_wake(w->judge);
}
