/* SPDX-License-Identifier: Apache-2.0 */
/* home.c - see home.h. */
#include "detect/home.h"

#include "base/cursor.h"
#include "detect/build.h"

/* Tenants looked at in one segment. */
#define TENANTS_MAX 1024

/*
 * Where the frame is.  A mirror that takes tags off does not say; the sender's registered addresses
 * do.
 */
static uint16_t segment_of(const struct event *ev)
{
	const struct host *host = inventory_host(ev->inv, ev->from.host);

	if (ev->segment != SEGMENT_NONE || ev->vlan_count > 0 || host == NULL)
		return ev->segment;
	for (uint16_t i = 0; i < inventory_segment_count(ev->inv); i++)
		for (unsigned k = 0; k < host->ip_count; k++)
			if (!inventory_segment(ev->inv, i)->is_vni &&
			    inventory_segment_prefix(ev->inv, i, &host->ip[k]))
				return i;
	return SEGMENT_NONE;
}

unsigned home_others(const struct event *ev, uint32_t actor, uint32_t out[static HOME_MAX],
		     uint32_t *total)
{
	uint32_t tenant[TENANTS_MAX];
	uint32_t count = inventory_segment_tenants(ev->inv, segment_of(ev), tenant, TENANTS_MAX);
	unsigned written = 0;
	uint32_t others = 0;

	for (uint32_t i = 0; i < count && i < TENANTS_MAX; i++) {
		if (!is_other_tenant(tenant[i], actor))
			continue;
		others++;
		if (written < HOME_MAX)
			out[written++] = tenant[i];
	}
	if (total != NULL)
		*total = others;
	return written;
}

const uint8_t *nd_option(const struct packet *packet, size_t at, uint8_t type, size_t *len)
{
	struct cursor c = cursor_over(packet->l4, packet->l4_len);

	cursor_skip(&c, at);
	while (!c.failed && cursor_left(&c) >= 2) {
		uint8_t kind = cursor_u8(&c);
		uint8_t units = cursor_u8(&c);
		const uint8_t *body;

		if (units == 0) /* RFC 4861 4.6: discard the packet */
			return NULL;
		*len = (size_t)units * 8 - 2;
		body = cursor_take(&c, *len);
		if (body != NULL && kind == type)
			return body;
	}
	return NULL;
}

bool nd_link_address(const struct packet *packet, size_t at, uint8_t type, struct mac_addr *mac)
{
	size_t len;
	const uint8_t *body = nd_option(packet, at, type, &len);

	if (body == NULL || len < sizeof mac->b)
		return false;
	memcpy(mac->b, body, sizeof mac->b);
	return true;
}
