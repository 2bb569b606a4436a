/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ndpi.c - labels by content, bounded memory, and survival of what kills nDPI.
 *
 * Packets are put together here: a client and a server, TCP with running sequence numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bulkhead/app.h"
#include "dpi/inspection.h"
#include "unit/dpi/hello.h"

#define HEADERS 60
#define SPACE 9000

struct conversation {
	struct dpi *dpi;
	uint64_t flow;
	uint32_t seq[2];
	uint16_t sport, dport;
	uint8_t proto;
	bool v6;
	uint64_t now;
	uint8_t (*bytes)[HEADERS + SPACE]; /* of the packet at hand */
	struct packet packet[DPI_ASK_PACKETS];
	uint64_t ts_ns[DPI_ASK_PACKETS];
	unsigned count;
	uint8_t space[DPI_ASK_PACKETS][HEADERS + SPACE];
};

static struct conversation *talk(struct dpi *dpi, uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct conversation *c = calloc(1, sizeof *c);

	assert_non_null(c);
	c->dpi = dpi;
	c->flow = 4711;
	c->proto = proto;
	c->sport = sport;
	c->dport = dport;
	c->seq[0] = 1000;
	c->seq[1] = 900000;
	c->now = UINT64_C(1700000000000000000);
	return c;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* IPv4 10.0.0.21 <-> 10.0.0.99 or the like in IPv6.  Returns the header's length. */
static size_t put_ip(struct conversation *c, unsigned from, size_t l4_len)
{
	uint8_t *p = *c->bytes;

	memset(p, 0, HEADERS);
	if (c->v6) {
		p[0] = 0x60;
		put16(p + 4, l4_len);
		p[6] = c->proto;
		p[7] = 64;
		p[8] = p[24] = 0xfd;
		p[23] = from == 0 ? 21 : 99;
		p[39] = from == 0 ? 99 : 21;
		return 40;
	}
	p[0] = 0x45;
	put16(p + 2, 20 + l4_len);
	p[8] = 64;
	p[9] = c->proto;
	put32(p + 12, from == 0 ? 0x0a000015 : 0x0a000063);
	put32(p + 16, from == 0 ? 0x0a000063 : 0x0a000015);
	return 20;
}

/* A packet more, with a payload from the client (0) or the server (1). */
static struct packet *say(struct conversation *c, unsigned from, const void *payload, size_t len)
{
	size_t l4_header = c->proto == IPPROTO_NUM_TCP ? 20 : 8;
	struct packet *packet = &c->packet[c->count];
	uint8_t *l4;
	size_t ip;

	assert_in_range(len, 0, SPACE);
	assert_in_range(c->count, 0, DPI_ASK_PACKETS - 1);
	c->bytes = &c->space[c->count];
	ip = put_ip(c, from, l4_header + len);
	l4 = *c->bytes + ip;
	put16(l4, from == 0 ? c->sport : c->dport);
	put16(l4 + 2, from == 0 ? c->dport : c->sport);
	if (c->proto == IPPROTO_NUM_TCP) {
		put32(l4 + 4, c->seq[from]);
		put32(l4 + 8, c->seq[1 - from]);
		l4[12] = 0x50;
		l4[13] = TCP_ACK | TCP_PSH;
		put16(l4 + 14, 64000);
		c->seq[from] += (uint32_t)len;
	} else {
		put16(l4 + 4, 8 + len);
	}
	memcpy(l4 + l4_header, payload, len);
	c->ts_ns[c->count++] = c->now += 1000000;
	*packet = (struct packet){
	    .l3 = c->v6 ? L3_IPV6 : L3_IPV4,
	    .flags = PACKET_L4 | PACKET_TCP_WHOLE,
	    .proto = c->proto,
	    .tcp_header_len = c->proto == IPPROTO_NUM_TCP ? 20 : 0,
	    .l3_data = *c->bytes,
	    .l3_len = (uint32_t)(ip + l4_header + len),
	    .ip_len = (uint32_t)(ip + l4_header + len),
	    .l4 = l4,
	    .l4_len = (uint32_t)(l4_header + len),
	    .payload = l4 + l4_header,
	    .payload_len = (uint32_t)len,
	    .payload_wire = (uint32_t)len,
	};
	return packet;
}

static void say_text(struct conversation *c, unsigned from, const char *text)
{
	(void)say(c, from, text, strlen(text));
}

/* Ends the conversation; its label. */
static struct app hang_up(struct conversation *c)
{
	struct dpi_result result;

	assert_true(dpi_ask(c->dpi, c->flow, c->packet, c->ts_ns, c->count));
	assert_true(dpi_collect(c->dpi, &result));
	assert_int_equal(result.flow, c->flow);
	assert_false(dpi_collect(c->dpi, &result));
	free(c);
	return result.app;
}

static uint64_t counted(struct dpi *dpi, enum stat which)
{
	struct stats stats = {{0}};

	dpi_stats(dpi, &stats);
	return stat_get(&stats, which);
}

static int set_up(void **state)
{
	struct err err;

	*state = dpi_new(&err);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	dpi_free(*state);
	return 0;
}

static void http_basic(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40000, 8080);
	struct app app;

	say_text(c, 0,
		 "GET /admin HTTP/1.1\r\nHost: db.globex.example\r\nUser-Agent: curl/7.88.1\r\n"
		 "Authorization: Basic YWxpY2U6c2VjcmV0\r\nAccept: */*\r\n\r\n");
	say_text(c, 1, "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n");
	app = hang_up(c);
	assert_string_equal(app.proto, "HTTP");
	assert_string_equal(app.service, "");
	assert_string_equal(app.category, "Web");
	assert_string_equal(app.host, "db.globex.example");
	assert_int_equal(app.flags, APP_SURE | APP_CLEARTEXT_CREDENTIALS);
	assert_string_equal(dpi_risk_name(app.risks & UINT64_C(1) << 36), "Clear-Text Credentials");
	assert_int_equal(counted(*state, STAT_DPI_PACKETS), 1); /* a whole request says all */
}

static void http_without_secrets(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40001, 80);
	struct app app;

	say_text(c, 0, "GET / HTTP/1.1\r\nHost: www.globex.example\r\nUser-Agent: x\r\n\r\n");
	app = hang_up(c);
	assert_string_equal(app.proto, "HTTP");
	assert_int_equal(app.flags, APP_SURE);
}

static void tls_with_name(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40002, 8443);
		uint8_t hello[512];
		struct app app;

		c->v6 = v6;
		(void)say(c, 0, hello, client_hello(hello, "Vault.Globex.example"));
		app = hang_up(c);
		assert_string_equal(app.proto, "TLS");
		assert_string_equal(app.host, "vault.globex.example");
		assert_int_equal(app.flags, APP_SURE | APP_ENCRYPTED);
		assert_int_equal(strlen(app.ja3), 32);
		assert_string_equal(app.ja3s, "");
	}
}

static void tls_of_a_service(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40003, 443);
	uint8_t hello[512];
	struct app app;

	(void)say(c, 0, hello, client_hello(hello, "www.netflix.com"));
	app = hang_up(c);
	assert_string_equal(app.proto, "TLS");
	assert_string_equal(app.service, "NetFlix");
}

static void dns(void **state)
{
	static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x02"
				       "db\x06globex\x07"
				       "example\x00\x00\x01\x00\x01";
	struct conversation *c = talk(*state, IPPROTO_NUM_UDP, 40004, 53);
	struct app app;

	(void)say(c, 0, query, sizeof query - 1);
	app = hang_up(c);
	assert_string_equal(app.proto, "DNS");
	assert_string_equal(app.host, "db.globex.example");
	assert_string_equal(app.category, "Network");
	assert_string_equal(app.ja3, "");
}

static void ssh(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40005, 2222);
	struct app app;

	say_text(c, 1, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n");
	say_text(c, 0, "SSH-2.0-OpenSSH_9.3\r\n");
	app = hang_up(c);
	assert_string_equal(app.proto, "SSH");
	assert_int_equal(app.flags, APP_SURE | APP_ENCRYPTED);
	assert_string_equal(app.ja3, ""); /* the union holds a banner there */
}

/* A port is no label. */
static void noise_on_a_known_port(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40006, 443);
	uint8_t bytes[400];
	struct app app;
	uint32_t seed = 5;

	for (unsigned i = 0; i < 5; i++) {
		for (size_t at = 0; at < sizeof bytes; at++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[at] = (uint8_t)(seed >> 24);
		}
		(void)say(c, i & 1, bytes, sizeof bytes);
	}
	app = hang_up(c);
	assert_string_equal(app.proto, "");
	assert_int_equal(app.flags & APP_SURE, 0);
	/* What looks random and is unknown by the third stays so. */
	assert_int_equal(counted(*state, STAT_DPI_PACKETS), 3);
}

/* What is not known by the sixth is not looked for any longer. */
static void unknown_text(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40006, 9999);

	for (unsigned i = 0; i < DPI_ASK_PACKETS; i++)
		say_text(c, i & 1, "hello, this is not a protocol that anybody knows");
	assert_string_equal(hang_up(c).proto, "");
	assert_int_equal(counted(*state, STAT_DPI_PACKETS), 6);
}

/* What nDPI must not see leaves no trace. */
static void unfit_packets(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40007, 80);
	static const uint32_t refused[] = {PACKET_FRAGMENT, PACKET_LATER_FRAGMENT,
					   PACKET_EXT_HEADERS, PACKET_BAD_LENGTH};
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	const size_t len = sizeof request - 1;
	struct app app;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		say(c, 0, request, len)->flags |= refused[i];
	say(c, 0, request, len)->flags &= ~(uint32_t)PACKET_TCP_WHOLE;
	(void)say(c, 0, "", 0);
	(void)say(c, 0, request, len);
	(*c->bytes)[0] = 0x46; /* claims options that l4 does not stand behind */
	(void)say(c, 0, request, len);
	(*c->bytes)[9] = IPPROTO_NUM_UDP;
	say(c, 0, request, len)->proto = IPPROTO_NUM_ICMP;
	app = hang_up(c);
	assert_string_equal(app.proto, "");
	assert_int_equal(app.flags | app.risks, 0);
	assert_int_equal(counted(*state, STAT_DPI_PACKETS), 0);
}

/* TCP first, then UDP or IPv6 in the same flow: nDPI crashes on such a mix. */
static void mixed_flow(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40008, 80);
	uint8_t hello[512];
	size_t len = client_hello(hello, "a.example");

	(void)say(c, 0, hello, len);
	c->proto = IPPROTO_NUM_UDP;
	(void)say(c, 0, hello, len);
	c->proto = IPPROTO_NUM_TCP;
	c->v6 = true;
	(void)say(c, 0, hello, len);
	assert_string_equal(hang_up(c).host, "a.example");
	assert_int_equal(counted(*state, STAT_DPI_PACKETS), 1);
}

/* A snaplen cuts the packet: what is there is looked at, with a length that says so. */
static void cut_packet(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40009, 8081);
	static const char request[] = "POST /login HTTP/1.1\r\nHost: shop.globex.example\r\n"
				      "User-Agent: curl/7.88.1\r\nContent-Length: 9000\r\n\r\n";
	uint8_t body[SPACE];
	struct packet *cut;
	struct app app;

	memset(body, 'a', sizeof body);
	memcpy(body, request, sizeof request - 1);
	cut = say(c, 0, body, sizeof body);
	cut->l3_len = cut->l4_len = 40 + sizeof request + 40;
	cut->payload_len = sizeof request + 40;
	app = hang_up(c);
	assert_string_equal(app.proto, "HTTP");
	assert_string_equal(app.host, "shop.globex.example");

	c = talk(*state, IPPROTO_NUM_TCP, 40010, 8081);
	(void)say(c, 0, body, sizeof body); /* beyond what is copied */
	app = hang_up(c);
	assert_string_equal(app.proto, "HTTP");
}

/* Whoever does not collect an answer is told that there is no room for the next. */
static void one_at_a_time(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 50000, 9999);
	struct dpi_result result;

	say_text(c, 0, "hello, this is not a protocol that anybody knows");
	assert_false(dpi_is_late(*state));
	assert_true(dpi_ask(*state, 1, c->packet, c->ts_ns, c->count));
	assert_false(dpi_ask(*state, 2, c->packet, c->ts_ns, c->count));
	assert_int_equal(counted(*state, STAT_DPI_FULL), 1);
	assert_true(dpi_collect(*state, &result));
	assert_int_equal(result.flow, 1);
	assert_true(dpi_ask(*state, 3, c->packet, c->ts_ns, c->count));
	assert_int_equal(counted(*state, STAT_DPI_FULL), 0);
	free(c);
}

/* A record of TLS that takes 64 KiB to be whole, of which nDPI would keep 32. */
static void memory_has_a_limit(void **state)
{
	static const uint8_t record[] = {22, 3, 3, 0xff, 0xff, 11};
	struct conversation *c = talk(NULL, IPPROTO_NUM_TCP, 50001, 443);
	struct err err;
	struct inspection *inspection = inspection_new(24 << 10, &err);
	uint8_t hello[512], bytes[4000];
	struct stats stats = {{0}};
	struct app app;

	(void)state;
	assert_non_null(inspection);
	(void)say(c, 0, hello, client_hello(hello, "a.globex.example"));
	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, record, sizeof record);
	while (c->count < DPI_ASK_PACKETS) {
		(void)say(c, 1, bytes, sizeof bytes);
		bytes[0] = 'x';
	}
	assert_true(inspection_ask(inspection, c->packet, c->ts_ns, c->count, &app));
	assert_string_equal(app.proto, "TLS"); /* by what is known until then */
	assert_string_equal(app.host, "a.globex.example");
	inspection_stats(inspection, &stats);
	assert_in_range(stat_get(&stats, STAT_DPI_PACKETS), 6, DPI_ASK_PACKETS - 1);
	assert_int_equal(stat_get(&stats, STAT_DPI_SHED), 1);
	/* It is given back. */
	assert_true(inspection_ask(inspection, c->packet, c->ts_ns, 1, &app));
	assert_string_equal(app.host, "a.globex.example");
	assert_int_equal(inspection_take_shed(inspection), 0);
	inspection_free(inspection);
	free(c);
}

/* What BitTorrent leaves behind, a cache of 256 KiB, is no reason to inspect nothing any more, but
 * for who may have less. */
static void caches_have_room(void **state)
{
	static const size_t heap[] = {INSPECTION_HEAP, 64 << 10};
	struct conversation *c = talk(NULL, IPPROTO_NUM_UDP, 50003, 6881);
	struct err err;

	(void)state;
	say_text(c, 0,
		 "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e"
		 "1:q9:get_peers1:t2:aa1:y1:qe");
	for (size_t i = 0; i < sizeof heap / sizeof heap[0]; i++) {
		struct inspection *inspection = inspection_new(heap[i], &err);
		struct app app;

		assert_non_null(inspection);
		assert_true(inspection_ask(inspection, c->packet, c->ts_ns, 1, &app));
		assert_string_equal(app.proto, "BitTorrent");
		assert_int_equal(inspection_take_shed(inspection), i);
		assert_int_equal(inspection_ask(inspection, c->packet, c->ts_ns, 1, &app), i == 0);
		assert_string_equal(app.proto, i == 0 ? "BitTorrent" : "");
		inspection_free(inspection);
	}
	free(c);
}

/* State is used again: ten thousand flows one after the other, each with its own label. */
static void reuse(void **state)
{
	for (unsigned i = 0; i < 10000; i++) {
		struct conversation *c = talk(*state, IPPROTO_NUM_TCP, (uint16_t)(1024 + i), 8443);
		uint8_t hello[512];
		struct app app;

		c->flow = i;
		if (i % 3 == 0)
			say_text(c, 0, "nothing in particular, but text of some length");
		else
			(void)say(c, 0, hello, client_hello(hello, "a.globex.example"));
		app = hang_up(c);
		assert_string_equal(app.proto, i % 3 == 0 ? "" : "TLS");
		assert_string_equal(app.host, i % 3 == 0 ? "" : "a.globex.example");
	}
}

/* A DTLS record around a handshake message. */
static size_t dtls_record(uint8_t *p, uint8_t type, const uint8_t *body, size_t len)
{
	memset(p, 0, 25);
	p[0] = 22;
	put16(p + 1, 0xfefd);
	put16(p + 11, 12 + len);
	p[13] = type;
	put16(p + 15, len);
	put16(p + 23, len);
	memcpy(p + 25, body, len);
	return 25 + len;
}

/*
 * Legal datagrams after which nDPI 4.2 follows a NULL pointer: a hello, then a certificate whose
 * subject is on nDPI's own list, in a flow that has no TCP header.
 */
static void dtls_certificate(void **state)
{
	static const uint8_t subject[] = {0x55, 0x04, 0x0a, 0x0c, 8,   'n', 't',
					  'o',	'p',  '.',  'o',  'r', 'g'};
	struct conversation *c = talk(*state, IPPROTO_NUM_UDP, 40011, 4433);
	uint8_t record[600], hello[512], certificate[200] = {0};
	size_t len = client_hello(hello, "vpn.globex.example");

	put16(hello + 9, 0xfefd);
	/* DTLS has a cookie between session id and ciphers. */
	memmove(hello + 45, hello + 44, len - 44);
	hello[44] = 0;
	len = dtls_record(record, 1, hello + 9, len + 1 - 9);
	(void)say(c, 0, record, len);
	put16(certificate + 1, 3 + 150);
	put16(certificate + 4, 150);
	for (unsigned i = 0; i < 3; i++) /* issuer, validity, subject: enough of them to be read */
		memcpy(certificate + 20 + 40 * i, subject, sizeof subject);
	(void)say(c, 1, record, dtls_record(record, 11, certificate, 3 + 153));
	assert_string_not_equal(hang_up(c).proto, "DTLS");
}

/* Three payloads of a TINC meta connection whose last one has no end: 4.2 reads on behind it. */
static void tinc(void **state)
{
	struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40012, 655);
	uint8_t last[256];

	say_text(c, 0, "0 alpha 17\n");
	say_text(c, 1, "0 beta 17\n");
	memset(last, 'A', sizeof last);
	memcpy(last, "1 94 64 0 0 ", 12);
	(void)say(c, 0, last, sizeof last);
	assert_string_equal(hang_up(c).proto, "");
}

/* nDPI has dissectors that look at the port alone. */
static void port_alone(void **state)
{
	static const uint16_t ports[] = {5001, 5201, 123, 1194, 3306};

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		struct conversation *c = talk(*state, IPPROTO_NUM_TCP, 40013, ports[i]);

		say_text(c, 0, "an ordinary line of text, sent to some port");
		say_text(c, 1, "and the ordinary answer to it");
		assert_string_equal(hang_up(c).proto, "");
	}
}

static void count_protocol(void *context, const char *name, const char *category)
{
	unsigned *count = context;

	assert_true(name[0] != '\0' && category[0] != '\0');
	++*count;
}

static void about(void **state)
{
	unsigned count = 0;

	(void)state;
	assert_int_equal(strncmp(dpi_version(), "nDPI ", 5), 0);
	assert_string_equal(dpi_risk_name(0), "");
	dpi_protocols(count_protocol, &count);
	assert_in_range(count, 200, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(http_basic, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(http_without_secrets, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tls_with_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tls_of_a_service, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(dns, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(ssh, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(noise_on_a_known_port, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(port_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(unknown_text, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(unfit_packets, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(mixed_flow, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(cut_packet, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
	    cmocka_unit_test(memory_has_a_limit),
	    cmocka_unit_test(caches_have_room),
	    cmocka_unit_test_setup_teardown(reuse, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(dtls_certificate, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tinc, set_up, tear_down),
	    cmocka_unit_test(about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
