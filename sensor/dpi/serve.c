/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - the DPI process: nDPI for the worker of a sensor, with no privilege at all.
 *
 * Each question is answered once, in turn, whatever becomes of it.  Questions are no more trusted
 * than frames are: a worker that was taken over gets no further by them than one that shows
 * packets.
 */
#include "dpi/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/privs.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/inspection.h"
#include "dpi/job.h"
#include "dpi/segment.h"

/* Where there is too little time for all, frames come before labels. */
#define NICE 5
#define SLEEP_NS (NS_PER_SEC / 2) /* a beat at least so often: supervise.c waits some seconds */
#define MEMORY ((size_t)64 << 20) /* beyond what it has when it begins; ndpi.c wants less */

struct service {
	const struct dpi_segment *segment;
	uint32_t epoch;
	bool attached;
	struct lane jobs, answers;
	struct inspection *inspection;
	struct packet packet[DPI_ASK_PACKETS];
	uint64_t ts_ns[DPI_ASK_PACKETS];
	uint8_t record[JOB_MAX];
};

/* Of the question in the record, what is fit to be shown. */
static unsigned read_packets(struct service *service, size_t len)
{
	const uint8_t *at = service->record + sizeof(struct job);
	size_t left = len - sizeof(struct job);
	struct job_packet head;
	unsigned count = 0;

	while (count < DPI_ASK_PACKETS && left >= sizeof head) {
		memcpy(&head, at, sizeof head);
		at += sizeof head;
		left -= sizeof head;
		if (head.len > left)
			break;
		if (dpi_fit_bytes(at, head.len, &service->packet[count]))
			service->ts_ns[count++] = head.ts_ns;
		at += head.len;
		left -= head.len;
	}
	return count;
}

static void take_job(struct service *service, size_t len)
{
	_Atomic uint64_t *busy = &service->segment->pulse->busy;
	struct answer answer;
	struct job job;
	bool asked;

	if (len < sizeof job)
		return;
	memcpy(&job, service->record, sizeof job);
	memset(&answer, 0, sizeof answer);
	answer.number = job.number;
	atomic_store_explicit(busy, job.number, memory_order_relaxed);
	asked = inspection_ask(service->inspection, service->packet, service->ts_ns,
			       read_packets(service, len), &answer.app);
	atomic_store_explicit(busy, 0, memory_order_relaxed);
	answer.shed = !asked;
	answer.shed |= inspection_take_shed(service->inspection) > 0;
	/* There is room: service_turn() has seen to it. */
	(void)lane_put(&service->answers, &answer, sizeof answer, NULL, 0);
}

/* The worker begins in our epoch with an empty post. */
static bool is_attached(struct service *service)
{
	if (!service->attached && atomic_load_explicit(&service->segment->post->attached,
						       memory_order_acquire) == service->epoch) {
		segment_lanes(service->segment, &service->jobs, &service->answers);
		service->attached = true;
	}
	return service->attached;
}

/* Only what can be answered is taken: a worker that does not collect gets no more. */
static bool waits(void *context)
{
	struct service *service = context;

	return is_attached(service) && lane_waits(&service->jobs) &&
	       lane_has_room(&service->answers, sizeof(struct answer));
}

bool service_turn(struct service *service)
{
	size_t len;

	(void)atomic_fetch_add_explicit(&service->segment->pulse->beats, 1, memory_order_relaxed);
	if (!waits(service))
		return false;
	len = lane_get(&service->jobs, service->record, sizeof service->record);
	if (len > 0)
		take_job(service, len);
	return len > 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

/*
 * What opens a file when it is first wanted is wanted now: the time zone, in which nDPI reads the
 * dates of certificates, and by a QUIC Initial, which nDPI decrypts, its cryptographic library.
 */
static void warm_up(struct inspection *inspection)
{
	uint8_t bytes[1200] = {0x45, 0, 0x04, 0xb0, 0, 0, 0x40, 0, 64, 17};
	struct packet packet;
	const uint64_t ts_ns = 0;
	struct app app;
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
	if (dpi_fit_bytes(bytes, sizeof bytes, &packet))
		(void)inspection_ask(inspection, &packet, &ts_ns, 1, &app);
}

struct service *service_new(const struct dpi_segment *segment, size_t heap, struct err *err)
{
	struct service *service = calloc(1, sizeof *service);

	if (service == NULL) {
		(void)err_set(err, ERR_MEMORY, "no memory for the DPI process");
		return NULL;
	}
	service->segment = segment;
	service->epoch = atomic_load_explicit(&segment->control->epoch, memory_order_acquire);
	service->inspection = inspection_new(heap, err);
	if (service->inspection == NULL) {
		service_free(service);
		return NULL;
	}
	warm_up(service->inspection);
	return service;
}

void service_free(struct service *service)
{
	if (service != NULL)
		inspection_free(service->inspection);
	free(service);
}

static int give_up_everything(struct err *err)
{
	const struct privs nothing = {
	    .user = "",
	    .bare = true,
	    .memory = MEMORY,
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
		service = service_new(segment, INSPECTION_HEAP, err);
		rc = service == NULL ? err->code : give_up_everything(err);
	}
	if (rc == 0)
		serve(service);
	service_free(service);
	dpi_segment_free(segment);
	return rc;
}
