/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpi.c - frames through decoding to DPI: is nDPI shown only what it was promised?
 *
 *	input: how | length (be16) | Ethernet frame ...      how & 0x80: not a frame but a packet,
 *	                                                     as a worker hands it to the DPI
 *	                                                     process; how & 1: the last of its flow
 *
 * The linker puts __wrap_ndpi_detection_process_packet() in nDPI's way.  What nDPI makes of a good
 * packet is not asked here, but what it labels is collected.
 */
#include "common.h"

#include <ndpi/ndpi_api.h>

#include "bulkhead/app.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"

#define SLACK 64

/* What the state was shown first: version and protocol may never change. */
static struct {
	uint8_t version, proto;
} first;

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
	if (flow->num_processed_pkts > 0)
		FUZZ_CHECK(first.version == version && first.proto == proto);
	first.version = version;
	first.proto = proto;
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

struct question {
	struct packet packet[DPI_ASK_PACKETS];
	uint64_t ts_ns[DPI_ASK_PACKETS];
	uint8_t *bytes[DPI_ASK_PACKETS]; /* they point into */
	unsigned packets, copies;
};

static void ask(struct dpi *dpi, struct question *q)
{
	static uint64_t flow;
	struct dpi_result r;

	FUZZ_CHECK(dpi_ask(dpi, ++flow, q->packet, q->ts_ns, q->packets));
	FUZZ_CHECK(dpi_collect(dpi, &r) && r.flow == flow);
	fuzz_check_plain(r.app.proto, sizeof r.app.proto);
	fuzz_check_plain(r.app.category, sizeof r.app.category);
	FUZZ_CHECK(memchr(r.app.host, 0, sizeof r.app.host) != NULL);
	FUZZ_CHECK(memchr(r.app.ja3, 0, sizeof r.app.ja3) != NULL);
	FUZZ_CHECK(!dpi_collect(dpi, &r));
	while (q->copies > 0)
		free(q->bytes[--q->copies]);
	q->packets = 0;
}

static void add(struct question *q, const struct packet *packet)
{
	if (q->packets == DPI_ASK_PACKETS)
		return;
	q->ts_ns[q->packets] = NS_PER_SEC;
	q->packet[q->packets++] = *packet;
}

static void add_frame(struct question *q, const uint8_t *bytes, size_t len)
{
	static struct packet_stack stack;
	struct frame frame = {.data = bytes,
			      .caplen = (uint32_t)len,
			      .len = (uint32_t)len,
			      .linktype = LINK_ETHERNET};

	packet_decode(&frame, &stack);
	for (unsigned i = 0; i < stack.count; i++)
		add(q, &stack.layer[i]);
}

static void add_packet(struct question *q, const uint8_t *bytes, size_t len)
{
	struct packet packet;

	if (dpi_fit_bytes(bytes, len, &packet))
		add(q, &packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dpi *dpi;
	struct cursor c = cursor_over(data, size);
	struct question q = {.packets = 0};
	struct err err = {0};

	if (dpi == NULL)
		dpi = dpi_new(&err);
	FUZZ_CHECK(dpi != NULL);
	while (cursor_left(&c) > 3) {
		uint8_t how = cursor_u8(&c);
		size_t len = cursor_be16(&c);
		uint8_t *copy;

		len = len < cursor_left(&c) ? len : cursor_left(&c);
		copy = q.bytes[q.copies++] = fuzz_copy(cursor_take(&c, len), len);
		(how & 0x80 ? add_packet : add_frame)(&q, copy, len);
		if ((how & 1) != 0 || q.copies == DPI_ASK_PACKETS)
			ask(dpi, &q);
	}
	ask(dpi, &q);
	return 0;
}
