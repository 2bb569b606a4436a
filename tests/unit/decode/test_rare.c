/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rare.c - forms that few networks have and that anyone can send: optional fields of tunnels,
 * other link headers, compressed protocol numbers, stacks that never end.  Each is decoded whole,
 * and cut after every byte.
 */
#include "build.h"

static struct build b;
static struct packet_stack stack;

static void inner_packet(void)
{
	start(&b, 32);
	tcp(&b, 40000, 443);
	ipv4(&b, IPPROTO_NUM_TCP);
}

static void inner_packet6(void)
{
	start(&b, 32);
	tcp(&b, 40000, 443);
	ipv6(&b, IPPROTO_NUM_TCP);
}

static void bytes(const char *what, size_t len)
{
	memcpy(push(&b, len), what, len);
}

#define BYTES(text) bytes(text, sizeof text - 1)

static void in_udp(unsigned port)
{
	udp(&b, 50000, port);
	ipv4(&b, IPPROTO_NUM_UDP);
	ethernet(&b, ETHERTYPE_IPV4);
}

static void in_ip(unsigned proto)
{
	ipv4(&b, proto);
	ethernet(&b, ETHERTYPE_IPV4);
}

/* However much of it was captured, no more is said than what is there. */
static void cut_everywhere(uint16_t linktype)
{
	for (uint32_t caplen = 0; caplen < size(&b); caplen++) {
		decode_copy(front(&b), caplen, size(&b), linktype, &stack);
		assert_in_range(stack.count, 1, 2);
		for (unsigned i = 0; i < stack.count; i++)
			assert_true(stack.layer[i].payload_len <= caplen);
	}
}

static void assert_inner(uint32_t key)
{
	cut_everywhere(LINK_ETHERNET);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(stack.layer[1].dport, 443);
	assert_int_equal(stack.layer[1].payload_wire, 32);
	assert_int_equal(stack.layer[1].tunnel_key, key);
}

static void assert_nothing_inside(void)
{
	cut_everywhere(LINK_ETHERNET);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 1);
}

static void l2tp_with_every_option(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\xff\x03\0\x21");
	BYTES("\0\3pad");	 /* offset */
	BYTES("\0\1\0\2");	 /* Ns, Nr */
	BYTES("\0\7\0\x9");	 /* tunnel, session */
	BYTES("\x4a\x02\0\x40"); /* length, sequence and offset present */
	in_udp(1701);
	assert_inner(7 << 16 | 9);

	inner_packet6();
	BYTES("\x57"); /* the protocol compressed to a byte */
	BYTES("\0\7\0\x9");
	BYTES("\0\x02");
	in_udp(1701);
	assert_inner(7 << 16 | 9);
}

static void l2tp_that_carries_nothing(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\xc8\x02\0\x14\0\0\0\0"); /* control */
	in_udp(1701);
	assert_nothing_inside();

	inner_packet();
	BYTES("\xc0\x21"); /* LCP */
	BYTES("\0\x02\0\7\0\x9");
	in_udp(1701);
	assert_nothing_inside();

	inner_packet();
	BYTES("\0\x04\0\0\0\0\0\x9"); /* a version that nobody has */
	in_udp(1701);
	assert_nothing_inside();

	plain_tcp(&b, 32);
	BYTES("\0\0\0\0"); /* version 3, control */
	in_ip(115);
	assert_nothing_inside();

	start(&b, 300);
	BYTES("\0\0\0\x9"); /* version 3, and no frame where one could be */
	in_ip(115);
	assert_nothing_inside();
}

static void l2tp3_behind_cookies(void **state)
{
	static const uint32_t cookies[] = {0, 4, 8, 12};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		plain_tcp(&b, 32);
		memset(push(&b, cookies[i]), 0xee, cookies[i]);
		BYTES("\0\0\0\x9");
		in_ip(115);
		assert_inner(9);

		plain_tcp(&b, 32);
		memset(push(&b, cookies[i]), 0xee, cookies[i]);
		BYTES("\0\x03\0\0\0\0\0\x9");
		in_udp(1701);
		assert_inner(9);
	}
}

static void gre_with_every_option(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\0\0\0\x5");    /* sequence */
	BYTES("\0\0\0\x4");    /* key */
	BYTES("\xab\xcd\0\0"); /* checksum */
	BYTES("\xb0\0\x08\0");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(4);

	inner_packet(); /* source routes: RFC 2784 has none */
	BYTES("\0\0\0\0");
	BYTES("\x40\0\x08\0");
	in_ip(IPPROTO_NUM_GRE);
	assert_nothing_inside();
}

static void wccp_with_and_without_header(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\0\0\x88\x3e");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(0);

	inner_packet();
	BYTES("\1\0\0\0");
	BYTES("\0\0\x88\x3e");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(0);
}

static void pptp_with_both_numbers(void **state)
{
	uint32_t len;

	(void)state;
	inner_packet();
	BYTES("\0\x21");
	len = size(&b);
	BYTES("\0\0\0\1\0\0\0\2"); /* sequence, acknowledgement */
	BYTES("\0\0\0\x9");
	put16(front(&b), len);
	BYTES("\x30\x81\x88\x0b");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(9);
}

static void erspan3_of_packets(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\x20\0\0\x5\0\0\0\0\0\0\x08\0"); /* frame type 2: IP */
	BYTES("\x10\0\x22\xeb\0\0\0\1");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(5);

	inner_packet6();
	BYTES("\x20\0\0\x5\0\0\0\0\0\0\x08\0");
	BYTES("\x10\0\x22\xeb\0\0\0\1");
	in_ip(IPPROTO_NUM_GRE);
	assert_inner(5);
}

static void gpe_of_other_things(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\x0c\0\0\1\0\0\x07\0"); /* next protocol: IPv4 */
	in_udp(4790);
	assert_inner(0);
	assert_int_equal(stack.layer[1].vni, 7);

	inner_packet();
	BYTES("\x0c\0\0\x4\0\0\x07\0"); /* NSH */
	in_udp(4790);
	assert_nothing_inside();

	inner_packet();
	BYTES("\x3c\0\0\1\0\0\x07\0"); /* another version */
	in_udp(4790);
	assert_nothing_inside();

	inner_packet();
	BYTES("\x04\0\0\1\0\0\x07\0"); /* without a number */
	in_udp(4790);
	assert_nothing_inside();
}

static void nvgre_needs_a_frame(void **state)
{
	(void)state;
	start(&b, 60);
	BYTES("\0\0\x07\0");
	BYTES("\x20\0\x65\x58");
	in_ip(IPPROTO_NUM_GRE);
	assert_nothing_inside();
}

static void assert_tcp(uint16_t linktype)
{
	cut_everywhere(linktype);
	decode_copy(front(&b), size(&b), size(&b), linktype, &stack);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(stack.layer[0].dport, 443);
	assert_int_equal(stack.layer[0].payload_wire, 32);
}

static void labels(void **state)
{
	(void)state;
	inner_packet6();
	BYTES("\0\0\x11\x40");
	BYTES("\0\0\x20\x40");
	ethernet(&b, ETHERTYPE_MPLS);
	assert_tcp(LINK_ETHERNET);
	assert_int_equal(stack.layer[0].l3, L3_IPV6);

	inner_packet();
	for (unsigned i = 0; i < 64; i++)
		BYTES("\0\0\x20\x40"); /* no bottom */
	ethernet(&b, ETHERTYPE_MPLS);
	decode_built(&b, &stack);
	assert_int_equal(stack.verdict, DECODE_DEPTH);
}

static void pppoe_of_other_things(void **state)
{
	(void)state;
	inner_packet6();
	BYTES("\0\x57");
	BYTES("\x11\0\0\1\0\x5e");
	ethernet(&b, ETHERTYPE_PPPOE_SESSION);
	assert_tcp(LINK_ETHERNET);

	inner_packet();
	BYTES("\0\x21");
	BYTES("\x11\0\0\1\0\x4a");
	ethernet(&b, ETHERTYPE_PPPOE_SESSION);
	assert_tcp(LINK_ETHERNET);
	assert_int_equal(stack.layer[0].ethertype, ETHERTYPE_IPV4);

	start(&b, 40);
	BYTES("\xc0\x21"); /* LCP: a session's own affair */
	BYTES("\x11\0\0\1\0\x2a");
	ethernet(&b, ETHERTYPE_PPPOE_SESSION);
	cut_everywhere(LINK_ETHERNET);
	decode_built(&b, &stack);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(stack.layer[0].l3, L3_OTHER);

	start(&b, 40);
	BYTES("\x21\0\0\1\0\x28");
	ethernet(&b, ETHERTYPE_PPPOE_SESSION);
	decode_built(&b, &stack);
	assert_int_equal(stack.verdict, DECODE_MALFORMED);
}

static void llc_of_ip_and_ipx(void **state)
{
	uint32_t len;

	(void)state;
	inner_packet();
	BYTES("\x06\x06\x03");
	len = size(&b);
	ethernet(&b, len);
	assert_tcp(LINK_ETHERNET);

	start(&b, 60);
	BYTES("\xff\xff\0");
	ethernet(&b, 63);
	decode_built(&b, &stack);
	assert_int_equal(stack.layer[0].l3, L3_OTHER);
	assert_int_equal(stack.layer[0].ethertype, 0x8137);
}

static void cooked(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\0\4\0\1\0\6\x52\x54\0\0\0\1\0\0\x08\0");
	assert_tcp(LINK_LINUX_SLL);
	assert_true(stack.layer[0].flags & PACKET_OUTGOING);

	inner_packet();
	BYTES("\xaa\xaa\3\0\0\0\x08\0"); /* LLC, SNAP */
	BYTES("\0\0\0\1\0\6\x52\x54\0\0\0\1\0\0\0\4");
	assert_tcp(LINK_LINUX_SLL);
	assert_false(stack.layer[0].flags & PACKET_OUTGOING);

	inner_packet();
	BYTES("\0\0\3\x38\0\0\0\0\0\0\0\0\0\0\x08\0"); /* netlink has no EtherTypes */
	decode_copy(front(&b), size(&b), size(&b), LINK_LINUX_SLL, &stack);
	assert_int_equal(stack.verdict, DECODE_UNKNOWN_ETHERTYPE);

	inner_packet();
	BYTES("\x08\0\0\0\0\0\0\1\0\1\4\6\x52\x54\0\0\0\1\0\0");
	assert_tcp(LINK_LINUX_SLL2);
	assert_true(stack.layer[0].flags & PACKET_OUTGOING);
}

static void l2tp_of_labels(void **state)
{
	(void)state;
	inner_packet();
	BYTES("\0\0\x11\x40");
	BYTES("\2\x81");
	BYTES("\0\7\0\x9");
	BYTES("\0\x02");
	in_udp(1701);
	assert_inner(7 << 16 | 9);
}

/* The first header says where the packet continues; a second one could only deceive. */
static void a_fragment_of_a_fragment(void **state)
{
	(void)state;
	inner_packet6();
	b.at += 40; /* TCP alone */
	fragment6(&b, IPPROTO_NUM_TCP, 0, true);
	fragment6(&b, 44, 0, true);
	ipv6(&b, 44);
	ethernet(&b, ETHERTYPE_IPV6);
	cut_everywhere(LINK_ETHERNET);
	decode_built(&b, &stack);
	assert_int_equal(stack.verdict, DECODE_MALFORMED);
}

/* A redirect without the packet it is about, with an option that has no length, or is cut. */
static void redirects_that_quote_nothing(void **state)
{
	static const struct {
		const char *options;
		size_t len;
	} cases[] = {{"", 0},
		     {"\2\0\0\0\0\0\0\0", 8},
		     {"\2\1\0\0\0\0\0\0", 8},
		     {"\2\4\0\0\0\0\0\0", 8},
		     {"\4\1\0\0\0\0\0\0", 8}};
	struct packet quoted;

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct frame frame = {.linktype = LINK_ETHERNET};

		start(&b, 0);
		bytes(cases[i].options, cases[i].len);
		memset(push(&b, 32), 0, 32);
		icmp(&b, 137, 0);
		ipv6(&b, IPPROTO_NUM_ICMPV6);
		ethernet(&b, ETHERTYPE_IPV6);
		frame.data = front(&b);
		frame.caplen = frame.len = size(&b);
		packet_decode(&frame, &stack);
		assert_int_equal(stack.layer[0].icmp_type, 137);
		assert_false(packet_quoted(&stack.layer[0], &quoted));
		frame.caplen = 14 + 40 + 20; /* in its fixed part */
		packet_decode(&frame, &stack);
		assert_false(packet_quoted(&stack.layer[0], &quoted));
	}
}

/* A frame with more tags than are followed is a frame all the same, inside a tunnel as outside. */
static void more_tags_than_are_followed(void **state)
{
	(void)state;
	plain_tcp(&b, 32);
	for (unsigned i = 0; i < PACKET_MAX_TAGS + 2; i++)
		tag(&b, 0x8100, i + 1);
	vxlan(&b, 5001, 4789);
	decode_built(&b, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.layer[1].verdict, DECODE_DEPTH);
	assert_true(stack.layer[1].flags & PACKET_MAC);

	plain_tcp(&b, 32);
	for (unsigned i = 0; i < PACKET_MAX_TAGS + 2; i++)
		tag(&b, 0x8100, i + 1);
	b.bytes[BUILD_SIZE - 1] = 0;
	vxlan(&b, 5001, 4789);
	cut_everywhere(LINK_ETHERNET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(l2tp_with_every_option),
	    cmocka_unit_test(l2tp_that_carries_nothing),
	    cmocka_unit_test(l2tp3_behind_cookies),
	    cmocka_unit_test(gre_with_every_option),
	    cmocka_unit_test(wccp_with_and_without_header),
	    cmocka_unit_test(pptp_with_both_numbers),
	    cmocka_unit_test(erspan3_of_packets),
	    cmocka_unit_test(gpe_of_other_things),
	    cmocka_unit_test(nvgre_needs_a_frame),
	    cmocka_unit_test(labels),
	    cmocka_unit_test(l2tp_of_labels),
	    cmocka_unit_test(a_fragment_of_a_fragment),
	    cmocka_unit_test(pppoe_of_other_things),
	    cmocka_unit_test(llc_of_ip_and_ipx),
	    cmocka_unit_test(cooked),
	    cmocka_unit_test(redirects_that_quote_nothing),
	    cmocka_unit_test(more_tags_than_are_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
