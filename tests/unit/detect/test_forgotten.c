/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_forgotten.c - memories of detectors that hold the newest by design: what they push out is
 * counted, and not as loss.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/detector.h"

#define SECOND UINT64_C(1000000000)
#define EVENTS 70000u /* more than any of them holds */

extern const struct detector detect_observe_mac_exhaustion;
extern const struct detector detect_observe_promiscuous_reply;
extern const struct detector detect_observe_ptr_lookup;

static struct ip_addr number(unsigned n)
{
	return ip_from_v4((const uint8_t[]){10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

/* Event number n of each: another MAC, another request, another peer. */
static void fill(struct event *ev, struct packet *packet, enum event_kind kind, unsigned n)
{
	ev->kind = kind;
	ev->ts_ns = SECOND * 1767355200 + n * SECOND;
	ev->smac = (struct mac_addr){{2, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
	packet->l3 = L3_ARP;
	packet->arp_op = 1;
	packet->src = ev->tuple.src = ev->tuple.dst = number(n);
	packet->dst = number(1);
	ev->src.tenant = TENANT_FIRST;
	ev->dst.tenant = TENANT_EXTERNAL;
}

static void pushes_out(const struct detector *d, enum event_kind kind, unsigned room)
{
	static struct findings out;
	struct inventory *inv = inventory_empty();
	struct packet packet = {0};
	struct event ev = {.inv = inv,
			   .tap = inventory_tap(inv, 0),
			   .segment = SEGMENT_NONE,
			   .has_mac = true,
			   .dmac = {{255, 255, 255, 255, 255, 255}},
			   .packet = &packet};
	void *state = calloc(1, d->state_size);
	struct options options = {0};
	struct err err;

	assert_non_null(state);
	assert_int_equal(d->open(state, &options, 7, &err), 0);
	for (unsigned n = 0; n < EVENTS; n++) {
		fill(&ev, &packet, kind, n);
		d->event(state, &ev, &out);
		out.count = 0;
		if (n < room)
			assert_int_equal(d->forgotten(state), 0);
	}
	assert_int_equal(d->forgotten(state), EVENTS - room);
	assert_int_equal(d->evicted(state), 0);
	d->close(state);
	free(state);
	inventory_unref(inv);
}

static void macs(void **state)
{
	(void)state;
	pushes_out(&detect_observe_mac_exhaustion, EVENT_NEW_MAC, 32768);
}

static void requests(void **state)
{
	(void)state;
	pushes_out(&detect_observe_promiscuous_reply, EVENT_ARP, 16384);
}

static void peers(void **state)
{
	(void)state;
	pushes_out(&detect_observe_ptr_lookup, EVENT_FLOW, 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(macs),
	    cmocka_unit_test(requests),
	    cmocka_unit_test(peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
