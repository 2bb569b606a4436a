/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h - frames by hand, from the inside out.
 *
 * Headers are put in front of what is there already, so that each knows the length of what it
 * carries.  front() gives the frame.
 */
#ifndef TESTS_DECODE_BUILD_H
#define TESTS_DECODE_BUILD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/packet.h"
#include "decode/decode.h"

#define BUILD_SIZE 9000

struct build {
	uint8_t bytes[BUILD_SIZE];
	size_t at;
};

static inline void start(struct build *b, size_t payload)
{
	b->at = BUILD_SIZE - payload;
	for (size_t i = 0; i < payload; i++)
		b->bytes[b->at + i] = (uint8_t)('a' + i % 26);
}

static inline uint8_t *push(struct build *b, size_t len)
{
	assert_true(b->at >= len);
	b->at -= len;
	memset(b->bytes + b->at, 0, len);
	return b->bytes + b->at;
}

static inline uint8_t *front(struct build *b)
{
	return b->bytes + b->at;
}

static inline uint32_t size(const struct build *b)
{
	return (uint32_t)(BUILD_SIZE - b->at);
}

static inline void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline void tcp(struct build *b, unsigned sport, unsigned dport)
{
	uint8_t *h = push(b, 20);

	put16(h, sport);
	put16(h + 2, dport);
	put32(h + 4, 0x01020304);
	put32(h + 8, 0x05060708);
	h[12] = 0x50;
	h[13] = TCP_ACK | TCP_PSH;
	put16(h + 14, 4096);
	put16(h + 16, 0xbeef);
}

static inline void udp(struct build *b, unsigned sport, unsigned dport)
{
	uint32_t len = size(b) + 8;
	uint8_t *h = push(b, 8);

	put16(h, sport);
	put16(h + 2, dport);
	put16(h + 4, len);
	put16(h + 6, 0xcafe);
}

static inline void icmp(struct build *b, unsigned type, unsigned code)
{
	uint8_t *h = push(b, 8);

	h[0] = (uint8_t)type;
	h[1] = (uint8_t)code;
}

/* 10.0.0.1 > 10.0.0.2 */
static inline uint8_t *ipv4(struct build *b, unsigned proto)
{
	uint32_t len = size(b) + 20;
	uint8_t *h = push(b, 20);

	h[0] = 0x45;
	put16(h + 2, len);
	put16(h + 4, 0x1234);
	h[8] = 64;
	h[9] = (uint8_t)proto;
	memcpy(h + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	return h;
}

/* fd00::1 > fd00::2 */
static inline uint8_t *ipv6(struct build *b, unsigned next)
{
	uint32_t len = size(b);
	uint8_t *h = push(b, 40);

	h[0] = 0x60;
	put16(h + 4, len);
	h[6] = (uint8_t)next;
	h[7] = 255;
	h[8] = h[24] = 0xfd;
	h[23] = 1;
	h[39] = 2;
	return h;
}

/* 52:54:00:00:00:01 > 52:54:00:00:00:02 */
static inline void ethernet(struct build *b, unsigned type)
{
	uint8_t *h = push(b, 14);

	memcpy(h, "\x52\x54\0\0\0\2\x52\x54\0\0\0\1", 12);
	put16(h + 12, type);
}

/* A tag goes where the EtherType of an existing frame is. */
static inline void tag(struct build *b, unsigned tpid, unsigned tci)
{
	uint8_t *h = push(b, 4);

	memmove(h, h + 4, 12);
	put16(h + 12, tpid);
	put16(h + 14, tci);
}

static inline void arp(struct build *b, unsigned op)
{
	uint8_t *h = push(b, 28);

	put16(h, 1);
	put16(h + 2, 0x0800);
	h[4] = 6;
	h[5] = 4;
	put16(h + 6, op);
	memcpy(h + 8, "\x52\x54\0\0\0\1\x0a\0\0\1", 10);
	memcpy(h + 24, "\x0a\0\0\2", 4);
}

static inline void extension(struct build *b, unsigned next, unsigned words)
{
	uint8_t *h = push(b, (words + 1) * 8);

	h[0] = (uint8_t)next;
	h[1] = (uint8_t)words;
}

static inline void fragment6(struct build *b, unsigned next, unsigned offset, bool more)
{
	uint8_t *h = push(b, 8);

	h[0] = (uint8_t)next;
	put16(h + 2, offset | (more ? 1u : 0u));
	put32(h + 4, 0xabcdef01);
}

static inline void vxlan(struct build *b, uint32_t vni, unsigned port)
{
	uint8_t *h = push(b, 8);

	h[0] = 0x08;
	put32(h + 4, vni << 8);
	udp(b, 50000, port);
	ipv4(b, IPPROTO_NUM_UDP);
	ethernet(b, ETHERTYPE_IPV4);
}

static inline void plain_tcp(struct build *b, size_t payload)
{
	start(b, payload);
	tcp(b, 40000, 443);
	ipv4(b, IPPROTO_NUM_TCP);
	ethernet(b, ETHERTYPE_IPV4);
}

/* Decodes a copy of exactly caplen bytes, so that a sanitizer sees any read behind it.  The copy
 * is freed: the stack's pointers may be compared with NULL, not read. */
static inline void decode_copy(const uint8_t *bytes, uint32_t caplen, uint32_t len,
			       uint16_t linktype, struct packet_stack *stack)
{
	uint8_t *copy = malloc(caplen != 0 ? caplen : 1);
	struct frame frame = {.data = copy, .caplen = caplen, .len = len, .linktype = linktype};

	assert_non_null(copy);
	memcpy(copy, bytes, caplen);
	packet_decode(&frame, stack);
	stack->frame = NULL;
	free(copy);
}

static inline const struct packet *decode_built(struct build *b, struct packet_stack *stack)
{
	decode_copy(front(b), size(b), size(b), LINK_ETHERNET, stack);
	return &stack->layer[0];
}

#endif
