/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c - writes the benchmark's captures and the inventory that they belong to.
 *
 *	generate mix|imix|tiny|flows -o FILE [-p PACKETS] [-f FLOWS] [-n HOSTS] [-s SEED]
 *	generate inventory -o FILE [-n HOSTS]
 *
 * A network of HOSTS hosts on one VLAN, a hundred to a tenant, behind a gateway.  Most flows go
 * through the gateway to the world, some stay within a tenant, a few go to another tenant.  One
 * flow in a thousand is relayed by a stranger, one in two thousand delivered to a stranger only,
 * so that the benchmark measures a sensor that has something to find.
 *
 *	mix    conversations of forty protocols, 14 packets each, that nDPI knows or wishes to know
 *	imix   few long flows, 64, 570 and 1,500 bytes as 7 : 4 : 1
 *	tiny   64-byte packets over many flows: each flow once, then at random
 *	flows  churn: three or four packets with a TLS hello, an HTTP GET or a DNS question in them
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "talk.h"

#define TENANT_HOSTS 100
#define ACTORS 16 /* the strangers */
#define RELAYED_ONE_IN 1000
#define LOST_ONE_IN 2000
#define RELAY_NS 30000
#define START_NS UINT64_C(1767225600000000000) /* 2026-01-01 */
#define ARP_EVERY 2000

enum trouble { ORDINARY, RELAYED, LOST };

struct talker {
	struct endpoint end[2];
	uint8_t mac[2][6]; /* beside the client; the server's or the gateway's */
	uint8_t actor[6];
	enum trouble trouble;
	uint8_t ttl[2];
	const struct script *script;
	unsigned step;
	uint32_t seq[2];
	uint16_t id[2];
	uint64_t seed;
};

struct generator {
	FILE *file;
	struct rng rng;
	uint32_t hosts, flows;
	uint64_t packets, limit, now_ns, gap_ns, serial;
	unsigned v6_percent;
	struct scripts scripts;
};

static const uint8_t gateway_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x00, 0x01};
static const uint8_t gateway_ip[4] = {10, 255, 255, 254};

static void host_mac(uint32_t host, uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0xb1;
	put32(mac + 2, host);
}

/* 10.0.0.1 and on, leaving out .0 and .255; fd00:10::1 and on. */
static void host_address(uint32_t host, bool v6, uint8_t ip[16])
{
	uint32_t at = host / 254 << 8 | (host % 254 + 1);

	memset(ip, 0, 16);
	if (v6) {
		put32(ip, 0xfd000010);
		put32(ip + 12, host + 1);
	} else {
		put32(ip, 0x0a000000 | at);
	}
}

static void outside_address(struct rng *rng, bool v6, uint8_t ip[16])
{
	memset(ip, 0, 16);
	if (v6) {
		put32(ip, 0x20010db8);
		put32(ip + 12, rng_below(rng, 1u << 17));
	} else {
		put32(ip, 0xc6120000 | rng_below(rng, 1u << 17)); /* 198.18.0.0/15 */
	}
}

/* ---- flows ----------------------------------------------------------------------------------- */

static uint32_t peer_of(struct generator *g, uint32_t host)
{
	if (rng_below(&g->rng, 4) != 0 || g->hosts <= TENANT_HOSTS) /* own tenant */
		return host / TENANT_HOSTS * TENANT_HOSTS +
		       (host + 1 + rng_below(&g->rng, TENANT_HOSTS - 1)) % TENANT_HOSTS;
	return rng_below(&g->rng, g->hosts);
}

static void set_parties(struct generator *g, struct talker *t)
{
	uint32_t host = rng_below(&g->rng, g->hosts);
	uint32_t peer = peer_of(g, host) % g->hosts;
	bool local = rng_below(&g->rng, 10) < 3 && peer != host;
	bool v6 = rng_below(&g->rng, 100) < g->v6_percent;

	t->end[0].v6 = t->end[1].v6 = v6;
	host_mac(host, t->mac[0]);
	host_address(host, v6, t->end[0].ip);
	t->ttl[0] = 64;
	t->ttl[1] = local ? 64 : 55;
	if (local) {
		host_mac(peer, t->mac[1]);
		host_address(peer, v6, t->end[1].ip);
	} else {
		memcpy(t->mac[1], gateway_mac, 6);
		outside_address(&g->rng, v6, t->end[1].ip);
	}
	/* The last hosts are the strangers, none of them a tenant of the flow's. */
	if (g->hosts < 2 * TENANT_HOSTS || host >= g->hosts - TENANT_HOSTS ||
	    (local && peer >= g->hosts - TENANT_HOSTS))
		return;
	host_mac(g->hosts - 1 - rng_below(&g->rng, ACTORS), t->actor);
	if (rng_below(&g->rng, RELAYED_ONE_IN) == 0)
		t->trouble = RELAYED;
	else if (rng_below(&g->rng, LOST_ONE_IN) == 0)
		t->trouble = LOST;
}

static void new_talker(struct generator *g, struct talker *t, const struct script *script)
{
	*t = (struct talker){.script = script, .seed = rng_next(&g->rng)};
	set_parties(g, t);
	t->end[0].port = (uint16_t)(1025 + g->serial++ * 7 % 64000);
	t->end[1].port = script != NULL ? script->port : 27015;
	t->seq[0] = (uint32_t)rng_next(&g->rng);
	t->seq[1] = (uint32_t)rng_next(&g->rng);
	t->id[0] = (uint16_t)t->seed;
	t->id[1] = (uint16_t)(t->seed >> 16);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void put_frame(struct generator *g, const struct segment *s)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	if (g->packets == g->limit)
		return;
	len = wire_frame(frame, s);
	pcap_put(g->file, g->now_ns, frame, len);
	g->packets++;
}

static void put_arp(struct generator *g)
{
	uint32_t host = rng_below(&g->rng, g->hosts);
	uint8_t frame[FRAME_MAX], mac[6], ip[16];
	bool reply = rng_below(&g->rng, 2) == 0;

	host_mac(host, mac);
	host_address(host, false, ip);
	pcap_put(g->file, g->now_ns, frame,
		 wire_arp(frame, reply, mac, ip, gateway_mac, gateway_ip));
	g->packets++;
}

/* A packet of one side, by the way that the flow's packets take. */
static void speak(struct generator *g, struct talker *t, unsigned from, unsigned flags,
		  const uint8_t *payload, size_t len)
{
	struct segment s = {.from = &t->end[from],
			    .to = &t->end[!from],
			    .smac = t->mac[from],
			    .dmac = t->mac[!from],
			    .proto = t->script != NULL ? t->script->proto : PROTO_UDP,
			    .ttl = t->ttl[from],
			    .flags = (uint8_t)flags,
			    .id = t->id[from]++,
			    .seq = t->seq[from],
			    .ack = flags & FLAG_ACK ? t->seq[!from] : 0,
			    .payload = payload,
			    .len = len};

	t->seq[from] += (uint32_t)len + ((flags & (FLAG_SYN | FLAG_FIN)) != 0);
	g->now_ns += g->gap_ns / 2 + rng_below(&g->rng, (uint32_t)g->gap_ns);
	if (t->trouble != ORDINARY)
		s.dmac = t->actor;
	put_frame(g, &s);
	if (t->trouble == RELAYED) {
		s.smac = t->actor;
		s.dmac = t->mac[!from];
		s.ttl--;
		g->now_ns += RELAY_NS;
		put_frame(g, &s);
	}
	if (g->packets < g->limit && rng_below(&g->rng, ARP_EVERY) == 0)
		put_arp(g);
}

/* The script's next step; false when it was the last. */
static bool speak_step(struct generator *g, struct talker *t)
{
	const struct step *step = &t->script->step[t->step++];
	uint8_t payload[PAYLOAD_MAX];
	size_t len = 0;

	if (step->message != NO_MESSAGE)
		len = talk_say(&t->script->message[step->message], t->seed, payload);
	speak(g, t, step->from, step->flags, payload, len);
	return t->step < t->script->steps;
}

/* ---- workloads ------------------------------------------------------------------------------- */

static struct talker *talkers(uint32_t count)
{
	struct talker *t = calloc(count, sizeof *t);

	if (t == NULL) {
		perror("generate");
		exit(1);
	}
	return t;
}

/* Conversations side by side; where one ends another begins, as long as there are flows. */
static void converse(struct generator *g, uint32_t at_once)
{
	struct talker *t;
	uint32_t active;

	active = at_once < g->flows ? at_once : g->flows;
	t = talkers(active);
	for (uint32_t i = 0; i < active; i++)
		new_talker(g, &t[i], talk_pick(&g->scripts, &g->rng));
	while (g->packets < g->limit && active > 0) {
		uint32_t i = rng_below(&g->rng, active);

		if (speak_step(g, &t[i]))
			continue;
		if (g->serial < g->flows)
			new_talker(g, &t[i], talk_pick(&g->scripts, &g->rng));
		else
			t[i] = t[--active];
	}
	free(t);
}

static void generate_mix(struct generator *g)
{
	talk_mix(&g->scripts);
	g->gap_ns = 5000;
	g->v6_percent = 20;
	converse(g, 4096);
	talk_free(&g->scripts);
}

static void generate_flows(struct generator *g)
{
	talk_short(&g->scripts);
	g->gap_ns = 2000;
	g->v6_percent = 10;
	converse(g, 20000);
	talk_free(&g->scripts);
}

/* Behind its script a flow goes on with data without end. */
static void speak_data(struct generator *g, struct talker *t)
{
	static const uint16_t size[12] = {64, 64,  64,	64,  64,  64,
					  64, 570, 570, 570, 570, FRAME_MAX};
	unsigned header =
	    18u + (t->end[0].v6 ? 40u : 20u) + (t->script->proto == PROTO_TCP ? 20u : 8u);
	unsigned pick = rng_below(&g->rng, 12);
	size_t len = size[pick] > header ? size[pick] - header : 0;
	uint8_t payload[FRAME_MAX];

	if (pick < 7 && t->script->proto == PROTO_TCP)
		len = 0;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = rng_next(&g->rng);

		memcpy(payload + i, &word, sizeof word);
	}
	speak(g, t, pick < 7 ? 0 : 1, len != 0 ? FLAG_ACK | FLAG_PSH : FLAG_ACK, payload, len);
}

/* Where the goodbye begins: long flows do not say it. */
static unsigned steps_before_end(const struct script *script)
{
	return script->proto == PROTO_TCP ? script->steps - 3 : script->steps;
}

static void generate_imix(struct generator *g)
{
	struct talker *t = talkers(g->flows);

	talk_mix(&g->scripts);
	g->gap_ns = 2000;
	g->v6_percent = 10;
	for (uint32_t i = 0; i < g->flows; i++)
		new_talker(g, &t[i], talk_pick(&g->scripts, &g->rng));
	while (g->packets < g->limit) {
		struct talker *next = &t[rng_below(&g->rng, g->flows)];

		if (next->step < steps_before_end(next->script))
			(void)speak_step(g, next);
		else
			speak_data(g, next);
	}
	talk_free(&g->scripts);
	free(t);
}

static void generate_tiny(struct generator *g)
{
	static const struct script udp = {.name = "udp", .proto = PROTO_UDP, .port = 27015};
	static const struct script tcp = {.name = "tcp", .proto = PROTO_TCP, .port = 5671};
	struct talker *t = talkers(g->flows);

	g->gap_ns = 1000;
	for (uint64_t n = 0; g->packets < g->limit; n++) {
		uint32_t i = n < g->flows ? (uint32_t)n : rng_below(&g->rng, g->flows);
		uint8_t payload[24];
		uint64_t word[3] = {rng_next(&g->rng), n, rng_next(&g->rng)};
		bool is_tcp = i % 5 < 2;

		if (n < g->flows)
			new_talker(g, &t[i], is_tcp ? &tcp : &udp);
		memcpy(payload, word, sizeof payload);
		/* Half of TCP's packets are mere acknowledgements. */
		speak(g, &t[i], rng_below(&g->rng, 2), FLAG_ACK, payload,
		      !is_tcp ? 18
		      : n % 2 ? 6
			      : 0);
	}
	free(t);
}

/* ---- the inventory --------------------------------------------------------------------------- */

static void generate_inventory(struct generator *g)
{
	(void)fprintf(g->file,
		      "version: 1\nsegments:\n  - { name: shared, vlan: %d, prefixes: [10.0.0.0/8, "
		      "\"fd00:10::/64\"] }\ntenants:\n",
		      VLAN_TAG);
	for (uint32_t host = 0; host < g->hosts; host++) {
		uint8_t ip[16];

		if (host % TENANT_HOSTS == 0)
			(void)fprintf(g->file,
				      "  - name: tenant%" PRIu32
				      "\n    segments: [shared]\n    hosts:\n",
				      host / TENANT_HOSTS);
		host_address(host, false, ip);
		(void)fprintf(g->file,
			      "      - { name: h%" PRIu32 ", mac: \"02:b1:%02x:%02x:%02x:%02x\", "
			      "ip: [10.%u.%u.%u, \"fd00:10::%x:%x\"] }\n",
			      host, host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255,
			      ip[1], ip[2], ip[3], (host + 1) >> 16, (host + 1) & 0xffff);
	}
	(void)fprintf(g->file, "infrastructure:\n  - { name: gw, mac: \"02:00:5e:00:00:01\", "
			       "ip: [10.255.255.254, \"fe80::1\"], roles: [router, dhcp, dns] }\n");
}

static const struct workload {
	const char *name;
	void (*generate)(struct generator *g);
	uint64_t packets;
	uint32_t flows;
} workloads[] = {
    {"mix", generate_mix, 2500000, 172000},    {"imix", generate_imix, 2900000, 4000},
    {"tiny", generate_tiny, 10000000, 100000}, {"flows", generate_flows, 5800000, 1500000},
    {"inventory", generate_inventory, 0, 0},
};

static int usage(void)
{
	(void)fprintf(stderr, "usage: generate mix|imix|tiny|flows|inventory -o FILE [-p PACKETS] "
			      "[-f FLOWS] [-n HOSTS] [-s SEED]\n");
	return 2;
}

static const struct workload *find_workload(const char *name)
{
	for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct workload *workload = argc > 1 ? find_workload(argv[1]) : NULL;
	struct generator g = {.hosts = 10000, .now_ns = START_NS, .rng = {1}};
	const char *output = NULL;
	int option;

	if (workload == NULL)
		return usage();
	g.limit = workload->packets;
	g.flows = workload->flows;
	while ((option = getopt(argc - 1, argv + 1, "o:p:f:n:s:")) != -1) {
		uint64_t number = option == 'o' || option == '?' ? 1 : strtoull(optarg, NULL, 10);

		if (option == '?' || number == 0 || number > UINT32_MAX)
			return usage();
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 'p':
			g.limit = number;
			break;
		case 'f':
			g.flows = (uint32_t)number;
			break;
		case 'n':
			g.hosts = (uint32_t)number;
			break;
		default:
			g.rng.state = number;
			break;
		}
	}
	if (output == NULL)
		return usage();
	g.file = fopen(output, "w");
	if (g.file == NULL) {
		perror(output);
		return 1;
	}
	if (g.limit != 0)
		pcap_start(g.file);
	workload->generate(&g);
	if (fclose(g.file) != 0) {
		perror(output);
		return 1;
	}
	return 0;
}
