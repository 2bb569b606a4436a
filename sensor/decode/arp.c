/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp.c - ARP and RARP for IPv4 over Ethernet (RFC 826, RFC 903).
 */
#include "decode/decode.h"

#define ARP_SIZE 28
#define ARP_HEADER 8
#define HARDWARE_ETHERNET 1
#define HARDWARE_IEEE802 6

void decode_arp(struct decode *d, uint16_t type)
{
	struct packet *p = d->packet;
	const uint8_t *start = d->left.c.at;
	const uint8_t *h = decode_take(d, ARP_HEADER);

	if (h == NULL)
		return;
	p->arp_op = read_be16(h + 6);
	if (read_be16(h) != HARDWARE_ETHERNET && read_be16(h) != HARDWARE_IEEE802) {
		p->l3 = L3_OTHER; /* InfiniBand, FireWire ...: longer addresses */
		return;
	}
	if (read_be16(h + 2) != ETHERTYPE_IPV4 || h[4] != 6 || h[5] != 4) {
		decode_fail(d, DECODE_MALFORMED);
		return;
	}
	h = decode_take(d, ARP_SIZE - ARP_HEADER);
	if (h == NULL)
		return;
	p->l3 = type == ETHERTYPE_ARP ? L3_ARP : L3_RARP;
	p->l3_data = start;
	p->l3_len = ARP_SIZE;
	memcpy(p->arp_sha.b, h, sizeof p->arp_sha);
	packet_set_v4(&p->src, h + 6);
	memcpy(p->arp_tha.b, h + 10, sizeof p->arp_tha);
	packet_set_v4(&p->dst, h + 16);
}
