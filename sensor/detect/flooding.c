/* SPDX-License-Identifier: Apache-2.0 */
/* flooding.c - see flooding.h. */
#include "detect/flooding.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/bpdu.h"
#include "detect/build.h"

#define FRAMES_NEEDED 10
/* 802.1D ages the table at the forward delay (15 s by default, 30 s at most) after a change. */
#define TOPOLOGY_NS (60 * UINT64_C(1000000000))
#define ADDRESSES 8192
#define FLOWS 16384

struct address_key {
	uint64_t mac;
	uint16_t tap, segment;
	uint32_t zero;
};

struct address {
	uint64_t since_ns;
	uint64_t frames;
};

struct flow_key {
	uint64_t id;
	uint32_t tap;
	uint32_t
	    registered; /* whom the frames are for: others are flooded whenever anybody wants */
};

struct flow_seen {
	struct ip_addr src; /* of direction 0 */
	uint64_t last_ns[2];
	uint16_t sport;
};

struct flooding {
	struct table *addresses;
	struct table *flows;
	uint64_t calm_ns; /* a topology change is under way until then */
};

struct flooding *flooding_new(uint64_t seed)
{
	struct flooding *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->addresses =
	    table_new(ADDRESSES, sizeof(struct address_key), sizeof(struct address), seed);
	f->flows = table_new(FLOWS, sizeof(struct flow_key), sizeof(struct flow_seen), seed);
	if (f->addresses == NULL || f->flows == NULL) {
		flooding_free(f);
		return NULL;
	}
	return f;
}

void flooding_free(struct flooding *flooding)
{
	if (flooding == NULL)
		return;
	table_free(flooding->addresses);
	table_free(flooding->flows);
	free(flooding);
}

uint64_t flooding_evicted(const struct flooding *flooding)
{
	return table_evicted(flooding->addresses) + table_evicted(flooding->flows);
}

void flooding_control(struct flooding *flooding, const struct event *ev)
{
	if (bpdu_announces_change(ev))
		flooding->calm_ns = ev->ts_ns + TOPOLOGY_NS;
}

/* Was this conversation's other direction shown a moment ago? */
static bool both_directions(struct flooding *f, const struct event *ev)
{
	struct flow_key key = {
	    .id = ev->flow_id, .tap = ev->tap->id, .registered = ev->to.tenant != TENANT_UNKNOWN};
	bool fresh;
	struct flow_seen *seen = table_put(f->flows, &key, &fresh);
	unsigned d;

	if (fresh)
		*seen = (struct flow_seen){.src = ev->tuple.src, .sport = ev->tuple.sport};
	d = !ip_equal(&seen->src, &ev->tuple.src) || seen->sport != ev->tuple.sport;
	seen->last_ns[d] = ev->ts_ns;
	return seen->last_ns[!d] != 0 && ev->ts_ns - seen->last_ns[!d] <= FLOODING_NS;
}

static bool many_frames(struct flooding *f, const struct event *ev, uint64_t packets)
{
	struct address_key key = {
	    .mac = mac_to_u64(ev->dmac), .tap = ev->tap->id, .segment = ev->segment};
	bool fresh;
	struct address *a = table_put(f->addresses, &key, &fresh);

	if (fresh || ev->ts_ns - a->since_ns > FLOODING_NS)
		*a = (struct address){.since_ns = ev->ts_ns};
	a->frames += packets;
	return a->frames >= FRAMES_NEEDED;
}

bool flooding_proves(struct flooding *flooding, const struct event *ev, uint64_t packets)
{
	bool many, both;

	if (ev->ts_ns < flooding->calm_ns)
		return false;
	many = many_frames(flooding, ev, packets);
	both = both_directions(flooding, ev);
	return many || both;
}
