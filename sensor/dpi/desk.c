/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.c - see desk.h.
 *
 * Each flow that is shown has a ticket; a ticket's place and generation are all that the DPI
 *process is told of the flow, and what its answer has to name.
 *
 *	free --first packet--> active --last packet, finish, evicted, quiet--> owed --answer--> free
 *	                          '--- no room for a job ---> late --room--------^
 *
 * invariant: a ticket is in exactly one list but for the owed ones, which are in none; active is in
 * the order of use, oldest first.  A generation is never used again for its place (32 bits).
 *
 * A job that finds no room costs its flow the label, and is counted: nobody waits.  When a new
 *epoch begins, the DPI process has died with all it had been shown: every flow that has a ticket is
 * shown no further, be it the one that killed it or not.
 */
#include "dpi/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/job.h"

/* A flow quiet for so long is settled with what is known: its end may be minutes away, and its
 * label is worth more now. */
#define QUIET_NS (10 * NS_PER_SEC)
/* Of a turn: a bound of its work. */
#define QUIET_A_TURN 256
/* Of a turn: who answers without end shall not keep us from frames. */
#define ANSWERS_A_TURN 4096

#define PLACE_NONE UINT32_MAX
#define PLACE_BITS 24
#define PLACE_MASK ((1u << PLACE_BITS) - 1)

enum ticket_state { TICKET_FREE, TICKET_ACTIVE, TICKET_LATE, TICKET_OWED };

struct ticket {
	uint64_t flow;
	uint64_t last_ns;
	uint32_t prev, next;
	uint32_t generation;
	uint8_t state;
	uint8_t packets;
	uint8_t l3, proto; /* of its first packet */
};

struct ticket_list {
	uint32_t head, tail;
};

struct desk {
	const struct dpi_segment *segment;
	struct segment_post *post;
	struct lane jobs, answers;
	uint32_t epoch;
	bool posted;	       /* since the last turn */
	unsigned answers_left; /* of this turn */
	uint32_t flows;
	unsigned packets, index;
	struct ticket *tickets;
	struct ticket_list free, active, late;
	uint64_t suspect; /* the flow that the last one died of */
	bool has_suspect;
	uint64_t stat_packets, stat_flows, stat_labelled, stat_shed, stat_deaths;
};

static void append(struct desk *desk, struct ticket_list *list, uint32_t place)
{
	struct ticket *ticket = &desk->tickets[place];

	ticket->prev = list->tail;
	ticket->next = PLACE_NONE;
	if (list->tail == PLACE_NONE)
		list->head = place;
	else
		desk->tickets[list->tail].next = place;
	list->tail = place;
}

static void take_out(struct desk *desk, struct ticket_list *list, uint32_t place)
{
	struct ticket *ticket = &desk->tickets[place];

	if (ticket->prev == PLACE_NONE)
		list->head = ticket->next;
	else
		desk->tickets[ticket->prev].next = ticket->next;
	if (ticket->next == PLACE_NONE)
		list->tail = ticket->prev;
	else
		desk->tickets[ticket->next].prev = ticket->prev;
}

static void release(struct desk *desk, uint32_t place)
{
	struct ticket *ticket = &desk->tickets[place];

	ticket->state = TICKET_FREE;
	ticket->generation++;
	append(desk, &desk->free, place);
}

/* ---- epochs ---------------------------------------------------------------------------------- */

static void attach(struct desk *desk, uint32_t epoch)
{
	desk->epoch = epoch;
	lane_clear(&desk->post->jobs);
	lane_clear(&desk->post->answers);
	segment_lanes(desk->segment, desk->index, &desk->jobs, &desk->answers);
	atomic_store_explicit(&desk->post->attached, epoch, memory_order_release);
	desk->posted = true;
}

static void take_suspect(struct desk *desk)
{
	const struct segment_pulse *pulse = desk->segment->pulse;
	uint32_t place = atomic_load_explicit(&pulse->place, memory_order_relaxed);

	if (atomic_load_explicit(&pulse->busy, memory_order_relaxed) != desk->index + 1 ||
	    place >= desk->flows || desk->tickets[place].state == TICKET_FREE ||
	    desk->tickets[place].generation !=
		atomic_load_explicit(&pulse->generation, memory_order_relaxed))
		return;
	desk->suspect = desk->tickets[place].flow;
	desk->has_suspect = true;
}

/* Whoever had a ticket is not shown again: his handle is stale from now on. */
static void begin_epoch(struct desk *desk, uint32_t epoch)
{
	take_suspect(desk);
	desk->active = desk->late = (struct ticket_list){PLACE_NONE, PLACE_NONE};
	for (uint32_t i = 0; i < desk->flows; i++) {
		if (desk->tickets[i].state == TICKET_FREE)
			continue;
		release(desk, i);
		desk->stat_shed++;
	}
	if (desk->index == 0) /* of all workers one counts */
		desk->stat_deaths += epoch - desk->epoch;
	attach(desk, epoch);
}

/* What writes rubbish is replaced by the supervisor. */
static void report_if_broken(struct desk *desk)
{
	if (desk->jobs.broken || desk->answers.broken)
		atomic_store_explicit(&desk->segment->control->broken, desk->epoch,
				      memory_order_relaxed);
}

struct desk *desk_new(const struct dpi_segment *segment, unsigned index, struct err *err)
{
	struct desk *desk = calloc(1, sizeof *desk);
	uint32_t flows = segment->shape.flows;

	if (desk != NULL) {
		desk->segment = segment;
		desk->tickets = pages_new(flows, sizeof *desk->tickets);
	}
	if (desk == NULL || desk->tickets == NULL) {
		(void)err_set(err, ERR_MEMORY, "no memory for DPI of %u flows", flows);
		desk_free(desk);
		return NULL;
	}
	desk->index = index;
	desk->post = segment_post(segment, index);
	desk->flows = flows;
	desk->packets = segment->shape.packets;
	desk->free = desk->active = desk->late = (struct ticket_list){PLACE_NONE, PLACE_NONE};
	for (uint32_t i = 0; i < flows; i++)
		append(desk, &desk->free, i);
	attach(desk, atomic_load_explicit(&segment->control->epoch, memory_order_acquire));
	return desk;
}

void desk_free(struct desk *desk)
{
	if (desk == NULL)
		return;
	pages_free(desk->tickets, desk->segment->shape.flows, sizeof *desk->tickets);
	free(desk);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static bool post_job(struct desk *desk, uint32_t place, enum job_kind kind,
		     const struct packet *packet, uint64_t now_ns)
{
	struct job job = {.place = place,
			  .generation = desk->tickets[place].generation,
			  .kind = (uint16_t)kind,
			  .ts_ns = now_ns};

	if (packet != NULL)
		job.len =
		    (uint16_t)(packet->l3_len < DPI_PACKET_MAX ? packet->l3_len : DPI_PACKET_MAX);
	if (!lane_put(&desk->jobs, &job, sizeof job, packet != NULL ? packet->l3_data : NULL,
		      job.len))
		return false;
	desk->posted = true;
	return true;
}

/* No more packets of this one; its label is owed. */
static void settle(struct desk *desk, uint32_t place)
{
	struct ticket *ticket = &desk->tickets[place];

	take_out(desk, &desk->active, place);
	if (post_job(desk, place, JOB_FINISH, NULL, ticket->last_ns)) {
		ticket->state = TICKET_OWED;
		return;
	}
	ticket->state = TICKET_LATE;
	append(desk, &desk->late, place);
}

/* The active ticket a handle stands for, or PLACE_NONE when it is stale. */
static uint32_t place_of(const struct desk *desk, uint32_t handle, uint64_t flow)
{
	uint32_t place = (handle & PLACE_MASK) - 1;
	const struct ticket *ticket = &desk->tickets[place];

	if (ticket->state != TICKET_ACTIVE || ticket->flow != flow ||
	    (ticket->generation & 0xff) != handle >> PLACE_BITS)
		return PLACE_NONE;
	return place;
}

static uint32_t take_ticket(struct desk *desk, uint64_t flow, const struct packet *packet,
			    uint32_t *handle)
{
	uint32_t place = desk->free.head;
	struct ticket *ticket;

	if (place == PLACE_NONE) {
		/* A flood of half-open flows cannot keep others out: room for the next packet. */
		if (desk->active.head != PLACE_NONE) {
			settle(desk, desk->active.head);
			desk->stat_shed++;
		}
		return PLACE_NONE;
	}
	take_out(desk, &desk->free, place);
	ticket = &desk->tickets[place];
	ticket->flow = flow;
	ticket->state = TICKET_ACTIVE;
	ticket->packets = 0;
	ticket->l3 = packet->l3;
	ticket->proto = packet->proto;
	append(desk, &desk->active, place);
	*handle = ticket->generation << PLACE_BITS | (place + 1);
	desk->stat_flows++;
	return place;
}

/* A label less: of a flow with a hole in what was shown it would say little. */
static void give_up(struct desk *desk, uint32_t place)
{
	desk->stat_shed++;
	if (desk->tickets[place].packets > 1) {
		settle(desk, place);
		return;
	}
	take_out(desk, &desk->active, place); /* nobody has heard of it */
	release(desk, place);
}

enum dpi_verdict desk_submit(struct desk *desk, uint64_t flow, uint32_t *handle,
			     const struct packet *packet, uint64_t now_ns)
{
	struct ticket *ticket;
	uint32_t place;
	bool last;

	if (!dpi_fits(packet))
		return DPI_MORE;
	if (*handle == 0) {
		place = take_ticket(desk, flow, packet, handle);
		if (place == PLACE_NONE)
			return DPI_FULL;
	} else {
		place = place_of(desk, *handle, flow);
		if (place == PLACE_NONE) {
			*handle = 0;
			return DPI_DONE;
		}
		take_out(desk, &desk->active, place);
		append(desk, &desk->active, place);
	}
	ticket = &desk->tickets[place];
	ticket->last_ns = now_ns;
	if (ticket->l3 != packet->l3 || ticket->proto != packet->proto)
		return DPI_MORE;
	last = ++ticket->packets >= dpi_packets_of(packet, desk->packets);
	if (!post_job(desk, place, last ? JOB_LAST : JOB_PACKET, packet, now_ns)) {
		give_up(desk, place);
		*handle = 0;
		return DPI_DONE;
	}
	desk->stat_packets++;
	if (!last)
		return DPI_MORE;
	take_out(desk, &desk->active, place);
	ticket->state = TICKET_OWED;
	*handle = 0;
	return DPI_DONE;
}

void desk_finish(struct desk *desk, uint32_t *handle)
{
	uint32_t place = (*handle & PLACE_MASK) - 1;

	if (*handle != 0 && place_of(desk, *handle, desk->tickets[place].flow) != PLACE_NONE)
		settle(desk, place);
	*handle = 0;
}

/* ---- between batches ------------------------------------------------------------------------- */

static void settle_late(struct desk *desk)
{
	while (desk->late.head != PLACE_NONE) {
		uint32_t place = desk->late.head;

		if (!post_job(desk, place, JOB_FINISH, NULL, desk->tickets[place].last_ns))
			return;
		take_out(desk, &desk->late, place);
		desk->tickets[place].state = TICKET_OWED;
	}
}

static void settle_quiet(struct desk *desk, uint64_t now_ns)
{
	for (unsigned i = 0; i < QUIET_A_TURN && desk->active.head != PLACE_NONE; i++) {
		if (now_ns <= desk->tickets[desk->active.head].last_ns + QUIET_NS)
			return;
		settle(desk, desk->active.head);
	}
}

void desk_turn(struct desk *desk, uint64_t now_ns)
{
	uint32_t epoch = atomic_load_explicit(&desk->segment->control->epoch, memory_order_acquire);

	if (epoch != desk->epoch)
		begin_epoch(desk, epoch);
	report_if_broken(desk);
	desk->answers_left = ANSWERS_A_TURN;
	settle_late(desk);
	settle_quiet(desk, now_ns);
	if (!desk->posted)
		return;
	desk->posted = false;
	segment_ring(desk->segment);
}

bool desk_suspect(struct desk *desk, uint64_t *flow)
{
	bool has = desk->has_suspect;

	*flow = desk->suspect;
	desk->has_suspect = false;
	return has;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Ends it, and leaves nothing behind its end; false when it has none, or is not for printing. */
static bool is_text(char *text, size_t size, bool printable)
{
	size_t len = strnlen(text, size);

	if (len == size)
		return false;
	memset(text + len, 0, size - len);
	for (size_t i = 0; i < len && printable; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static bool is_app(struct app *app)
{
	app->flags &= APP_SURE | APP_CLEARTEXT_CREDENTIALS | APP_ENCRYPTED;
	return is_text(app->proto, sizeof app->proto, true) &&
	       is_text(app->service, sizeof app->service, true) &&
	       is_text(app->category, sizeof app->category, true) &&
	       is_text(app->host, sizeof app->host, false) &&
	       is_text(app->ja3, sizeof app->ja3, true) &&
	       is_text(app->ja3s, sizeof app->ja3s, true);
}

/* The flow that an answer is for; false when none waits for it. */
static bool take_answer(struct desk *desk, struct answer *answer, struct dpi_result *result)
{
	struct ticket *ticket;

	if (answer->place >= desk->flows)
		return false;
	ticket = &desk->tickets[answer->place];
	if (ticket->state == TICKET_FREE || ticket->generation != answer->generation)
		return false;
	if (ticket->state == TICKET_ACTIVE)
		take_out(desk, &desk->active, answer->place);
	else if (ticket->state == TICKET_LATE)
		take_out(desk, &desk->late, answer->place);
	result->flow = ticket->flow;
	release(desk, answer->place);
	if (!is_app(&answer->app))
		return false;
	result->app = answer->app;
	desk->stat_labelled += result->app.proto[0] != '\0';
	return true;
}

bool desk_collect(struct desk *desk, struct dpi_result *result)
{
	struct answer answer;
	size_t len;

	while (desk->answers_left > 0 &&
	       (len = lane_get(&desk->answers, &answer, sizeof answer)) != 0) {
		desk->answers_left--;
		if (len != sizeof answer)
			continue;
		/* More than there are flows it cannot have lost meanwhile. */
		desk->stat_shed += answer.shed < desk->flows ? answer.shed : desk->flows;
		if (take_answer(desk, &answer, result))
			return true;
	}
	return false;
}

void desk_stats(struct desk *desk, struct stats *stats)
{
	stat_add(stats, STAT_DPI_PACKETS, desk->stat_packets);
	stat_add(stats, STAT_DPI_FLOWS, desk->stat_flows);
	stat_add(stats, STAT_DPI_LABELLED, desk->stat_labelled);
	stat_add(stats, STAT_DPI_SHED, desk->stat_shed);
	stat_add(stats, STAT_DPI_DEATHS, desk->stat_deaths);
	desk->stat_packets = desk->stat_flows = desk->stat_labelled = 0;
	desk->stat_shed = desk->stat_deaths = 0;
}
