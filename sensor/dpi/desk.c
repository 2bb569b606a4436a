/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.c - see desk.h.
 *
 * Questions have numbers; a number is all that the DPI process is told of a flow, and what its
 * answer has to name.  Answers come in the order of questions: what else comes cannot be, and
 * breaks the lane.
 *
 *	numbers:   1 ... answered | owed ...  asked | free
 *
 * A question that finds no room costs its flow the label: nobody waits.  When a new epoch begins,
 * the DPI process has died with all that it owed, and no number is used again.
 */
#include "dpi/desk.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/job.h"

#define OWED_MAX 1024 /* flows with findings of some milliseconds */

_Static_assert(OWED_MAX *(sizeof(struct answer) + 8) <= SEGMENT_ANSWERS, "all can be answered");

struct desk {
	const struct dpi_segment *segment;
	struct lane jobs, answers;
	uint32_t epoch;
	bool posted;		  /* since the last turn */
	uint64_t asked, answered; /* numbers */
	uint64_t flow[OWED_MAX];  /* of those owed, by number */
	uint64_t suspect;	  /* the flow that the last one died of */
	bool has_suspect;
	uint64_t stat_packets, stat_flows, stat_labelled, stat_shed, stat_deaths;
	uint8_t record[JOB_MAX];
};

static uint64_t *flow_of(struct desk *desk, uint64_t number)
{
	return &desk->flow[number % OWED_MAX];
}

/* ---- epochs ---------------------------------------------------------------------------------- */

static void attach(struct desk *desk, uint32_t epoch)
{
	struct segment_post *post = desk->segment->post;

	desk->epoch = epoch;
	lane_clear(&post->jobs);
	lane_clear(&post->answers);
	segment_lanes(desk->segment, &desk->jobs, &desk->answers);
	atomic_store_explicit(&post->attached, epoch, memory_order_release);
	desk->posted = true;
}

static void take_suspect(struct desk *desk)
{
	uint64_t busy = atomic_load_explicit(&desk->segment->pulse->busy, memory_order_relaxed);

	if (busy <= desk->answered || busy > desk->asked)
		return;
	desk->suspect = *flow_of(desk, busy);
	desk->has_suspect = true;
}

static void begin_epoch(struct desk *desk, uint32_t epoch)
{
	take_suspect(desk);
	desk->stat_shed += desk->asked - desk->answered;
	desk->answered = desk->asked;
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

struct desk *desk_new(const struct dpi_segment *segment, struct err *err)
{
	struct desk *desk = calloc(1, sizeof *desk);

	if (desk == NULL) {
		(void)err_set(err, ERR_MEMORY, "no memory for DPI");
		return NULL;
	}
	desk->segment = segment;
	attach(desk, atomic_load_explicit(&segment->control->epoch, memory_order_acquire));
	return desk;
}

void desk_free(struct desk *desk)
{
	free(desk);
}

void desk_turn(struct desk *desk)
{
	uint32_t epoch = atomic_load_explicit(&desk->segment->control->epoch, memory_order_acquire);

	if (epoch != desk->epoch)
		begin_epoch(desk, epoch);
	report_if_broken(desk);
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

/* ---- questions ------------------------------------------------------------------------------- */

/* Behind `at` bytes of the record; returns where it ends. */
static size_t write_packet(struct desk *desk, size_t at, const struct packet *packet,
			   uint64_t ts_ns)
{
	struct job_packet head = {.ts_ns = ts_ns};

	head.len = packet->l3_len < DPI_PACKET_MAX ? packet->l3_len : DPI_PACKET_MAX;
	memcpy(desk->record + at, &head, sizeof head);
	memcpy(desk->record + at + sizeof head, packet->l3_data, head.len);
	return at + sizeof head + head.len;
}

bool desk_ask(struct desk *desk, uint64_t flow, const struct packet packet[],
	      const uint64_t ts_ns[], unsigned count)
{
	struct job job = {.number = desk->asked + 1};
	size_t len = sizeof job;
	unsigned packets = 0;

	if (desk->asked - desk->answered == OWED_MAX)
		return false;
	memcpy(desk->record, &job, sizeof job);
	for (unsigned i = 0; i < count; i++) {
		if (!dpi_fits(&packet[i]))
			continue;
		len = write_packet(desk, len, &packet[i], ts_ns[i]);
		packets++;
	}
	if (!lane_put(&desk->jobs, desk->record, len, NULL, 0))
		return false;
	desk->asked++;
	*flow_of(desk, desk->asked) = flow;
	desk->posted = true;
	desk->stat_flows++;
	desk->stat_packets += packets;
	return true;
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

bool desk_collect(struct desk *desk, struct dpi_result *result)
{
	struct answer answer;
	size_t len = lane_get(&desk->answers, &answer, sizeof answer);

	if (len == 0)
		return false;
	if (len != sizeof answer || desk->answered == desk->asked ||
	    answer.number != desk->answered + 1) {
		desk->answers.broken = true;
		return false;
	}
	desk->answered++;
	desk->stat_shed += answer.shed != 0;
	*result = (struct dpi_result){.flow = *flow_of(desk, answer.number)};
	if (is_app(&answer.app))
		result->app = answer.app;
	desk->stat_labelled += result->app.proto[0] != '\0';
	return true;
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
