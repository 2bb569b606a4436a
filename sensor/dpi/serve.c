/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - the DPI process: nDPI for all workers of a sensor, with no privilege at all.
 *
 * A job names a place and a generation of its worker's tickets; the answer names them again.  Each
 * is answered once, whatever becomes of it: then its place is done, until a new generation comes.
 * Jobs are no more trusted than frames are: a worker that was taken over gets no further by them
 * than one that shows packets.
 */
#include "dpi/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/pages.h"
#include "base/privs.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/inspection.h"
#include "dpi/job.h"
#include "dpi/segment.h"

#define JOBS_A_TURN 64
/* Where there is too little time for all, frames come before labels. */
#define NICE 5
#define SLEEP_NS (NS_PER_SEC / 2) /* a beat at least so often: supervise.c waits some seconds */
/* A job may settle its own flow and, for want of memory, another one. */
#define ANSWERS_A_JOB 4
/* Of nDPI for a flow, beside its state: what it allocates is bounded by ndpi.c to 2 KiB on average;
 * a packet may go beyond that by some KiB before it is noticed. */
#define MEMORY_SLACK ((size_t)64 << 20)
#define MEMORY_A_FLOW ((size_t)4 << 10)

struct place {
	uint32_t generation; /* 0: none yet, or the worker's first; then done says which */
	uint32_t handle;
	bool known, done;
};

struct desk_side { /* a worker, as seen from here */
	struct inspection *inspection;
	struct segment_post *post;
	struct lane jobs, answers;
	struct place *places;
	uint32_t refused; /* flows that found no room, not told yet */
	bool attached;
};

struct service {
	const struct dpi_segment *segment;
	uint32_t epoch;
	struct dpi_shape shape;
	struct desk_side *sides;
	_Alignas(8) uint8_t record[sizeof(struct job) + DPI_PACKET_MAX];
};

static uint64_t name_of(uint32_t place, uint32_t generation)
{
	return (uint64_t)generation << 32 | place;
}

static void answer(struct desk_side *side, uint64_t name, const struct app *app)
{
	struct answer out;

	memset(&out, 0, sizeof out);
	out.place = (uint32_t)name;
	out.generation = (uint32_t)(name >> 32);
	out.shed = side->refused + inspection_take_shed(side->inspection);
	side->refused = 0;
	if (app != NULL)
		out.app = *app;
	/* There is room: take_jobs() has seen to it. */
	(void)lane_put(&side->answers, &out, sizeof out, NULL, 0);
}

static void answer_ready(struct desk_side *side)
{
	struct dpi_result result;

	while (inspection_collect(side->inspection, &result))
		answer(side, result.flow, &result.app);
}

static void finish(struct desk_side *side, struct place *place, const struct job *job)
{
	place->done = true;
	if (place->handle == 0) /* nothing of it was fit */
		answer(side, name_of(job->place, job->generation), NULL);
	inspection_finish(side->inspection, &place->handle);
	answer_ready(side);
}

static void show(struct desk_side *side, struct place *place, const struct job *job,
		 const uint8_t *bytes)
{
	struct packet packet;
	uint64_t name = name_of(job->place, job->generation);
	enum dpi_verdict verdict = DPI_MORE;

	if (dpi_fit_bytes(bytes, job->len, &packet)) {
		for (unsigned again = 0; again < 2; again++) {
			verdict = inspection_submit(side->inspection, name, &place->handle, &packet,
						    job->ts_ns);
			answer_ready(side);
			if (verdict != DPI_FULL)
				break;
		}
	}
	side->refused += verdict == DPI_FULL;
	if (verdict == DPI_DONE)
		place->done = true;
	else if (verdict == DPI_FULL || job->kind == JOB_LAST)
		finish(side, place, job);
}

static void take_job(struct service *service, struct desk_side *side, size_t len)
{
	struct segment_pulse *pulse = service->segment->pulse;
	struct job job;
	struct place *place;

	if (len < sizeof job)
		return;
	memcpy(&job, service->record, sizeof job);
	if (job.place >= service->shape.flows || job.len != len - sizeof job)
		return;
	place = &side->places[job.place];
	if (!place->known || place->generation != job.generation) {
		inspection_finish(side->inspection, &place->handle);
		answer_ready(side);
		*place = (struct place){.generation = job.generation, .known = true};
	}
	if (place->done)
		return;
	atomic_store_explicit(&pulse->place, job.place, memory_order_relaxed);
	atomic_store_explicit(&pulse->generation, job.generation, memory_order_relaxed);
	atomic_store_explicit(&pulse->busy, (uint32_t)(side - service->sides) + 1,
			      memory_order_relaxed);
	if (job.kind == JOB_FINISH)
		finish(side, place, &job);
	else
		show(side, place, &job, service->record + sizeof job);
	atomic_store_explicit(&pulse->busy, 0, memory_order_relaxed);
}

/* The worker begins in our epoch with an empty post. */
static bool is_attached(const struct service *service, struct desk_side *side, unsigned index)
{
	if (!side->attached &&
	    atomic_load_explicit(&side->post->attached, memory_order_acquire) == service->epoch) {
		segment_lanes(service->segment, index, &side->jobs, &side->answers);
		side->attached = true;
	}
	return side->attached;
}

/* Only as many as can be answered: a worker that does not collect gets no more. */
static bool take_jobs(struct service *service, unsigned index)
{
	struct desk_side *side = &service->sides[index];
	unsigned taken = 0;

	if (!is_attached(service, side, index))
		return false;
	while (taken < JOBS_A_TURN &&
	       lane_has_room(&side->answers, ANSWERS_A_JOB * (sizeof(struct answer) + 8))) {
		size_t len = lane_get(&side->jobs, service->record, sizeof service->record);

		if (len == 0)
			break;
		take_job(service, side, len);
		taken++;
	}
	return taken > 0;
}

bool service_turn(struct service *service)
{
	bool busy = false;

	(void)atomic_fetch_add_explicit(&service->segment->pulse->beats, 1, memory_order_relaxed);
	for (unsigned i = 0; i < service->shape.posts; i++)
		busy |= take_jobs(service, i);
	return busy;
}

static bool waits(void *context)
{
	struct service *service = context;

	for (unsigned i = 0; i < service->shape.posts; i++) {
		struct desk_side *side = &service->sides[i];

		if (is_attached(service, side, i) && lane_waits(&side->jobs) &&
		    lane_has_room(&side->answers, ANSWERS_A_JOB * (sizeof(struct answer) + 8)))
			return true;
	}
	return false;
}

/* ---- life ------------------------------------------------------------------------------------ */

/*
 * What opens a file when it is first wanted is wanted now: the time zone, in which nDPI reads the
 * dates of certificates, and by a QUIC Initial, which nDPI decrypts, its cryptographic library.
 */
static void warm_up(struct desk_side *side)
{
	uint8_t bytes[1200] = {0x45, 0, 0x04, 0xb0, 0, 0, 0x40, 0, 64, 17};
	struct packet packet;
	struct dpi_result result;
	uint32_t handle = 0;
	uint8_t *quic = bytes + IPV4_HEADER + 8;

	bytes[12] = bytes[16] = 10;
	bytes[19] = 1;
	bytes[20] = 0xc0; /* port 49152 to 443 */
	bytes[22] = 0x01;
	bytes[23] = 0xbb;
	bytes[24] = (sizeof bytes - IPV4_HEADER) >> 8;
	bytes[25] = (sizeof bytes - IPV4_HEADER) & 0xff;
	quic[0] = 0xc0;
	quic[4] = 1;	 /* version */
	quic[5] = 8;	 /* length of the connection id */
	quic[16] = 0x44; /* the rest, a varint */
	quic[17] = 0x82;
	tzset();
	if (!dpi_fit_bytes(bytes, sizeof bytes, &packet))
		return;
	(void)inspection_submit(side->inspection, 0, &handle, &packet, 0);
	inspection_finish(side->inspection, &handle);
	while (inspection_collect(side->inspection, &result))
		continue;
}

struct service *service_new(const struct dpi_segment *segment, struct err *err)
{
	struct service *service = calloc(1, sizeof *service);
	const struct dpi_shape *shape = &segment->shape;

	if (service == NULL)
		goto memory;
	service->segment = segment;
	service->shape = *shape;
	service->epoch = atomic_load_explicit(&segment->control->epoch, memory_order_acquire);
	service->sides = calloc(shape->posts, sizeof *service->sides);
	if (service->sides == NULL)
		goto memory;
	for (unsigned i = 0; i < shape->posts; i++) {
		struct desk_side *side = &service->sides[i];

		side->post = segment_post(segment, i);
		side->places = pages_new(shape->flows, sizeof *side->places);
		if (side->places == NULL)
			goto memory;
		side->inspection = inspection_new(shape->flows, shape->packets, err);
		if (side->inspection == NULL) {
			service_free(service);
			return NULL;
		}
	}
	warm_up(&service->sides[0]);
	return service;
memory:
	(void)err_set(err, ERR_MEMORY, "no memory for the DPI process");
	service_free(service);
	return NULL;
}

void service_free(struct service *service)
{
	for (unsigned i = 0; service != NULL && service->sides != NULL && i < service->shape.posts;
	     i++) {
		inspection_free(service->sides[i].inspection);
		pages_free(service->sides[i].places, service->shape.flows,
			   sizeof *service->sides[i].places);
	}
	if (service != NULL)
		free(service->sides);
	free(service);
}

static int give_up_everything(const struct dpi_shape *shape, struct err *err)
{
	const struct privs nothing = {
	    .user = "",
	    .bare = true,
	    .memory = MEMORY_SLACK + (size_t)shape->posts * shape->flows * MEMORY_A_FLOW,
	    .no_seccomp = privs_sanitized(),
	};
	char level[PRIVS_TEXT_SIZE];
	int rc = privs_drop(&nothing, level, err);

	if (rc != 0 || privs_sanitized())
		return rc;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)close(fd); /* it may not be open */
	return 0;
}

/* Whatever somebody left open for us. */
static void close_all(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT32_MAX, 0) == 0)
		return;
#endif
	for (int fd = STDERR_FILENO + 1; fd < sysconf(_SC_OPEN_MAX); fd++)
		(void)close(fd); /* it may not be open */
}

static _Noreturn void serve(struct service *service)
{
	for (;;)
		if (!service_turn(service))
			segment_sleep(service->segment, waits, service, SLEEP_NS);
}

int dpi_serve(int fd, struct err *err)
{
	struct dpi_segment *segment = NULL;
	struct service *service = NULL;
	int rc = segment_map_to_serve(&segment, fd, err);

	close_all();
	(void)setpriority(PRIO_PROCESS, 0, NICE); /* a wish */
	if (rc == 0) {
		service = service_new(segment, err);
		rc = service == NULL ? err->code : give_up_everything(&segment->shape, err);
	}
	if (rc == 0)
		serve(service);
	service_free(service);
	dpi_segment_free(segment);
	return rc;
}
