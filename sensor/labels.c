/* SPDX-License-Identifier: Apache-2.0 */
/* labels.c - see labels.h. */
#include "labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/table.h"
#include "dpi/fit.h"
#include "flow/server_name.h"

#define LABELS 4096 /* flows with findings, the newest */
#define WAITING 64  /* findings that wait for the DPI process */

_Static_assert(OPENING_PACKET_MAX <= DPI_PACKET_MAX, "what is kept can be shown");
_Static_assert(OPENING_PACKETS <= DPI_ASK_PACKETS, "all of it");

struct label {
	struct app app;
	struct flow_tuple tuple; /* for who wants to know whose packet DPI died of */
	uint64_t newest;	 /* place + 1 of the newest packet that was shown, 0 none */
	bool asked;		 /* the answer has not come yet, or DPI died and never will */
	bool behind;		 /* named behind a preamble: DPI does not know better */
};

struct labels {
	struct dpi *dpi;
	bool late; /* labels come when they come */
	struct table *by_flow;
	struct finding waiting[WAITING];
	unsigned next; /* the oldest, or a free one: flow_id 0 */
	bool profile;
	uint64_t stat_gone, stat_shed, stat_cycles;
	/* The flow at hand. */
	struct opening opening[OPENING_PACKETS];
	struct packet packet[OPENING_PACKETS];
	unsigned packets;
	uint64_t newest; /* place + 1 of the last of them */
};

struct labels *labels_new(struct dpi *dpi, bool profile, uint64_t seed)
{
	struct labels *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->by_flow = table_new(LABELS, sizeof(uint64_t), sizeof(struct label), seed);
	if (l->by_flow == NULL) {
		free(l);
		return NULL;
	}
	l->dpi = dpi;
	l->profile = profile;
	l->late = dpi_is_late(dpi);
	return l;
}

void labels_free(struct labels *l)
{
	if (l == NULL)
		return;
	table_free(l->by_flow);
	free(l);
}

/* ---- the packets ----------------------------------------------------------------------------- */

/* All that is kept of a flow, oldest first; nothing when its first packet is gone, for by the rest
 * it would be called something else. */
static void take_opening(struct labels *l, const struct worker *workers, unsigned count,
			 uint64_t flow_id, uint64_t until, const struct label *label)
{
	uint64_t at[OPENING_PACKETS];
	unsigned found = 0;
	bool gone = false;

	l->packets = 0;
	for (unsigned i = 0; i < count && found == 0; i++) {
		bool older;

		found = openings_find(workers[i].openings, flow_id, until, at, &older);
		gone |= older;
		if (found > 0 && at[found - 1] + 1 == label->newest)
			return; /* no more than was shown */
		for (unsigned n = 0; n < found; n++) {
			struct opening *opening = &l->opening[l->packets];

			if (!openings_read(workers[i].openings, at[n], opening) ||
			    opening->nth != l->packets ||
			    !dpi_fit_bytes(opening->data, opening->len, &l->packet[l->packets]))
				continue;
			l->newest = at[n] + 1;
			l->packets++;
		}
	}
	l->stat_gone += l->packets == 0 && (found > 0 || gone);
}

/* Both from one end? */
static bool same_sender(const struct packet *a, const struct packet *b)
{
	size_t at = a->l3 == L3_IPV4 ? 12 : 8, size = a->l3 == L3_IPV4 ? 4 : 16;

	return a->l3 == b->l3 && memcmp(a->l3_data + at, b->l3_data + at, size) == 0 &&
	       memcmp(a->l4, b->l4, 2) == 0;
}

/* On both legs of a relay it is one and the same. */
static bool same_payload(const struct packet *a, const struct packet *b)
{
	return a->payload_len == b->payload_len &&
	       memcmp(a->payload, b->payload, a->payload_len) == 0;
}

/* A first hello, before the one with the key share that was asked for, is no preamble either. */
static bool is_handshake(const struct packet *p)
{
	return p->payload_len >= 2 && p->payload[0] == 22 && p->payload[1] == 3;
}

static bool has_preamble(const struct labels *l, unsigned nth)
{
	for (unsigned i = 0; i < nth; i++)
		if (same_sender(&l->packet[i], &l->packet[nth]) &&
		    !same_payload(&l->packet[i], &l->packet[nth]) && !is_handshake(&l->packet[i]))
			return true;
	return false;
}

/*
 * TLS behind a preamble (CONNECT, SOCKS, STARTTLS): DPI makes up its mind at the preamble and does
 * not tell the server's name.
 */
static bool name_behind(const struct labels *l, struct app *app)
{
	struct app tls = {.flags = APP_SURE | APP_ENCRYPTED, .proto = "TLS", .category = "Web"};

	for (unsigned i = 0; i < l->packets; i++) {
		const struct packet *p = &l->packet[i];

		if (!has_preamble(l, i) ||
		    !server_name(p->payload, p->payload_len, tls.host, sizeof tls.host))
			continue;
		*app = tls;
		return true;
	}
	return false;
}

/* ---- DPI ------------------------------------------------------------------------------------- */

/* An answer without a name leaves what is known. */
static void collect(struct labels *l)
{
	struct dpi_result result;

	while (dpi_collect(l->dpi, &result)) {
		struct label *label = table_find(l->by_flow, &result.flow);

		if (label == NULL)
			continue;
		label->asked = false;
		if (!label->behind && result.app.proto[0] != '\0')
			label->app = result.app;
	}
}

/* False when there is no room for the question now. */
static bool ask(struct labels *l, uint64_t flow_id, struct label *label)
{
	uint64_t ts_ns[OPENING_PACKETS];

	for (unsigned i = 0; i < l->packets; i++)
		ts_ns[i] = l->opening[i].ts_ns;
	if (!dpi_ask(l->dpi, flow_id, l->packet, ts_ns, l->packets))
		return false;
	label->asked = true;
	collect(l);
	return true;
}

static void look_closely(struct labels *l, const struct worker *workers, unsigned count,
			 uint64_t until, uint64_t flow_id, struct label *label)
{
	if (label->asked)
		return;
	take_opening(l, workers, count, flow_id, until, label);
	if (l->packets == 0 || l->newest == label->newest)
		return;
	label->behind = name_behind(l, &label->app);
	if (label->behind || ask(l, flow_id, label))
		label->newest = l->newest;
}

/* The same, on the clock when somebody wants to know. */
static void look(struct labels *l, const struct worker *workers, unsigned count, uint64_t until,
		 uint64_t flow_id, struct label *label)
{
	uint64_t begin = l->profile ? cycles_now() : 0;

	look_closely(l, workers, count, until, flow_id, label);
	if (l->profile)
		l->stat_cycles += cycles_now() - begin;
}

static struct label *label_of(struct labels *l, uint64_t flow_id, const struct flow_tuple *tuple)
{
	struct label *label;
	bool fresh;

	label = table_put(l->by_flow, &flow_id, &fresh);
	if (fresh)
		label->tuple = *tuple;
	return label;
}

void labels_look(struct labels *l, const struct worker *workers, unsigned count, uint64_t until,
		 uint64_t flow_id, const struct flow_tuple *tuple)
{
	struct label *label;

	if (l == NULL || flow_id == 0)
		return;
	label = label_of(l, flow_id, tuple);
	if (label->app.proto[0] == '\0')
		look(l, workers, count, until, flow_id, label);
}

void labels_name(struct labels *l, const struct worker *workers, unsigned count, uint64_t until,
		 struct finding *f)
{
	struct label *label;

	if (l == NULL || !f->has_flow || f->flow_id == 0)
		return;
	label = label_of(l, f->flow_id, &f->tuple);
	look(l, workers, count, until, f->flow_id, label);
	f->app = label->app;
}

/* ---- late labels ----------------------------------------------------------------------------- */

void labels_wait(struct labels *l, const struct finding *f)
{
	const struct label *label;

	if (l == NULL || !l->late || f->flow_id == 0)
		return;
	label = table_find(l->by_flow, &f->flow_id);
	if (label == NULL || !label->asked)
		return;
	l->stat_shed += l->waiting[l->next].flow_id != 0;
	l->waiting[l->next] = *f;
	l->waiting[l->next].count = 0;
	l->waiting[l->next].bytes = 0;
	l->waiting[l->next].frame_count = 0;
	l->next = (l->next + 1) % WAITING;
}

/* For who wants to know who did it. */
static void tell_suspect(const struct labels *l, uint64_t flow_id)
{
	const struct label *label = table_find(l->by_flow, &flow_id);
	char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE], proto[8];

	if (label == NULL)
		return;
	log_warn("dpi=died busy-with=\"%s %s:%u > %s:%u\"",
		 ip_proto_name(label->tuple.proto, proto), ip_format(&label->tuple.src, src),
		 label->tuple.sport, ip_format(&label->tuple.dst, dst), label->tuple.dport);
}

void labels_turn(struct labels *l)
{
	uint64_t suspect;

	if (l == NULL || !l->late)
		return;
	dpi_turn(l->dpi);
	if (dpi_suspect(l->dpi, &suspect))
		tell_suspect(l, suspect);
	collect(l);
}

bool labels_next(struct labels *l, struct finding *out)
{
	if (l == NULL || !l->late)
		return false;
	for (unsigned i = 0; i < WAITING; i++) {
		struct finding *f = &l->waiting[i];
		const struct label *label;

		if (f->flow_id == 0)
			continue;
		label = table_find(l->by_flow, &f->flow_id);
		if (label != NULL && label->asked)
			continue;
		*out = *f;
		f->flow_id = 0;
		if (label == NULL || label->app.proto[0] == '\0')
			continue;
		out->app = label->app;
		return true;
	}
	return false;
}

void labels_forget(struct labels *l)
{
	if (l != NULL)
		memset(l->waiting, 0, sizeof l->waiting);
}

void labels_stats(struct labels *l, struct stats *stats)
{
	if (l == NULL)
		return;
	dpi_stats(l->dpi, stats);
	stat_add(stats, STAT_STATE_FORGOTTEN, l->stat_gone);
	stat_add(stats, STAT_DPI_SHED, l->stat_shed);
	stat_add(stats, STAT_CYCLES_DPI, l->stat_cycles);
	l->stat_gone = l->stat_shed = l->stat_cycles = 0;
}
