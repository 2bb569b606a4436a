/* SPDX-License-Identifier: Apache-2.0 */
/* own_site.c - see own_site.h. */
#include "detect/own_site.h"

#include <stdlib.h>

#include "base/table.h"
#include "detect/build.h"
#include "detect/dns.h"

#define DOORS 8192
#define PORT_DNS 53
/* Where a name alone leads a browser to. */
#define PORT_HTTP 80

struct door {
	struct ip_addr ip;
	uint16_t domain, port;
	uint32_t zero;
};

struct own_sites {
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
	if (s->named == NULL || s->visited == NULL) {
		own_sites_free(s);
		return NULL;
	}
	return s;
}

void own_sites_free(struct own_sites *s)
{
	if (s == NULL)
		return;
	table_free(s->named);
	table_free(s->visited);
	free(s);
}

uint64_t own_sites_evicted(const struct own_sites *s)
{
	return table_evicted(s->named) + table_evicted(s->visited);
}

void own_sites_note(struct own_sites *s, const struct event *ev)
{
	struct door door = {.domain = ev->domain, .port = PORT_HTTP};
	struct dns_message m;

	if (ev->packet == NULL || ev->from.tenant != TENANT_INFRASTRUCTURE ||
	    is_tenant(ev->src.tenant) || ev->packet->sport != PORT_DNS ||
	    !dns_parse(ev->packet, &m) || m.family != DNS_PLAIN || !m.response)
		return;
	for (unsigned i = 0; i < m.address_count; i++) {
		door.ip = m.address[i].ip;
		if (is_tenant(inventory_owner(ev->inv, ev->domain, &door.ip).tenant))
			(void)table_put(s->named, &door, NULL);
	}
}

void own_sites_visited(struct own_sites *s, uint16_t domain, const struct ip_addr *ip,
		       uint16_t port)
{
	struct door door = {.ip = *ip, .domain = domain, .port = port};

	(void)table_put(s->visited, &door, NULL);
}

bool own_sites_has(const struct own_sites *s, uint16_t domain, const struct ip_addr *ip,
		   uint16_t port, bool visits)
{
	struct door door = {.ip = *ip, .domain = domain, .port = port};

	return table_find(s->named, &door) != NULL ||
	       (visits && table_find(s->visited, &door) != NULL);
}
