/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_control.c - what is passed over at a glance is no control traffic.
 *
 * Else a detector would not hear of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "worker.h"

/* A DNS answer and a BGP OPEN at a time, as far as they are looked at. */
static uint8_t payload[64];

static struct packet packet_of(uint8_t proto, unsigned sport, unsigned dport)
{
	return (struct packet){.l3 = L3_IPV4,
			       .flags = PACKET_L4 | PACKET_MAC,
			       .proto = proto,
			       .sport = (uint16_t)sport,
			       .dport = (uint16_t)dport,
			       .payload = payload,
			       .payload_len = sizeof payload,
			       .payload_wire = sizeof payload};
}

static unsigned events_at_ports(uint8_t proto, unsigned other)
{
	unsigned found = 0;

	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		struct packet there = packet_of(proto, other, port);
		struct packet back = packet_of(proto, port, other);

		found += control_events(&there) != 0;
		assert_true(control_events(&there) == 0 || control_maybe(&there));
		assert_true(control_events(&back) == 0 || control_maybe(&back));
	}
	return found;
}

static void no_port_is_passed_over(void **state)
{
	(void)state;
	memset(payload, 0xff, sizeof payload);
	payload[18] = 1; /* OPEN */
	assert_int_equal(events_at_ports(IPPROTO_NUM_TCP, 50000), 1);
	/* An answer with one question and one record. */
	memset(payload, 0, sizeof payload);
	payload[2] = 0x80;
	payload[5] = payload[7] = 1;
	assert_int_equal(events_at_ports(IPPROTO_NUM_UDP, 50000), 15);
	assert_int_equal(events_at_ports(IPPROTO_NUM_UDP, 53), 1 << 16);
}

static void other_protocols_are_looked_at(void **state)
{
	(void)state;
	for (unsigned proto = 0; proto <= UINT8_MAX; proto++) {
		struct packet packet = packet_of((uint8_t)proto, 50000, 50000);

		assert_int_equal(control_maybe(&packet),
				 proto != IPPROTO_NUM_TCP && proto != IPPROTO_NUM_UDP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_port_is_passed_over),
	    cmocka_unit_test(other_protocols_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
