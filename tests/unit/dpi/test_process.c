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
#include <unistd.h>
#include <cmocka.h>

#include "bulkhead/app.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/job.h"
#include "dpi/segment.h"
#include "dpi/serve.h"

#define FLOWS 8
#define CAP 8
#define NOW UINT64_C(1700000000000000000)
#define MANY 4096

struct lab {
	struct dpi_segment *supervisor, *worker, *process;
	struct dpi *dpi;
	struct service *service;
	uint64_t now;
};

static void serve_anew(struct lab *lab)
{
	struct err err;

	service_free(lab->service);
	lab->service = service_new(lab->process, &err);
	assert_non_null(lab->service);
}

static int set_up_with(void **state, uint32_t flows)
{
	const struct dpi_shape shape = {.posts = 2, .flows = flows, .packets = CAP};
	struct lab *lab = calloc(1, sizeof *lab);
	struct err err;
	int fd;

	assert_non_null(lab);
	assert_int_equal(dpi_segment_new(&lab->supervisor, &shape, &fd, &err), 0);
	assert_int_equal(dpi_segment_map(&lab->worker, fd, &err), 0);
	assert_int_equal(segment_map_to_serve(&lab->process, fd, &err), 0);
	assert_int_equal(close(fd), 0);
	lab->dpi = dpi_attach(lab->worker, 0, &err);
	assert_non_null(lab->dpi);
	serve_anew(lab);
	lab->now = NOW;
	*state = lab;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, FLOWS);
}

static int set_up_many(void **state)
{
	return set_up_with(state, MANY);
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

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* A TCP segment 10.0.0.1:1024+flow to 10.0.0.2:80; borrowed until the next call. */
static const struct packet *packet_of(uint64_t flow, const char *payload)
{
	static uint8_t bytes[4096];
	static struct packet packet;
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
	return &packet;
}

static enum dpi_verdict say(struct lab *lab, uint64_t flow, uint32_t *handle, const char *payload)
{
	return dpi_submit(lab->dpi, flow, handle, packet_of(flow, payload), lab->now);
}

static void turn(struct lab *lab)
{
	dpi_turn(lab->dpi, lab->now);
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
	uint32_t handle = 0;

	assert_int_equal(say(lab, 7, &handle, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
			 DPI_MORE);
	assert_int_not_equal(handle, 0);
	dpi_finish(lab->dpi, &handle);
	assert_int_equal(handle, 0);
	dpi_turn(lab->dpi, lab->now);
	assert_false(dpi_collect(lab->dpi, &result));
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 7);
	assert_string_equal(result.app.proto, "HTTP");
	assert_string_equal(result.app.host, "shop.example");
	assert_int_equal(result.app.flags, APP_SURE);
	assert_false(dpi_collect(lab->dpi, &result));
	assert_int_equal(count(lab, STAT_DPI_LABELLED), 1);
}

/* The last packet of a flow needs no finish; every flow is answered, with or without a label. */
static void each_flow_is_answered_once(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	unsigned answers = 0;

	for (unsigned round = 0; round < 1000; round++) {
		uint32_t handle = 0;
		enum dpi_verdict verdict = DPI_MORE;

		for (unsigned i = 0; i < CAP; i++) {
			assert_int_equal(verdict, DPI_MORE);
			verdict = say(lab, round, &handle, "words that no protocol begins with");
		}
		assert_int_equal(verdict, DPI_DONE);
		assert_int_equal(handle, 0);
		turn(lab);
		dpi_turn(lab->dpi, lab->now);
		while (dpi_collect(lab->dpi, &result)) {
			assert_int_equal(result.flow, round);
			assert_string_equal(result.app.proto, "");
			answers++;
		}
	}
	assert_int_equal(answers, 1000);
}

/* More flows than tickets: the oldest is settled, the newcomer gets in once its answer is there. */
static void full(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	uint32_t handle[FLOWS + 1] = {0};

	for (unsigned i = 0; i < FLOWS; i++)
		assert_int_equal(say(lab, i, &handle[i], "first words"), DPI_MORE);
	assert_int_equal(say(lab, FLOWS, &handle[FLOWS], "first words"), DPI_FULL);
	assert_int_equal(handle[FLOWS], 0);
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 0);
	assert_int_equal(say(lab, FLOWS, &handle[FLOWS], "first words"), DPI_MORE);
	assert_int_equal(say(lab, 0, &handle[0], "more words"), DPI_DONE); /* stale */
	assert_int_equal(handle[0], 0);
	assert_int_equal(count(lab, STAT_DPI_SHED), 1);
}

/* Nobody reads: jobs find no room, labels are left out and counted, nobody waits.  Later every
 * ticket comes back. */
static void overflow(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	char payload[3000];
	unsigned shown = 0, shed = 0, answered = 0;

	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	for (uint64_t flow = 0; flow < MANY; flow++) {
		uint32_t handle = 0;
		enum dpi_verdict verdict = say(lab, flow, &handle, payload);

		shown += verdict == DPI_MORE;
		if (verdict == DPI_MORE && flow % 2 == 0) /* a second one may find no room */
			verdict = say(lab, flow, &handle, payload);
		assert_true(verdict == DPI_MORE || (verdict == DPI_DONE && handle == 0));
		shed += verdict == DPI_DONE;
		dpi_finish(lab->dpi, &handle);
	}
	assert_in_range(shown, 100, MANY / 2);
	assert_int_equal(count(lab, STAT_DPI_SHED), shed);
	for (unsigned i = 0; i < 3; i++) { /* finishes that found no room go out now */
		turn(lab);
		dpi_turn(lab->dpi, lab->now);
		while (dpi_collect(lab->dpi, &result))
			answered++;
	}
	assert_int_equal(answered, shown);
}

/* The beginning of a TLS hello that is longer than a packet, which nDPI keeps. */
static const struct packet *hello_of(uint64_t flow)
{
	static uint8_t bytes[4000];
	static struct packet packet;
	static const uint8_t head[] = {0x16, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec, 3, 3};

	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, packet_of(flow, "x")->l3_data, 40);
	put16(bytes + 2, sizeof bytes);
	memcpy(bytes + 40, head, sizeof head);
	assert_true(dpi_fit_bytes(bytes, sizeof bytes, &packet));
	return &packet;
}

/* nDPI's memory is bounded: flows that it would take too much for get no label, all of them are
 * counted here, and those that come when there is room again are labelled. */
static void want_of_memory_is_counted(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	unsigned answered = 0;
	uint32_t handle = 0;

	for (uint64_t flow = 0; flow < MANY; flow++) {
		uint32_t open = 0;

		assert_int_equal(dpi_submit(lab->dpi, flow, &open, hello_of(flow), lab->now),
				 DPI_MORE);
		turn(lab);
		while (dpi_collect(lab->dpi, &result))
			answered++;
	}
	assert_in_range(answered, MANY / 4, MANY - 100);
	assert_int_equal(count(lab, STAT_DPI_SHED), answered);
	lab->now += 60 * NS_PER_SEC; /* all of them are settled for being quiet */
	for (unsigned i = 0; i < MANY / 256; i++) {
		turn(lab);
		while (dpi_collect(lab->dpi, &result))
			answered++;
	}
	assert_int_equal(answered, MANY);
	assert_int_equal(say(lab, 7, &handle, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
			 DPI_MORE);
	dpi_finish(lab->dpi, &handle);
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_string_equal(result.app.host, "shop.example");
	assert_int_equal(count(lab, STAT_DPI_SHED), 0);
}

/* A flow of which nothing is heard is settled long before it ends. */
static void quiet_flows_are_settled(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	uint32_t handle = 0;

	assert_int_equal(say(lab, 3, &handle, "GET / HTTP/1.1\r\n"), DPI_MORE);
	lab->now += 5 * NS_PER_SEC;
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_false(dpi_collect(lab->dpi, &result));
	lab->now += 6 * NS_PER_SEC;
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_string_equal(result.app.proto, "HTTP");
	assert_int_equal(say(lab, 3, &handle, "more"), DPI_DONE);
}

/* It died: what it had been shown is not shown to the next one, and new flows are. */
static void death(void **state)
{
	struct lab *lab = *state;
	struct dpi_result result;
	uint32_t old = 0, shown = 0, fresh = 0;

	assert_int_equal(say(lab, 1, &old, "GET / HTTP/1.1\r\n"), DPI_MORE);
	turn(lab);
	assert_int_equal(say(lab, 2, &shown, "GET / HTTP/1.1\r\n"), DPI_MORE); /* on its way */
	dpi_segment_begin_epoch(lab->supervisor);
	serve_anew(lab);
	while (service_turn(lab->service))
		fail_msg("jobs of a dead process were taken");
	turn(lab);
	assert_int_equal(count(lab, STAT_DPI_SHED), 2);
	assert_false(dpi_collect(lab->dpi, &result));
	assert_int_equal(say(lab, 1, &old, "Host: a.example\r\n\r\n"), DPI_DONE);
	assert_int_equal(say(lab, 2, &shown, "Host: a.example\r\n\r\n"), DPI_DONE);
	assert_int_equal(say(lab, 3, &fresh, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"),
			 DPI_MORE);
	dpi_finish(lab->dpi, &fresh);
	turn(lab);
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 3);
	assert_string_equal(result.app.host, "b.example");
}

/* What it was busy with is known by what it says, if that can be. */
static void suspect(void **state)
{
	struct lab *lab = *state;
	struct segment_pulse *pulse = lab->process->pulse;
	uint32_t handle = 0;
	uint64_t flow;

	assert_int_equal(say(lab, 11, &handle, "GET / HTTP/1.1\r\n"), DPI_MORE);
	turn(lab);
	assert_int_equal(atomic_load(&pulse->busy), 0); /* it is done with it */
	dpi_segment_begin_epoch(lab->supervisor);
	dpi_turn(lab->dpi, lab->now);
	assert_false(dpi_suspect(lab->dpi, &flow));
	for (unsigned i = 0; i < 4; i++) {
		const uint32_t said[4][3] = {/* of the first worker, ticket 1.0 */
					     {1, 1 + i, 0},
					     {1, FLOWS, 0},
					     {2, 3, 0},
					     {1, 4, 1}};
		handle = 0;
		assert_int_equal(say(lab, 12 + i, &handle, "GET / HTTP/1.1\r\n"), DPI_MORE);
		atomic_store(&pulse->busy, said[i][0]);
		atomic_store(&pulse->place, said[i][1]);
		atomic_store(&pulse->generation, said[i][2]);
		dpi_segment_begin_epoch(lab->supervisor);
		dpi_turn(lab->dpi, lab->now);
		assert_int_equal(dpi_suspect(lab->dpi, &flow), i == 0);
		if (i == 0)
			assert_int_equal(flow, 12);
		assert_false(dpi_suspect(lab->dpi, &flow));
	}
}

static void deaths_are_counted(void **state)
{
	struct lab *lab = *state;

	for (unsigned i = 0; i < 3; i++)
		dpi_segment_begin_epoch(lab->supervisor);
	dpi_turn(lab->dpi, lab->now);
	assert_int_equal(count(lab, STAT_DPI_DEATHS), 3);
}

/* ---- a DPI process that was taken over ---------------------------------------------------------
 */

/* Answers in its place. */
static void forge(struct lab *lab, struct lane *answers, uint32_t place, uint32_t generation,
		  void (*spoil)(struct app *app))
{
	struct answer answer;

	memset(&answer, 0, sizeof answer);
	answer.place = place;
	answer.generation = generation;
	memcpy(answer.app.proto, "TLS", 4);
	if (spoil != NULL)
		spoil(&answer.app);
	assert_true(lane_put(answers, &answer, sizeof answer, NULL, 0));
	dpi_turn(lab->dpi, lab->now);
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

static void forged_answers(void **state)
{
	static void (*const refused[])(struct app *) = {no_end, no_end_of_host, not_printable};
	struct lab *lab = *state;
	struct lane jobs, answers;
	struct dpi_result result;
	uint32_t handle = 0;

	segment_lanes(lab->process, 0, &jobs, &answers);
	assert_int_equal(say(lab, 5, &handle, "words"), DPI_MORE); /* place 0 */
	forge(lab, &answers, FLOWS, 0, NULL);			   /* no such place */
	forge(lab, &answers, UINT32_MAX, 0, NULL);
	forge(lab, &answers, 1, 0, NULL); /* nobody's */
	forge(lab, &answers, 0, 1, NULL); /* another generation's */
	assert_false(dpi_collect(lab->dpi, &result));
	assert_int_equal(say(lab, 5, &handle, "words"), DPI_MORE);
	for (uint32_t i = 0; i < 3; i++) {
		handle = 0;
		assert_int_equal(say(lab, 10 + i, &handle, "words"), DPI_MORE); /* place i + 1 */
		forge(lab, &answers, i + 1, 0, refused[i]);
		assert_false(dpi_collect(lab->dpi, &result));
		/* An answer it was all the same: there will be no other. */
		assert_int_equal(say(lab, 10 + i, &handle, "words"), DPI_DONE);
	}
	forge(lab, &answers, 0, 0, NULL);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 5);
	forge(lab, &answers, 0, 0, NULL); /* once more */
	assert_false(dpi_collect(lab->dpi, &result));
}

static void what_is_behind_the_end_is_gone(void **state)
{
	struct lab *lab = *state;
	struct lane jobs, answers;
	struct dpi_result result;
	uint32_t handle = 0;

	segment_lanes(lab->process, 0, &jobs, &answers);
	assert_int_equal(say(lab, 5, &handle, "words"), DPI_MORE);
	forge(lab, &answers, 0, 0, behind_the_end);
	assert_true(dpi_collect(lab->dpi, &result));
	assert_int_equal(result.flow, 5);
	assert_int_equal(result.app.flags, APP_SURE | APP_CLEARTEXT_CREDENTIALS | APP_ENCRYPTED);
	for (size_t i = 0; i < sizeof result.app.host; i++)
		assert_int_equal(result.app.host[i], 0);
}

/* Positions that cannot be: the desk gives the lane up, and says so to the supervisor. */
static void broken_positions(void **state)
{
	struct lab *lab = *state;
	struct segment_post *post = segment_post(lab->process, 0);
	struct dpi_result result;

	assert_false(dpi_segment_is_broken(lab->supervisor));
	atomic_store(&post->answers.head, SEGMENT_ANSWERS + 8);
	dpi_turn(lab->dpi, lab->now);
	assert_false(dpi_collect(lab->dpi, &result));
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_segment_is_broken(lab->supervisor));
	dpi_segment_begin_epoch(lab->supervisor);
	assert_false(dpi_segment_is_broken(lab->supervisor));
	serve_anew(lab);
	dpi_turn(lab->dpi, lab->now);
	(void)count(lab, STAT_DPI_LABELLED);
	label_comes_later(state);
}

/* It claims to have taken what was not sent: found when the room it would have made is wanted. */
static void broken_tail(void **state)
{
	struct lab *lab = *state;
	char payload[3000];

	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	atomic_store(&segment_post(lab->process, 0)->jobs.tail, SEGMENT_JOBS * 4);
	for (uint64_t flow = 0; flow < MANY; flow++) {
		uint32_t handle = 0;

		(void)say(lab, flow, &handle, payload);
	}
	dpi_turn(lab->dpi, lab->now);
	assert_true(dpi_segment_is_broken(lab->supervisor));
}

/* Answers without end: a turn takes so many and no more. */
static void endless_answers(void **state)
{
	struct lab *lab = *state;
	struct answer answer;
	struct lane jobs, answers;
	struct dpi_result result;
	uint64_t before;

	memset(&answer, 0xff, sizeof answer);
	segment_lanes(lab->process, 0, &jobs, &answers);
	while (lane_put(&answers, &answer, 8, NULL, 0))
		continue;
	dpi_turn(lab->dpi, lab->now);
	before = atomic_load(&segment_post(lab->process, 0)->answers.tail);
	assert_false(dpi_collect(lab->dpi, &result));
	assert_true(atomic_load(&segment_post(lab->process, 0)->answers.tail) - before <
		    SEGMENT_ANSWERS / 4);
}

/* ---- a worker that was taken over
 * ---------------------------------------------------------------- */

static void forged_jobs(void **state)
{
	struct lab *lab = *state;
	struct lane jobs, answers;
	struct job job = {.place = FLOWS};
	static uint8_t bytes[DPI_PACKET_MAX + 1];
	uint32_t seed = 1;

	turn(lab);
	segment_lanes(lab->worker, 0, &jobs, &answers);
	assert_true(lane_put(&jobs, &job, sizeof job, NULL, 0)); /* no such place */
	assert_true(lane_put(&jobs, &job, 5, NULL, 0));
	job.place = 1;
	job.len = 100; /* which it has not */
	assert_true(lane_put(&jobs, &job, sizeof job, bytes, 10));
	for (unsigned i = 0; i < 20000; i++) {
		job.place = i % FLOWS;
		job.generation = i / 40;
		job.kind = (uint16_t)(i % 5);
		job.len = (uint16_t)(seed >> 16) % DPI_PACKET_MAX;
		for (unsigned b = 0; b < 64; b++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[b] = (uint8_t)(seed >> 24);
		}
		bytes[0] = i % 3 == 0 ? 0x60 : 0x45;
		bytes[i % 3 == 0 ? 6 : 9] = i % 2 == 0 ? IPPROTO_NUM_TCP : IPPROTO_NUM_UDP;
		bytes[6] = i % 3 == 0 ? bytes[6] : 0;
		bytes[7] = 0;
		bytes[32] = 0x50;
		(void)lane_put(&jobs, &job, sizeof job, bytes, job.len);
		(void)service_turn(lab->service);
		while (lane_get(&answers, bytes, sizeof bytes) != 0)
			continue;
	}
	assert_true(lane_put(&jobs, &job, sizeof job, bytes, DPI_PACKET_MAX + 1)); /* too long */
	(void)service_turn(lab->service);
	assert_false(service_turn(lab->service)); /* broken: of this worker nothing is taken */
}

static void shapes(void **state)
{
	struct dpi_segment *segment;
	struct err err;
	int fd[2];

	(void)state;
	assert_false(dpi_shape_is_sound(&(struct dpi_shape){0, 1, 1}));
	assert_false(dpi_shape_is_sound(&(struct dpi_shape){1, 0, 1}));
	assert_false(dpi_shape_is_sound(&(struct dpi_shape){1, 1, 0}));
	assert_false(dpi_shape_is_sound(&(struct dpi_shape){1, 1u << 24, 1}));
	assert_false(dpi_shape_is_sound(&(struct dpi_shape){1u << 20, 1, 1}));
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dpi_segment_map(&segment, fd[0], &err), ERR_RUN); /* no such memory */
	assert_int_equal(close(fd[0]) + close(fd[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(label_comes_later, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_flow_is_answered_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(full, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(overflow, set_up_many, tear_down),
	    cmocka_unit_test_setup_teardown(want_of_memory_is_counted, set_up_many, tear_down),
	    cmocka_unit_test_setup_teardown(quiet_flows_are_settled, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(death, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(suspect, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(deaths_are_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(forged_answers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_behind_the_end_is_gone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(broken_positions, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(broken_tail, set_up_many, tear_down),
	    cmocka_unit_test_setup_teardown(endless_answers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(forged_jobs, set_up, tear_down),
	    cmocka_unit_test(shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
