/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - every detector, in the order they run; and the names of events and kinds. */
#include "bulkhead/detector.h"

/* clang-format off */
extern const struct detector detect_lease;
extern const struct detector detect_relay_forward;
extern const struct detector detect_relay_bridge;
extern const struct detector detect_relay_proxy;
extern const struct detector detect_relay_intercept;
extern const struct detector detect_relay_tunnel;
extern const struct detector detect_relay_capture_export;
extern const struct detector detect_observe_misdelivery;
extern const struct detector detect_observe_exposure;
extern const struct detector detect_observe_decoy;
extern const struct detector detect_observe_secret_reuse;
extern const struct detector detect_observe_flood;
extern const struct detector detect_observe_mac_exhaustion;
extern const struct detector detect_observe_promiscuous_reply;
extern const struct detector detect_observe_ptr_lookup;
extern const struct detector detect_observe_icmp_quote;
extern const struct detector detect_spoof_arp;
extern const struct detector detect_spoof_proxy_arp;
extern const struct detector detect_spoof_ndp;
extern const struct detector detect_spoof_router_advertisement;
extern const struct detector detect_spoof_redirect;
extern const struct detector detect_spoof_dhcp;
extern const struct detector detect_spoof_name;
extern const struct detector detect_spoof_source;
extern const struct detector detect_spoof_mac;
extern const struct detector detect_spoof_gateway;
extern const struct detector detect_spoof_injection;
extern const struct detector detect_boundary_vlan;
extern const struct detector detect_boundary_vni;
extern const struct detector detect_boundary_topology;
extern const struct detector detect_residency;
extern const struct detector detect_health;

const struct detector *const detectors[] = {
	&detect_lease, /* first: the others use what it learns */
	&detect_relay_forward,
	&detect_relay_bridge,
	&detect_relay_proxy,
	&detect_relay_intercept,
	&detect_relay_tunnel,
	&detect_relay_capture_export,
	&detect_observe_misdelivery,
	&detect_observe_exposure,
	&detect_observe_decoy,
	&detect_observe_secret_reuse,
	&detect_observe_flood,
	&detect_observe_mac_exhaustion,
	&detect_observe_promiscuous_reply,
	&detect_observe_ptr_lookup,
	&detect_observe_icmp_quote,
	&detect_spoof_arp,
	&detect_spoof_proxy_arp,
	&detect_spoof_ndp,
	&detect_spoof_router_advertisement,
	&detect_spoof_redirect,
	&detect_spoof_dhcp,
	&detect_spoof_name,
	&detect_spoof_source,
	&detect_spoof_mac,
	&detect_spoof_gateway,
	&detect_spoof_injection,
	&detect_boundary_vlan,
	&detect_boundary_vni,
	&detect_boundary_topology,
	&detect_residency,
	&detect_health,
	NULL,
};
/* clang-format on */

/* Names are for ever: a rule may speak of a kind that this build has no detector for yet. */
static const char *const kinds[] = {
    "relay.forward",
    "relay.bridge",
    "relay.rewrite",
    "relay.proxy",
    "relay.intercept",
    "relay.tunnel",
    "relay.capture-export",
    "observe.misdelivery",
    "observe.exposure",
    "observe.flood",
    "observe.mac-exhaustion",
    "observe.icmp-quote",
    "observe.promiscuous-reply",
    "observe.ptr-lookup",
    "observe.tunnel",
    "observe.capture-export",
    "observe.decoy",
    "observe.secret-reuse",
    "spoof.arp",
    "spoof.proxy-arp",
    "spoof.ndp",
    "spoof.router-advertisement",
    "spoof.redirect",
    "spoof.dhcp",
    "spoof.name",
    "spoof.source",
    "spoof.mac",
    "spoof.gateway",
    "spoof.injection",
    "boundary.vlan",
    "boundary.vni",
    "boundary.topology",
    "residency.egress",
    "residency.relay",
    "health.drop",
    "health.truncated",
    "health.silent-tap",
    "health.one-way",
    "health.unknown-segment",
    "health.unmapped",
    "health.table-full",
    "health.clock",
    "health.inventory-age",
    "health.sink-down",
    NULL,
};

const char *const *detector_kinds(void)
{
	return kinds;
}

static const struct {
	const char *name, *summary;
} events[EVENT_MAX] = {
    [EVENT_PATH] = {"path", "a flow travels by NICs that are strangers to it"},
    [EVENT_RELAYED] = {"relayed", "a packet was seen into a NIC and out of it again"},
    [EVENT_EXPOSED] = {"exposed", "a frame left by a tapped port that it was not for"},
    [EVENT_FLOODED] = {"flooded", "a frame was seen more often than in and out"},
    [EVENT_FLOW] = {"flow", "a new flow with a tenant at one end"},
    [EVENT_TOKEN] = {"token", "content that can be recognised in another flow"},
    [EVENT_MEET] = {"meet", "content that was seen in another flow or elsewhere before"},
    [EVENT_HELLO] = {"hello", "a TLS client's hello with the name of the server"},
    [EVENT_FLOW_END] = {"flow-end", "a flow with a strange path ended"},
    [EVENT_ARP] = {"arp", "an ARP or RARP frame"},
    [EVENT_ND] = {"nd", "a neighbour solicitation or advertisement, or a router solicitation"},
    [EVENT_RA] = {"ra", "a router advertisement"},
    [EVENT_REDIRECT] = {"redirect", "an ICMP or ICMPv6 redirect"},
    [EVENT_ICMP_ERROR] = {"icmp-error", "an ICMP(v6) message that quotes a packet"},
    [EVENT_DHCP] = {"dhcp", "a DHCPv4 message"},
    [EVENT_DHCP6] = {"dhcp6", "a DHCPv6 message"},
    [EVENT_NAME] = {"name", "a DNS, LLMNR, NBT-NS or mDNS message"},
    [EVENT_GATEWAY] = {"gateway", "VRRP, HSRP, GLBP, CARP or a routing protocol"},
    [EVENT_L2_CONTROL] = {"l2-control", "STP, DTP, CDP, LLDP, LACP"},
    [EVENT_TUNNEL] = {"tunnel", "a packet inside a tunnel"},
    [EVENT_SEGMENT] = {"segment", "a tenant's NIC where it does not belong, or double tags"},
    [EVENT_NEW_MAC] = {"new-mac", "a source MAC that no inventory knows"},
    [EVENT_PAYLOAD] = {"payload", "payload of a flow that looks like a capture stream"},
    [EVENT_SECRET] = {"secret", "a decoy or a credential in clear text"},
    [EVENT_CONFLICT] = {"conflict", "the same TCP sequence with other bytes"},
    [EVENT_STRAY] = {"stray", "an answer by a NIC that was not asked"},
    [EVENT_RETURNED] = {"returned", "a host gets a packet that claims to come from itself"},
    [EVENT_SIGHT] = {"sight", "the sensor's own counters, once a second"},
    [EVENT_LOSS] = {"loss", "what a tap showed of TCP, and did not, in a second"},
};

const char *event_name(enum event_kind kind)
{
	return kind < EVENT_MAX ? events[kind].name : "unknown";
}

const char *event_summary(enum event_kind kind)
{
	return kind < EVENT_MAX ? events[kind].summary : "";
}
