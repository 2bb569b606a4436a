/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpi.c - frames through decoding to DPI: is nDPI shown only what it was promised?
 *
 *	input: flow | length (be16) | Ethernet frame ...     flow & 0x80: not a frame but a packet,
 *	                                                     as a worker hands it to the DPI process
 *
 * The linker puts __wrap_ndpi_detection_process_packet() in nDPI's way.  What nDPI makes of a good
 * packet is not asked here, but what it labels is collected.
 */
#include "common.h"

#include <ndpi/ndpi_api.h>

#include "bulkhead/app.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"

#define FLOWS 4
#define SLACK 64
#define SHOWN_MAX 64

/* What each state was shown first: version and protocol may never change. */
static struct shown {
	const struct ndpi_flow_struct *flow;
	uint8_t version, proto;
} shown[SHOWN_MAX];
static unsigned shown_count;

ndpi_protocol __wrap_ndpi_detection_process_packet(struct ndpi_detection_module_struct *module,
						   struct ndpi_flow_struct *flow,
						   const unsigned char *packet,
						   const unsigned short len, const u_int64_t ms);
ndpi_protocol __real_ndpi_detection_process_packet(struct ndpi_detection_module_struct *module,
						   struct ndpi_flow_struct *flow,
						   const unsigned char *packet,
						   const unsigned short len, const u_int64_t ms);

static void check_same(const struct ndpi_flow_struct *flow, uint8_t version, uint8_t proto)
{
	for (unsigned i = 0; i < shown_count; i++) {
		if (shown[i].flow != flow)
			continue;
		if (flow->num_processed_pkts > 0)
			FUZZ_CHECK(shown[i].version == version && shown[i].proto == proto);
		shown[i] = (struct shown){flow, version, proto};
		return;
	}
	FUZZ_CHECK(shown_count < SHOWN_MAX);
	shown[shown_count++] = (struct shown){flow, version, proto};
}

ndpi_protocol __wrap_ndpi_detection_process_packet(struct ndpi_detection_module_struct *module,
						   struct ndpi_flow_struct *flow,
						   const unsigned char *p, const unsigned short len,
						   const u_int64_t ms)
{
	uint8_t version = p[0] >> 4, proto;
	size_t header;

	if (version == 4) {
		FUZZ_CHECK(p[0] == 0x45 && len > 20 && read_be16(p + 2) == len);
		FUZZ_CHECK((read_be16(p + 6) & 0x3fff) == 0);
		proto = p[9];
		header = 20;
	} else {
		FUZZ_CHECK(version == 6 && len > 40 && read_be16(p + 4) == len - 40);
		proto = p[6];
		header = 40;
	}
	if (proto == IPPROTO_NUM_TCP) {
		size_t tcp = (size_t)(p[header + 12] >> 4) * 4;

		FUZZ_CHECK(len >= header + 20 && tcp >= 20 && len > header + tcp);
	} else {
		FUZZ_CHECK(proto == IPPROTO_NUM_UDP && len > header + 8);
	}
	for (unsigned i = 0; i < SLACK; i++)
		FUZZ_CHECK(p[len + i] == 0);
	check_same(flow, version, proto);
	return __real_ndpi_detection_process_packet(module, flow, p, len, ms);
}

static void collect(struct dpi *dpi)
{
	struct dpi_result r;

	while (dpi_collect(dpi, &r)) {
		FUZZ_CHECK(r.flow < FLOWS);
		FUZZ_CHECK(memchr(r.app.proto, 0, sizeof r.app.proto) != NULL);
		FUZZ_CHECK(memchr(r.app.host, 0, sizeof r.app.host) != NULL);
		FUZZ_CHECK(memchr(r.app.ja3, 0, sizeof r.app.ja3) != NULL);
	}
}

static void submit(struct dpi *dpi, uint32_t *handle, uint64_t flow, const uint8_t *bytes,
		   size_t len)
{
	static struct packet_stack stack;
	uint8_t *copy = fuzz_copy(bytes, len);
	struct frame frame = {
	    .data = copy, .caplen = (uint32_t)len, .len = (uint32_t)len, .linktype = LINK_ETHERNET};

	packet_decode(&frame, &stack);
	for (unsigned i = 0; i < stack.count; i++)
		if (dpi_submit(dpi, flow, handle, &stack.layer[i], NS_PER_SEC) == DPI_DONE)
			FUZZ_CHECK(*handle == 0);
	free(copy);
}

static void submit_packet(struct dpi *dpi, uint32_t *handle, uint64_t flow, const uint8_t *bytes,
			  size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);
	struct packet packet;

	if (dpi_fit_bytes(copy, len, &packet))
		(void)dpi_submit(dpi, flow, handle, &packet, NS_PER_SEC);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dpi *dpi;
	struct cursor c = cursor_over(data, size);
	uint32_t handle[FLOWS] = {0};
	struct err err = {0};

	if (dpi == NULL)
		dpi = dpi_new(FLOWS - 1, 8, &err); /* one too few */
	FUZZ_CHECK(dpi != NULL);
	while (cursor_left(&c) > 3) {
		uint8_t what = cursor_u8(&c);
		uint64_t flow = (what & 0x7f) % FLOWS;
		size_t len = cursor_be16(&c);

		len = len < cursor_left(&c) ? len : cursor_left(&c);
		(what & 0x80 ? submit_packet : submit)(dpi, &handle[flow], flow,
						       cursor_take(&c, len), len);
		collect(dpi);
	}
	for (unsigned i = 0; i < FLOWS; i++)
		dpi_finish(dpi, &handle[i]);
	collect(dpi);
	return 0;
}
