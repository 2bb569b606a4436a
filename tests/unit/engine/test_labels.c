/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_labels.c - what a flow's opening is called: at once in a replay, later and once more live,
 * and never when DPI died of it.
 *
 * Workers are nothing here but the openings that they keep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "dpi/inspection.h"
#include "dpi/segment.h"
#include "dpi/serve.h"
#include "labels.h"
#include "unit/dpi/hello.h"

#define FLOW 77
#define NOW UINT64_C(1700000000000000000)
#define ALWAYS UINT64_MAX
#define REQUEST "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"

struct bench {
	struct worker worker[2];
	struct dpi *dpi;
	struct labels *labels;
	uint32_t nth;
	uint32_t sequence[2];
	/* live */
	struct dpi_segment *supervisor, *near, *process;
	struct service *service;
};

static struct bench *begin(struct dpi *dpi)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	for (unsigned i = 0; i < 2; i++) {
		b->worker[i].openings = openings_new(1);
		assert_non_null(b->worker[i].openings);
	}
	b->dpi = dpi;
	b->labels = labels_new(dpi, false, 1);
	assert_non_null(b->labels);
	return b;
}

static int set_up(void **state)
{
	struct err err;
	struct dpi *dpi = dpi_new(&err);

	assert_non_null(dpi);
	*state = begin(dpi);
	return 0;
}

static void serve_anew(struct bench *b)
{
	struct err err;

	service_free(b->service);
	b->service = service_new(b->process, INSPECTION_HEAP, &err);
	assert_non_null(b->service);
}

static int set_up_late(void **state)
{
	struct dpi_segment *supervisor, *near;
	struct bench *b;
	struct err err;
	struct dpi *dpi;
	int fd;

	assert_int_equal(dpi_segment_new(&supervisor, &fd, &err), 0);
	assert_int_equal(dpi_segment_map(&near, fd, &err), 0);
	dpi = dpi_attach(near, &err);
	assert_non_null(dpi);
	b = begin(dpi);
	b->supervisor = supervisor;
	b->near = near;
	assert_int_equal(segment_map_to_serve(&b->process, fd, &err), 0);
	assert_int_equal(close(fd), 0);
	serve_anew(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	labels_free(b->labels);
	dpi_free(b->dpi);
	service_free(b->service);
	dpi_segment_free(b->process);
	dpi_segment_free(b->near);
	dpi_segment_free(b->supervisor);
	for (unsigned i = 0; i < 2; i++)
		openings_free(b->worker[i].openings);
	free(b);
	return 0;
}

/* The flow's next packet, of the client (0) or the server (1). */
static void keep(struct bench *b, uint64_t flow, uint64_t number, unsigned from,
		 const void *payload, size_t len)
{
	uint8_t p[1024] = {0x45};

	assert_true(len <= sizeof p - 40);
	put16(p + 2, 40 + len);
	p[8] = 64;
	p[9] = IPPROTO_NUM_TCP;
	p[12] = p[16] = 10;
	p[15] = from == 0 ? 1 : 2;
	p[19] = from == 0 ? 2 : 1;
	put16(p + 20, from == 0 ? 40000 : 8080);
	put16(p + 22, from == 0 ? 8080 : 40000);
	put16(p + 26, b->sequence[from]);
	put16(p + 30, b->sequence[1 - from]);
	p[32] = 0x50;
	p[33] = TCP_ACK | TCP_PSH;
	memcpy(p + 40, payload, len);
	b->sequence[from] += (uint32_t)len;
	openings_keep(b->worker[1].openings, flow, b->nth++, number, NOW + number, p, 40 + len);
}

static void keep_text(struct bench *b, uint64_t number, unsigned from, const char *text)
{
	keep(b, FLOW, number, from, text, strlen(text));
}

static struct finding finding_of(uint64_t flow)
{
	struct finding f = {.kind = "relay.forward",
			    .has_flow = true,
			    .flow_id = flow,
			    .count = 3,
			    .bytes = 5,
			    .frame_count = 1};

	return f;
}

static struct finding named(struct bench *b, uint64_t flow, uint64_t until)
{
	struct finding f = finding_of(flow);

	labels_name(b->labels, b->worker, 2, until, &f);
	return f;
}

static void looked_at(struct bench *b, uint64_t until)
{
	const struct flow_tuple tuple = {.proto = IPPROTO_NUM_TCP};

	labels_look(b->labels, b->worker, 2, until, FLOW, &tuple);
}

static uint64_t count(struct bench *b, enum stat which)
{
	struct stats stats = {{0}};

	labels_stats(b->labels, &stats);
	return stat_get(&stats, which);
}

/* ---- at once --------------------------------------------------------------------------------- */

static void named_at_once(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, REQUEST);
	f = named(b, FLOW, ALWAYS);
	assert_string_equal(f.app.proto, "HTTP");
	assert_string_equal(f.app.host, "shop.example");
	assert_int_equal(f.app.flags, APP_SURE);
	assert_string_equal(named(b, FLOW, ALWAYS).app.proto, "HTTP"); /* as it is known */
	assert_int_equal(count(b, STAT_DPI_FLOWS), 1);
	labels_wait(b->labels, &f); /* for nothing */
	assert_false(labels_next(b->labels, &f));
}

static void nothing_to_name(void **state)
{
	struct bench *b = *state;
	struct finding f = finding_of(FLOW);

	assert_string_equal(named(b, FLOW, ALWAYS).app.proto, "");
	keep_text(b, 1, 0, REQUEST);
	f.has_flow = false;
	labels_name(b->labels, b->worker, 2, ALWAYS, &f);
	assert_string_equal(f.app.proto, "");
	assert_string_equal(named(b, FLOW + 1, ALWAYS).app.proto, "");
	assert_string_equal(named(b, 0, ALWAYS).app.proto, "");
	labels_name(NULL, b->worker, 2, ALWAYS, &f);
	assert_int_equal(count(b, STAT_DPI_FLOWS), 0);
	assert_int_equal(count(b, STAT_STATE_FORGOTTEN), 0);
}

/* What workers have seen beyond the frame that is judged does not count, until it does. */
static void up_to_a_frame(void **state)
{
	struct bench *b = *state;

	keep_text(b, 10, 0, "words that are no protocol, to begin with");
	keep_text(b, 20, 1, "SSH-2.0-OpenSSH_9.2p1\r\n");
	keep_text(b, 30, 0, "SSH-2.0-OpenSSH_9.3\r\n");
	assert_string_equal(named(b, FLOW, 9).app.proto, "");
	assert_int_equal(count(b, STAT_DPI_PACKETS), 0);
	assert_string_equal(named(b, FLOW, 10).app.proto, "");
	assert_int_equal(count(b, STAT_DPI_PACKETS), 1);
	assert_string_equal(named(b, FLOW, 19).app.proto, ""); /* the same: not again */
	assert_int_equal(count(b, STAT_DPI_PACKETS), 0);
	assert_string_equal(named(b, FLOW, 29).app.proto, "");
	assert_int_equal(count(b, STAT_DPI_PACKETS), 2);
	(void)named(b, FLOW, 30);
	assert_int_equal(count(b, STAT_DPI_PACKETS), 3);
}

/* A strange flow is looked at until it has a name, while its opening is there. */
static void looked_at_ahead(void **state)
{
	struct bench *b = *state;
	static const char noise[1000];

	looked_at(b, ALWAYS);
	assert_int_equal(count(b, STAT_DPI_FLOWS), 0);
	keep_text(b, 1, 0, REQUEST);
	looked_at(b, ALWAYS);
	looked_at(b, ALWAYS);
	assert_int_equal(count(b, STAT_DPI_FLOWS), 1);
	for (unsigned i = 0; i < 2000; i++) /* the ring goes round */
		keep(b, 1000 + i, 2 + i, 0, noise, sizeof noise - 40);
	assert_string_equal(named(b, FLOW, ALWAYS).app.host, "shop.example");
	assert_int_equal(count(b, STAT_DPI_FLOWS), 0);
}

/* By the rest it would be called something else. */
static void nothing_without_the_first(void **state)
{
	struct bench *b = *state;

	b->nth = 1;
	keep_text(b, 1, 0, REQUEST);
	assert_string_equal(named(b, FLOW, ALWAYS).app.proto, "");
	assert_int_equal(count(b, STAT_STATE_FORGOTTEN), 1);
	b->nth = 0;
	keep(b, FLOW + 1, 2, 0, REQUEST, strlen(REQUEST));
	b->nth = 2; /* nor with a hole behind it */
	keep(b, FLOW + 1, 3, 0, REQUEST, strlen(REQUEST));
	assert_string_equal(named(b, FLOW + 1, ALWAYS).app.proto, "HTTP");
	assert_int_equal(count(b, STAT_DPI_PACKETS), 1);
}

static void tls_behind_a_preamble(void **state)
{
	struct bench *b = *state;
	uint8_t hello[HELLO_SIZE];
	size_t len = client_hello(hello, "Vault.example");
	struct finding f;

	keep_text(b, 1, 0, "CONNECT vault.example:443 HTTP/1.1\r\nHost: proxy.example\r\n\r\n");
	keep_text(b, 2, 1, "HTTP/1.1 200 OK\r\n\r\n");
	assert_string_equal(named(b, FLOW, ALWAYS).app.proto, "HTTP_Connect");
	keep(b, FLOW, 3, 0, hello, len);
	f = named(b, FLOW, ALWAYS);
	assert_string_equal(f.app.proto, "TLS");
	assert_string_equal(f.app.host, "vault.example");
	assert_int_equal(f.app.flags, APP_SURE | APP_ENCRYPTED);
	assert_string_equal(f.app.ja3, "");
	/* And it stays that. */
	keep_text(b, 4, 1, "an answer, of which DPI would think as before");
	assert_string_equal(named(b, FLOW, ALWAYS).app.host, "vault.example");
}

/* On both legs of a relay it is one and the same: DPI knows the client's fingerprint. */
static void a_hello_twice_is_no_preamble(void **state)
{
	struct bench *b = *state;
	uint8_t hello[HELLO_SIZE];
	size_t len = client_hello(hello, "vault.example");
	struct finding f;

	keep(b, FLOW, 1, 0, hello, len);
	b->sequence[0] -= (uint32_t)len;
	keep(b, FLOW, 2, 0, hello, len);
	f = named(b, FLOW, ALWAYS);
	assert_string_equal(f.app.proto, "TLS");
	assert_string_equal(f.app.host, "vault.example");
	assert_int_equal(strlen(f.app.ja3), 32);
}

/* Nor is the first hello, when the server asks for another key share: the second is another. */
static void a_second_hello_is_behind_no_preamble(void **state)
{
	struct bench *b = *state;
	uint8_t hello[HELLO_SIZE];
	size_t len = client_hello(hello, "vault.example");

	keep(b, FLOW, 1, 0, hello, len);
	hello[20] ^= 1;
	keep(b, FLOW, 2, 0, hello, len);
	assert_int_equal(strlen(named(b, FLOW, ALWAYS).app.ja3), 32);
}

/* The server's greeting is none either. */
static void what_the_other_end_says_is_no_preamble(void **state)
{
	struct bench *b = *state;
	uint8_t hello[HELLO_SIZE];

	keep_text(b, 1, 1, "220 mail.example ESMTP\r\n");
	keep(b, FLOW, 2, 0, hello, client_hello(hello, "vault.example"));
	assert_string_not_equal(named(b, FLOW, ALWAYS).app.host, "vault.example");
}

/* ---- late ------------------------------------------------------------------------------------ */

static void serve(struct bench *b)
{
	labels_turn(b->labels);
	while (service_turn(b->service))
		continue;
	labels_turn(b->labels);
}

/* A finding that went out without its label, and waits for it. */
static void wait_for(struct bench *b, uint64_t flow)
{
	struct finding f = named(b, flow, ALWAYS);

	assert_string_equal(f.app.proto, "");
	labels_wait(b->labels, &f);
}

static void shown_once_more(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, REQUEST);
	wait_for(b, FLOW);
	labels_turn(b->labels);
	assert_false(labels_next(b->labels, &f));
	serve(b);
	assert_true(labels_next(b->labels, &f));
	assert_int_equal(f.flow_id, FLOW);
	assert_string_equal(f.kind, "relay.forward");
	assert_string_equal(f.app.proto, "HTTP");
	assert_string_equal(f.app.host, "shop.example");
	assert_int_equal(f.count, 0);
	assert_int_equal(f.bytes, 0);
	assert_int_equal(f.frame_count, 0);
	assert_false(labels_next(b->labels, &f));
	/* The next one has it at once. */
	assert_string_equal(named(b, FLOW, ALWAYS).app.proto, "HTTP");
}

static void no_name_is_nothing_to_show(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, "words that are no protocol, to begin with");
	wait_for(b, FLOW);
	serve(b);
	assert_false(labels_next(b->labels, &f));
	keep_text(b, 2, 1, "and no answer in any");
	wait_for(b, FLOW); /* there is more by now: asked again */
	assert_int_equal(count(b, STAT_DPI_FLOWS), 2);
}

/* An answer is awaited for as many findings as there is room for, the newest. */
static void the_newest_wait(void **state)
{
	struct bench *b = *state;
	struct finding f;
	unsigned shown = 0;

	for (uint64_t flow = 1; flow <= 100; flow++) {
		b->nth = 0;
		keep(b, flow, flow, 0, REQUEST, strlen(REQUEST));
		wait_for(b, flow);
	}
	serve(b);
	while (labels_next(b->labels, &f)) {
		assert_in_range(f.flow_id, 37, 100);
		shown++;
	}
	assert_int_equal(shown, 64);
}

static void forgotten(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, REQUEST);
	wait_for(b, FLOW);
	labels_forget(b->labels);
	serve(b);
	assert_false(labels_next(b->labels, &f));
}

/* Whoever killed it is not shown again, nor who was on his way with it. */
static void death(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, REQUEST);
	wait_for(b, FLOW);
	labels_turn(b->labels);
	atomic_store(&b->process->pulse->busy, 1);
	dpi_segment_begin_epoch(b->supervisor);
	serve_anew(b);
	serve(b);
	assert_false(labels_next(b->labels, &f));
	keep_text(b, 2, 1, "HTTP/1.1 200 OK\r\n\r\n");
	looked_at(b, ALWAYS);
	wait_for(b, FLOW);
	serve(b);
	assert_false(labels_next(b->labels, &f));
	assert_int_equal(count(b, STAT_DPI_FLOWS), 1);
	b->nth = 0;
	keep(b, FLOW + 1, 3, 0, REQUEST, strlen(REQUEST));
	wait_for(b, FLOW + 1);
	serve(b);
	assert_true(labels_next(b->labels, &f));
	assert_int_equal(f.flow_id, FLOW + 1);
	assert_string_equal(f.app.host, "shop.example");
}

/* A question that found no room is asked again when somebody wants to know again. */
static void no_room(void **state)
{
	struct bench *b = *state;
	struct finding f;

	keep_text(b, 1, 0, REQUEST);
	for (uint64_t flow = 0; count(b, STAT_DPI_FULL) == 0; flow++) {
		assert_true(flow < 100000);
		(void)dpi_ask(b->dpi, 1000 + flow, NULL, NULL, 0);
	}
	wait_for(b, FLOW);
	assert_int_equal(count(b, STAT_DPI_FULL), 1);
	serve(b);
	assert_false(labels_next(b->labels, &f));
	wait_for(b, FLOW);
	serve(b);
	assert_true(labels_next(b->labels, &f));
	assert_string_equal(f.app.host, "shop.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(named_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nothing_to_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(up_to_a_frame, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(looked_at_ahead, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nothing_without_the_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tls_behind_a_preamble, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_hello_twice_is_no_preamble, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_second_hello_is_behind_no_preamble, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_the_other_end_says_is_no_preamble, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(shown_once_more, set_up_late, tear_down),
	    cmocka_unit_test_setup_teardown(no_name_is_nothing_to_show, set_up_late, tear_down),
	    cmocka_unit_test_setup_teardown(the_newest_wait, set_up_late, tear_down),
	    cmocka_unit_test_setup_teardown(forgotten, set_up_late, tear_down),
	    cmocka_unit_test_setup_teardown(death, set_up_late, tear_down),
	    cmocka_unit_test_setup_teardown(no_room, set_up_late, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
