/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - random numbers, frames and pcap files for the generator of benchmark traffic.
 *
 * Everything is a function of the seed: two runs write the same bytes.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VLAN_TAG 100
#define FRAME_MAX 1518
#define PAYLOAD_MAX 1400

enum { PROTO_TCP = 6, PROTO_UDP = 17 };
enum { FLAG_FIN = 0x01, FLAG_SYN = 0x02, FLAG_PSH = 0x08, FLAG_ACK = 0x10 };

struct rng {
	uint64_t state;
};

uint64_t mix64(uint64_t x); /* a good hash of one word */
uint64_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t limit);

struct endpoint {
	bool v6;
	uint8_t ip[16];
	uint16_t port;
};

struct segment {
	const struct endpoint *from, *to;
	const uint8_t *smac, *dmac;
	uint8_t proto, ttl, flags;
	uint16_t id;
	uint32_t seq, ack;
	const uint8_t *payload;
	size_t len;
};

/* Ethernet, one VLAN tag, IP, TCP or UDP; at least 64 bytes long.  Returns the length. */
size_t wire_frame(uint8_t frame[FRAME_MAX], const struct segment *segment);
size_t wire_arp(uint8_t frame[FRAME_MAX], bool reply, const uint8_t smac[6], const uint8_t sip[4],
		const uint8_t dmac[6], const uint8_t dip[4]);
void put16(uint8_t *p, uint32_t value);
void put32(uint8_t *p, uint32_t value);

/* pcap with microseconds; exits with a message when the disk does not take it. */
void pcap_start(FILE *file);
void pcap_put(FILE *file, uint64_t ts_ns, const uint8_t *frame, size_t len);

#endif
