/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_edges.c - the other side of decisions: headers that are nearly those of a tunnel, lengths
 * that say nothing, fields just beyond what is followed.
 */
#include "build.h"

static struct build b;
static struct packet_stack stack;

static void inner_packet(bool six)
{
	start(&b, 32);
	tcp(&b, 40000, 443);
	if (six)
		ipv6(&b, IPPROTO_NUM_TCP);
	else
		ipv4(&b, IPPROTO_NUM_TCP);
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

static unsigned layers(void)
{
	decode_built(&b, &stack);
	return stack.count;
}

static const struct packet *only(void)
{
	assert_int_equal(layers(), 1);
	return &stack.layer[0];
}

static void inner_is_whole(void)
{
	assert_int_equal(layers(), 2);
	assert_int_equal(stack.verdict, DECODE_OK);
	assert_int_equal(stack.layer[1].dport, 443);
	assert_int_equal(stack.layer[1].payload_wire, 32);
}

/* ---- LLC ------------------------------------------------------------------------------------- */

static void llc(const char *header, size_t len, bool packet)
{
	if (packet)
		inner_packet(false);
	else
		start(&b, 0);
	bytes(header, len);
	ethernet(&b, size(&b));
}

static void snap_of_bridged_tunnels_and_tags(void **state)
{
	(void)state;
	llc("\xaa\xaa\x03\0\0\xf8\x08\0", 8, true);
	assert_int_equal(only()->dport, 443);
	assert_true(stack.layer[0].flags & PACKET_SNAP);
	llc("\xaa\xaa\x03\0\0\0\x81\0\0\7\x08\0", 12, true); /* a tag inside */
	assert_int_equal(only()->dport, 443);
	assert_int_equal(stack.layer[0].vlan, 7);
	llc("\xaa\xaa\x03\0\0\0\x81\0\0\7", 10, false); /* and none of what it tags */
	assert_int_equal(only()->l3, L3_NONE);
	assert_int_not_equal(stack.verdict, DECODE_OK);
}

static void llc_that_is_nearly_ip(void **state)
{
	(void)state;
	llc("\x06\x06\x03", 3, true);
	assert_int_equal(only()->dport, 443);
	llc("\x06\x07\x03", 3, true); /* a response */
	assert_int_equal(only()->l3, L3_LLC);
	llc("\x06\x06\x13", 3, true); /* no unnumbered information */
	assert_int_equal(only()->l3, L3_LLC);
}

/* ---- lengths --------------------------------------------------------------------------------- */

static void nothing_follows(void **state)
{
	(void)state;
	start(&b, 0);
	put16(ipv6(&b, 59) + 4, 0);
	push(&b, 0);
	ethernet(&b, ETHERTYPE_IPV6);
	assert_int_equal(only()->ip_len, IPV6_HEADER);
	assert_int_equal(stack.verdict, DECODE_OK);
	/* With padding behind: the length is a length, not a jumbogram's. */
	start(&b, 20);
	put16(ipv6(&b, 59) + 4, 0);
	ethernet(&b, ETHERTYPE_IPV6);
	assert_int_equal(only()->ip_len, IPV6_HEADER);
	put16(front(&b) + 14 + 4, 0);
	front(&b)[14 + 6] = IPPROTO_NUM_UDP; /* for anything else it tells nothing */
	assert_int_equal(only()->ip_len, IPV6_HEADER + 20);
}

/* What a fragment cut off contradicts no length inside; elsewhere it is no tunnel. */
static void lengths_inside_a_fragment(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++)
		for (unsigned cut = 0; cut < 2; cut++) {
			uint8_t *h;

			inner_packet(six != 0);
			put16(front(&b) + (six ? 4 : 2), 1400); /* longer than what is there */
			BYTES("\x30\xff\0\0\x11\x22\x33\x44");
			udp(&b, 2152, 2152);
			put16(front(&b) + 4, 1436);
			h = ipv4(&b, IPPROTO_NUM_UDP);
			put16(h + 6, cut ? 0x2000 : 0);
			ethernet(&b, ETHERTYPE_IPV4);
			assert_int_equal(layers(), cut ? 2 : 1);
			if (cut) {
				assert_int_equal(stack.layer[1].encap, ENCAP_GTPU);
				assert_int_equal(stack.layer[1].dport, 443);
				assert_false(stack.layer[1].flags & PACKET_BAD_LENGTH);
			}
		}
}

/* Linux cooked, 802.2 in a super-frame: no longer than such a length can say. */
static void cooked_llc_of_a_large_frame(void **state)
{
	static const uint8_t head[16] = {0, 0, 0, 1, 0, 6, 0x52, 0x54, 0, 0, 0, 1, 0, 0, 0, 4};

	(void)state;
	start(&b, 4000);
	memcpy(push(&b, 3), "\x42\x42\x03", 3);
	memcpy(push(&b, sizeof head), head, sizeof head);
	decode_copy(front(&b), size(&b), size(&b), LINK_LINUX_SLL, &stack);
	assert_int_equal(stack.layer[0].l3, L3_LLC);
	assert_int_equal(stack.verdict, DECODE_OK);
}

static void ports_that_are_cut(void **state)
{
	static const unsigned protos[] = {33 /* DCCP */, 132 /* SCTP */, 136 /* UDP-Lite */};

	(void)state;
	for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++) {
		start(&b, 3);
		ipv4(&b, protos[i]);
		ethernet(&b, ETHERTYPE_IPV4);
		assert_false(only()->flags & PACKET_L4);
		assert_int_not_equal(stack.verdict, DECODE_OK);
	}
}

/* ---- tunnels --------------------------------------------------------------------------------- */

static void gtpu(const char *header, size_t len, bool six, bool tunnel)
{
	inner_packet(six);
	bytes(header, len);
	in_udp(2152);
	if (tunnel)
		inner_is_whole();
	else
		assert_int_equal(layers(), 1);
}

#define GTPU "\xff\0\0\x11\x22\x33\x44"

static void gtpu_and_its_extensions(void **state)
{
	uint8_t *h;

	(void)state;
	gtpu("\x30" GTPU, 8, false, true);
	gtpu("\x30" GTPU, 8, true, true); /* IPv6 inside */
	gtpu("\x34" GTPU "\0\0\0\x85\1ab\0", 16, false, true);
	gtpu("\x34" GTPU "\0\0\0\x85\2ab\0", 16, false, false); /* longer: what it ends with */
	for (unsigned many = 8; many <= 9; many++) {		/* eight are followed */
		inner_packet(false);
		for (unsigned n = 0; n < many; n++) {
			h = push(&b, 4);
			h[0] = 1;
			h[3] = n == 0 ? 0 : 0x85;
		}
		BYTES("\x34" GTPU "\0\0\0\x85");
		in_udp(2152);
		assert_int_equal(layers(), many == 8 ? 2 : 1);
	}
}

/* What begins with a 4 or a 6 and cannot be a packet. */
static void gtpu_of_what_is_no_packet(void **state)
{
	static const struct {
		unsigned at, value;
	} wrong[] = {
	    {0, 0x41}, /* a header of four bytes */
	    {3, 10},   /* a total length of less than the header */
	    {2, 0x40}, /* or of more than there is */
	    {0, 0x50}, /* another version */
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		inner_packet(false);
		front(&b)[wrong[i].at] = (uint8_t)wrong[i].value;
		BYTES("\x30" GTPU);
		in_udp(2152);
		assert_int_equal(layers(), 1);
	}
	inner_packet(false);
	put16(front(&b) + 2, 0); /* segmentation offload: as long as what is there */
	BYTES("\x30" GTPU);
	in_udp(2152);
	inner_is_whole();
	inner_packet(true);
	put16(front(&b) + 4, 3000);
	BYTES("\x30" GTPU);
	in_udp(2152);
	assert_int_equal(layers(), 1);
	start(&b, 0);
	BYTES("\x45\0\0"); /* less than its length: may be one */
	BYTES("\x30" GTPU);
	in_udp(2152);
	assert_int_equal(layers(), 2);
	start(&b, 0);
	BYTES("\x60\0\0\0\0");
	BYTES("\x30" GTPU);
	in_udp(2152);
	assert_int_equal(layers(), 2);
}

static void geneve_that_carries_nothing(void **state)
{
	(void)state;
	inner_packet(false);
	BYTES("\0\0\x08\0\0\0\x07\0");
	in_udp(6081);
	inner_is_whole();
	assert_int_equal(stack.layer[1].vni, 7);
	front(&b)[42] = 0x3f; /* more options than there are bytes */
	assert_int_equal(layers(), 1);
	front(&b)[42] = 0;
	put16(front(&b) + 44, 0x1234); /* a type that nobody knows */
	assert_int_equal(layers(), 1);
}

static void a_tag_right_inside_a_tunnel(void **state)
{
	(void)state;
	inner_packet(false);
	BYTES("\0\x09\x08\0"); /* VLAN 9, IPv4 */
	BYTES("\0\0\x81\0");   /* GRE */
	ipv4(&b, 47);
	ethernet(&b, ETHERTYPE_IPV4);
	inner_is_whole();
	assert_int_equal(stack.layer[1].vlan, 9);
}

static void tzsp_of_tags_without_end(void **state)
{
	(void)state;
	for (unsigned tags = 31; tags <= 32; tags++) { /* with the end one more */
		inner_packet(false);
		ethernet(&b, ETHERTYPE_IPV4);
		*push(&b, 1) = 1;
		push(&b, tags); /* padding */
		BYTES("\1\0\0\1");
		in_udp(37008);
		assert_int_equal(layers(), tags == 31 ? 2 : 1);
	}
}

static void etherip_of_another_version(void **state)
{
	(void)state;
	for (unsigned version = 3; version <= 4; version++) {
		inner_packet(false);
		ethernet(&b, ETHERTYPE_IPV4);
		put16(push(&b, 2), version << 12);
		ipv4(&b, 97);
		ethernet(&b, ETHERTYPE_IPV4);
		assert_int_equal(layers(), version == 3 ? 2 : 1);
	}
	start(&b, 1); /* half of its header */
	ipv4(&b, 97);
	ethernet(&b, ETHERTYPE_IPV4);
	assert_int_equal(layers(), 1);
}

static void ppp_with_half_an_address(void **state)
{
	(void)state;
	inner_packet(false);
	BYTES("\xff\x04\0\x21"); /* ff is a protocol then, compressed, and none that we know */
	BYTES("\0\7\0\x9");
	BYTES("\0\x02"); /* L2TP */
	in_udp(1701);
	assert_int_equal(layers(), 1);
}

static void names_of_what_has_none(void **state)
{
	(void)state;
	assert_string_equal(encap_name(ENCAP_MAX), "?");
	assert_string_equal(decode_verdict_name(DECODE_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(snap_of_bridged_tunnels_and_tags),
	    cmocka_unit_test(llc_that_is_nearly_ip),
	    cmocka_unit_test(nothing_follows),
	    cmocka_unit_test(lengths_inside_a_fragment),
	    cmocka_unit_test(cooked_llc_of_a_large_frame),
	    cmocka_unit_test(ports_that_are_cut),
	    cmocka_unit_test(gtpu_and_its_extensions),
	    cmocka_unit_test(gtpu_of_what_is_no_packet),
	    cmocka_unit_test(geneve_that_carries_nothing),
	    cmocka_unit_test(a_tag_right_inside_a_tunnel),
	    cmocka_unit_test(tzsp_of_tags_without_end),
	    cmocka_unit_test(etherip_of_another_version),
	    cmocka_unit_test(ppp_with_half_an_address),
	    cmocka_unit_test(names_of_what_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
