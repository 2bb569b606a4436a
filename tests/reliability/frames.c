/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.c - writes floods as a pcap to standard output, with attacks in the middle.
 *
 *	frames KIND COUNT MICROSECONDS [ATTACK]
 *
 * COUNT frames of VLAN 10, one every MICROSECONDS of packet time (0: ten a microsecond).  ATTACK is
 * a pcap: its frames are put in evenly, each taking the place of none.  Everything is the same in
 * each run.  Kinds, each as hard on one table as it can be:
 *
 *	macs        macof: every frame from and to other MACs, the IP length broken as macof does
 *	tuples      every frame a flow of its own (TCP SYN, random ends)
 *	answered    flows with an answer and payload: what a table must not hold dear for ever
 *	http        every frame a flow of its own that DPI has a label for: a request, and the end
 *	vlans       random VLAN tags, 1 to 4 of them
 *	arp         ARP replies for random addresses from random MACs
 *	dns         DNS queries and answers for random names
 *	fragments   first fragments whose rest never comes, IPv4 and IPv6
 *	tunnels     VXLAN, GRE, GENEVE and IP-in-IP with random inner flows and numbers
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START UINT64_C(1767225600)
#define VLAN 10
#define ATTACK_MAX (1 << 20)

static uint64_t state = 88172645463325252u;

static uint64_t any(void) /* xorshift64 */
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

struct out {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct out *o, const void *bytes, size_t len)
{
	memcpy(o->bytes + o->len, bytes, len);
	o->len += len;
}

static void put_any(struct out *o, size_t len)
{
	uint64_t word[8] = {any(), any(), any(), any(), any(), any(), any(), any()};

	put(o, word, len);
}

static void put8(struct out *o, unsigned v)
{
	o->bytes[o->len++] = (uint8_t)v;
}

static void put16(struct out *o, unsigned v)
{
	put8(o, v >> 8);
	put8(o, v & 255);
}

static void put32(struct out *o, uint64_t v)
{
	put16(o, (unsigned)(v >> 16) & 0xffff);
	put16(o, (unsigned)v & 0xffff);
}

static void put_mac(struct out *o)
{
	put8(o, 2);
	put_any(o, 5);
}

static void ethernet(struct out *o, unsigned type)
{
	put_mac(o);
	put_mac(o);
	put16(o, 0x8100);
	put16(o, VLAN);
	put16(o, type);
}

static void ip(struct out *o, unsigned proto, size_t payload, uint64_t src, uint64_t dst,
	       unsigned fragment)
{
	put16(o, 0x4500);
	put16(o, (unsigned)(20 + payload));
	put16(o, (unsigned)any() & 0xffff);
	put16(o, fragment);
	put8(o, 64);
	put8(o, proto);
	put16(o, 0);
	put32(o, src);
	put32(o, dst);
}

static uint64_t inside(void) /* 10.0.0.0/8, but for 10.1 and 10.2, which are the attacked ones' */
{
	return 0x0a000000 | ((4 + any() % 250) << 16) | (any() & 0xffff);
}

static void tcp(struct out *o, unsigned sport, unsigned dport, unsigned flags)
{
	put16(o, sport);
	put16(o, dport);
	put_any(o, 8);
	put16(o, 0x5000 | flags);
	put16(o, 512);
	put32(o, 0);
}

static void udp(struct out *o, unsigned sport, unsigned dport, size_t payload)
{
	put16(o, sport);
	put16(o, dport);
	put16(o, (unsigned)(8 + payload));
	put16(o, 0);
}

static void make_macs(struct out *o)
{
	ethernet(o, 0x800);
	ip(o, 6, 0, any(), any(), 0); /* macof says 20 bytes, whatever follows */
	tcp(o, (unsigned)any() & 0xffff, (unsigned)any() & 0xffff, 2);
}

static void make_tuples(struct out *o)
{
	ethernet(o, 0x800);
	ip(o, 6, 20, inside(), any(), 0);
	tcp(o, (unsigned)any() & 0xffff, (unsigned)any() & 0xffff, 2);
}

static void make_answered(struct out *o, uint64_t n)
{
	uint64_t flow = n / 2 * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t host = 0x0a040000 | (flow >> 16 & 0xffff);
	uint64_t far = 0xc6000000 | (flow >> 32 & 0xffffff);
	unsigned port = (unsigned)(1024 + (flow & 0x7fff));

	ethernet(o, 0x800);
	if (n % 2 == 0)
		ip(o, 17, 40, host, far, 0);
	else
		ip(o, 17, 40, far, host, 0);
	udp(o, n % 2 == 0 ? port : 443, n % 2 == 0 ? 443 : port, 32);
	put_any(o, 32);
}

static void make_http(struct out *o)
{
	static const char request[] = "GET /index.html HTTP/1.1\r\nHost: shop.example\r\n"
				      "User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

	ethernet(o, 0x800);
	ip(o, 6, 20 + sizeof request - 1, inside(), 0xc6000000 | (any() & 0xffffff), 0);
	tcp(o, (unsigned)(1024 + (any() & 0x7fff)), 80, 0x19);
	put(o, request, sizeof request - 1);
}

static void make_vlans(struct out *o)
{
	put_mac(o);
	put_mac(o);
	for (uint64_t tags = 1 + any() % 4; tags > 0; tags--) {
		uint64_t vid = any() & 0xfff;

		put16(o, 0x8100);
		put16(o, (unsigned)(vid == 20 ? 21 : vid));
	}
	put16(o, 0x800);
	ip(o, 6, 20, inside(), any(), 0);
	tcp(o, (unsigned)any() & 0xffff, 443, 2);
}

static void make_arp(struct out *o)
{
	ethernet(o, 0x806);
	put(o, "\0\1\x08\0\6\4\0\2", 8);
	put(o, o->bytes + 6, 6);
	put32(o, inside());
	put_mac(o);
	put32(o, inside());
}

static void make_dns(struct out *o)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned answers = any() % 2 != 0;
	uint64_t name = any();
	uint64_t a = inside();
	uint64_t b = inside();
	size_t len = 12 + 14 + 4 + (answers ? 16 : 0);

	ethernet(o, 0x800);
	ip(o, 17, 8 + len, a, b, 0);
	udp(o, answers ? 53 : 1024 + (unsigned)(any() & 0x7fff),
	    answers ? 1024 + (unsigned)(any() & 0x7fff) : 53, len);
	put16(o, (unsigned)any() & 0xffff);
	put16(o, answers ? 0x8180 : 0x0100);
	put16(o, 1);
	put16(o, answers);
	put32(o, 0);
	put8(o, 8);
	for (unsigned i = 0; i < 8; i++, name >>= 5)
		put8(o, (unsigned)letters[name & 31]);
	put(o, "\3net\0", 5);
	put(o, "\0\1\0\1", 4);
	if (!answers)
		return;
	put(o, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
	put32(o, inside());
}

static void make_fragments(struct out *o, uint64_t n)
{
	if (n % 2 == 0) {
		ethernet(o, 0x800);
		ip(o, 17, 64, inside(), inside(), 0x2000);
		udp(o, (unsigned)any() & 0xffff, 53, 1400);
		put_any(o, 56);
		return;
	}
	ethernet(o, 0x86dd);
	put32(o, 0x60000000);
	put16(o, 8 + 40);
	put8(o, 44);
	put8(o, 255);
	put(o, "\xfe\x80", 2);
	put_any(o, 14);
	put(o, "\xfe\x80", 2);
	put_any(o, 14);
	put8(o, 58);
	put8(o, 0);
	put16(o, n % 4 == 1 ? 1 : (unsigned)(any() & 0x1ff8) | 1);
	put_any(o, 4);
	put(o, "\x88\0\0\0", 4);
	put_any(o, 36);
}

static void make_tunnels(struct out *o, uint64_t n)
{
	uint64_t a = inside();
	uint64_t b = inside();

	ethernet(o, 0x800);
	switch (n % 4) {
	case 0: /* VXLAN */
	case 1: /* GENEVE */
		ip(o, 17, 8 + 8 + 14 + 40, a, b, 0);
		udp(o, (unsigned)any() & 0xffff, n % 4 == 0 ? 4789 : 6081, 8 + 14 + 40);
		put32(o, n % 4 == 0 ? 0x08000000 : 0x00006558);
		put_any(o, 3);
		put8(o, 0);
		put_mac(o);
		put_mac(o);
		put16(o, 0x800);
		break;
	case 2:
		ip(o, 47, 4 + 40, a, b, 0);
		put32(o, 0x00000800);
		break;
	default:
		ip(o, 4, 40, a, b, 0);
		break;
	}
	ip(o, 6, 20, any(), any(), 0);
	tcp(o, (unsigned)any() & 0xffff, (unsigned)any() & 0xffff, 2);
}

static int make(const char *kind, uint64_t n, struct out *o)
{
	o->len = 0;
	if (strcmp(kind, "macs") == 0)
		make_macs(o);
	else if (strcmp(kind, "tuples") == 0)
		make_tuples(o);
	else if (strcmp(kind, "answered") == 0)
		make_answered(o, n);
	else if (strcmp(kind, "http") == 0)
		make_http(o);
	else if (strcmp(kind, "vlans") == 0)
		make_vlans(o);
	else if (strcmp(kind, "arp") == 0)
		make_arp(o);
	else if (strcmp(kind, "dns") == 0)
		make_dns(o);
	else if (strcmp(kind, "fragments") == 0)
		make_fragments(o, n);
	else if (strcmp(kind, "tunnels") == 0)
		make_tunnels(o, n);
	else
		return -1;
	return 0;
}

static void write_frame(uint64_t ns, const uint8_t *bytes, uint32_t len)
{
	uint32_t head[4] = {(uint32_t)(START + ns / 1000000000), (uint32_t)(ns % 1000000000), len,
			    len};

	if (fwrite(head, sizeof head, 1, stdout) != 1 || fwrite(bytes, len, 1, stdout) != 1)
		exit(0); /* the reader has seen enough */
}

/* The next frame of the attack, or NULL at its end. */
static const uint8_t *next_attack(const uint8_t *attack, size_t size, size_t *at, uint32_t *len)
{
	const uint8_t *frame;

	if (*at + 16 > size)
		return NULL;
	memcpy(len, attack + *at + 8, 4);
	if (*len > size - *at - 16)
		return NULL;
	frame = attack + *at + 16;
	*at += 16 + *len;
	return frame;
}

int main(int argc, char **argv)
{
	static const uint32_t head[6] = {0xa1b23c4d, 2 | 4u << 16, 0, 0, 262144, 1};
	static uint8_t attack[ATTACK_MAX];
	size_t attack_size = 0;
	size_t at = 24;
	uint64_t attack_frames = 0;
	uint64_t put_in = 0;
	uint64_t count, step, ns = 0;
	uint32_t len;

	if (argc < 4)
		return 2;
	count = strtoull(argv[2], NULL, 10);
	step = strtoull(argv[3], NULL, 10) * 1000;
	if (argc > 4) {
		FILE *file = fopen(argv[4], "rb");

		if (file == NULL)
			return 1;
		attack_size = fread(attack, 1, sizeof attack, file);
		(void)fclose(file);
	}
	while (next_attack(attack, attack_size, &at, &len) != NULL)
		attack_frames++;
	at = 24;
	(void)fwrite(head, sizeof head, 1, stdout);
	for (uint64_t n = 0; n<count; n++, ns += step> 0 ? step : 100) {
		struct out o;

		if (make(argv[1], n, &o) != 0)
			return 2;
		write_frame(ns, o.bytes, (uint32_t)o.len);
		if ((n + 1) * attack_frames / count > put_in) {
			const uint8_t *frame = next_attack(attack, attack_size, &at, &len);

			put_in++;
			if (frame != NULL)
				write_frame(ns, frame, len);
		}
	}
	return fflush(stdout) != 0;
}
