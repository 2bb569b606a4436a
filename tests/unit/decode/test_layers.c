/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_layers.c - link, network and transport headers of one layer.
 */
#include "build.h"

static struct build b;
static struct packet_stack stack;

static void assert_ends(const struct packet *p)
{
	char text[IP_TEXT_SIZE];

	assert_string_equal(ip_format(&p->src, text), p->l3 == L3_IPV6 ? "fd00::1" : "10.0.0.1");
	assert_string_equal(ip_format(&p->dst, text), p->l3 == L3_IPV6 ? "fd00::2" : "10.0.0.2");
}

static void plain_frame(void **state)
{
	const struct packet *p;

	(void)state;
	plain_tcp(&b, 100);
	p = decode_built(&b, &stack);
	assert_int_equal(stack.count, 1);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(p->l3, L3_IPV4);
	assert_int_equal(p->flags, PACKET_MAC | PACKET_L4 | PACKET_TCP_WHOLE);
	assert_ends(p);
	assert_int_equal(p->smac.b[5], 1);
	assert_int_equal(p->dmac.b[5], 2);
	assert_int_equal(p->sport, 40000);
	assert_int_equal(p->dport, 443);
	assert_int_equal(p->tcp_seq, 0x01020304);
	assert_int_equal(p->tcp_ack, 0x05060708);
	assert_int_equal(p->tcp_flags, TCP_ACK | TCP_PSH);
	assert_int_equal(p->tcp_window, 4096);
	assert_int_equal(p->l4_checksum, 0xbeef);
	assert_int_equal(p->ttl, 64);
	assert_int_equal(p->ip_id, 0x1234);
	assert_int_equal(p->ip_len, 140);
	assert_int_equal(p->l2_len, 154);
	assert_int_equal(p->payload_len, 100);
	assert_int_equal(p->payload_wire, 100);
	assert_ptr_equal(p->payload - p->l2, 54);
}

static void padding_is_cut(void **state)
{
	const struct packet *p;

	(void)state;
	plain_tcp(&b, 0);
	decode_copy(front(&b), 54, 60, LINK_ETHERNET, &stack); /* padding beyond the capture */
	assert_int_equal(stack.layer[0].payload_wire, 0);
	assert_int_equal(stack.verdict, DECODE_OK);
	memmove(front(&b) - 6, front(&b), size(&b));
	b.at -= 6; /* six bytes of padding */
	p = decode_built(&b, &stack);
	assert_int_equal(p->l2_len, 60);
	assert_int_equal(p->l3_len, 40);
	assert_int_equal(p->payload_len, 0);
	assert_null(p->payload);
}

static void tags(void **state)
{
	const struct packet *p;

	(void)state;
	plain_tcp(&b, 10);
	tag(&b, 0x8100, 0x6064);
	p = decode_built(&b, &stack);
	assert_int_equal(p->vlan, 100);
	assert_int_equal(p->tag_count, 1);
	assert_int_equal(p->tag[0].tci, 0x6064);
	tag(&b, 0x88a8, 0x0000);
	p = decode_built(&b, &stack);
	assert_int_equal(p->vlan, 100);
	assert_true(p->flags & PACKET_PRIORITY_TAG);
	assert_int_equal(p->tag[0].tpid, 0x88a8);
	for (unsigned n = 2; n < PACKET_MAX_TAGS; n++) {
		tag(&b, n % 2 ? 0x9100 : 0x9200, n);
		p = decode_built(&b, &stack);
		assert_int_equal(p->tag_count, n + 1);
		assert_int_equal(p->vlan, 100);
		assert_int_equal(p->l3, L3_IPV4);
		assert_int_equal(stack.verdict, DECODE_OK);
	}
	tag(&b, 0x8100, 9);
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_DEPTH);
	assert_int_equal(p->l3, L3_NONE);
	assert_true(p->flags & PACKET_MAC);
}

static void priority_tag_alone(void **state)
{
	const struct packet *p;

	(void)state;
	plain_tcp(&b, 10);
	tag(&b, 0x8100, 0xa000);
	p = decode_built(&b, &stack);
	assert_int_equal(p->vlan, 0);
	assert_true(p->flags & PACKET_PRIORITY_TAG);
	assert_int_equal(p->l3, L3_IPV4);
}

static void arp_frames(void **state)
{
	const struct packet *p;

	(void)state;
	start(&b, 18);
	arp(&b, 2);
	ethernet(&b, ETHERTYPE_ARP);
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_ARP);
	assert_int_equal(p->arp_op, 2);
	assert_int_equal(p->arp_sha.b[5], 1);
	assert_int_equal(p->l3_len, 28);
	assert_ends(p);
	front(&b)[14 + 4] = 7; /* hardware address length */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	assert_int_equal(p->l3, L3_NONE);
}

static void llc_and_snap(void **state)
{
	const struct packet *p;
	uint8_t *h;

	(void)state;
	start(&b, 5);
	tcp(&b, 40000, 80);
	ipv4(&b, IPPROTO_NUM_TCP);
	h = push(&b, 8);
	memcpy(h, "\xaa\xaa\x03\0\0\0\x08\0", 8);
	ethernet(&b, size(&b));
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_IPV4);
	assert_true(p->flags & PACKET_SNAP);
	assert_int_equal(p->dport, 80);
	memcpy(front(&b) + 14, "\xaa\xaa\x03\0\0\x0c\x20\x04", 8); /* DTP */
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_OTHER);
	assert_int_equal(p->ethertype, 0x2004);
	memcpy(front(&b) + 14, "\x42\x42\x03", 3); /* spanning tree */
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_LLC);
	assert_int_equal(p->ethertype, 0x42);
	assert_int_equal(p->verdict, DECODE_OK);
	put16(front(&b) + 12, 1400); /* longer than the frame */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	put16(front(&b) + 12, 0x5de); /* neither length nor type */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_UNKNOWN_ETHERTYPE);
	assert_true(p->flags & PACKET_MAC);
}

static void other_types(void **state)
{
	const struct packet *p;

	(void)state;
	start(&b, 46);
	ethernet(&b, 0x88cc);
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_OTHER);
	assert_int_equal(p->ethertype, 0x88cc);
	assert_int_equal(p->verdict, DECODE_OK);
	put16(front(&b) + 12, 0xdead);
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_NONE);
	assert_int_equal(p->verdict, DECODE_UNKNOWN_ETHERTYPE);
	assert_int_equal(p->ethertype, 0xdead);
	decode_copy(front(&b), size(&b), size(&b), 147, &stack);
	assert_int_equal(stack.verdict, DECODE_UNKNOWN_LINKTYPE);
}

static void broken_ip_lengths(void **state)
{
	const struct packet *p;

	(void)state;
	plain_tcp(&b, 10);
	put16(front(&b) + 16, 1000); /* more than the frame */
	p = decode_built(&b, &stack);
	assert_true(p->flags & PACKET_BAD_LENGTH);
	assert_true(p->flags & PACKET_MAC);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	assert_ends(p);
	assert_int_equal(p->dport, 443);
	assert_int_equal(p->ip_len, 1000);
	put16(front(&b) + 16, 19); /* less than the header */
	p = decode_built(&b, &stack);
	assert_true(p->flags & PACKET_BAD_LENGTH);
	assert_false(p->flags & PACKET_L4);
	assert_ends(p);
	put16(front(&b) + 16, 0); /* segmentation offload */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_OK);
	assert_int_equal(p->ip_len, 50);
	assert_int_equal(p->payload_wire, 10);
	front(&b)[14] = 0x44; /* header length 16 */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	assert_ends(p);
	front(&b)[14] = 0x65; /* version */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	assert_int_equal(p->l3, L3_NONE);
	assert_true(p->flags & PACKET_MAC);
}

static void ipv4_options_and_fragments(void **state)
{
	const struct packet *p;
	uint8_t *h;

	(void)state;
	start(&b, 10);
	udp(&b, 53, 5353);
	push(&b, 4); /* end of options */
	h = ipv4(&b, IPPROTO_NUM_UDP);
	h[0] = 0x46;
	ethernet(&b, ETHERTYPE_IPV4);
	p = decode_built(&b, &stack);
	assert_int_equal(p->flags, PACKET_MAC | PACKET_L4 | PACKET_EXT_HEADERS);
	assert_int_equal(p->dport, 5353);
	assert_int_equal(p->payload_len, 10);

	plain_tcp(&b, 100);
	put16(front(&b) + 20, 0x2000);
	p = decode_built(&b, &stack);
	assert_int_equal(p->flags, PACKET_MAC | PACKET_FRAGMENT | PACKET_L4 | PACKET_TCP_WHOLE);
	assert_int_equal(p->fragment_more, 1);
	put16(front(&b) + 20, 0x0010);
	p = decode_built(&b, &stack);
	assert_int_equal(p->flags, PACKET_MAC | PACKET_FRAGMENT | PACKET_LATER_FRAGMENT);
	assert_int_equal(p->fragment_offset, 128);
	assert_int_equal(p->proto, IPPROTO_NUM_TCP);
	assert_int_equal(p->sport, 0);
	assert_null(p->l4);
	assert_int_equal(p->payload_len, 120);
}

static void tiny_first_fragment(void **state)
{
	const struct packet *p;
	uint8_t *h;

	(void)state;
	start(&b, 0);
	tcp(&b, 40000, 443);
	b.at = BUILD_SIZE - 8;
	memcpy(front(&b), "\x9c\x40\x01\xbb\1\2\3\4", 8);
	h = ipv4(&b, IPPROTO_NUM_TCP);
	put16(h + 6, 0x2000);
	ethernet(&b, ETHERTYPE_IPV4);
	p = decode_built(&b, &stack);
	assert_true(p->flags & PACKET_L4);
	assert_false(p->flags & PACKET_TCP_WHOLE);
	assert_int_equal(p->dport, 443);
	assert_int_equal(p->tcp_header_len, 0);
	assert_int_equal(p->verdict, DECODE_TRUNCATED);
}

static void ipv6_chain(void **state)
{
	const struct packet *p;

	(void)state;
	start(&b, 16);
	icmp(&b, 134, 0);
	fragment6(&b, 58, 0, false); /* atomic */
	extension(&b, 44, 1);
	extension(&b, 60, 0);
	extension(&b, 43, 2);
	ipv6(&b, 0);
	front(&b)[6] = 0;
	ethernet(&b, ETHERTYPE_IPV6);
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_OK);
	assert_int_equal(p->proto, 58);
	assert_int_equal(p->icmp_type, 134);
	assert_ends(p);
	assert_int_equal(p->flags, PACKET_MAC | PACKET_L4 | PACKET_EXT_HEADERS | PACKET_SRH);
	assert_int_equal(p->ip_id, 0xabcdef01);
	assert_int_equal(p->payload_len, 16);
}

static void ipv6_fragments(void **state)
{
	const struct packet *p;

	(void)state;
	start(&b, 16);
	icmp(&b, 134, 0);
	fragment6(&b, 58, 0, true);
	ipv6(&b, 44);
	ethernet(&b, ETHERTYPE_IPV6);
	p = decode_built(&b, &stack);
	assert_true(p->flags & PACKET_FRAGMENT);
	assert_int_equal(p->icmp_type, 134);
	start(&b, 24);
	fragment6(&b, 58, 1208, false);
	ipv6(&b, 44);
	ethernet(&b, ETHERTYPE_IPV6);
	p = decode_built(&b, &stack);
	assert_true(p->flags & PACKET_LATER_FRAGMENT);
	assert_int_equal(p->fragment_offset, 1208);
	assert_int_equal(p->proto, 58);
	assert_false(p->flags & PACKET_L4);
	assert_int_equal(p->payload_len, 24);
}

static void ipv6_too_many_extensions(void **state)
{
	const struct packet *p;

	(void)state;
	for (unsigned n = IPV6_MAX_EXTENSIONS - 1; n <= IPV6_MAX_EXTENSIONS; n++) {
		start(&b, 0);
		udp(&b, 1, 2);
		for (unsigned i = 0; i < n; i++)
			extension(&b, i == 0 ? IPPROTO_NUM_UDP : 60, 0);
		ipv6(&b, 60);
		ethernet(&b, ETHERTYPE_IPV6);
		p = decode_built(&b, &stack);
		assert_int_equal(p->verdict, n < IPV6_MAX_EXTENSIONS ? DECODE_OK : DECODE_DEPTH);
		assert_ends(p);
	}
}

static void transports(void **state)
{
	const struct packet *p;
	uint8_t *h;

	(void)state;
	start(&b, 4);
	h = push(&b, 12);
	put16(h, 2905);
	put16(h + 2, 2906);
	ipv4(&b, IPPROTO_NUM_SCTP);
	ethernet(&b, ETHERTYPE_IPV4);
	p = decode_built(&b, &stack);
	assert_int_equal(p->dport, 2906);
	assert_int_equal(p->payload_len, 4);

	start(&b, 20);
	ipv4(&b, 112); /* VRRP */
	ethernet(&b, ETHERTYPE_IPV4);
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_OK);
	assert_false(p->flags & PACKET_L4);
	assert_int_equal(p->l4_len, 20);
	assert_null(p->payload);

	plain_tcp(&b, 10);
	front(&b)[14 + 20 + 12] = 0x40; /* TCP header of 16 bytes */
	p = decode_built(&b, &stack);
	assert_int_equal(p->verdict, DECODE_MALFORMED);
	assert_int_equal(p->dport, 443);

	start(&b, 10);
	udp(&b, 1, 2);
	put16(front(&b) + 4, 200);
	ipv4(&b, IPPROTO_NUM_UDP);
	ethernet(&b, ETHERTYPE_IPV4);
	assert_int_equal(decode_built(&b, &stack)->verdict, DECODE_MALFORMED);
}

static void link_types(void **state)
{
	const struct packet *p = &stack.layer[0];
	uint8_t *h;

	(void)state;
	start(&b, 3);
	udp(&b, 1000, 2000);
	ipv4(&b, IPPROTO_NUM_UDP);
	decode_copy(front(&b), size(&b), size(&b), LINK_RAW, &stack);
	assert_int_equal(p->dport, 2000);
	assert_int_equal(p->ethertype, 0);
	assert_false(p->flags & PACKET_MAC);
	h = push(&b, 4);
	h[0] = 2; /* little endian AF_INET */
	decode_copy(front(&b), size(&b), size(&b), LINK_NULL, &stack);
	assert_int_equal(p->dport, 2000);
	put32(front(&b), 2);
	decode_copy(front(&b), size(&b), size(&b), LINK_LOOP, &stack);
	assert_int_equal(p->dport, 2000);
	b.at += 4;
	h = push(&b, 16);
	put16(h, 4);
	put16(h + 4, 6);
	memcpy(h + 6, "\x52\x54\0\0\0\1", 6);
	put16(h + 14, ETHERTYPE_IPV4);
	decode_copy(front(&b), size(&b), size(&b), LINK_LINUX_SLL, &stack);
	assert_int_equal(p->dport, 2000);
	assert_int_equal(p->flags, PACKET_OUTGOING | PACKET_L4);
	assert_int_equal(p->smac.b[5], 1);
	b.at += 16;
	h = push(&b, 20);
	put16(h, ETHERTYPE_IPV4);
	h[11] = 6;
	memcpy(h + 12, "\x52\x54\0\0\0\1", 6);
	decode_copy(front(&b), size(&b), size(&b), LINK_LINUX_SLL2, &stack);
	assert_int_equal(p->dport, 2000);
	assert_int_equal(p->smac.b[5], 1);
}

static void mpls_and_pppoe(void **state)
{
	const struct packet *p;
	uint8_t *h;

	(void)state;
	start(&b, 3);
	udp(&b, 1000, 2000);
	ipv4(&b, IPPROTO_NUM_UDP);
	h = push(&b, 8);
	put32(h, 0x00010040);
	put32(h + 4, 0x00020140);
	ethernet(&b, ETHERTYPE_MPLS);
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_IPV4);
	assert_true(p->flags & PACKET_MPLS);
	assert_int_equal(p->ethertype, ETHERTYPE_IPV4);
	assert_int_equal(p->dport, 2000);

	start(&b, 3);
	udp(&b, 1000, 2000);
	ipv6(&b, IPPROTO_NUM_UDP);
	h = push(&b, 8);
	h[0] = 0x11;
	put16(h + 4, size(&b) - 6);
	put16(h + 6, 0x0057);
	ethernet(&b, ETHERTYPE_PPPOE_SESSION);
	p = decode_built(&b, &stack);
	assert_int_equal(p->l3, L3_IPV6);
	assert_int_equal(p->dport, 2000);
}

static void quotes(void **state)
{
	struct packet_stack *s = &stack;
	struct packet quoted;
	struct frame frame = {.linktype = LINK_ETHERNET};
	uint8_t *h;

	(void)state;
	start(&b, 0);
	tcp(&b, 40000, 443);
	memmove(b.bytes + BUILD_SIZE - 8, front(&b), 8);
	b.at = BUILD_SIZE - 8;
	h = ipv4(&b, IPPROTO_NUM_TCP);
	put16(h + 2, 1500); /* the quoted packet was longer than its quote */
	icmp(&b, 5, 1);
	ipv4(&b, IPPROTO_NUM_ICMP);
	ethernet(&b, ETHERTYPE_IPV4);
	frame.data = front(&b);
	frame.caplen = frame.len = size(&b);
	packet_decode(&frame, s);
	assert_true(packet_quoted(&s->layer[0], &quoted));
	assert_ends(&quoted);
	assert_int_equal(quoted.dport, 443);
	assert_false(quoted.flags & PACKET_BAD_LENGTH);
	assert_int_equal(quoted.ip_len, 1500);
	front(&b)[34] = 0; /* an echo reply quotes nothing */
	packet_decode(&frame, s);
	assert_false(packet_quoted(&s->layer[0], &quoted));
	front(&b)[34] = 11;
	frame.caplen -= 9; /* cut within the quoted addresses */
	packet_decode(&frame, s);
	assert_false(packet_quoted(&s->layer[0], &quoted));
}

static void nd_redirect_quote(void **state)
{
	struct packet quoted;
	struct frame frame = {.linktype = LINK_ETHERNET};
	uint8_t *h;

	(void)state;
	start(&b, 8);
	udp(&b, 1000, 2000);
	ipv6(&b, IPPROTO_NUM_UDP);
	h = push(&b, 8);
	h[0] = 4;
	h[1] = 8; /* 64 bytes: 8 + 40 + 8 + 8 */
	h = push(&b, 8);
	h[0] = 2;
	h[1] = 1; /* target link-layer address in front */
	h = push(&b, 40);
	h[0] = 137;
	ipv6(&b, 58);
	ethernet(&b, ETHERTYPE_IPV6);
	frame.data = front(&b);
	frame.caplen = frame.len = size(&b);
	packet_decode(&frame, &stack);
	assert_true(packet_quoted(&stack.layer[0], &quoted));
	assert_int_equal(quoted.dport, 2000);
	front(&b)[14 + 40 + 41] = 0; /* option of length 0: must end the search */
	packet_decode(&frame, &stack);
	assert_false(packet_quoted(&stack.layer[0], &quoted));
}

static void names(void **state)
{
	char buf[8];

	(void)state;
	for (unsigned e = 0; e < ENCAP_MAX; e++)
		assert_non_null(encap_name((enum encap)e));
	for (unsigned v = 0; v < DECODE_MAX; v++)
		assert_non_null(decode_verdict_name((enum decode_verdict)v));
	assert_string_equal(ip_proto_name(6, buf), "TCP");
	assert_string_equal(ip_proto_name(58, buf), "IPv6-ICMP");
	assert_string_equal(ip_proto_name(255, buf), "255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_frame),
	    cmocka_unit_test(padding_is_cut),
	    cmocka_unit_test(tags),
	    cmocka_unit_test(priority_tag_alone),
	    cmocka_unit_test(arp_frames),
	    cmocka_unit_test(llc_and_snap),
	    cmocka_unit_test(other_types),
	    cmocka_unit_test(broken_ip_lengths),
	    cmocka_unit_test(ipv4_options_and_fragments),
	    cmocka_unit_test(tiny_first_fragment),
	    cmocka_unit_test(ipv6_chain),
	    cmocka_unit_test(ipv6_fragments),
	    cmocka_unit_test(ipv6_too_many_extensions),
	    cmocka_unit_test(transports),
	    cmocka_unit_test(link_types),
	    cmocka_unit_test(mpls_and_pppoe),
	    cmocka_unit_test(quotes),
	    cmocka_unit_test(nd_redirect_quote),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
