/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_process.c - a worker's desk and the DPI process over the memory they share: labels come
 * through, nobody waits, and neither is hurt by whatever the other writes there.
 *
 * Both sides live in this process, each with a mapping of its own, and take turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "bulkhead/app.h"
#include "dpi/fit.h"
#include "dpi/inspection.h"
#include "dpi/job.h"
#include "dpi/segment.h"
#include "dpi/serve.h"
#include "unit/dpi/hello.h"

#define NOW UINT64_C(1700000000000000000)
#define MANY 4096
#define REQUEST "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"

struct lab {
	struct dpi_segment *supervisor, *worker, *process;
	struct dpi *dpi;
	struct service *service;
};

static void serve_with(struct lab *lab, size_t heap)
{
	struct err err;

	service_free(lab->service);
	lab->service = service_new(lab->process, heap, &err);
	assert_non_null(lab->service);
}

static void serve_anew(struct lab *lab)
{
	serve_with(lab, INSPECTION_HEAP);
}

static int set_up(void **state)
{
	struct lab *lab = calloc(1, sizeof *lab);
	struct err err;
	int fd;

	assert_non_null(lab);
	assert_int_equal(dpi_segment_new(&lab->supervisor, &fd, &err), 0);
	assert_int_equal(dpi_segment_map(&lab->worker, fd, &err), 0);
	assert_int_equal(segment_map_to_serve(&lab->process, fd, &err), 0);
	assert_int_equal(close(fd), 0);
	lab->dpi = dpi_attach(lab->worker, &err);
	assert_non_null(lab->dpi);
	serve_anew(lab);
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	struct lab *lab = *state;

	dpi_free(lab->dpi);
	service_free(lab->service);
	dpi_segment_free(lab->process);
	dpi_segment_free(lab->worker);
	dpi_segment_free(lab->supervisor);
	free(lab);
	return 0;
}

/* A TCP segment 10.0.0.1:1024+flow to 10.0.0.2:80; borrowed until the next call. */
static struct packet packet_of(uint64_t flow, const char *payload)
{
	static uint8_t bytes[DPI_PACKET_MAX];
	struct packet packet;
	size_t len = 40 + strlen(payload);

	memset(bytes, 0, 40);
	bytes[0] = 0x45;
	put16(bytes + 2, len);
	bytes[8] = 64;
	bytes[9] = IPPROTO_NUM_TCP;
	bytes[12] = bytes[16] = 10;
	bytes[15] = 1;
	bytes[19] = 2;
	put16(bytes + 20, 1024 + flow);
	put16(bytes + 22, 80);
	bytes[32] = 0x50;
	bytes[33] = TCP_ACK | TCP_PSH;
	memcpy(bytes + 40, payload, strlen(payload));
	assert_true(dpi_fit_bytes(bytes, len, &packet));
	return packet;
}

/* So many packets that all say the same. */
static bool ask(struct lab *lab, uint64_t flow, const char *payload, unsigned count)
{
	struct packet packet[DPI_ASK_PACKETS + 1] = {{0}};
	uint64_t ts_ns[DPI_ASK_PACKETS + 1] = {0};

	for (unsigned i = 0; i < count; i++) {
		packet[i] = packet_of(flow, payload);
		ts_ns[i] = NOW + i;
	}
	return dpi_ask(lab->dpi, flow, packet, ts_ns, count);
}

static void turn(struct lab *lab)
{
	dpi_turn(lab->dpi);
	while (service_turn(lab->service))
		continue;
}

static uint64_t count(struct lab *lab, enum stat which)
{
	struct stats stats = {{0}};

	dpi_stats(lab->dpi, &stats);
	return stat_get(&stats, which);
}

static void label_comes_later(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;

	assert_true(dpi_is_late(lab->dpi));
	assert_true(ask(lab, 7, REQUEST, 1));
	dpi_turn(lab->dpi);
	assert_false(dpi_collect(lab->dpi, &result));
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 7);
	assert_string_equal(result.app.proto, "HTTP");
	assert_string_equal(result.app.host, "shop.example");
	assert_int_equal(result.app.flags, APP_SURE);
	assert_false(dpi_collect(lab->dpi, &result));
	assert_int_equal(count(lab, STAT_DPI_LABELLED), 1);
}

/* As in the same process: it is known by two packets of it. */
static void all_packets_come_through(void **state)
{
	struct lab *lab = *state;
	struct packet packet[2];
	uint8_t bytes[200];
	uint64_t ts_ns[2] = {NOW, NOW + 1};
	struct dpi_result result;

	packet[0] = packet_of(1, "SSH-2.0-OpenSSH_9.3\r\n");
	memcpy(bytes, packet[0].l3_data, packet[0].l3_len);
	assert_true(dpi_fit_bytes(bytes, packet[0].l3_len, &packet[0]));
	packet[1] = packet_of(1, "SSH-2.0-OpenSSH_9.2p1\r\n");
	packet[1].flags |= PACKET_FRAGMENT; /* passed over */
	assert_true(dpi_ask(lab->dpi, 1, packet, ts_ns, 2));
	packet[1].flags &= ~(uint32_t)PACKET_FRAGMENT;
	assert_true(dpi_ask(lab->dpi, 2, packet, ts_ns, 2));
	memset(bytes, 0, sizeof bytes); /* they were copied */
	assert_int_equal(count(lab, STAT_DPI_PACKETS), 3);
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 2);
	assert_string_equal(result.app.proto, "SSH");
}

/* Every flow is answered, with or without a label, in turn; the seventeenth packet counts no more
 * than the longest there is does harm. */
static void each_flow_is_answered_once(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	char payload[DPI_PACKET_MAX - 40 + 1];

	memset(payload, ' ', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	assert_true(ask(lab, 0, payload, 0));
	for (unsigned i = 1; i < 500; i++) {
		assert_true(ask(lab, i, payload, i % (DPI_ASK_PACKETS + 2)));
		if (i % 10 != 9)
			continue;
		turn(lab);
		for (unsigned k = i - 9; k <= i; k++) {
			assert_true(dpi_collect(lab->dpi, &result));
			assert_int_equal(result.flow, k);
			assert_string_equal(result.app.proto, "");
		}
		assert_false(dpi_collect(lab->dpi, &result));
	}
}

/* Nobody reads: questions find no room, which is counted, nobody waits.  Then every one that found
 * some is answered, and there is room again. */
static void overflow_with(struct lab *lab, const char *payload, unsigned least, unsigned most)
{
	struct dpi_result result;
	unsigned asked = 0;

	for (uint64_t flow = 0; flow < MANY; flow++)
		asked += ask(lab, flow, payload, 1);
	assert_in_range(asked, least, most);
	assert_int_equal(count(lab, STAT_DPI_FULL), MANY - asked);
	turn(lab);
	for (unsigned i = 0; i < asked; i++) {
		assert_true(dpi_collect(lab->dpi, &result));
		assert_int_equal(result.flow, i);
	}
	assert_false(dpi_collect(lab->dpi, &result));
	assert_true(ask(lab, 7, REQUEST, 1));
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_string_equal(result.app.host, "shop.example");
	assert_int_equal(count(lab, STAT_DPI_SHED), 0);
}

static void overflow(void **state)
{
	char payload[DPI_PACKET_MAX - 40 + 1];

	overflow_with(*state, "few words", 1000, 1100); /* that are owed */
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	for (unsigned i = 0; i < 900; i++)
		(void)ask(*state, i, payload, DPI_ASK_PACKETS); /* bytes */
	assert_in_range(count(*state, STAT_DPI_FULL), 830, 850);
}

/* nDPI's memory is bounded: what a flow is denied is counted here. */
static void want_of_memory_is_counted(void **state)
{
	static const uint8_t record[] = {22, 3, 3, 0xff, 0xff, 11}; /* which takes 64 KiB */
	static uint8_t bytes[DPI_ASK_PACKETS][4000];
	struct lab *lab = *state;
	struct packet packet[DPI_ASK_PACKETS];
	uint64_t ts_ns[DPI_ASK_PACKETS];
	struct dpi_result result;
	uint32_t sequence = 0;

	serve_with(lab, 24 << 10);
	for (unsigned i = 0; i < DPI_ASK_PACKETS; i++) {
		size_t len = sizeof bytes[i];

		memset(bytes[i], 'x', len);
		memcpy(bytes[i], packet_of(1, "x").l3_data, 40);
		if (i == 0)
			len = 40 + client_hello(bytes[i] + 40, "a.example");
		else if (i == 1)
			memcpy(bytes[i] + 40, record, sizeof record);
		put16(bytes[i] + 2, len);
		put16(bytes[i] + 24, sequence >> 16);
		put16(bytes[i] + 26, sequence);
		sequence += (uint32_t)len - 40;
		assert_true(dpi_fit_bytes(bytes[i], len, &packet[i]));
		ts_ns[i] = NOW + i;
	}
	assert_true(dpi_ask(lab->dpi, 1, packet, ts_ns, DPI_ASK_PACKETS));
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_string_equal(result.app.host, "a.example"); /* what is known by then */
	assert_int_equal(count(lab, STAT_DPI_SHED), 1);
	assert_true(ask(lab, 2, REQUEST, 1));
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_string_equal(result.app.host, "shop.example");
	assert_int_equal(count(lab, STAT_DPI_SHED), 0);
}

/* It died: what it owed never comes, what was on its way is not taken up by the next one, and new
 * flows are. */
static void death(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;

	assert_true(ask(lab, 1, REQUEST, 1));
	turn(lab); /* answered, and not collected */
	assert_true(ask(lab, 2, REQUEST, 1));
	dpi_turn(lab->dpi); /* on its way */
	dpi_segment_begin_epoch(lab->supervisor);
	serve_anew(lab);
	assert_false(service_turn(lab->service));
	turn(lab);
	assert_int_equal(count(lab, STAT_DPI_SHED), 2);
	assert_false(dpi_collect(lab->dpi, &result));
	assert_true(ask(lab, 3, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n", 1));
	turn(lab);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 3);
	assert_string_equal(result.app.host, "b.example");
}

/* What it was busy with is known by what it says, if that can be. */
static void suspect(void **state)
{
	struct lab *lab = *state;
	struct segment_pulse *pulse = lab->process->pulse;
	static const uint64_t said[] = {3, 2, 6, 0, UINT64_MAX}; /* of which 3 is possible */
	struct dpi_result result;
	uint64_t flow;

	assert_true(ask(lab, 11, REQUEST, 1)); /* 1 */
	turn(lab);
	assert_int_equal(atomic_load(&pulse->busy), 0); /* it is done with it */
	assert_true(dpi_collect(lab->dpi, &result));
	assert_true(ask(lab, 12, REQUEST, 1)); /* 2 */
	dpi_segment_begin_epoch(lab->supervisor);
	dpi_turn(lab->dpi);
	assert_false(dpi_suspect(lab->dpi, &flow));
	for (unsigned i = 0; i < sizeof said / sizeof said[0]; i++) {
		assert_true(ask(lab, 13 + i, REQUEST, 1)); /* 3 + i */
		atomic_store(&pulse->busy, said[i]);
		dpi_segment_begin_epoch(lab->supervisor);
		dpi_turn(lab->dpi);
		assert_int_equal(dpi_suspect(lab->dpi, &flow), i == 0);
		if (i == 0)
			assert_int_equal(flow, 13);
		assert_false(dpi_suspect(lab->dpi, &flow));
	}
}

static void deaths_are_counted(void **state)
{
	struct lab *lab = *state;

	for (unsigned i = 0; i < 3; i++)
		dpi_segment_begin_epoch(lab->supervisor);
	dpi_turn(lab->dpi);
	assert_int_equal(count(lab, STAT_DPI_DEATHS), 3);
}

/* ---- a DPI process that was taken over ------------------------------------------------------- */

/* Where it goes on answering. */
static struct lane take_over(struct lab *lab)
{
	struct lane jobs, answers;

	segment_lanes(lab->process, &jobs, &answers);
	answers.mine = atomic_load(&answers.ends->head);
	answers.theirs = atomic_load(&answers.ends->tail);
	return answers;
}

/* Answers in its place. */
static void forge(struct lab *lab, struct lane *answers, uint64_t number,
		  void (*spoil)(struct app *app))
{
	struct answer answer;

	memset(&answer, 0, sizeof answer);
	answer.number = number;
	memcpy(answer.app.proto, "TLS", 4);
	if (spoil != NULL)
		spoil(&answer.app);
	assert_true(lane_put(answers, &answer, sizeof answer, NULL, 0));
	dpi_turn(lab->dpi);
}

static void no_end(struct app *app)
{
	memset(app->proto, 'A', sizeof app->proto);
}

static void no_end_of_host(struct app *app)
{
	memset(app->host, 'A', sizeof app->host);
}

static void not_printable(struct app *app)
{
	app->category[0] = '\033';
}

static void behind_the_end(struct app *app)
{
	app->flags = UINT16_MAX;
	memset(app->host + 1, 'x', sizeof app->host - 2);
	app->host[0] = '\0';
}

/* It may say what it likes of a flow that it was asked about, as far as it can be a label. */
static void forged_labels(void **state)
{
	static void (*const refused[])(struct app *) = {no_end, no_end_of_host, not_printable};
	struct lab *lab = *state;
	struct lane answers = take_over(lab);
	struct dpi_result result;

	for (uint32_t i = 0; i < 3; i++) {
		assert_true(ask(lab, 10 + i, REQUEST, 1));
		forge(lab, &answers, 1 + i, refused[i]);
		assert_true(dpi_collect(lab->dpi, &result));
		assert_int_equal(result.flow, 10 + i);
		assert_string_equal(result.app.proto, "");
		assert_string_equal(result.app.host, "");
		assert_int_equal(result.app.flags, 0);
	}
	assert_true(ask(lab, 5, REQUEST, 1));
	forge(lab, &answers, 4, behind_the_end);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 5);
	assert_int_equal(result.app.flags, APP_SURE | APP_CLEARTEXT_CREDENTIALS | APP_ENCRYPTED);
	for (size_t i = 0; i < sizeof result.app.host; i++)
		assert_int_equal(result.app.host[i], 0);
	assert_int_equal(count(lab, STAT_DPI_LABELLED), 1);
	dpi_turn(lab->dpi);
	assert_false(dpi_segment_is_broken(lab->supervisor));
}

/* The desk has given its lanes up and said so; in a new epoch all is well again. */
static void is_found_out(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;

	assert_false(dpi_segment_is_broken(lab->supervisor));
	assert_false(dpi_collect(lab->dpi, &result));
	dpi_turn(lab->dpi);
	assert_true(dpi_segment_is_broken(lab->supervisor));
	assert_false(dpi_collect(lab->dpi, &result));
	dpi_segment_begin_epoch(lab->supervisor);
	assert_false(dpi_segment_is_broken(lab->supervisor));
	serve_anew(lab);
	dpi_turn(lab->dpi);
	(void)count(lab, STAT_DPI_LABELLED);
	label_comes_later(state);
}

/* No label for whom nobody asked about, nor for another than whose turn it is. */
static void stray_answers(void **state)
{
	struct lab *lab = *state;
	struct lane answers = take_over(lab);
	struct dpi_result result;

	forge(lab, &answers, 1, NULL); /* nobody has asked */
	is_found_out(state);	       /* asks 1 */
	answers = take_over(lab);
	assert_true(ask(lab, 5, REQUEST, 1)); /* 2 */
	assert_true(ask(lab, 6, REQUEST, 1)); /* 3 */
	forge(lab, &answers, 2, NULL);
	forge(lab, &answers, 2, NULL); /* once more */
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 5);
	is_found_out(state); /* 4 */
	answers = take_over(lab);
	assert_true(ask(lab, 7, REQUEST, 1)); /* 5 */
	assert_true(ask(lab, 8, REQUEST, 1)); /* 6 */
	forge(lab, &answers, 6, NULL);
	is_found_out(state); /* 7 */
	answers = take_over(lab);
	assert_true(ask(lab, 9, REQUEST, 1));
	assert_true(lane_put(&answers, "short", 5, NULL, 0));
	is_found_out(state);
}

/* Positions that cannot be. */
static void broken_positions(void **state)
{
	struct lab *lab = *state;

	atomic_store(&lab->process->post->answers.head, SEGMENT_ANSWERS + 8);
	is_found_out(state);
}

/* It claims to have taken what was not sent: found when the room it would have made is wanted. */
static void broken_tail(void **state)
{
	struct lab *lab = *state;
	char payload[3000];

	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	atomic_store(&lab->process->post->jobs.tail, SEGMENT_JOBS * 4);
	for (uint64_t flow = 0; flow < MANY; flow++)
		(void)ask(lab, flow, payload, DPI_ASK_PACKETS);
	is_found_out(state);
}

/* ---- a worker that was taken over ------------------------------------------------------------ */

/* A packet of random bytes that begins as one, at `at` bytes of a record; where it ends. */
static size_t put_random(uint8_t *record, size_t at, uint32_t *seed, unsigned i)
{
	struct job_packet head = {.len = (*seed >> 16) % (DPI_PACKET_MAX + 8)};
	uint8_t *bytes = record + at + sizeof head;

	if (i % 7 == 0)
		head.len = *seed; /* more than there is */
	memcpy(record + at, &head, sizeof head);
	for (unsigned b = 0; b < 64; b++) {
		*seed = *seed * 1664525u + 1013904223u;
		bytes[b] = (uint8_t)(*seed >> 24);
	}
	bytes[0] = i % 3 == 0 ? 0x60 : 0x45;
	bytes[6] = bytes[7] = 0;
	bytes[i % 3 == 0 ? 6 : 9] = i % 2 == 0 ? IPPROTO_NUM_TCP : IPPROTO_NUM_UDP;
	bytes[32] = 0x50;
	return at + sizeof head + head.len % (DPI_PACKET_MAX + 8);
}

static void forged_jobs(void **state)
{
	struct lab *lab = *state;
	static uint8_t record[4 * JOB_MAX];
	struct lane jobs, answers;
	struct answer answer;
	uint32_t seed = 1;

	turn(lab);
	segment_lanes(lab->worker, &jobs, &answers);
	assert_true(lane_put(&jobs, record, 5, NULL, 0)); /* no question */
	assert_true(service_turn(lab->service));
	assert_int_equal(lane_get(&answers, &answer, sizeof answer), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct job job = {.number = i};
		size_t len = sizeof job;

		memcpy(record, &job, sizeof job);
		for (unsigned k = 0; k < i % 20; k++)
			len = put_random(record, len, &seed, i + k);
		len = len > JOB_MAX ? JOB_MAX : len;
		assert_true(lane_put(&jobs, record, len - i % 2 * (len > 200 ? 100 : 0), NULL, 0));
		assert_true(service_turn(lab->service));
		assert_int_equal(lane_get(&answers, &answer, sizeof answer), sizeof answer);
		assert_int_equal(answer.number, i);
	}
	assert_true(lane_put(&jobs, record, JOB_MAX + 1, NULL, 0));
	assert_false(service_turn(lab->service)); /* broken: of this worker nothing is taken */
	assert_true(lane_put(&jobs, record, 100, NULL, 0));
	assert_false(service_turn(lab->service));
}

/* Who does not collect is answered as long as there is room. */
static void nobody_collects(void **state)
{
	struct lab *lab = *state;
	struct job job = {.number = 1};
	struct lane jobs, answers;
	struct answer answer;
	unsigned room = SEGMENT_ANSWERS / ((sizeof answer + 4 + 7) / 8 * 8), answered = 0;

	turn(lab);
	segment_lanes(lab->worker, &jobs, &answers);
	for (unsigned i = 0; i < 2 * room; i++)
		assert_true(lane_put(&jobs, &job, sizeof job, NULL, 0));
	while (service_turn(lab->service))
		answered++;
	assert_int_equal(answered, room);
	assert_int_equal(lane_get(&answers, &answer, sizeof answer), sizeof answer);
	assert_true(service_turn(lab->service));
	assert_false(service_turn(lab->service));
}

static void another_memory(void **state)
{
	struct dpi_segment *segment;
	struct err err;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dpi_segment_map(&segment, fd[0], &err), ERR_RUN);
	assert_int_equal(close(fd[0]) + close(fd[1]), 0);
	fd[0] = memfd_create("not-sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd[0], 64 << 20), 0);
	assert_int_equal(dpi_segment_map(&segment, fd[0], &err), ERR_RUN);
	assert_int_equal(close(fd[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(label_comes_later, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(all_packets_come_through, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_flow_is_answered_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(overflow, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(want_of_memory_is_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(death, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(suspect, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(deaths_are_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(forged_labels, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(stray_answers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(broken_positions, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(broken_tail, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(forged_jobs, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nobody_collects, set_up, tear_down),
	    cmocka_unit_test(another_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
