/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_token.c - content is known again behind a relay, and only then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "bulkhead/flow.h"

static struct hash_key key;

static int set_up(void **state)
{
	(void)state;
	hash_key_init(&key, 7);
	return 0;
}

/* Bytes without a pattern, the same in every run. */
static void noise(uint8_t *out, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		out[i] = (uint8_t)(seed >> 24);
	}
}

/*
 * Extracts from a copy that ends where the heap block ends, so that a sanitizer sees a read behind
 * it, and from every shorter copy, which must be survived.
 */
static unsigned extract(uint8_t proto, const void *payload, size_t len, struct token *out)
{
	struct packet packet = {.proto = proto};
	unsigned count = 0;

	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *copy = malloc(cut == 0 ? 1 : cut);

		assert_non_null(copy);
		memcpy(copy, payload, cut);
		packet.payload = copy;
		packet.payload_len = (uint32_t)cut;
		packet.payload_wire = (uint32_t)len;
		count = token_extract(&packet, &key, out);
		assert_in_range(count, 0, TOKENS_A_PACKET);
		free(copy);
	}
	return count;
}

static unsigned extract_text(const char *text, struct token *out)
{
	return extract(IPPROTO_NUM_TCP, text, strlen(text), out);
}

static void assert_same(const struct token *a, const struct token *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(a->lo == b->lo && a->hi == b->hi);
}

static void assert_other(const struct token *a, const struct token *b)
{
	assert_false(a->kind == b->kind && a->lo == b->lo && a->hi == b->hi);
}

static size_t tls_hello(uint8_t *p, uint8_t type, uint32_t seed)
{
	memset(p, 0, 80);
	memcpy(p, "\x16\x03\x01\x00\x4b", 5);
	p[5] = type;
	p[8] = 0x47;
	p[9] = 3;
	p[10] = 3;
	noise(p + 11, 32, seed);
	return 80;
}

static void tls(void **state)
{
	struct token client[TOKENS_A_PACKET], server[TOKENS_A_PACKET], again[TOKENS_A_PACKET];
	uint8_t p[80];

	(void)state;
	assert_int_equal(extract(6, p, tls_hello(p, 1, 1), client), 1);
	assert_int_equal(client[0].kind, TOKEN_TLS_CLIENT_RANDOM);
	assert_true(client[0].random);
	assert_int_equal(extract(6, p, tls_hello(p, 1, 1), again), 1);
	assert_same(client, again);
	assert_int_equal(extract(6, p, tls_hello(p, 2, 1), server), 1);
	assert_int_equal(server[0].kind, TOKEN_TLS_SERVER_RANDOM);
	assert_other(client, server);
	(void)tls_hello(p, 1, 2);
	assert_int_equal(extract(6, p, sizeof p, again), 1);
	assert_other(client, again);
	(void)tls_hello(p, 11, 1); /* a certificate */
	assert_int_equal(extract(6, p, sizeof p, again), 0);
}

/* Constants in the place of a nonce must not connect strangers. */
static void tls_constants(void **state)
{
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
					  0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
					  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
					  0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct token out[TOKENS_A_PACKET];
	uint8_t p[80];

	(void)state;
	(void)tls_hello(p, 2, 1);
	memcpy(p + 11, retry, sizeof retry);
	assert_int_equal(extract(6, p, sizeof p, out), 0);
	(void)tls_hello(p, 1, 1);
	memset(p + 11, 0, 32);
	assert_int_equal(extract(6, p, sizeof p, out), 0);
	for (unsigned i = 0; i < 32; i++)
		p[11 + i] = (uint8_t)i;
	assert_int_equal(extract(6, p, sizeof p, out), 0);
	for (unsigned i = 0; i < 32; i++) /* six values in turn: a token, but no proof */
		p[11 + i] = (uint8_t)(i % 6 * i % 6 * 40);
	if (extract(6, p, sizeof p, out) == 1)
		assert_false(out[0].random);
}

static void dtls(void **state)
{
	struct token out[TOKENS_A_PACKET];
	uint8_t p[80] = {22, 0xfe, 0xfd};

	(void)state;
	p[13] = 1;
	p[25] = 0xfe;
	p[26] = 0xfd;
	noise(p + 27, 32, 3);
	assert_int_equal(extract(17, p, sizeof p, out), 1);
	assert_int_equal(out[0].kind, TOKEN_DTLS_RANDOM);
	assert_true(out[0].random);
	p[13] = 3; /* HelloVerifyRequest has none */
	assert_int_equal(extract(17, p, sizeof p, out), 0);
	p[13] = 1;
	p[20] = 1; /* a later fragment of the message */
	assert_int_equal(extract(17, p, sizeof p, out), 0);
}

static void ssh(void **state)
{
	static const char banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
	struct token alone[TOKENS_A_PACKET], behind[TOKENS_A_PACKET];
	uint8_t p[sizeof banner - 1 + 64] = {0};
	uint8_t *kex = p + sizeof banner - 1;

	(void)state;
	memcpy(p, banner, sizeof banner - 1);
	kex[2] = 4;
	kex[4] = 6;
	kex[5] = 20;
	noise(kex + 6, 16, 4);
	assert_int_equal(extract(6, kex, 64, alone), 1);
	assert_int_equal(alone[0].kind, TOKEN_SSH_COOKIE);
	assert_true(alone[0].random);
	assert_int_equal(extract(6, p, sizeof p, behind), 1);
	assert_same(alone, behind);
	assert_int_equal(extract(6, banner, sizeof banner - 1, behind), 0);
}

static void quic(void **state)
{
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];
	uint8_t p[64] = {0xc3, 0, 0, 0, 1, 8};

	(void)state;
	noise(p + 6, 8, 5);
	p[14] = 0; /* Chrome's empty source id */
	assert_int_equal(extract(17, p, sizeof p, one), 1);
	assert_int_equal(one[0].kind, TOKEN_QUIC_INITIAL);
	assert_true(one[0].random);
	p[40] ^= 1; /* packet number and what follows differ in a retransmission */
	assert_int_equal(extract(17, p, sizeof p, two), 1);
	assert_same(one, two);
	p[0] = 0xe3; /* a Handshake packet */
	assert_int_equal(extract(17, p, sizeof p, two), 0);
	p[0] = 0xd3;
	memcpy(p + 1, "\x6b\x33\x43\xcf", 4);
	assert_int_equal(extract(17, p, sizeof p, two), 1);
	p[5] = 21; /* beyond what the RFC allows */
	assert_int_equal(extract(17, p, sizeof p, two), 0);
}

static void ike(void **state)
{
	struct token plain[TOKENS_A_PACKET], marked[TOKENS_A_PACKET];
	uint8_t p[4 + 60] = {0};
	uint8_t *ike = p + 4;

	(void)state;
	noise(ike, 8, 6);
	ike[16] = 33;
	ike[17] = 0x20;
	ike[18] = 34;
	ike[19] = 8;
	ike[27] = 60;
	assert_int_equal(extract(17, ike, 60, plain), 1);
	assert_int_equal(plain[0].kind, TOKEN_IKE_SPI);
	assert_int_equal(extract(17, p, sizeof p, marked), 1);
	assert_same(plain, marked);
	ike[18] = 35; /* IKE_AUTH */
	assert_int_equal(extract(17, ike, 60, marked), 0);
}

static void mysql(void **state)
{
	static const char version[] = "8.0.33";
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];
	uint8_t p[96] = {74, 0, 0, 0, 10};
	uint8_t *at = p + 5 + sizeof version;

	(void)state;
	memcpy(p + 5, version, sizeof version);
	at[0] = 9; /* thread id */
	noise(at + 4, 8, 7);
	noise(at + 4 + 8 + 1 + 18, 12, 8);
	assert_int_equal(extract(6, p, sizeof p, one), 1);
	assert_int_equal(one[0].kind, TOKEN_MYSQL_SCRAMBLE);
	assert_true(one[0].random);
	at[4 + 8 + 1 + 18 + 11] ^= 1; /* the second part counts */
	assert_int_equal(extract(6, p, sizeof p, two), 1);
	assert_other(one, two);
}

static void postgres(void **state)
{
	static const char sasl[] = "R\0\0\0\x5c\0\0\0\x0br=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfu,"
				   "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
	struct token out[TOKENS_A_PACKET];

	(void)state;
	assert_int_equal(extract(6, "R\0\0\0\x0c\0\0\0\x05\x81\x44\x92\x1f", 13, out), 1);
	assert_int_equal(out[0].kind, TOKEN_POSTGRES_SALT);
	assert_false(out[0].random);
	assert_int_equal(extract(6, sasl, sizeof sasl - 1, out), 1);
	assert_int_equal(out[0].kind, TOKEN_POSTGRES_SALT);
	assert_true(out[0].random);
	/* AuthenticationOk names nothing. */
	assert_int_equal(extract(6, "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15, out), 0);
}

static size_t dns_query(uint8_t *p, uint16_t id, const char *name)
{
	size_t len = 12;

	memset(p, 0, 12);
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	p[2] = 1;
	p[5] = 1;
	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		p[len] = (uint8_t)label;
		memcpy(p + len + 1, name, label);
		len += label + 1;
		name += label + (name[label] == '.');
	}
	memcpy(p + len, "\0\0\1\0\1", 5);
	return len + 5;
}

static void dns(void **state)
{
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];
	uint8_t p[300];
	size_t len = dns_query(p + 2, 0x1234, "db.globex.example");

	(void)state;
	assert_int_equal(extract(17, p + 2, len, one), 1);
	assert_int_equal(one[0].kind, TOKEN_DNS_QUERY);
	assert_false(one[0].random);
	p[0] = 0;
	p[1] = (uint8_t)len;
	assert_int_equal(extract(6, p, len + 2, two), 1); /* over TCP it is the same question */
	assert_same(one, two);
	p[3] ^= 1;
	assert_int_equal(extract(17, p + 2, len, two), 1);
	assert_other(one, two);
	p[4] = 0x81; /* an answer */
	assert_int_equal(extract(17, p + 2, len, two), 0);
	len = dns_query(p, 0, "printer.local");
	assert_int_equal(extract(17, p, len, two), 0);
	len = dns_query(p, 77, "x.example");
	p[12] = 0xc0; /* compression pointer */
	assert_int_equal(extract(17, p, len, two), 0);
}

static void http_through_a_proxy(void **state)
{
	struct token client[TOKENS_A_PACKET], relayed[TOKENS_A_PACKET];

	(void)state;
	assert_int_equal(extract_text("GET http://Shop.globex.example/cart?id=77 HTTP/1.1\r\n"
				      "Host: Shop.globex.example:80\r\n"
				      "User-Agent: curl/7.88.1\r\n"
				      "Accept: */*\r\n"
				      "Proxy-Connection: Keep-Alive\r\n\r\n",
				      client),
			 2);
	assert_int_equal(client[0].kind, TOKEN_HTTP_HEAD);
	assert_int_equal(client[1].kind, TOKEN_HTTP_TARGET);
	assert_false(client[0].random || client[1].random);
	assert_other(&client[0], &client[1]);
	assert_int_equal(extract_text("GET /cart?id=77 HTTP/1.0\r\n"
				      "x-forwarded-for: 10.9.0.21\r\n"
				      "accept: */*\r\n"
				      "user-agent:curl/7.88.1 \r\n"
				      "host: shop.globex.example\r\n"
				      "Via: 1.1 relay (squid)\r\n"
				      "Connection: close\r\n\r\n",
				      relayed),
			 2);
	assert_same(client, relayed);
	assert_same(&client[1], &relayed[1]);
	/* tinyproxy: the rest follows field by field */
	assert_int_equal(
	    extract_text("GET /cart?id=77 HTTP/1.1\r\nHost: shop.globex.example\r\n", relayed), 1);
	assert_same(&client[1], &relayed[0]);
}

static void http_of_many(void **state)
{
	static const char *const common[] = {
	    "GET /healthz HTTP/1.1\r\nHost: svc.example\r\nUser-Agent: kube-probe/1.27\r\n\r\n",
	    ("GET /metrics HTTP/1.1\r\nHost: svc7d9f8b6c53.example\r\nUser-Agent: "
	     "Mozilla/5.0 (X11; rv:109.0) Gecko/20100101\r\nAuthorization: Bearer "
	     "k1234567890ab\r\n\r\n"),
	    "GET /logs/20260101/all HTTP/1.1\r\nHost: a.example\r\nUser-Agent: agent\r\n\r\n",
	};
	static const char *const rare[] = {
	    "GET /orders/90317745120 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: agent\r\n\r\n",
	    ("GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: agent\r\n"
	     "Cookie: session=f81d4fae7dec11d0\r\n\r\n"),
	};
	struct token t[TOKENS_A_PACKET];

	(void)state;
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
		assert_int_equal(extract_text(common[i], t), 2);
		assert_false(t[0].rare || t[1].rare);
	}
	for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++) {
		unsigned count = extract_text(rare[i], t);

		/* A path may be asked for everywhere, a session is one client's. */
		assert_int_equal(count, i == 0 ? 2 : 3);
		assert_true(t[0].rare);
		assert_int_equal(t[count - 1].rare, i == 0); /* method, path and host alone */
	}
}

static void http_of_another(void **state)
{
	static const char *const others[] = {
	    "GET /b HTTP/1.1\r\nHost: db.globex.example\r\nUser-Agent: curl/7.88.1\r\n\r\n",
	    "PUT /a HTTP/1.1\r\nHost: db.globex.example\r\nUser-Agent: curl/7.88.1\r\n\r\n",
	    "GET /a HTTP/1.1\r\nHost: db.acme.example\r\nUser-Agent: curl/7.88.1\r\n\r\n",
	    "GET /a HTTP/1.1\r\nHost: db.globex.example\r\nUser-Agent: curl/8.5.0\r\n\r\n",
	    ("GET /a HTTP/1.1\r\nHost: db.globex.example\r\nUser-Agent: curl/7.88.1\r\n"
	     "Cookie: s=1\r\n\r\n"),
	    /* the same values under each other's names */
	    "GET /a HTTP/1.1\r\nHost: curl/7.88.1\r\nUser-Agent: db.globex.example\r\n\r\n",
	};
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];

	(void)state;
	assert_int_equal(extract_text("GET /a HTTP/1.1\r\nHost: db.globex.example\r\n"
				      "User-Agent: curl/7.88.1\r\n\r\n",
				      one),
			 2);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_int_equal(extract_text(others[i], two), 2);
		assert_other(one, two);
	}
	assert_int_equal(extract_text("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", two), 1);
	assert_int_equal(two[0].kind, TOKEN_HTTP_TARGET);
	assert_int_equal(extract_text("GET / HTTP/1.1\r\nHost:\r\nX: y\r\n\r\n", two), 0);
	assert_int_equal(extract_text("GET is a word that may begin a long line of ordinary text"
				      " without being a request\r\n\r\n",
				      two),
			 0);
}

static void sip(void **state)
{
	struct token first[TOKENS_A_PACKET], second[TOKENS_A_PACKET];

	(void)state;
	assert_int_equal(extract(17,
				 "INVITE sip:bob@globex.example SIP/2.0\r\n"
				 "Via: SIP/2.0/UDP 10.9.0.21:5060;branch=z9hG4bK776asdhds;rport\r\n"
				 "Max-Forwards: 70\r\n\r\n",
				 122, first),
			 1);
	assert_int_equal(first[0].kind, TOKEN_SIP_BRANCH);
	assert_false(first[0].random);
	assert_int_equal(
	    extract_text("INVITE sip:bob@globex.example SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP 10.9.0.66;branch=z9hG4bK87a0f9f2c3d41b60aa52\r\n"
			 "v: SIP/2.0/UDP 10.9.0.21:5060;branch=z9hG4bK776asdhds\r\n"
			 "Max-Forwards: 69\r\n\r\n",
			 second),
	    2);
	assert_true(second[0].random);
	assert_same(first, &second[1]);
}

/* Ordinary payloads that resemble nothing. */
static void nothing(void **state)
{
	struct token out[TOKENS_A_PACKET];
	uint8_t p[400];

	(void)state;
	memset(p, 0, sizeof p);
	assert_int_equal(extract(6, p, sizeof p, out), 0);
	assert_int_equal(extract(17, p, sizeof p, out), 0);
	assert_int_equal(extract_text("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", out), 0);
	assert_int_equal(extract(132, p, sizeof p, out), 0);
	for (uint32_t seed = 0; seed < 2000; seed++) { /* whatever comes, it ends well */
		noise(p, 64, seed);
		p[0] = (uint8_t)(seed & 0xff);
		(void)extract(seed & 1 ? 6 : 17, p, 64, out);
	}
}

static bool syn(const uint8_t *options, size_t len, uint32_t seq, uint8_t flags, struct token *out)
{
	uint8_t l4[60] = {0};
	struct packet packet = {
	    .proto = IPPROTO_NUM_TCP,
	    .flags = PACKET_L4 | PACKET_TCP_WHOLE,
	    .tcp_seq = seq,
	    .tcp_flags = flags,
	    .tcp_header_len = (uint8_t)(20 + len),
	    .l4 = l4,
	    .l4_len = (uint32_t)(20 + len),
	};

	memcpy(l4 + 20, options, len);
	return token_of_syn(&packet, &key, out);
}

static void tcp_syn(void **state)
{
	/* MSS, SACK permitted, time stamps, no-op, window scale: as Linux sends them */
	static const uint8_t linux_syn[] = {2, 4,  5, 0xb4, 4, 2, 8, 10, 0x3a, 0x91,
					    7, 22, 0, 0,    0, 0, 1, 3,	 3,    7};
	uint8_t clamped[sizeof linux_syn];
	struct token one, two;

	(void)state;
	memcpy(clamped, linux_syn, sizeof clamped);
	clamped[2] = 4;
	clamped[3] = 0x98;
	assert_true(syn(linux_syn, sizeof linux_syn, 0x9a8b7c6d, TCP_SYN, &one));
	assert_int_equal(one.kind, TOKEN_TCP_SYN);
	assert_true(one.random);
	assert_true(syn(clamped, sizeof clamped, 0x9a8b7c6d, TCP_SYN, &two));
	assert_same(&one, &two);
	assert_true(syn(linux_syn, sizeof linux_syn, 0x9a8b7c6e, TCP_SYN, &two));
	assert_other(&one, &two);
	assert_true(syn(linux_syn, sizeof linux_syn, 0x9a8b7c6d, TCP_SYN | TCP_ACK, &two));
	assert_other(&one, &two);
	clamped[11] ^= 1; /* another time stamp */
	assert_true(syn(clamped, sizeof clamped, 0x9a8b7c6d, TCP_SYN, &two));
	assert_other(&one, &two);
	assert_true(syn(linux_syn, 0, 1, TCP_SYN, &two));
	assert_false(two.random);
	assert_false(syn(linux_syn, sizeof linux_syn, 1, TCP_ACK, &two));
	/* an option that claims to be longer than the header */
	assert_true(syn((const uint8_t[]){8, 40, 1, 1}, 4, 5, TCP_SYN, &two));
	assert_false(two.random);
}

static bool payload(const uint8_t *p, uint32_t len, uint32_t wire, struct token *out)
{
	struct packet packet = {
	    .proto = 17, .payload = p, .payload_len = len, .payload_wire = wire};

	return token_of_payload(&packet, &key, out);
}

static void payloads(void **state)
{
	static const char text[] = "LOGIN alice; SELECT name FROM users WHERE id = 4711;";
	struct token one, two;
	uint8_t p[600];

	(void)state;
	noise(p, sizeof p, 9);
	assert_false(payload(p, 23, 23, &one));
	assert_true(payload(p, 24, 24, &one));
	assert_int_equal(one.kind, TOKEN_PAYLOAD);
	assert_true(payload(p, sizeof p, sizeof p, &one));
	assert_true(one.random);
	p[100] ^= 1;
	assert_true(payload(p, sizeof p, sizeof p, &two));
	assert_other(&one, &two);
	/* Cut by the snaplen, once with a tag before it. */
	assert_true(payload(p, 62, sizeof p, &one));
	assert_true(payload(p, 58, sizeof p, &two));
	assert_same(&one, &two);
	assert_true(payload((const uint8_t *)text, sizeof text - 1, sizeof text - 1, &one));
	assert_false(one.random);
	memset(p, 0, sizeof p);
	assert_false(payload(p, sizeof p, sizeof p, &one));
}

/* The same record is of one session; what only looks like one is a payload. */
static void tls_records(void **state)
{
	struct packet packet = {.proto = 6};
	struct token out;
	uint8_t p[200];

	(void)state;
	noise(p, sizeof p, 11);
	memcpy(p, (const uint8_t[]){23, 3, 3, 0, 195}, 5);
	packet.payload = p;
	packet.payload_len = packet.payload_wire = sizeof p;
	assert_true(token_of_payload(&packet, &key, &out));
	assert_int_equal(out.kind, TOKEN_TLS_RECORD);
	assert_true(out.random);
	packet.proto = 17;
	assert_true(token_of_payload(&packet, &key, &out));
	assert_int_equal(out.kind, TOKEN_PAYLOAD);
	packet.proto = 6;
	memset(p + 5, 'a', sizeof p - 5);
	assert_false(token_of_payload(&packet, &key, &out) && out.kind == TOKEN_TLS_RECORD);
}

/* A NAT changes an echo's id, and nothing else of it. */
static void echoes(void **state)
{
	uint8_t p[8 + 40] = {8, 0, 0, 0, 1, 2, 0, 7}, cut = 8 + 23;
	struct packet packet = {.proto = 1, .icmp_type = 8, .l4 = p, .l4_len = sizeof p};
	struct token one, two;

	(void)state;
	noise(p + 8, sizeof p - 8, 12);
	assert_true(token_of_echo(&packet, &key, &one));
	p[4] = 99;
	p[2] = 1;
	assert_true(token_of_echo(&packet, &key, &two));
	assert_same(&one, &two);
	p[7] = 8;
	assert_true(token_of_echo(&packet, &key, &two));
	assert_other(&one, &two);
	p[7] = 7;
	packet.icmp_type = 0;
	assert_true(token_of_echo(&packet, &key, &two));
	assert_other(&one, &two);
	packet.icmp_type = 13;
	assert_false(token_of_echo(&packet, &key, &two));
	packet.icmp_type = 8;
	packet.l4_len = cut;
	assert_false(token_of_echo(&packet, &key, &two));
}

/* Content is in the clear nowhere: another key, another token. */
static void keyed(void **state)
{
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];
	struct packet packet = {.proto = 6};
	struct hash_key other;
	uint8_t p[80];

	(void)state;
	hash_key_init(&other, 8);
	packet.payload = p;
	packet.payload_len = packet.payload_wire = (uint32_t)tls_hello(p, 1, 1);
	assert_int_equal(token_extract(&packet, &key, one), 1);
	assert_int_equal(token_extract(&packet, &other, two), 1);
	assert_other(one, two);
}

static void names(void **state)
{
	(void)state;
	for (int kind = 0; kind < TOKEN_MAX; kind++)
		assert_non_null(token_name((enum token_kind)kind));
	assert_string_equal(token_name(TOKEN_SSH_COOKIE), "SSH KEX cookie");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tls),	    cmocka_unit_test(tls_constants),
	    cmocka_unit_test(dtls),	    cmocka_unit_test(ssh),
	    cmocka_unit_test(quic),	    cmocka_unit_test(ike),
	    cmocka_unit_test(mysql),	    cmocka_unit_test(postgres),
	    cmocka_unit_test(dns),	    cmocka_unit_test(http_through_a_proxy),
	    cmocka_unit_test(http_of_many), cmocka_unit_test(http_of_another),
	    cmocka_unit_test(sip),	    cmocka_unit_test(nothing),
	    cmocka_unit_test(tcp_syn),	    cmocka_unit_test(payloads),
	    cmocka_unit_test(tls_records),  cmocka_unit_test(echoes),
	    cmocka_unit_test(keyed),	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
