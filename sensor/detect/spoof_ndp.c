/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoof_ndp.c - a neighbour advertisement or solicitation that contradicts the inventory.
 *
 *	NA	target address is at the target link-layer address (option 2)	RFC 4861 4.4
 *	NS	source address is at the source link-layer address (option 1)	RFC 4861 4.3
 *
 * An NA without the option binds to the frame's own MAC where the address is known already.
 *
 *	DAD	NS from :: for an address that a host is about to take	RFC 4862 5.4
 *		NA for it: somebody has it already, the host may not take it
 *
 * The addresses that hosts make up for themselves (SLAAC, privacy) are in no inventory.  Their
 * identifiers are random: that one is taken is next to impossible, two of one host within a minute
 * are only because somebody keeps the host from having any.
 */
#include "base/table.h"
#include "detect/build.h"
#include "detect/claim.h"

#define ND_NS 135
#define ND_NA 136
#define ND_TARGET 8 /* offset of the target in the ICMPv6 message */
#define ND_HEADER 24
#define NA_FLAGS 4 /* offset of R, S, O in the ICMPv6 message */
#define TENTATIVE 4096
#define DENIALS 1024
/* One address could be set twice by hand. */
#define DENIED_NEEDED 2
/* RFC 4862 5.1 with RFC 4861 10: a probe waits a second; three of them are the most in use. */
#define PROBE_NS (3 * UINT64_C(1000000000))
#define DENIED_NS (60 * UINT64_C(1000000000))

struct tentative_key {
	struct ip_addr ip;
	uint64_t segment;
};

struct tentative {
	uint64_t ts_ns;
	struct carrier by;
	struct mac_addr mac;
};

struct denial_key {
	uint64_t from, to; /* MACs */
};

struct denial {
	uint64_t since_ns;
	struct ip_addr last; /* the address denied last */
	unsigned addresses;
};

struct state {
	struct table *tentative, *denials;
};

static int open_state(void *opaque, const struct options *options, uint64_t seed, struct err *err)
{
	struct state *s = opaque;

	(void)options;
	s->tentative =
	    table_new(TENTATIVE, sizeof(struct tentative_key), sizeof(struct tentative), seed);
	s->denials = table_new(DENIALS, sizeof(struct denial_key), sizeof(struct denial), seed);
	if (s->tentative == NULL || s->denials == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	return 0;
}

static struct tentative_key key_of(const struct event *ev)
{
	return (struct tentative_key){.ip = ip_from_v6(ev->packet->l4 + ND_TARGET),
				      .segment = ev->segment};
}

static void probe(struct state *s, const struct event *ev)
{
	struct tentative_key key = key_of(ev);
	struct tentative *t;

	if (!is_tenant(ev->from.tenant))
		return;
	t = table_put(s->tentative, &key, NULL);
	*t = (struct tentative){.ts_ns = ev->ts_ns, .by = ev->from, .mac = ev->smac};
}

/* How many different addresses of the host this NIC denied it lately. */
static unsigned count_denial(struct state *s, const struct event *ev, const struct tentative *t,
			     const struct ip_addr *ip)
{
	struct denial_key key = {.from = mac_to_u64(ev->smac), .to = mac_to_u64(t->mac)};
	bool fresh;
	struct denial *d = table_put(s->denials, &key, &fresh);

	if (fresh || ev->ts_ns - d->since_ns > DENIED_NS)
		*d = (struct denial){.since_ns = ev->ts_ns};
	if (d->addresses == 0 || !ip_equal(&d->last, ip))
		d->addresses++;
	d->last = *ip;
	return d->addresses;
}

static void deny(struct state *s, const struct event *ev, struct findings *out)
{
	struct tentative_key key = key_of(ev);
	const struct tentative *t = table_find(s->tentative, &key);
	struct owner owner;
	struct finding *f;
	char text[IP_TEXT_SIZE];
	unsigned addresses;

	if (t == NULL || ev->ts_ns - t->ts_ns > PROBE_NS || !is_tenant(ev->from.tenant) ||
	    ev->from.tenant == t->by.tenant)
		return;
	owner = bindings_owner(ev->bindings, ev->inv, ev->domain, &key.ip, ev->ts_ns);
	if (!owner_undecided(&owner, &key.ip)) /* then its claim says it all */
		return;
	addresses = count_denial(s, ev, t, &key.ip);
	if (addresses < DENIED_NEEDED)
		return;
	f = build_finding(out, ev, "spoof.ndp", CONFIDENCE_PROOF);
	if (f == NULL)
		return;
	f->has_flow = false;
	f->actor = party_of_carrier(&ev->from, ev->smac);
	f->victim = party_of_carrier(&t->by, t->mac);
	finding_detail_text(f, "claimed_ip", ip_format(&key.ip, text));
	finding_detail_text(f, "claimed_mac", mac_format(ev->smac, text));
	finding_detail_uint(f, "denied", addresses);
}

static void see_target(struct state *s, const struct event *ev, struct findings *out)
{
	const struct packet *p = ev->packet;

	if (p == NULL || p->l4 == NULL || p->l4_len < ND_HEADER || !ev->has_mac)
		return;
	if (p->icmp_type == ND_NS && ip_is_unspecified(&p->src))
		probe(s, ev);
	else if (p->icmp_type == ND_NA)
		deny(s, ev, out);
}

static void event(void *opaque, const struct event *ev, struct findings *out)
{
	unsigned before = out->count;
	struct claim claim;

	see_target(opaque, ev, out);
	if (!claim_of_nd(ev, &claim))
		return;
	claim_judge(ev, &claim, "spoof.ndp", out);
	for (unsigned i = before; i < out->count && claim.answer; i++) {
		uint8_t flags = ev->packet->l4[NA_FLAGS];

		finding_detail_text(&out->finding[i], "override", flags & 0x20 ? "yes" : "no");
		finding_detail_text(&out->finding[i], "router", flags & 0x80 ? "yes" : "no");
	}
}

static uint64_t evicted(const void *opaque)
{
	const struct state *s = opaque;

	return table_evicted(s->tentative) + table_evicted(s->denials);
}

static void close_state(void *opaque)
{
	struct state *s = opaque;

	table_free(s->tentative);
	table_free(s->denials);
}

const struct detector detect_spoof_ndp = {
    .kind = "spoof.ndp",
    .summary = "neighbour discovery says that another's IPv6 address is at the actor's MAC",
    .wants = EVENT_BIT(EVENT_ND),
    .state_size = sizeof(struct state),
    .open = open_state,
    .event = event,
    .evicted = evicted,
    .close = close_state,
};
