/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - which flow a packet belongs to, and what identifies the packet itself. */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "base/word.h"
#include "flow/table.h"

/*
 * ICMP has no ports; request and reply must still meet.  As Community ID does: the type stands in
 * for the sender's port and the type that answers it for the receiver's; types without an
 * answer keep their code (github.com/corelight/community-id-spec).
 */
static void icmp_ports(const struct packet *packet, uint16_t *sport, uint16_t *dport)
{
	static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
	static const uint8_t v6[][2] = {{128, 129}, {133, 134}, {135, 136}, {130, 131},
					{139, 140}, {144, 145}, {146, 147}};
	bool six = packet->proto == IPPROTO_NUM_ICMPV6;
	const uint8_t(*pair)[2] = six ? v6 : v4;
	size_t n = six ? sizeof v6 / sizeof v6[0] : sizeof v4 / sizeof v4[0];

	*sport = packet->icmp_type;
	*dport = packet->icmp_code;
	for (size_t i = 0; i < n; i++) {
		if (pair[i][0] == packet->icmp_type)
			*dport = pair[i][1];
		else if (pair[i][1] == packet->icmp_type)
			*dport = pair[i][0];
	}
}

/* Which of two addresses is the lower, as memcmp() would say. */
static inline int address_order(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t x = word_at(a, 0);
	uint64_t y = word_at(b, 0);

	if (x == y) {
		x = word_at(a, 8);
		y = word_at(b, 8);
	}
	if (x == y)
		return 0;
	return be64toh(x) < be64toh(y) ? -1 : 1;
}

/* In one store, for the key is hashed at once. */
static inline void set_rest(struct flow_key *key, uint16_t aport, uint16_t bport, uint16_t domain,
			    uint8_t proto)
{
	typedef uint16_t halves __attribute__((vector_size(8)));
	const halves rest = {aport, bport, domain, htole16(proto)};

	_Static_assert(
	    offsetof(struct flow_key, bport) == offsetof(struct flow_key, aport) + 2 &&
		offsetof(struct flow_key, domain) == offsetof(struct flow_key, aport) + 4 &&
		offsetof(struct flow_key, proto) == offsetof(struct flow_key, aport) + 6 &&
		sizeof *key == offsetof(struct flow_key, aport) + sizeof rest,
	    "in this order, with nothing between");
	memcpy((uint8_t *)key + offsetof(struct flow_key, aport), &rest, sizeof rest);
}

bool flow_key_of(const struct packet *packet, uint16_t domain, struct flow_key *key,
		 unsigned *direction)
{
	uint16_t sport = packet->sport;
	uint16_t dport = packet->dport;
	bool swap;
	int order;

	if (packet->l3 != L3_IPV4 && packet->l3 != L3_IPV6)
		return false;
	if (!(packet->flags & PACKET_L4)) {
		sport = 0;
		dport = 0;
	} else if (packet->proto == IPPROTO_NUM_ICMP || packet->proto == IPPROTO_NUM_ICMPV6) {
		icmp_ports(packet, &sport, &dport);
	}
	order = address_order(&packet->src, &packet->dst);
	if (order == 0)
		order = sport <= dport ? -1 : 1;
	swap = order > 0;
	*direction = swap;
	key->a = swap ? packet->dst : packet->src;
	key->b = swap ? packet->src : packet->dst;
	set_rest(key, swap ? dport : sport, swap ? sport : dport, domain, packet->proto);
	return true;
}

struct flow_tuple flow_tuple_of(const struct flow *flow, unsigned direction)
{
	const struct flow_key *k = &flow->key;

	if (direction == 0)
		return (struct flow_tuple){.src = k->a,
					   .dst = k->b,
					   .sport = k->aport,
					   .dport = k->bport,
					   .proto = k->proto,
					   .domain = k->domain};
	return (struct flow_tuple){.src = k->b,
				   .dst = k->a,
				   .sport = k->bport,
				   .dport = k->aport,
				   .proto = k->proto,
				   .domain = k->domain};
}

#define FINGERPRINT_BYTES 32
/* A payload shorter than the above names a packet when it is there as a whole, from this on. */
#define BODY_MIN 8

/* Mixing is not keyed: a collision needs both packets in one flow and on the right NICs. */
static uint32_t mix(uint32_t h, uint32_t v)
{
	h = (h ^ v) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static uint32_t mix_bytes(uint32_t h, const uint8_t *data, uint32_t len)
{
	if (data == NULL)
		return h;
	if (len > FINGERPRINT_BYTES)
		len = FINGERPRINT_BYTES;
	for (uint32_t i = 0; i + 4 <= len; i += 4) {
		uint32_t word;

		memcpy(&word, data + i, sizeof word);
		h = mix(h, word);
	}
	return h;
}

static uint32_t never_0(uint32_t h)
{
	return h == 0 ? 1 : h;
}

static bool has_ports(const struct packet *p)
{
	return (p->flags & PACKET_L4) && !(p->flags & PACKET_LATER_FRAGMENT);
}

uint32_t packet_fingerprint(const struct packet *p)
{
	uint32_t h = mix(mix(p->proto, p->ip_len), p->ip_id ^ (uint32_t)p->ttl << 24);

	if (!has_ports(p))
		return never_0(mix_bytes(mix(h, p->fragment_offset), p->l4, p->l4_len));
	if (p->proto != IPPROTO_NUM_TCP)
		return never_0(mix_bytes(mix(h, p->l4_checksum), p->payload, p->payload_len));
	return never_0(mix(mix(mix(h, p->tcp_seq), p->tcp_ack), p->tcp_flags));
}

/* RFC 768; what a first fragment says of the whole too. */
static uint32_t udp_length(const struct packet *p)
{
	return p->l4_len >= 6 ? (uint32_t)p->l4[4] << 8 | p->l4[5] : 0;
}

static uint32_t head_print(const struct packet *p)
{
	bool known = has_ports(p);

	if (known && p->proto == IPPROTO_NUM_TCP && p->tcp_header_len != 0)
		return never_0(mix(mix(p->tcp_seq, p->tcp_ack),
				   p->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)));
	if (known && p->l4_checksum != 0)
		return never_0(mix(mix(p->l4_checksum, p->icmp_type),
				   p->proto == IPPROTO_NUM_UDP ? udp_length(p) : p->icmp_code));
	if (!known && p->ip_id == 0 && p->l4_len >= BODY_MIN)
		return 0;
	return never_0(mix(mix(p->ip_id, p->ip_len), p->fragment_offset));
}

static uint32_t body_print(const struct packet *p)
{
	bool known = has_ports(p);
	const uint8_t *data = known || p->l4 == NULL ? p->payload : p->l4;
	uint32_t len = known || p->l4 == NULL ? p->payload_len : p->l4_len;
	uint32_t h = mix(p->proto, p->fragment_offset);

	/* Pings are all alike but for their number, and that is in the head. */
	if (p->proto == IPPROTO_NUM_ICMP || p->proto == IPPROTO_NUM_ICMPV6)
		return 0;
	if (len < BODY_MIN || (len < FINGERPRINT_BYTES && (!known || len != p->payload_wire)))
		return 0;
	if (known && p->proto == IPPROTO_NUM_UDP)
		h = mix(h, udp_length(p));
	return never_0(mix_bytes(len < FINGERPRINT_BYTES ? mix(h, len) : h, data, len));
}

struct packet_prints packet_prints(const struct packet *p)
{
	return (struct packet_prints){.head = head_print(p), .body = body_print(p)};
}
