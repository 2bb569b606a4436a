/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.c - a worker's desk, and a DPI process that writes whatever it likes into their memory.
 *
 *	input: steps, each a byte of what happens and what it takes
 *
 * Whatever happens: a label is for a flow that was asked about and had none yet, its texts end, and
 * a new epoch makes all well again.
 */
#include "common.h"

#include "bulkhead/app.h"
#include "dpi/fit.h"
#include "dpi/job.h"
#include "dpi/segment.h"

#define FLOWS 5

enum step { ASK, TURN, ANSWER, BYTES, HEAD, TAIL, TAKE, EPOCH, STEPS };

static struct dpi_segment *supervisor, *worker, *process;

struct bench {
	struct dpi *dpi;
	struct lane jobs, answers; /* as the DPI process has them */
	unsigned owed[FLOWS];	   /* asked about, and no label yet */
	unsigned asked, collected;
};

static void make_segment(void)
{
	struct err err;
	int fd;

	FUZZ_CHECK(dpi_segment_new(&supervisor, &fd, &err) == 0);
	FUZZ_CHECK(dpi_segment_map(&worker, fd, &err) == 0);
	FUZZ_CHECK(segment_map_to_serve(&process, fd, &err) == 0);
	/* The descriptor stays open: there is one of it. */
}

static bool ask(struct bench *b, unsigned flow, unsigned packets)
{
	uint8_t bytes[64] = {0x45, 0, 0, 64, 0, 0, 0, 0, 64, IPPROTO_NUM_UDP};
	struct packet packet[DPI_ASK_PACKETS];
	uint64_t ts_ns[DPI_ASK_PACKETS] = {0};

	for (unsigned i = 0; i < packets; i++)
		FUZZ_CHECK(dpi_fit_bytes(bytes, sizeof bytes, &packet[i]));
	if (!dpi_ask(b->dpi, flow, packet, ts_ns, packets))
		return false;
	b->owed[flow]++;
	b->asked++;
	return true;
}

static void collect(struct bench *b)
{
	struct dpi_result r;

	dpi_turn(b->dpi);
	while (dpi_collect(b->dpi, &r)) {
		FUZZ_CHECK(r.flow < FLOWS && b->owed[r.flow] > 0);
		b->owed[r.flow]--;
		b->collected++;
		fuzz_check_plain(r.app.proto, sizeof r.app.proto);
		fuzz_check_plain(r.app.service, sizeof r.app.service);
		fuzz_check_plain(r.app.category, sizeof r.app.category);
		fuzz_check_plain(r.app.ja3, sizeof r.app.ja3);
		fuzz_check_plain(r.app.ja3s, sizeof r.app.ja3s);
		FUZZ_CHECK(memchr(r.app.host, 0, sizeof r.app.host) != NULL);
	}
}

static void answer(struct bench *b, struct cursor *c)
{
	struct answer a;
	size_t len = cursor_left(c) < sizeof a ? cursor_left(c) : sizeof a;

	memset(&a, 0, sizeof a);
	a.number = b->collected + cursor_u8(c);
	len = cursor_u8(c) % (len + 1);
	len = len < sizeof a.app ? len : sizeof a.app;
	len = len < cursor_left(c) ? len : cursor_left(c);
	cursor_bytes(c, &a.app, len);
	(void)lane_put(&b->answers, &a, sizeof a, NULL, 0);
}

/* Bytes and a length of them that is the first thing a reader sees. */
static void bytes(struct bench *b, struct cursor *c)
{
	size_t at = b->answers.mine & (SEGMENT_ANSWERS - 1);
	size_t len = cursor_u8(c);

	len = len < cursor_left(c) ? len : cursor_left(c);
	len = len < SEGMENT_ANSWERS - at ? len : SEGMENT_ANSWERS - at;
	cursor_bytes(c, b->answers.bytes + at, len);
}

static void begin_epoch(struct bench *b)
{
	dpi_segment_begin_epoch(supervisor);
	memset(b->owed, 0, sizeof b->owed);
	b->collected = b->asked;
	dpi_turn(b->dpi);
	segment_lanes(process, &b->jobs, &b->answers);
}

static void step(struct bench *b, struct cursor *c)
{
	switch ((enum step)(cursor_u8(c) % STEPS)) {
	case ASK: {
		uint8_t what = cursor_u8(c);

		(void)ask(b, what % FLOWS, what / FLOWS % (DPI_ASK_PACKETS + 1));
		break;
	}
	case TURN:
		collect(b);
		break;
	case ANSWER:
		answer(b, c);
		break;
	case BYTES:
		bytes(b, c);
		break;
	case HEAD:
		atomic_store(&b->answers.ends->head, b->answers.mine + cursor_be32(c));
		break;
	case TAIL:
		atomic_store(&b->jobs.ends->tail, (uint64_t)cursor_be32(c) << (cursor_u8(c) % 33));
		break;
	case TAKE: {
		static uint8_t job[JOB_MAX];

		(void)lane_get(&b->jobs, job, sizeof job);
		break;
	}
	case EPOCH:
		begin_epoch(b);
		break;
	default:
		break;
	}
}

/* After all that a new epoch labels as if nothing had been. */
static void check_recovery(struct bench *b)
{
	struct dpi_result r;
	struct answer a;
	static uint8_t job[JOB_MAX];
	struct job head;

	begin_epoch(b);
	FUZZ_CHECK(ask(b, 1, 1));
	FUZZ_CHECK(lane_get(&b->jobs, job, sizeof job) ==
		   sizeof head + sizeof(struct job_packet) + 64);
	memcpy(&head, job, sizeof head);
	memset(&a, 0, sizeof a);
	a.number = head.number;
	FUZZ_CHECK(lane_put(&b->answers, &a, sizeof a, NULL, 0));
	dpi_turn(b->dpi);
	FUZZ_CHECK(dpi_collect(b->dpi, &r) && r.flow == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct bench b = {.asked = 0};
	struct err err;

	if (supervisor == NULL)
		make_segment();
	b.dpi = dpi_attach(worker, &err);
	FUZZ_CHECK(b.dpi != NULL);
	segment_lanes(process, &b.jobs, &b.answers);
	memset(b.answers.bytes, 0, SEGMENT_ANSWERS); /* of the inputs before */
	while (cursor_left(&c) > 0 && !c.failed)
		step(&b, &c);
	check_recovery(&b);
	dpi_free(b.dpi);
	return 0;
}
