/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndpi.c - deep packet inspection by nDPI; the only file that sees it.
 *
 * nDPI wants trust that it does not deserve on hostile traffic, so it is shown only what it cannot
 * trip over: whole, unfragmented TCP or UDP packets without extension headers, one IP version and
 * protocol a flow, in a copy with zeros behind it and a length field that says what is there.
 *
 * One flow is inspected at a time, from its first packet to its label, in a state that is zeroed
 * before the next.  What nDPI keeps from flow to flow is its caches: of peers of BitTorrent and the
 * like.
 *
 * nDPI's memory has a limit.  A flow that wants more is settled with what is known by then; when
 * that much stays behind, nothing is inspected any more.  Both are counted.
 */
#include "dpi/inspection.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/ndpi_compat.h"

#define DPI_SLACK 64 /* zero bytes behind a packet: nDPI reads beyond ends */
/* What it does not know by the sixth payload it hardly ever will: of 4,089 flows of nDPI's own test
 * captures that get a label, all but one have it by the fifth; a log-in to POP3 takes six. */
#define DPI_UNKNOWN_PACKETS 6
/* Enciphered from the first byte on, it has nothing to be known by; text may take its time.  With
 * two, handshakes of WireGuard would be missed. */
#define DPI_RANDOM_PACKETS 3
#define RANDOM_LOOK 64 /* bytes */

/* What nDPI allocated for flows. */
struct account {
	int64_t bytes;
	uint64_t refused; /* for want of memory: a label was lost, most likely */
};

struct inspection {
	struct ndpi_detection_module_struct *module;
	struct ndpi_flow_struct flow; /* the one at hand; zero between two */
	struct account heap;
	int64_t heap_limit;
	uint64_t stat_packets, stat_flows, stat_labelled, stat_shed;
	uint8_t buffer[DPI_PACKET_MAX + DPI_SLACK];
};

struct shown { /* of the flow at hand */
	unsigned packets, random;
};

/*
 * nDPI's allocator hooks carry no context, so the account that a call is charged to stands here
 * while it runs.  NULL outside of our calls into nDPI.
 */
static _Thread_local struct account *heap_account;
/* While a module is set up: where to go when memory is short, which nDPI does not survive. */
static _Thread_local jmp_buf *no_memory;

static void *counted_malloc(size_t size)
{
	void *p = malloc(size);

	if (p == NULL && no_memory != NULL)
		longjmp(*no_memory, 1);
	if (heap_account != NULL) {
		heap_account->bytes += p != NULL ? (int64_t)malloc_usable_size(p) : 0;
		heap_account->refused += p == NULL;
	}
	return p;
}

static void counted_free(void *p)
{
	if (p != NULL && heap_account != NULL)
		heap_account->bytes -= (int64_t)malloc_usable_size(p);
	free(p);
}

/* Whether a name looks made up is a guess that no rule asks for, and costs as much as the rest of a
 * DNS question. */
static int no_dga(const char *name, int is_hostname)
{
	(void)name;
	(void)is_hostname;
	return 0;
}

static void set_hooks(void)
{
	ndpi_dga_function = no_dga;
	set_ndpi_malloc(counted_malloc);
	set_ndpi_free(counted_free);
}

/* NULL when memory is short; what nDPI had by then is lost, for it cannot free half a module. */
static struct ndpi_detection_module_struct *module_set_up(void)
{
	struct ndpi_detection_module_struct *module;
	jmp_buf out;

	if (setjmp(out) != 0) {
		no_memory = NULL;
		return NULL;
	}
	no_memory = &out;
	module = compat_new();
	if (module != NULL && !compat_start(module)) {
		ndpi_exit_detection_module(module);
		module = NULL;
	}
	no_memory = NULL;
	return module;
}

static struct ndpi_detection_module_struct *module_new(struct err *err)
{
	static pthread_once_t hooks = PTHREAD_ONCE_INIT;
	struct ndpi_detection_module_struct *module;

	(void)pthread_once(&hooks, set_hooks);
	/* The flow's struct is public and differs between releases: a mismatch is memory damage. */
	if (ndpi_get_api_version() != NDPI_API_VERSION ||
	    ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct)) {
		(void)err_set(err, ERR_RUN,
			      "libndpi %s (API %u) is not the one this was built for (API %d)",
			      ndpi_revision(), ndpi_get_api_version(), NDPI_API_VERSION);
		return NULL;
	}
	module = module_set_up();
	if (module == NULL)
		(void)err_set(err, ERR_MEMORY, "cannot set up libndpi");
	return module;
}

struct inspection *inspection_new(size_t heap, struct err *err)
{
	struct inspection *dpi = calloc(1, sizeof *dpi);

	if (dpi == NULL) {
		(void)err_set(err, ERR_MEMORY, "no memory for DPI");
		return NULL;
	}
	dpi->heap_limit = (int64_t)heap;
	dpi->module = module_new(err);
	if (dpi->module == NULL) {
		free(dpi);
		return NULL;
	}
	return dpi;
}

void inspection_free(struct inspection *dpi)
{
	if (dpi == NULL)
		return;
	ndpi_exit_detection_module(dpi->module);
	free(dpi);
}

static void store_be16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

/* Copies a packet; one that was cut gets the length it has, or nDPI would not look at it. */
static uint16_t buffer_fill(struct inspection *dpi, const struct packet *packet)
{
	uint16_t len =
	    (uint16_t)(packet->l3_len < DPI_PACKET_MAX ? packet->l3_len : DPI_PACKET_MAX);

	memcpy(dpi->buffer, packet->l3_data, len);
	memset(dpi->buffer + len, 0, DPI_SLACK);
	if (packet->l3 == L3_IPV4)
		store_be16(dpi->buffer + 2, len);
	else
		store_be16(dpi->buffer + 4, (uint16_t)(len - IPV6_HEADER));
	return len;
}

static bool is_named(const struct ndpi_flow_struct *flow)
{
	return flow->host_server_name[0] != '\0' && flow->confidence == NDPI_CONFIDENCE_DPI;
}

/*
 * All that a label has is there, although nDPI would wait for the answer: application and name come
 * with the question, of a request's credentials it sees those of the first packet alone.
 */
static bool is_told(const struct ndpi_flow_struct *flow, uint16_t upper, uint16_t service)
{
	return is_named(flow) && (upper == NDPI_PROTOCOL_DNS || service == NDPI_PROTOCOL_DNS ||
				  upper == NDPI_PROTOCOL_HTTP || service == NDPI_PROTOCOL_HTTP);
}

/* About half of the bytes beyond ASCII: no text, no numbers in binary. */
static bool looks_random(const struct packet *packet)
{
	size_t len = packet->payload_len < RANDOM_LOOK ? packet->payload_len : RANDOM_LOOK;
	size_t high = 0;

	for (size_t i = 0; i < len; i++)
		high += packet->payload[i] >> 7;
	return high * 8 >= len * 3 && high * 8 <= len * 5;
}

static bool is_enough(struct inspection *dpi, const struct shown *shown,
		      const ndpi_protocol *protocol)
{
	uint16_t upper = compat_master(protocol), service = compat_app(protocol);

	if (compat_complete(dpi->module, &dpi->flow, protocol))
		return true;
	if (upper == NDPI_PROTOCOL_UNKNOWN && service == NDPI_PROTOCOL_UNKNOWN)
		return shown->packets >= DPI_UNKNOWN_PACKETS || shown->random >= DPI_RANDOM_PACKETS;
	return is_told(&dpi->flow, upper, service);
}

/* True when no more need be shown. */
static bool show(struct inspection *dpi, const struct packet *packet, uint64_t ts_ns,
		 struct shown *shown)
{
	uint16_t len = buffer_fill(dpi, packet);
	ndpi_protocol protocol =
	    compat_process(dpi->module, &dpi->flow, dpi->buffer, len, ts_ns / NS_PER_MS);

	dpi->stat_packets++;
	shown->packets++;
	shown->random += looks_random(packet);
	return is_enough(dpi, shown, &protocol);
}

static bool is_alike(const struct packet *a, const struct packet *b)
{
	return a->l3 == b->l3 && a->proto == b->proto;
}

/* False when none of them was fit. */
static bool show_all(struct inspection *dpi, const struct packet packet[], const uint64_t ts_ns[],
		     unsigned count)
{
	const struct packet *first = NULL;
	struct shown shown = {0};

	for (unsigned i = 0; i < count; i++) {
		if (!dpi_fits(&packet[i]) || (first != NULL && !is_alike(first, &packet[i])))
			continue;
		first = first != NULL ? first : &packet[i];
		if (show(dpi, &packet[i], ts_ns[i], &shown))
			break;
		if (dpi->heap.bytes >
		    dpi->heap_limit) { /* more would be known if there were room for it */
			dpi->stat_shed++;
			break;
		}
	}
	return first != NULL;
}

/* Cuts to fit; no source is shorter than size without ending in a zero byte. */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t len = text == NULL ? 0 : strnlen(text, size - 1);

	memcpy(out, text == NULL ? "" : text, len);
	out[len] = '\0';
}

static bool is_hashed(uint16_t protocol)
{
	return protocol == NDPI_PROTOCOL_TLS || protocol == NDPI_PROTOCOL_QUIC ||
	       protocol == NDPI_PROTOCOL_DTLS;
}

/* By the content of this flow, or of one just before between the same ends: nothing else is a
 * label.  A port is the sender's choice, and "it is NTP" may excuse traffic in a rule. */
static bool is_sure(const struct ndpi_flow_struct *flow)
{
	return flow->confidence == NDPI_CONFIDENCE_DPI ||
	       flow->confidence == NDPI_CONFIDENCE_DPI_CACHE;
}

static void app_fill(struct inspection *dpi, struct app *app)
{
	struct ndpi_flow_struct *flow = &dpi->flow;
	ndpi_protocol protocol = compat_settle(dpi->module, flow);
	uint16_t upper = compat_master(&protocol), service = compat_app(&protocol);

	app->risks = flow->risk;
	if ((flow->risk & UINT64_C(1) << NDPI_CLEAR_TEXT_CREDENTIALS) != 0)
		app->flags |= APP_CLEARTEXT_CREDENTIALS;
	if (upper == NDPI_PROTOCOL_UNKNOWN) {
		upper = service;
		service = NDPI_PROTOCOL_UNKNOWN;
	}
	if (upper == NDPI_PROTOCOL_UNKNOWN || !is_sure(flow))
		return;
	app->flags |= APP_SURE;
	dpi->stat_labelled++;
	if (ndpi_is_encrypted_proto(dpi->module, protocol) != 0)
		app->flags |= APP_ENCRYPTED;
	copy_text(app->proto, sizeof app->proto, ndpi_get_proto_name(dpi->module, upper));
	if (service != NDPI_PROTOCOL_UNKNOWN && service != upper)
		copy_text(app->service, sizeof app->service,
			  ndpi_get_proto_name(dpi->module, service));
	copy_text(app->category, sizeof app->category,
		  ndpi_category_get_name(dpi->module, protocol.category));
	copy_text(app->host, sizeof app->host, flow->host_server_name);
	/* protos is a union: another protocol has other things in these bytes. */
	if (is_hashed(upper) || is_hashed(service)) {
		copy_text(app->ja3, sizeof app->ja3, compat_ja3_client(flow));
		copy_text(app->ja3s, sizeof app->ja3s, flow->protos.tls_quic.ja3_server);
	}
}

bool inspection_ask(struct inspection *dpi, const struct packet packet[], const uint64_t ts_ns[],
		    unsigned count, struct app *app)
{
	memset(app, 0, sizeof *app);
	if (dpi->heap.bytes > dpi->heap_limit)
		return false;
	heap_account = &dpi->heap;
	if (show_all(dpi, packet, ts_ns, count)) {
		dpi->stat_flows++;
		app_fill(dpi, app);
	}
	ndpi_free_flow_data(&dpi->flow);
	heap_account = NULL;
	memset(&dpi->flow, 0, sizeof dpi->flow);
	return true;
}

uint32_t inspection_take_shed(struct inspection *dpi)
{
	uint64_t shed = dpi->stat_shed + dpi->heap.refused;

	dpi->stat_shed = dpi->heap.refused = 0;
	return shed < UINT32_MAX ? (uint32_t)shed : UINT32_MAX;
}

void inspection_stats(struct inspection *dpi, struct stats *stats)
{
	stat_add(stats, STAT_DPI_PACKETS, dpi->stat_packets);
	stat_add(stats, STAT_DPI_FLOWS, dpi->stat_flows);
	stat_add(stats, STAT_DPI_LABELLED, dpi->stat_labelled);
	stat_add(stats, STAT_DPI_SHED, inspection_take_shed(dpi));
	dpi->stat_packets = dpi->stat_flows = dpi->stat_labelled = 0;
}

#define TEXT_OF(macro) TEXT_OF_(macro)
#define TEXT_OF_(value) #value

const char *dpi_version(void)
{
	return "nDPI " TEXT_OF(NDPI_MAJOR) "." TEXT_OF(NDPI_MINOR) "." TEXT_OF(
	    NDPI_PATCH) " (API " TEXT_OF(NDPI_API_VERSION) ")";
}

void dpi_protocols(void (*each)(void *context, const char *name, const char *category),
		   void *context)
{
	struct ndpi_detection_module_struct *module = module_new(NULL);
	unsigned count = module == NULL ? 0 : ndpi_get_num_supported_protocols(module);

	for (unsigned id = 1; id < count; id++) {
		ndpi_protocol protocol;

		memset(&protocol, 0, sizeof protocol);
		compat_app(&protocol) = (u_int16_t)id;
		each(context, ndpi_get_proto_name(module, (u_int16_t)id),
		     ndpi_category_get_name(module, ndpi_get_proto_category(module, protocol)));
	}
	if (module != NULL)
		ndpi_exit_detection_module(module);
}

const char *dpi_risk_name(uint64_t risks)
{
	if (risks == 0)
		return "";
	return ndpi_risk2str((ndpi_risk_enum)__builtin_ctzll(risks));
}
