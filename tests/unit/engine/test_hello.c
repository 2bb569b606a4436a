/* SPDX-License-Identifier: Apache-2.0 */
/* test_hello.c - hellos are put together however they were cut, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker.h"

#define HELLO 1500 /* handshake message */
#define ROOM (HELLO * 6 + 64)

static size_t handshake(uint8_t *out)
{
	for (size_t i = 0; i < HELLO; i++)
		out[i] = (uint8_t)(i * 31 + i / 256);
	out[0] = 1;
	out[1] = 0;
	out[2] = (HELLO - 4) >> 8;
	out[3] = (HELLO - 4) & 255;
	return HELLO;
}

/* In records of so many bytes, with the start of something else behind. */
static size_t in_records(uint8_t *out, size_t size)
{
	uint8_t message[HELLO];
	size_t at = 0;

	(void)handshake(message);
	for (size_t i = 0; i < HELLO; i += size) {
		size_t part = HELLO - i < size ? HELLO - i : size;

		memcpy(out + at, "\x16\x03\x01", 3);
		out[at + 3] = (uint8_t)(part >> 8);
		out[at + 4] = (uint8_t)part;
		memcpy(out + at + 5, message + i, part);
		at += 5 + part;
	}
	memcpy(out + at, "\x14\x03\x03\x00\x01\x01", 6);
	return at + 6;
}

static struct packet packet_of(const uint8_t *data, size_t len, uint32_t seq)
{
	return (struct packet){.proto = IPPROTO_NUM_TCP,
			       .payload = data,
			       .payload_len = (uint32_t)len,
			       .payload_wire = (uint32_t)len,
			       .tcp_seq = seq};
}

static enum hello_state add(struct hellos *hellos, struct flow *flow, const uint8_t *stream,
			    size_t at, size_t len, struct hello_bytes *said)
{
	/* A copy of its own, so that reading behind it shows. */
	uint8_t *copy = malloc(len);
	struct packet packet = packet_of(copy, len, (uint32_t)(UINT32_MAX - 700 + at));
	enum hello_state state;

	assert_non_null(copy);
	memcpy(copy, stream + at, len);
	state = hellos_add(hellos, flow, 0, &packet, true, NS_PER_SEC, said);
	if (state == HELLO_SAID && said->data >= copy && said->data < copy + len)
		said->data = stream + at + (said->data - copy);
	free(copy);
	return state;
}

static void is_the_hello(const struct hello_bytes *said)
{
	uint8_t message[HELLO];

	assert_int_equal(said->len, 5 + handshake(message));
	assert_int_equal(said->data[0], 22);
	assert_memory_equal(said->data + 5, message, HELLO);
}

static void however_cut(void **state)
{
	static const size_t record[] = {1, 2, 37, 700, 1499, 1500};
	static const size_t piece[] = {1, 2, 5, 6, 9, 100, 536, 1400, ROOM};
	struct stats stats = {0};
	struct hellos *hellos = hellos_new(&stats);
	struct flow flow = {.id = 1};
	uint8_t stream[ROOM];

	(void)state;
	assert_non_null(hellos);
	for (size_t r = 0; r < sizeof record / sizeof record[0]; r++)
		for (size_t p = 0; p < sizeof piece / sizeof piece[0]; p++) {
			size_t len = in_records(stream, record[r]), at = 0;
			struct hello_bytes said;
			enum hello_state now = HELLO_WAITS;

			flow.id++;
			while (now == HELLO_WAITS && at < len) {
				size_t part = len - at < piece[p] ? len - at : piece[p];

				now = add(hellos, &flow, stream, at, part, &said);
				/* A retransmission changes nothing. */
				if (now == HELLO_WAITS)
					assert_int_equal(
					    add(hellos, &flow, stream, at, part, &said),
					    HELLO_NONE);
				at += part;
			}
			assert_int_equal(now, HELLO_SAID);
			assert_false(flow.flags & FLOW_HEAD);
			is_the_hello(&said);
		}
	hellos_free(hellos);
}

/* What is sent again with more behind it, and what comes behind a gap. */
static void overlaps_and_gaps(void **state)
{
	struct stats stats = {0};
	struct hellos *hellos = hellos_new(&stats);
	struct flow flow = {.id = 7};
	struct hello_bytes said;
	uint8_t stream[ROOM];
	size_t len = in_records(stream, HELLO);

	(void)state;
	assert_int_equal(add(hellos, &flow, stream, 0, 600, &said), HELLO_WAITS);
	assert_int_equal(add(hellos, &flow, stream, 0, 800, &said), HELLO_WAITS);
	assert_int_equal(add(hellos, &flow, stream, 790, len - 790, &said), HELLO_SAID);
	is_the_hello(&said);
	flow.id = 8;
	assert_int_equal(add(hellos, &flow, stream, 0, 600, &said), HELLO_WAITS);
	assert_int_equal(add(hellos, &flow, stream, 700, 500, &said), HELLO_SAID);
	assert_int_equal(said.len, 600);
	hellos_free(hellos);
}

/* A server's hello, other records, and a stream that only begins like one. */
static void others(void **state)
{
	struct stats stats = {0};
	struct hellos *hellos = hellos_new(&stats);
	struct flow flow = {.id = 7};
	struct hello_bytes said;
	uint8_t stream[ROOM];

	(void)state;
	(void)in_records(stream, HELLO);
	stream[5] = 2;
	assert_int_equal(add(hellos, &flow, stream, 0, 600, &said), HELLO_NONE);
	assert_int_equal(add(hellos, &flow, stream, 0, 3, &said), HELLO_WAITS);
	assert_int_equal(add(hellos, &flow, stream, 3, 600, &said), HELLO_NONE);
	stream[0] = 23;
	assert_int_equal(add(hellos, &flow, stream, 0, 600, &said), HELLO_NONE);
	hellos_free(hellos);
}

/* A slot that another has just taken: what the first packet says is all there is. */
static void slots_are_few(void **state)
{
	struct stats stats = {0};
	struct hellos *hellos = hellos_new(&stats);
	struct hello_bytes said;
	uint8_t stream[ROOM];
	unsigned waiting = 0;

	(void)state;
	(void)in_records(stream, HELLO);
	for (uint64_t id = 1; id <= 1000; id++) {
		struct flow flow = {.id = id};

		waiting += add(hellos, &flow, stream, 0, 600, &said) == HELLO_WAITS;
	}
	assert_int_equal(waiting, 256);
	assert_int_equal(stat_get(&stats, STAT_STATE_EVICTED), 1000 - 256);
	assert_int_equal(said.len, 600);
	hellos_free(hellos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(however_cut),
	    cmocka_unit_test(overlaps_and_gaps),
	    cmocka_unit_test(others),
	    cmocka_unit_test(slots_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
