/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_router_advertisement.c - a router advertisement from a NIC that is no router's.
 *
 * Every host of the segment takes its default route, its prefix and its DNS server from whoever
 * says so (RFC 4861, RFC 8106): all other tenants at home there are victims.  The worker finds the
 * message behind extension headers and puts fragments together (RFC 7113), so that hiding it
 * from a switch's RA guard does not hide it from here.
 *
 * IPv4 has such a message too (RFC 1256), which few hosts still believe.
 *
 * A router is one by its role in the inventory.  When the frame's own MAC is unregistered or the
 * provider's, the source link-layer option tells who wants the traffic (4.2): hosts send there.
 */
#include <stdio.h>

#include "base/cursor.h"
#include "detect/build.h"
#include "detect/home.h"

#define RA_OPTIONS 16  /* offset of the options in the message */
#define RA_LIFETIME 6  /* IPv4's has it at the same place */
#define IRDP_ADDRESS 8 /* the first router of IPv4's message */

enum ra_option {
	OPTION_SOURCE = 1,
	OPTION_PREFIX = 3,
	OPTION_ROUTE = 24, /* RFC 4191 */
	OPTION_RDNSS = 25, /* RFC 8106 */
};

/* Who is it, when the NIC is one that may not?  False when the advertisement is in order. */
static bool find_actor(const struct event *ev, struct carrier *actor, struct mac_addr *mac)
{
	struct mac_addr option;
	struct carrier at;

	*actor = ev->from;
	*mac = ev->smac;
	if (is_tenant(ev->from.tenant))
		return !(ev->from.roles & ROLE_ROUTER);
	if (ev->packet->proto == IPPROTO_NUM_ICMPV6 &&
	    nd_link_address(ev->packet, RA_OPTIONS, OPTION_SOURCE, &option)) {
		at = inventory_carrier(ev->inv, option);
		if (is_tenant(at.tenant) && !(at.roles & ROLE_ROUTER)) {
			*actor = at;
			*mac = option;
			return true;
		}
	}
	/* Without the option, hosts send to the NIC of its source address (4.2: a link-local one).
	 */
	if (is_tenant(ev->src.tenant) && ev->src.host != HOST_NONE) {
		const struct host *host = inventory_host(ev->inv, ev->src.host);

		if (host->roles & ROLE_ROUTER)
			return false;
		*actor = (struct carrier){
		    .tenant = ev->src.tenant, .host = ev->src.host, .roles = host->roles};
		*mac = host->mac_count > 0 ? host->mac[0] : ev->smac;
		return true;
	}
	return ev->from.tenant == TENANT_UNKNOWN;
}

static void add_prefix(struct finding *f, const char *name, const uint8_t *address, uint8_t length)
{
	struct ip_addr ip = ip_from_v6(address);
	char text[IP_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE + 4];
	int n = snprintf(prefix, sizeof prefix, "%s/%u", ip_format(&ip, text), length);

	finding_detail(f, name, prefix, (size_t)n);
}

static void describe(struct finding *f, const struct packet *p)
{
	uint8_t route[16] = {0};
	char text[IP_TEXT_SIZE];
	struct ip_addr dns;
	const uint8_t *o;
	size_t len;

	if (p->proto == IPPROTO_NUM_ICMP) {
		struct ip_addr router = ip_from_v4(p->l4 + IRDP_ADDRESS);

		finding_detail_text(f, "router", ip_format(&router, text));
		finding_detail_uint(f, "lifetime", read_be16(p->l4 + RA_LIFETIME));
		return;
	}
	finding_detail_text(f, "router", ip_format(&p->src, text));
	finding_detail_uint(f, "lifetime", read_be16(p->l4 + RA_LIFETIME));
	o = nd_option(p, RA_OPTIONS, OPTION_PREFIX, &len);
	if (o != NULL && len >= 30)
		add_prefix(f, "prefix", o + 14, o[0]);
	o = nd_option(p, RA_OPTIONS, OPTION_RDNSS, &len);
	if (o != NULL && len >= 22) {
		dns = ip_from_v6(o + 6);
		finding_detail_text(f, "dns", ip_format(&dns, text));
	}
	o = nd_option(p, RA_OPTIONS, OPTION_ROUTE, &len);
	if (o != NULL && len >= 6 && len <= 6 + sizeof route) {
		memcpy(route, o + 6, len - 6);
		add_prefix(f, "route", route, o[0]);
	}
	if (p->flags & PACKET_EXT_HEADERS)
		finding_detail_text(f, "hidden", "behind extension headers or fragments");
}

static void tell(const struct event *ev, const struct carrier *actor, struct mac_addr mac,
		 uint32_t victim, uint32_t others, struct findings *out)
{
	struct finding *f = build_finding(out, ev, NULL,
					  actor->tenant == TENANT_UNKNOWN ? CONFIDENCE_INDICATOR
									  : CONFIDENCE_PROOF);

	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_carrier(actor, mac);
	f->victim = party_of_tenant(victim);
	if (victim == ev->to.tenant)
		f->victim = party_of_carrier(&ev->to, ev->dmac);
	describe(f, ev->packet);
	if (others > 1)
		finding_detail_uint(f, "tenants", others);
}

static void event(void *state, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	uint32_t victim[HOME_MAX];
	struct carrier actor;
	struct mac_addr mac;
	uint32_t others;
	unsigned count;

	(void)state;
	if (p == NULL || p->l4 == NULL || p->l4_len < RA_OPTIONS || !ev->has_mac)
		return;
	if (!find_actor(ev, &actor, &mac))
		return;
	if (!mac_is_group(ev->dmac) && ev->to.tenant != TENANT_UNKNOWN) {
		if (ev->to.tenant != actor.tenant)
			tell(ev, &actor, mac, ev->to.tenant, 1, out);
		return;
	}
	count = home_others(ev, actor.tenant, victim, &others);
	for (unsigned i = 0; i < count; i++)
		tell(ev, &actor, mac, victim[i], others, out);
}

const struct detector detect_spoof_router_advertisement = {
    .kind = "spoof.router-advertisement",
    .summary = "a router advertisement from a NIC that is no router's",
    .wants = EVENT_BIT(EVENT_RA),
    .event = event,
};
