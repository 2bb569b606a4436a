/* SPDX-License-Identifier: Apache-2.0 */
/*
 * residency.c - a tenant's traffic goes to a country or network it is not bound to:
 * residency.egress, and residency.relay when another tenant's host carried it there.
 *
 * Only flows that the tenant opens itself count: whoever visits its servers does so from where he
 * likes.  Only public addresses outside every prefix count, and only when the database knows
 * where they are.  Databases err about anycast and CDNs: `residency` takes networks ("AS64500")
 * beside countries for that.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "detect/build.h"
#include "detect/geo.h"

#define FIRST_CLIENT_PORT 1024

struct state {
	struct geo *geo;
	bool said; /* that there is no database */
};

static const char *const kinds[] = {"residency.relay", NULL};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)seed;
	if (options->geoip.country == NULL && options->geoip.asn == NULL)
		return 0;
	return geo_open(&s->geo, options->geoip.country, options->geoip.asn, err);
}

static bool is_public(const struct owner *owner, const struct ip_addr *ip)
{
	return owner->kind == OWNER_NONE && !ip_is_private(ip) && !ip_is_link_local(ip) &&
	       !ip_is_multicast(ip) && !ip_is_broadcast(ip) && !ip_is_loopback(ip) &&
	       !ip_is_unspecified(ip);
}

static bool is_listed(const struct tenant *tenant, const struct geo_place *place)
{
	for (unsigned i = 0; i < tenant->residency_count; i++) {
		const char *entry = tenant->residency[i];
		bool network = strncmp(entry, "AS", 2) == 0 && isdigit((unsigned char)entry[2]);

		if (network ? place->asn != 0 && strtoul(entry + 2, NULL, 10) == place->asn
			    : strcmp(entry, place->country) == 0)
			return true;
	}
	return false;
}

/* Is the far end known to be outside of where the tenant's traffic may go? */
static bool is_outside(struct state *s, const struct event *ev, uint32_t id,
		       const struct owner *far, const struct ip_addr *ip, struct geo_place *place)
{
	const struct tenant *tenant = is_tenant(id) ? inventory_tenant(ev->inv, id) : NULL;

	if (tenant == NULL || tenant->residency_count == 0 || !is_public(far, ip))
		return false;
	if (s->geo == NULL) {
		if (!s->said)
			log_warn("residency=unchecked tenant=%s reason=\"no geoip database is "
				 "configured\"",
				 tenant->name);
		s->said = true;
		return false;
	}
	*place = geo_find(s->geo, ip);
	return (place->country[0] != '\0' || place->asn != 0) && !is_listed(tenant, place);
}

static void describe(struct finding *f, const struct geo_place *place)
{
	char text[16];

	finding_detail_text(f, "country", place->country[0] != '\0' ? place->country : "unknown");
	if (place->asn == 0)
		return;
	(void)snprintf(text, sizeof text, "AS%u", place->asn);
	finding_detail_text(f, "asn", text);
}

/* Seen first in the middle, the service is at the well-known port. */
static bool opened_by_source(const struct flow_tuple *t)
{
	if (t->proto != IPPROTO_NUM_TCP && t->proto != IPPROTO_NUM_UDP)
		return false;
	return t->sport >= FIRST_CLIENT_PORT || t->dport < t->sport;
}

static void see_flow(struct state *s, const struct event *ev, struct findings *out)
{
	struct geo_place place;
	struct finding *f;

	if (!opened_by_source(&ev->tuple) ||
	    !is_outside(s, ev, ev->src.tenant, &ev->dst, &ev->tuple.dst, &place))
		return;
	f = build_finding(out, ev, "residency.egress", CONFIDENCE_STRONG);
	if (f == NULL)
		return;
	build_victim_end(f, ev, 0);
	f->actor = f->victim; /* its own doing */
	f->own_doing = true;
	describe(f, &place);
}

static void see_relayed(struct state *s, const struct event *ev, struct findings *out)
{
	unsigned which[2];
	unsigned count;

	if (ev->u.relayed.bridged || ev->from.tenant == TENANT_INFRASTRUCTURE ||
	    !(ev->path & (PATH_FROM_STRANGER | PATH_FROM_UNKNOWN)))
		return;
	count = build_victims(ev, ev->from.tenant, which);
	for (unsigned i = 0; i < count; i++) {
		const struct owner *far = which[i] == 0 ? &ev->dst : &ev->src;
		const struct ip_addr *ip = which[i] == 0 ? &ev->tuple.dst : &ev->tuple.src;
		uint32_t victim = which[i] == 0 ? ev->src.tenant : ev->dst.tenant;
		struct geo_place place;
		struct finding *f;

		if (!is_outside(s, ev, victim, far, ip, &place))
			continue;
		f = build_finding(out, ev, "residency.relay",
				  ev->from.tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
								    : CONFIDENCE_PROOF);
		if (f == NULL)
			return;
		f->actor = party_of_carrier(&ev->from, ev->smac);
		build_victim_end(f, ev, which[i]);
		f->next = party_of_carrier(&ev->to, ev->dmac);
		f->count = ev->u.relayed.packets;
		f->bytes = ev->u.relayed.bytes;
		describe(f, &place);
	}
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	if (ev->kind == EVENT_FLOW)
		see_flow(opaque, ev, out);
	else
		see_relayed(opaque, ev, out);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	geo_close(s->geo);
}

const struct detector detect_residency = {
    .kind = "residency.egress",
    .summary = "a tenant's traffic goes to a country or network it is not bound to",
    .also = kinds,
    .wants = EVENT_BIT(EVENT_FLOW) | EVENT_BIT(EVENT_RELAYED),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .close = close_state,
};
