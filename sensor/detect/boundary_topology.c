/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary_topology.c - a tenant's NIC speaks to the switches as one of them.
 *
 * Told is what asks the switches for something a tenant may not have:
 *
 *   STP, RSTP, MSTP, PVST+   a claim to be the root that beats the provider's own, or, where none
 *                            of the provider's BPDUs is seen, one with a priority that somebody
 *                            has set; a flood of topology change notices, which makes switches
 *                            forget their tables and flood
 *   DTP, VTP, GVRP, MVRP     asks for a trunk, or for VLANs
 *   LLDP, LACP               in the name of somebody else's MAC
 *   LLDP, CDP                as a switch, a router or a telephone
 *
 * Silent for what ordinary machines say: LLDP and CDP of a server, LACP and PAgP of a bond, a
 * guest's bridge that runs spanning tree with its default priority and loses the election, 802.1X,
 * pause frames.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/table.h"
#include "detect/bpdu.h"
#include "detect/build.h"
#include "detect/discovery.h"

/* IEEE 802.1D table 17-2: nobody arrives below the default without having meant it. */
#define DEFAULT_PRIORITY 0x8000
/* A bridge repeats a notice each hello (2 s) until it is heard, and the flag of a change for half a
 * minute: five in ten seconds at most, and one with a timer of 1 s ten. */
#define NOTICES_NEEDED 11
#define WITHIN_NS (10 * UINT64_C(1000000000))
/* A tap of both directions shows one notice as it enters and as it leaves by each port. */
#define COPIES_NS UINT64_C(10000000)
#define ROOTS 1024
#define SPEAKERS 4096

#define ETHERTYPE_SLOW 0x8809
#define ETHERTYPE_MVRP 0x88f5
#define SNAP_VTP 0x2003
#define SNAP_DTP 0x2004
#define LLC_SAP_STP 0x42

struct root_key {
	uint16_t segment, vlan;
};

struct root {
	uint64_t best; /* the provider's */
};

struct speaker_key {
	uint64_t mac;
	uint64_t segment;
};

struct speaker {
	uint64_t since_ns, last_ns;
	uint64_t notices;
};

struct state {
	struct table *roots;
	struct table *speakers;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->roots = table_new(ROOTS, sizeof(struct root_key), sizeof(struct root), seed);
	s->speakers = table_new(SPEAKERS, sizeof(struct speaker_key), sizeof(struct speaker), seed);
	if (s->roots == NULL || s->speakers == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static void tell(const struct event *ev, const char *protocol, const char *what,
		 enum confidence confidence, uint64_t count, struct findings *out)
{
	struct finding *f = build_finding(out, ev, "boundary.topology", confidence);

	if (f == NULL)
		return;
	build_actor_from(f, ev);
	f->victim = party_of_tenant(TENANT_INFRASTRUCTURE);
	f->count = count;
	finding_detail_text(f, "protocol", protocol);
	finding_detail_text(f, "claim", what);
}

/* ---- spanning tree --------------------------------------------------------------------------- */

static struct root_key root_key_of(const struct event *ev)
{
	return (struct root_key){.segment = ev->segment,
				 .vlan = ev->vlan_count > 0 ? ev->vlan[0] : 0};
}

static void see_notice(struct state *s, const struct event *ev, struct findings *out)
{
	struct speaker_key key = {.mac = mac_to_u64(ev->smac), .segment = ev->segment};
	bool fresh;
	struct speaker *speaker = table_put(s->speakers, &key, &fresh);

	if (fresh || ev->ts_ns - speaker->since_ns > WITHIN_NS) {
		speaker->since_ns = ev->ts_ns;
		speaker->notices = 0;
	} else if (ev->ts_ns - speaker->last_ns < COPIES_NS) {
		return;
	}
	speaker->last_ns = ev->ts_ns;
	if (++speaker->notices < NOTICES_NEEDED)
		return;
	tell(ev, "STP", "topology changes", CONFIDENCE_STRONG,
	     speaker->notices == NOTICES_NEEDED ? NOTICES_NEEDED : 1, out);
}

static void see_bpdu(struct state *s, const struct event *ev, const struct bpdu *bpdu,
		     struct findings *out)
{
	struct root_key key = root_key_of(ev);
	struct root *root;
	bool fresh;

	if (!is_tenant(ev->from.tenant)) {
		if (bpdu->change_notice)
			return;
		root = table_put(s->roots, &key, &fresh);
		root->best = bpdu->root;
		return;
	}
	if (bpdu->change_notice) {
		see_notice(s, ev, out);
		return;
	}
	if (bpdu->topology_change)
		see_notice(s, ev, out);
	if (bpdu->root != bpdu->bridge)
		return; /* follows somebody else's root */
	root = table_find(s->roots, &key);
	if (root != NULL ? bpdu->root < root->best : bpdu->root >> 48 < DEFAULT_PRIORITY)
		tell(ev, "STP", "root", root != NULL ? CONFIDENCE_PROOF : CONFIDENCE_STRONG, 1,
		     out);
}

/* ---- in whose name ----------------------------------------------------------------------------
 */

static bool is_somebody_elses(const struct event *ev, struct mac_addr mac)
{
	struct carrier owner = inventory_carrier(ev->inv, mac);

	return owner.tenant == TENANT_INFRASTRUCTURE ||
	       is_other_tenant(owner.tenant, ev->from.tenant);
}

/* IEEE 802.1AX 6.4.2.3: subtype 1, version, then the actor's TLV: type 1, length 20, priority,
 * system. */
static bool lacp_system(const struct packet *p, struct mac_addr *mac)
{
	struct cursor c = cursor_over(p->l3_data, p->l3_len);

	if (cursor_u8(&c) != 1)
		return false;
	cursor_skip(&c, 1);
	if (cursor_u8(&c) != 1 || cursor_u8(&c) != 20)
		return false;
	cursor_skip(&c, 2);
	cursor_bytes(&c, mac->b, sizeof mac->b);
	return !c.failed;
}

/*
 * In one's own name a server may say that it is one.  That it is a switch or a router, it has to be
 * by role: management draws such a neighbour in as a link between switches.  And no server is a
 * telephone, for which switches open the voice VLAN.
 */
static void see_discovery(const struct event *ev, const struct discovery *d, struct findings *out)
{
	const struct host *host = inventory_host(ev->inv, ev->from.host);

	if (d->has_chassis && is_somebody_elses(ev, d->chassis))
		tell(ev, d->protocol, "another's chassis", CONFIDENCE_STRONG, 1, out);
	else if (d->phone)
		tell(ev, d->protocol, "voice VLAN", CONFIDENCE_STRONG, 1, out);
	else if (d->gear && (host == NULL || !(host->roles & (ROLE_ROUTER | ROLE_HYPERVISOR))))
		tell(ev, d->protocol, "switch or router", CONFIDENCE_INDICATOR, 1, out);
}

static void see_other(const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;
	struct discovery discovery;
	struct mac_addr mac;

	if (discovery_parse(p, &discovery)) {
		see_discovery(ev, &discovery, out);
		return;
	}

	if (p->l3 != L3_OTHER) {
		/* GVRP and GMRP share the LLC of STP; their addresses are 20 and 21. */
		if (p->l3 == L3_LLC && p->ethertype == LLC_SAP_STP && ev->dmac.b[5] == 0x21)
			tell(ev, "GVRP", "VLANs", CONFIDENCE_STRONG, 1, out);
		return;
	}
	if (p->flags & PACKET_SNAP) {
		if (p->ethertype == SNAP_DTP)
			tell(ev, "DTP", "trunk", CONFIDENCE_STRONG, 1, out);
		else if (p->ethertype == SNAP_VTP)
			tell(ev, "VTP", "VLANs", CONFIDENCE_STRONG, 1, out);
		return;
	}
	if (p->ethertype == ETHERTYPE_MVRP)
		tell(ev, "MVRP", "VLANs", CONFIDENCE_STRONG, 1, out);
	else if (p->ethertype == ETHERTYPE_SLOW && lacp_system(p, &mac) &&
		 is_somebody_elses(ev, mac))
		tell(ev, "LACP", "another's system", CONFIDENCE_STRONG, 1, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	struct bpdu bpdu;

	if (ev->packet == NULL || !ev->has_mac || ev->packet->l3_data == NULL)
		return;
	if (bpdu_parse(ev->packet, &bpdu))
		see_bpdu(opaque, ev, &bpdu, out);
	else if (is_tenant(ev->from.tenant))
		see_other(ev, out);
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->roots) + table_evicted(s->speakers);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->roots);
	table_free(s->speakers);
}

const struct detector detect_boundary_topology = {
    .kind = "boundary.topology",
    .summary = "a tenant's NIC asks the switches for the root, a trunk or VLANs",
    .wants = EVENT_BIT(EVENT_L2_CONTROL),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
