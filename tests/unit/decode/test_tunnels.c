/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tunnels.c - every encapsulation, and what only looks like one.
 */
#include "build.h"

static struct build b;
static struct packet_stack stack;

static void inner_frame(void)
{
	plain_tcp(&b, 32);
	tag(&b, 0x8100, 7);
}

static void inner_packet(void)
{
	start(&b, 32);
	tcp(&b, 40000, 443);
	ipv4(&b, IPPROTO_NUM_TCP);
}

static void outer(unsigned proto)
{
	ipv4(&b, proto);
	ethernet(&b, ETHERTYPE_IPV4);
}

static void assert_inner(enum encap encap, bool frame)
{
	const struct packet *p = &stack.layer[1];

	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_string_equal(encap_name((enum encap)p->encap), encap_name(encap));
	assert_int_equal(p->l3, L3_IPV4);
	assert_int_equal(p->dport, 443);
	assert_int_equal(p->payload_wire, 32);
	assert_int_equal((p->flags & PACKET_MAC) != 0, frame);
	assert_int_equal(stack.layer[0].encap, ENCAP_NONE);
}

static void assert_no_tunnel(void)
{
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 1);
	assert_int_equal(stack.verdict, DECODE_OK);
}

static void vxlan_both_ports(void **state)
{
	(void)state;
	inner_frame();
	vxlan(&b, 5001, 4789);
	assert_inner(ENCAP_VXLAN, true);
	assert_int_equal(stack.layer[1].vni, 5001);
	assert_true(stack.layer[1].flags & PACKET_VNI);
	assert_false(stack.layer[0].flags & PACKET_VNI);
	assert_int_equal(stack.layer[1].vlan, 7);
	inner_frame();
	vxlan(&b, 5001, 8472);
	assert_inner(ENCAP_VXLAN, true);
}

static void not_vxlan(void **state)
{
	(void)state;
	start(&b, 200); /* text: first byte 'a' lacks the flag */
	udp(&b, 53, 4789);
	outer(IPPROTO_NUM_UDP);
	assert_no_tunnel();
	assert_int_equal(stack.layer[0].payload_len, 200);
	front(&b)[42] = 0x08; /* the flag alone: what follows is no frame */
	assert_no_tunnel();
}

static void vxlan_gpe(void **state)
{
	uint8_t *h;

	(void)state;
	inner_packet();
	h = push(&b, 8);
	h[0] = 0x0c;
	h[3] = 1;
	put32(h + 4, 77 << 8);
	udp(&b, 1, 4790);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_VXLAN_GPE, false);
	assert_int_equal(stack.layer[1].vni, 77);
	front(&b)[42 + 3] = 99; /* unknown next protocol */
	assert_no_tunnel();
}

static void geneve(void **state)
{
	uint8_t *h;

	(void)state;
	inner_frame();
	push(&b, 12);
	h = push(&b, 8);
	h[0] = 3;
	put16(h + 2, ETHERTYPE_TEB);
	put32(h + 4, 0x123456 << 8);
	udp(&b, 1, 6081);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_GENEVE, true);
	assert_int_equal(stack.layer[1].vni, 0x123456);
	front(&b)[42] = 0x43; /* version 1 */
	assert_no_tunnel();
}

static void gre(void **state)
{
	uint8_t *h;

	(void)state;
	inner_packet();
	h = push(&b, 16);
	put16(h, 0xb000); /* checksum, key, sequence number */
	put16(h + 2, ETHERTYPE_IPV4);
	put32(h + 8, 0xdeadbeef);
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_GRE, false);
	assert_int_equal(stack.layer[1].tunnel_key, 0xdeadbeef);
	assert_true(stack.layer[1].flags & PACKET_KEY);

	inner_frame();
	h = push(&b, 4);
	put16(h + 2, ETHERTYPE_TEB);
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_TEB, true);
	assert_false(stack.layer[1].flags & (PACKET_KEY | PACKET_VNI));

	inner_frame();
	h = push(&b, 8);
	put16(h, 0x2000);
	put16(h + 2, ETHERTYPE_TEB);
	put32(h + 4, 6000 << 8 | 9);
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_NVGRE, true);
	assert_int_equal(stack.layer[1].vni, 6000);
}

static void pptp(void **state)
{
	uint8_t *h;
	uint32_t len;

	(void)state;
	inner_packet();
	memcpy(push(&b, 4), "\xff\x03\x00\x21", 4);
	len = size(&b);
	h = push(&b, 16); /* with sequence and acknowledgment number */
	put16(h, 0x3081);
	put16(h + 2, 0x880b);
	put16(h + 4, len);
	put16(h + 6, 99);
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_GRE, false);
	assert_int_equal(stack.layer[1].tunnel_key, 99);
}

static void erspan(void **state)
{
	uint8_t *h;

	(void)state;
	inner_frame();
	h = push(&b, 4);
	put16(h + 2, 0x88be);
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_ERSPAN1, true);

	plain_tcp(&b, 32);
	h = push(&b, 16);
	put16(h, 0x1000);
	put16(h + 2, 0x88be);
	put16(h + 8, 0x1000 | 300);
	put16(h + 10, 0x1000 | 17); /* En 2: the tag was taken out */
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_ERSPAN2, true);
	assert_int_equal(stack.layer[1].tunnel_key, 17);
	assert_int_equal(stack.layer[1].vlan, 300);
	assert_int_equal(stack.layer[1].tag_count, 0);
	front(&b)[14 + 20 + 8] &= 0x0f; /* version 0, as some tools leave it */
	assert_inner(ENCAP_ERSPAN2, true);
	front(&b)[14 + 20 + 10] = 0; /* En 0: the VLAN is the port's, the frame had no tag */
	assert_inner(ENCAP_ERSPAN2, true);
	assert_int_equal(stack.layer[1].vlan, 0);

	inner_frame();
	h = push(&b, 8 + 12 + 8);
	put16(h, 0x1000);
	put16(h + 2, 0x22eb);
	put16(h + 8, 0x2000 | 300);
	put16(h + 10, 18);
	h[8 + 11] = 1; /* O: platform subheader follows */
	outer(IPPROTO_NUM_GRE);
	assert_inner(ENCAP_ERSPAN3, true);
	assert_int_equal(stack.layer[1].tunnel_key, 18);
	assert_int_equal(stack.layer[1].vlan, 7);
}

static void cut_by_mirror(void **state)
{
	uint8_t *h;

	(void)state;
	plain_tcp(&b, 32);
	put16(front(&b) + 16, 1400); /* the original was longer */
	h = push(&b, 16);
	put16(h, 0x1000);
	put16(h + 2, 0x88be);
	put16(h + 8, 0x1000);
	outer(IPPROTO_NUM_GRE);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_false(stack.layer[1].flags & PACKET_BAD_LENGTH);
	assert_int_equal(stack.layer[1].ip_len, 1400);
}

static void ip_in_ip(void **state)
{
	(void)state;
	inner_packet();
	outer(4);
	assert_inner(ENCAP_IPIP, false);
	inner_packet();
	ipv6(&b, 4);
	ethernet(&b, ETHERTYPE_IPV6);
	assert_inner(ENCAP_IPIP, false);
	start(&b, 1);
	udp(&b, 1, 2);
	ipv6(&b, IPPROTO_NUM_UDP);
	outer(41);
	decode_built(&b, &stack);
	assert_int_equal(stack.layer[1].l3, L3_IPV6);
	start(&b, 30); /* text is no IP header */
	outer(4);
	assert_no_tunnel();
}

static void tzsp(void **state)
{
	uint8_t *h;

	(void)state;
	inner_frame();
	h = push(&b, 4 + 1 + 3 + 1);
	h[0] = 1;
	h[3] = 1;
	h[5] = 10; /* a tag of one byte, behind padding */
	h[6] = 1;
	h[8] = 1; /* end */
	udp(&b, 1, 37008);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_TZSP, true);
}

static void gtpu(void **state)
{
	uint8_t *h;

	(void)state;
	inner_packet();
	h = push(&b, 8 + 4 + 4);
	h[0] = 0x34;
	h[1] = 255;
	put32(h + 4, 0x11223344);
	h[11] = 0x85;
	h[12] = 1;
	udp(&b, 2152, 2152);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_GTPU, false);
	assert_int_equal(stack.layer[1].tunnel_key, 0x11223344);
	front(&b)[42 + 12] = 0; /* extension of length 0 */
	assert_no_tunnel();
}

static void l2tp(void **state)
{
	uint8_t *h;

	(void)state;
	for (unsigned cookie = 0; cookie <= 8; cookie += 4) {
		inner_frame();
		push(&b, cookie);
		h = push(&b, 4);
		put32(h, 5);
		outer(115);
		assert_inner(ENCAP_L2TP, true);
		assert_int_equal(stack.layer[1].tunnel_key, 5);
	}
	inner_frame();
	h = push(&b, 8);
	put16(h, 3);
	put32(h + 4, 6);
	udp(&b, 1701, 1701);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_L2TP, true);

	inner_packet();
	h = push(&b, 8 + 4);
	put16(h, 0x4002);
	put16(h + 4, 1);
	put16(h + 6, 2);
	memcpy(h + 8, "\xff\x03\x00\x21", 4);
	udp(&b, 1701, 1701);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_L2TP, false);
	assert_int_equal(stack.layer[1].tunnel_key, 1 << 16 | 2);
}

static void mpls(void **state)
{
	uint8_t *h;

	(void)state;
	inner_frame();
	h = push(&b, 8); /* label and control word */
	put32(h, 0x00010140);
	ethernet(&b, ETHERTYPE_MPLS);
	assert_inner(ENCAP_MPLS_ETH, true);
	inner_frame();
	h = push(&b, 4); /* no control word */
	put32(h, 0x00010140);
	ethernet(&b, ETHERTYPE_MPLS);
	assert_inner(ENCAP_MPLS_ETH, true);
	inner_frame();
	front(&b)[0] = 0; /* a MAC that looks like a control word */
	h = push(&b, 4);
	put32(h, 0x00010140);
	ethernet(&b, ETHERTYPE_MPLS);
	assert_inner(ENCAP_MPLS_ETH, true);
	inner_packet();
	h = push(&b, 4);
	put32(h, 0x00010140);
	udp(&b, 1, 6635);
	outer(IPPROTO_NUM_UDP);
	assert_inner(ENCAP_MPLS_IP, false);
	assert_true(stack.layer[1].flags & PACKET_MPLS);
}

static void etherip(void **state)
{
	(void)state;
	inner_frame();
	push(&b, 2)[0] = 0x30;
	outer(97);
	assert_inner(ENCAP_ETHERIP, true);
}

static void arp_in_vxlan(void **state)
{
	(void)state;
	start(&b, 18);
	arp(&b, 2);
	ethernet(&b, ETHERTYPE_ARP);
	vxlan(&b, 5001, 4789);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.layer[1].l3, L3_ARP);
	assert_int_equal(stack.layer[1].arp_op, 2);
}

static void fragmented_tunnel(void **state)
{
	(void)state;
	inner_frame();
	put16(front(&b) + 14 + 4 + 2, 1400);
	vxlan(&b, 5001, 4789);
	put16(front(&b) + 14 + 20 + 4, 1460); /* the datagram is longer than its first fragment */
	put16(front(&b) + 20, 0x2000);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(stack.layer[1].dport, 443);
	assert_false(stack.layer[1].flags & PACKET_BAD_LENGTH);
}

/* The layer that may not carry another has the verdict; all before it are good. */
static void depth(void **state)
{
	(void)state;
	for (unsigned layers = 2; layers <= PACKET_MAX_LAYERS + 2; layers++) {
		unsigned kept = layers < PACKET_MAX_LAYERS ? layers : PACKET_MAX_LAYERS;

		inner_frame();
		for (unsigned n = 1; n < layers; n++)
			vxlan(&b, n, 4789);
		decode_built(&b, &stack);
		assert_int_equal(stack.count, kept);
		assert_int_equal(stack.verdict,
				 layers > PACKET_MAX_LAYERS ? DECODE_DEPTH : DECODE_OK);
		assert_int_equal(stack.layer[kept - 1].verdict, stack.verdict);
		assert_int_equal(stack.layer[kept - 1].vni, layers - kept + 1);
	}
}

static void exported_copies(void **state)
{
	(void)state;
	inner_packet();
	packet_decode_bytes(front(&b), size(&b), size(&b), true, &stack);
	assert_int_equal(stack.layer[0].dport, 443);
	assert_null(stack.frame);
	inner_frame();
	packet_decode_bytes(front(&b), size(&b) - 10, size(&b), false, &stack);
	assert_int_equal(stack.layer[0].vlan, 7);
	assert_int_equal(stack.layer[0].payload_len, 22);
	assert_int_equal(stack.layer[0].payload_wire, 32);
}

static void ports_by_their_last_bits(void **state)
{
	unsigned ports = 0;

	(void)state;
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		assert_int_equal(tunnel_may_be_port((uint16_t)port),
				 tunnel_is_port((uint16_t)port));
		ports += tunnel_is_port((uint16_t)port);
	}
	assert_int_equal(ports, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vxlan_both_ports),
	    cmocka_unit_test(not_vxlan),
	    cmocka_unit_test(vxlan_gpe),
	    cmocka_unit_test(geneve),
	    cmocka_unit_test(gre),
	    cmocka_unit_test(pptp),
	    cmocka_unit_test(erspan),
	    cmocka_unit_test(cut_by_mirror),
	    cmocka_unit_test(ip_in_ip),
	    cmocka_unit_test(tzsp),
	    cmocka_unit_test(gtpu),
	    cmocka_unit_test(l2tp),
	    cmocka_unit_test(mpls),
	    cmocka_unit_test(etherip),
	    cmocka_unit_test(arp_in_vxlan),
	    cmocka_unit_test(fragmented_tunnel),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(exported_copies),
	    cmocka_unit_test(ports_by_their_last_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
