/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - see wire.h. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET 18 /* with one tag */
#define FRAME_MIN 64

uint64_t mix64(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014. */
uint64_t rng_next(struct rng *rng)
{
	rng->state += UINT64_C(0x9e3779b97f4a7c15);
	return mix64(rng->state);
}

uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)((rng_next(rng) >> 32) * limit >> 32);
}

void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

static uint32_t sum(const uint8_t *p, size_t len, uint32_t start)
{
	uint32_t total = start;

	for (; len > 1; len -= 2, p += 2)
		total += (uint32_t)p[0] << 8 | p[1];
	return len != 0 ? total + ((uint32_t)p[0] << 8) : total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16 != 0)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static size_t put_ethernet(uint8_t *p, const uint8_t *dmac, const uint8_t *smac, uint16_t type)
{
	memcpy(p, dmac, 6);
	memcpy(p + 6, smac, 6);
	put16(p + 12, 0x8100);
	put16(p + 14, VLAN_TAG);
	put16(p + 16, type);
	return ETHERNET;
}

static size_t put_ip(uint8_t *p, const struct segment *s, size_t l4_len)
{
	if (s->from->v6) {
		memset(p, 0, 8);
		p[0] = 0x60;
		put16(p + 4, (uint32_t)l4_len);
		p[6] = s->proto;
		p[7] = s->ttl;
		memcpy(p + 8, s->from->ip, 16);
		memcpy(p + 24, s->to->ip, 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, (uint32_t)(20 + l4_len));
	put16(p + 4, s->id);
	p[6] = 0x40;
	p[8] = s->ttl;
	p[9] = s->proto;
	memcpy(p + 12, s->from->ip, 4);
	memcpy(p + 16, s->to->ip, 4);
	put16(p + 10, fold(sum(p, 20, 0)));
	return 20;
}

static size_t put_l4(uint8_t *p, const struct segment *s)
{
	size_t header = s->proto == PROTO_TCP ? 20 : 8;
	size_t address = s->from->v6 ? 16 : 4;
	uint32_t pseudo = s->proto + (uint32_t)(header + s->len);

	memset(p, 0, header);
	put16(p, s->from->port);
	put16(p + 2, s->to->port);
	if (s->proto == PROTO_TCP) {
		put32(p + 4, s->seq);
		put32(p + 8, s->ack);
		p[12] = 0x50;
		p[13] = s->flags;
		put16(p + 14, 64240);
	} else {
		put16(p + 4, (uint32_t)(8 + s->len));
	}
	if (s->len != 0)
		memcpy(p + header, s->payload, s->len);
	pseudo = sum(s->from->ip, address, pseudo);
	pseudo = sum(s->to->ip, address, pseudo);
	put16(p + (s->proto == PROTO_TCP ? 16 : 6), fold(sum(p, header + s->len, pseudo)));
	return header + s->len;
}

size_t wire_frame(uint8_t frame[FRAME_MAX], const struct segment *s)
{
	size_t header = s->proto == PROTO_TCP ? 20 : 8;
	size_t len = put_ethernet(frame, s->dmac, s->smac, s->from->v6 ? 0x86dd : 0x0800);

	len += put_ip(frame + len, s, header + s->len);
	len += put_l4(frame + len, s);
	if (len < FRAME_MIN) {
		memset(frame + len, 0, FRAME_MIN - len);
		len = FRAME_MIN;
	}
	return len;
}

size_t wire_arp(uint8_t frame[FRAME_MAX], bool reply, const uint8_t smac[6], const uint8_t sip[4],
		const uint8_t dmac[6], const uint8_t dip[4])
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t start[6] = {0, 1, 8, 0, 6, 4};
	uint8_t *p;

	memset(frame, 0, FRAME_MIN);
	p = frame + put_ethernet(frame, reply ? dmac : everybody, smac, 0x0806);
	memcpy(p, start, sizeof start);
	p[7] = reply ? 2 : 1;
	memcpy(p + 8, smac, 6);
	memcpy(p + 14, sip, 4);
	if (reply)
		memcpy(p + 18, dmac, 6);
	memcpy(p + 24, dip, 4);
	return FRAME_MIN;
}

static void put(FILE *file, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, file) == len)
		return;
	perror("generate");
	exit(1);
}

void pcap_start(FILE *file)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, digits, snaplen, linktype;
	} header = {0xa1b2c3d4, 2, 4, 0, 0, 65535, 1};

	put(file, &header, sizeof header);
}

void pcap_put(FILE *file, uint64_t ts_ns, const uint8_t *frame, size_t len)
{
	const uint32_t header[4] = {(uint32_t)(ts_ns / 1000000000),
				    (uint32_t)(ts_ns % 1000000000 / 1000), (uint32_t)len,
				    (uint32_t)len};

	put(file, header, sizeof header);
	put(file, frame, len);
}
