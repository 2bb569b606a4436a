/* SPDX-License-Identifier: Apache-2.0 */
/* own_site.c - see own_site.h. */
#include "detect/own_site.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/dns.h"
#include "detect/meet.h"

#define DOORS 8192
#define LEADS 16384 /* some clients a door */
#define PORT_DNS 53
/* Where a name alone leads a browser to. */
#define PORT_HTTP 80

struct door {
	struct ip_addr ip;
	uint16_t domain, port;
	uint32_t zero;
};

struct lead {
	struct ip_addr ip, client;
	uint32_t domain, zero;
};

struct own_sites {
	struct table *led;     /* set of struct lead */
	struct table *named;   /* sets of struct door */
	struct table *visited; /* ... */
};

struct own_sites *own_sites_new(uint64_t seed)
{
	struct own_sites *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->named = table_new(DOORS, sizeof(struct door), sizeof(uint8_t), seed);
	s->visited = table_new(DOORS, sizeof(struct door), sizeof(uint8_t), seed);
	s->led = table_new(LEADS, sizeof(struct lead), sizeof(uint8_t), seed);
	if (s->led == NULL || s->named == NULL || s->visited == NULL) {
		own_sites_free(s);
		return NULL;
	}
	return s;
}

void own_sites_free(struct own_sites *s)
{
	if (s == NULL)
		return;
	table_free(s->led);
	table_free(s->named);
	table_free(s->visited);
	free(s);
}

uint64_t own_sites_evicted(const struct own_sites *s)
{
	return table_evicted(s->led) + table_evicted(s->named) + table_evicted(s->visited);
}

void own_sites_note(struct own_sites *s, const struct event *ev)
{
	struct door door = {.domain = ev->domain, .port = PORT_HTTP};
	struct lead lead = {.domain = ev->domain};
	struct dns_message m;

	/* The provider's router may stand in no inventory; a tenant's NIC that lies does. */
	if (ev->packet == NULL || is_tenant(ev->from.tenant) || is_tenant(ev->src.tenant) ||
	    ev->packet->sport != PORT_DNS || !dns_parse(ev->packet, &m) || m.family != DNS_PLAIN ||
	    !m.response)
		return;
	for (unsigned i = 0; i < m.address_count; i++) {
		door.ip = m.address[i].ip;
		if (!is_tenant(inventory_owner(ev->inv, ev->domain, &door.ip).tenant))
			continue;
		lead.ip = door.ip;
		lead.client = ev->packet->dst;
		(void)table_put(s->named, &door, NULL);
		(void)table_put(s->led, &lead, NULL);
	}
}

/* The provider's: where it leads is a door for all. */
static bool is_front(const struct event *ev, const struct owner *owner)
{
	const struct host *host = inventory_host(ev->inv, owner->host);

	return owner->tenant == TENANT_INFRASTRUCTURE && host != NULL &&
	       (host->roles & (ROLE_LOAD_BALANCER | ROLE_PROXY)) != 0;
}

bool own_sites_visit(struct own_sites *s, const struct event *ev, const struct leg_view *in,
		     const struct leg_view *out_leg, uint32_t relay)
{
	bool answer = ev->u.meet.token.kind == TOKEN_HTTP_ANSWER;
	const struct flow_tuple *near = answer ? &out_leg->leg->tuple : &in->leg->tuple;
	struct door door = {.ip = answer ? near->src : near->dst,
			    .domain = near->domain,
			    .port = answer ? near->sport : near->dport};
	struct lead lead = {
	    .ip = door.ip, .client = answer ? near->dst : near->src, .domain = near->domain};
	const struct owner *client = answer ? &out_leg->dst : &in->src;
	const struct owner *owner = answer ? &out_leg->src : &in->dst;

	/* A tenant whose server is reached by a detour over the relay visits nobody. */
	if (owner->tenant != relay ||
	    (in->src.tenant == out_leg->dst.tenant && is_tenant(client->tenant)))
		return false;
	if (client->tenant == TENANT_EXTERNAL)
		(void)table_put(s->visited, &door, NULL);
	return is_front(ev, client) || table_find(s->led, &lead) != NULL ||
	       table_find(s->named, &door) != NULL ||
	       (is_tenant(client->tenant) && table_find(s->visited, &door) != NULL);
}
