/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndpi.c - deep packet inspection by nDPI; the only file that sees it.
 *
 * nDPI wants trust that it does not deserve on hostile traffic, so it is shown only what it cannot
 * trip over: whole, unfragmented TCP or UDP packets without extension headers, one IP version and
 * protocol a flow, in a copy with zeros behind it and a length field that says what is there.
 *
 * A flow under inspection has a slot: nDPI's state, zeroed and used again.  Slots are in one of
 * four lists:
 *
 *	free --submit--> active --named--> waiting --done, finish, evicted--> ready --collect-->
 *free
 *
 * Who is named, by application and host, waits for what the other side may add (JA3S, a
 * certificate's risks) in a short list: what states a million half conversations leave would
 * push everything else out of the caches.
 *
 * invariant: a slot is in exactly one list; active and waiting are in the order of use, oldest
 *first, but for a sixteenth of its length: to move a slot takes three cache lines, which a packet
 *has no time for. A handle is a slot's place and its generation, so that the handle of a slot that
 *was taken away is known as stale.  When no slot is free, or nDPI's own memory is at its limit, the
 *flow unused for longest is settled with what is known: a flood of half-open flows cannot keep
 *others out.
 */
#include "dpi/inspection.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "bulkhead/clock.h"
#include "dpi/fit.h"
#include "dpi/ndpi_compat.h"

#define DPI_SLACK 64		  /* zero bytes behind a packet: nDPI reads beyond ends */
#define DPI_HEAP_PER_FLOW 2048	  /* nDPI's own memory: 0.5 KB on average, TLS 3 KB */
#define DPI_HEAP_BASE (256 << 10) /* its caches, made when first needed */
/* What it does not know by the sixth payload it hardly ever will: of 4,089 flows of nDPI's own test
 * captures that get a label, all but one have it by the fifth; a log-in to POP3 takes six. */
#define DPI_UNKNOWN_PACKETS 6
/* Enciphered from the first byte on, it has nothing to be known by; text may take its time.  With
 * two, handshakes of WireGuard would be missed. */
#define DPI_RANDOM_PACKETS 3
#define RANDOM_LOOK 64 /* bytes */
/* Of all states: 8,192 by default, so that at ten thousand hellos a second an answer may take 0.8
 * s. */
#define WAITING_SHARE 8

#define SLOT_NONE UINT32_MAX
#define GENERATION_SHIFT 24
#define PLACE_MASK ((1u << GENERATION_SHIFT) - 1)

enum slot_state { SLOT_FREE, SLOT_ACTIVE, SLOT_READY };

struct slot {
	uint64_t flow; /* the caller's name for it */
	uint32_t prev, next;
	uint8_t state;
	uint8_t generation;
	uint8_t l3, proto; /* of its first packet; nDPI must not see them mixed */
	uint16_t packets, random;
	bool waiting;
	uint32_t moved; /* when it last became the newest, in packets */
};

struct slot_list {
	uint32_t head, tail;
};

/* What nDPI allocated for flows. */
struct account {
	int64_t bytes;
	uint64_t refused; /* for want of memory: a label was lost, most likely */
};

struct inspection {
	struct ndpi_detection_module_struct *module;
	struct ndpi_flow_struct *flows; /* by slot; zero while free */
	struct slot *slots;
	struct slot_list free, active, waiting, ready;
	uint32_t waiting_count;
	uint32_t capacity;
	unsigned packets; /* shown of a flow at most */
	struct account heap;
	int64_t heap_limit;
	uint64_t stat_packets, stat_flows, stat_labelled, stat_shed;
	uint8_t buffer[DPI_PACKET_MAX + DPI_SLACK];
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

static void list_append(struct inspection *dpi, struct slot_list *list, uint32_t place)
{
	struct slot *slot = &dpi->slots[place];

	slot->prev = list->tail;
	slot->next = SLOT_NONE;
	if (list->tail == SLOT_NONE)
		list->head = place;
	else
		dpi->slots[list->tail].next = place;
	list->tail = place;
}

static void list_remove(struct inspection *dpi, struct slot_list *list, uint32_t place)
{
	struct slot *slot = &dpi->slots[place];

	if (slot->prev == SLOT_NONE)
		list->head = slot->next;
	else
		dpi->slots[slot->prev].next = slot->next;
	if (slot->next == SLOT_NONE)
		list->tail = slot->prev;
	else
		dpi->slots[slot->next].prev = slot->prev;
}

struct inspection *inspection_new(uint32_t flows, unsigned packets, struct err *err)
{
	struct inspection *dpi;

	dpi = calloc(1, sizeof *dpi);
	if (dpi == NULL)
		goto memory;
	dpi->packets = packets;
	dpi->heap_limit = DPI_HEAP_BASE + (int64_t)flows * DPI_HEAP_PER_FLOW;
	dpi->free = dpi->active = dpi->waiting = dpi->ready =
	    (struct slot_list){SLOT_NONE, SLOT_NONE};
	dpi->capacity = flows;
	dpi->flows = pages_new(flows, sizeof *dpi->flows);
	dpi->slots = pages_new(flows, sizeof *dpi->slots);
	if (dpi->flows == NULL || dpi->slots == NULL)
		goto memory;
	for (uint32_t i = 0; i < flows; i++)
		list_append(dpi, &dpi->free, i);
	dpi->module = module_new(err);
	if (dpi->module == NULL) {
		inspection_free(dpi);
		return NULL;
	}
	return dpi;
memory:
	(void)err_set(err, ERR_MEMORY, "no memory for DPI of %u flows", flows);
	inspection_free(dpi);
	return NULL;
}

/* Gives a slot back; the most recently used one is the next to go out, while it is in the cache. */
static void slot_release(struct inspection *dpi, uint32_t place)
{
	struct slot *slot = &dpi->slots[place];
	struct ndpi_flow_struct *flow = &dpi->flows[place];

	list_remove(dpi, &dpi->ready, place);
	heap_account = &dpi->heap;
	ndpi_free_flow_data(flow);
	heap_account = NULL;
	memset(flow, 0, sizeof *flow);
	slot->state = SLOT_FREE;
	slot->generation++;
	list_append(dpi, &dpi->free, place);
}

/* Of a flow under inspection. */
static struct slot_list *list_of(struct inspection *dpi, uint32_t place)
{
	return dpi->slots[place].waiting ? &dpi->waiting : &dpi->active;
}

/* No more packets for this flow: its label waits to be collected. */
static void slot_settle(struct inspection *dpi, uint32_t place)
{
	list_remove(dpi, list_of(dpi, place), place);
	dpi->waiting_count -= dpi->slots[place].waiting;
	dpi->slots[place].waiting = false;
	dpi->slots[place].state = SLOT_READY;
	list_append(dpi, &dpi->ready, place);
}

void inspection_free(struct inspection *dpi)
{
	if (dpi == NULL)
		return;
	if (dpi->module != NULL) {
		while (dpi->active.head != SLOT_NONE)
			slot_settle(dpi, dpi->active.head);
		while (dpi->waiting.head != SLOT_NONE)
			slot_settle(dpi, dpi->waiting.head);
		while (dpi->ready.head != SLOT_NONE)
			slot_release(dpi, dpi->ready.head);
		ndpi_exit_detection_module(dpi->module);
	}
	pages_free(dpi->slots, dpi->capacity, sizeof *dpi->slots);
	pages_free(dpi->flows, dpi->capacity, sizeof *dpi->flows);
	free(dpi);
}

/* The active slot a handle stands for, or SLOT_NONE when it is stale. */
static uint32_t slot_of(const struct inspection *dpi, uint32_t handle)
{
	uint32_t place = (handle & PLACE_MASK) - 1;

	if (dpi->slots[place].generation != handle >> GENERATION_SHIFT ||
	    dpi->slots[place].state != SLOT_ACTIVE)
		return SLOT_NONE;
	return place;
}

static uint32_t slot_take(struct inspection *dpi, uint64_t flow, const struct packet *packet,
			  uint32_t *handle)
{
	uint32_t place = dpi->free.tail;
	struct slot *slot;

	if (place == SLOT_NONE || dpi->heap.bytes > dpi->heap_limit) {
		/* The caller asks again with its next packet and has collected by then. */
		if (dpi->waiting.head != SLOT_NONE) {
			slot_settle(dpi, dpi->waiting.head);
		} else if (dpi->active.head != SLOT_NONE) {
			slot_settle(dpi, dpi->active.head);
			dpi->stat_shed++;
		}
		return SLOT_NONE;
	}
	list_remove(dpi, &dpi->free, place);
	slot = &dpi->slots[place];
	slot->flow = flow;
	slot->state = SLOT_ACTIVE;
	slot->l3 = packet->l3;
	slot->proto = packet->proto;
	slot->packets = slot->random = 0;
	slot->moved = (uint32_t)dpi->stat_packets;
	list_append(dpi, &dpi->active, place);
	*handle = (uint32_t)slot->generation << GENERATION_SHIFT | (place + 1);
	dpi->stat_flows++;
	return place;
}

static void make_newest(struct inspection *dpi, uint32_t place)
{
	struct slot *slot = &dpi->slots[place];

	if ((uint32_t)dpi->stat_packets - slot->moved < dpi->capacity / 16)
		return;
	slot->moved = (uint32_t)dpi->stat_packets;
	list_remove(dpi, list_of(dpi, place), place);
	list_append(dpi, list_of(dpi, place), place);
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

static bool is_enough(const struct inspection *dpi, uint32_t place, const struct packet *packet,
		      const ndpi_protocol *protocol)
{
	const struct slot *slot = &dpi->slots[place];
	uint16_t upper = compat_master(protocol), service = compat_app(protocol);

	if (slot->packets >= dpi_packets_of(packet, dpi->packets) ||
	    compat_complete(dpi->module, &dpi->flows[place], protocol))
		return true;
	if (upper == NDPI_PROTOCOL_UNKNOWN && service == NDPI_PROTOCOL_UNKNOWN)
		return slot->packets >= DPI_UNKNOWN_PACKETS || slot->random >= DPI_RANDOM_PACKETS;
	return is_told(&dpi->flows[place], upper, service);
}

static void wait_on(struct inspection *dpi, uint32_t place)
{
	struct slot *slot = &dpi->slots[place];

	if (slot->waiting || !is_named(&dpi->flows[place]))
		return;
	list_remove(dpi, &dpi->active, place);
	slot->waiting = true;
	list_append(dpi, &dpi->waiting, place);
	if (++dpi->waiting_count > dpi->capacity / WAITING_SHARE)
		slot_settle(dpi, dpi->waiting.head);
}

enum dpi_verdict inspection_submit(struct inspection *dpi, uint64_t flow, uint32_t *handle,
				   const struct packet *packet, uint64_t now_ns)
{
	ndpi_protocol protocol;
	struct slot *slot;
	uint32_t place;
	uint16_t len;

	if (dpi->packets == 0)
		return DPI_DONE;
	if (!dpi_fits(packet))
		return DPI_MORE;
	if (*handle == 0) {
		place = slot_take(dpi, flow, packet, handle);
		if (place == SLOT_NONE)
			return DPI_FULL;
	} else {
		place = slot_of(dpi, *handle);
		if (place == SLOT_NONE || dpi->slots[place].flow != flow) {
			*handle = 0; /* taken away meanwhile, and its label handed over */
			return DPI_DONE;
		}
		make_newest(dpi, place);
	}
	slot = &dpi->slots[place];
	if (slot->l3 != packet->l3 || slot->proto != packet->proto)
		return DPI_MORE;
	len = buffer_fill(dpi, packet);
	heap_account = &dpi->heap;
	protocol =
	    compat_process(dpi->module, &dpi->flows[place], dpi->buffer, len, now_ns / NS_PER_MS);
	heap_account = NULL;
	dpi->stat_packets++;
	slot->packets++;
	slot->random += looks_random(packet);
	if (!is_enough(dpi, place, packet, &protocol)) {
		if (dpi->heap.bytes <= dpi->heap_limit) {
			wait_on(dpi, place);
			return DPI_MORE;
		}
		dpi->stat_shed++; /* more would be known if there were room for it */
	}
	slot_settle(dpi, place);
	*handle = 0;
	return DPI_DONE;
}

void inspection_finish(struct inspection *dpi, uint32_t *handle)
{
	uint32_t place = *handle == 0 ? SLOT_NONE : slot_of(dpi, *handle);

	if (place != SLOT_NONE)
		slot_settle(dpi, place);
	*handle = 0;
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

static void app_fill(struct inspection *dpi, struct ndpi_flow_struct *flow, struct app *app)
{
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

bool inspection_collect(struct inspection *dpi, struct dpi_result *result)
{
	uint32_t place = dpi->ready.head;

	if (place == SLOT_NONE)
		return false;
	*result = (struct dpi_result){.flow = dpi->slots[place].flow};
	heap_account = &dpi->heap;
	app_fill(dpi, &dpi->flows[place], &result->app);
	heap_account = NULL;
	slot_release(dpi, place);
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
