/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP behind a reverse proxy: requests for another host, bodies and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "bulkhead/flow.h"

static struct hash_key key;

static int set_up(void **state)
{
	(void)state;
	hash_key_init(&key, 9);
	return 0;
}

static void assert_same(const struct token *a, const struct token *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(a->lo == b->lo && a->hi == b->hi);
}

static void assert_different(const struct token *a, const struct token *b)
{
	assert_false(a->lo == b->lo && a->hi == b->hi);
}

static struct packet packet_of(const char *text)
{
	struct packet packet = {.proto = 6, .payload = (const uint8_t *)text};

	packet.payload_len = packet.payload_wire = (uint32_t)strlen(text);
	return packet;
}

static unsigned extract_text(const char *text, struct token out[TOKENS_A_PACKET])
{
	struct packet packet = packet_of(text);

	return token_extract(&packet, &key, out);
}

static void http_for_another_host(void **state)
{
	struct token one[TOKENS_A_PACKET], two[TOKENS_A_PACKET];

	(void)state;
	assert_int_equal(
	    extract_text("GET /o HTTP/1.1\r\nHost: 203.0.113.9:8080\r\nCookie: s=90317745120\r\n"
			 "User-Agent: agent\r\nAccept: */*\r\n\r\n",
			 one),
	    3);
	assert_int_equal(
	    extract_text("GET /o HTTP/1.0\r\nHost: origin.example\r\nCookie: s=90317745120\r\n"
			 "Connection: close\r\nUser-Agent: agent\r\nAccept: */*\r\n\r\n",
			 two),
	    3);
	assert_different(&one[0], &two[0]);
	assert_same(&one[1], &two[1]);
	assert_different(&one[2], &two[2]);
}

static bool http_text(const char *text, size_t wire, struct token *out)
{
	struct packet packet = packet_of(text);

	packet.payload_wire = wire != 0 ? (uint32_t)wire : packet.payload_len;
	return token_of_http(&packet, &key, out);
}

#define OK "HTTP/1.1 200 OK\r\nServer: a\r\n"
#define OK_ON "HTTP/1.0 200 Fine\r\nserver: b\r\nVia: 1.1 x\r\n"
#define DATED "Last-Modified: Sat, 03 Jan 2026 10:11:12 GMT\r\n"
#define ORDER "{\"order\":\"f81d4fae7dec11d0\",\"open\":3}"

static void http_answers(void **state)
{
	static const char *const pairs[][2] = {
	    {OK DATED "ETag: \"69-1a\"\r\n\r\n<p>hello",
	     OK_ON "ETag: \"69-1a-gzip\"\r\n" DATED "\r\n"},
	    {OK "Set-Cookie: sid=f81d4fae7dec11d0; Path=/\r\n\r\n",
	     OK_ON "Set-Cookie: sid=f81d4fae7dec11d0; Path=/shop; HttpOnly\r\n\r\n{}"},
	    {OK "Content-Length: 37\r\n\r\n" ORDER, OK_ON "\r\n" ORDER},
	    {OK "Transfer-Encoding: chunked\r\n\r\n25\r\n" ORDER "\r\n0\r\n\r\n",
	     OK_ON "\r\n" ORDER},
	};
	static const char *const common[] = {
	    OK "\r\n{\"status\":\"UP\",\"groups\":[\"liveness\",\"readiness\"]}",
	    OK "ETag: \"2-eoX0dku9ba8cNUXvu4DyeabcC\"\r\n\r\nok",
	    OK DATED, /* the head goes on */
	    "HTTP/1.1 200 f81d4fae7dec11d0a765000a0c91e6bf6",
	    OK "\r\n",
	    OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n" ORDER,
	    OK "Transfer-Encoding: chunked\r\n\r\n7\r\n" ORDER,
	};
	struct packet bare = packet_of(ORDER);
	struct token one, two;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		assert_true(http_text(pairs[i][0], 0, &one));
		assert_true(http_text(pairs[i][1], 0, &two));
		assert_int_equal(one.kind, TOKEN_HTTP_ANSWER);
		assert_int_equal(one.rare, i == 1); /* a session */
		assert_false(one.random);
		assert_same(&one, &two);
	}
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		assert_false(http_text(common[i], 0, &one));
	/* cut, a body may begin like another's */
	assert_false(http_text(pairs[2][0], strlen(pairs[2][0]) + 1, &one));
	/* head and body may come apart */
	assert_true(http_text(pairs[2][0], 0, &one));
	assert_true(token_of_payload(&bare, &key, &two));
	assert_true(one.lo == two.lo && one.hi == two.hi);
}

static void http_posts(void **state)
{
	struct token one, two;

	(void)state;
	assert_true(http_text("POST /a HTTP/1.1\r\nHost: a\r\n\r\n" ORDER, 0, &one));
	assert_true(http_text("POST /b/a HTTP/1.0\r\nHost: b\r\nX: y\r\n\r\n" ORDER, 0, &two));
	assert_int_equal(one.kind, TOKEN_HTTP_REQUEST);
	assert_true(one.rare);
	assert_same(&one, &two);
	assert_true(http_text("POST /a HTTP/1.1\r\n\r\nuser=anna&password=secret1", 0, &one));
	assert_false(one.rare);
	assert_false(http_text("POST /a HTTP/1.1\r\nHost: a\r\n" ORDER, 0, &one));
	assert_false(http_text("PORTER is the name of a beer, and of who carries things", 0, &one));
}

static void what_an_answer_says_of_itself(void **state)
{
	struct token t = {.status = 7};

	(void)state;
	assert_false(http_text("HTTP/1.1 204 No Content\r\n\r\n", 0, &t));
	assert_int_equal(t.status, 204);
	assert_int_equal(t.length, 0);
	assert_false(http_text(OK "Content-Length: 2\r\n\r\nok", 0, &t));
	assert_int_equal(t.status, 200);
	assert_int_equal(t.length, 3);
	assert_true(http_text(OK DATED "Content-Length: 0\r\n\r\n", 0, &t));
	assert_int_equal(t.length, 1);
	assert_false(http_text(OK "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\nok", 0, &t));
	assert_int_equal(t.length, 0);
	assert_false(http_text(OK "Content-Length: 9999999999\r\n\r\nok", 0, &t));
	assert_int_equal(t.length, 0);
	assert_false(http_text("HTTP/1.", 0, &t));
	assert_int_equal(t.status, 0);
}

/* Those of one program begin with the same preamble. */
static void posted_bodies_of_other_lengths(void **state)
{
	struct token one, two;

	(void)state;
	assert_true(http_text("POST /a HTTP/1.1\r\nContent-Length: 37\r\n\r\n" ORDER, 0, &one));
	assert_true(http_text("POST /b HTTP/1.0\r\ncontent-length: 37\r\n\r\n" ORDER, 0, &two));
	assert_same(&one, &two);
	assert_true(http_text("POST /b HTTP/1.1\r\nContent-Length: 38\r\n\r\n" ORDER, 0, &two));
	assert_different(&one, &two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(http_for_another_host),
	    cmocka_unit_test(http_answers),
	    cmocka_unit_test(http_posts),
	    cmocka_unit_test(what_an_answer_says_of_itself),
	    cmocka_unit_test(posted_bodies_of_other_lengths),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
