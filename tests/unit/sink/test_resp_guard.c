/* SPDX-License-Identifier: Apache-2.0 */
/* test_resp_guard.c - what a Redis may say, and what it may not. */
#include "unit/sink/support.h"

#include "sink/resp_guard.h"

/* Whole, and byte by byte: the answer must be the same. */
static bool accepted(const char *text, size_t len)
{
	struct resp_guard whole, bytes;
	const char *wrong = NULL;

	resp_guard_init(&whole);
	resp_guard_init(&bytes);
	for (size_t i = 0; i < len && wrong == NULL; i++)
		wrong = resp_guard_feed(&bytes, text + i, 1);
	assert_true((resp_guard_feed(&whole, text, len) == NULL) == (wrong == NULL));
	return wrong == NULL;
}

static void test_accepts_replies(void **state)
{
	static const char *const good[] = {
	    "+OK\r\n",
	    "-ERR no such thing\r\n",
	    ":42\r\n",
	    "$5\r\nhello\r\n",
	    "$0\r\n\r\n",
	    "$-1\r\n",
	    "*-1\r\n",
	    "*0\r\n",
	    "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
	    "$4\r\n$99*\r\n+OK\r\n", /* what looks like a header inside a string is none */
	    "*3\r\n+a\r\n",	     /* not yet whole */
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!accepted(good[i], strlen(good[i])))
			fail_msg("refused: %s", good[i]);
}

static void test_refuses_garbage(void **state)
{
	static const char *const bad[] = {
	    "*1073741824\r\n",
	    "$1073741824\r\n",
	    "$-2\r\n",
	    "$\r\n",
	    "*\r\n",
	    "$+5\r\n",
	    "$ 5\r\n",
	    "$5\nhello",
	    "$5\r5\n",
	    "+OK\n",
	    "HTTP/1.1 400\r\n",
	    "%7\r\n",
	    "$99999999999999999999\r\n",
	    "\r\n",
	    "+\n",
	    "$1a\r\n",
	    "$1-1\r\n",
	    "$-a\r\n",
	    "$12345678901\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (accepted(bad[i], strlen(bad[i])))
			fail_msg("accepted: %s", bad[i]);
	assert_false(accepted("\0", 1));
}

static void test_budgets_are_of_an_exchange(void **state)
{
	struct resp_guard guard;
	const char *many = "*60000\r\n";
	char line[RESP_MAX_LINE + 2];

	(void)state;
	resp_guard_init(&guard);
	assert_null(resp_guard_feed(&guard, many, strlen(many)));
	assert_non_null(resp_guard_feed(&guard, many, strlen(many)));
	resp_guard_init(&guard);
	assert_null(resp_guard_feed(&guard, many, strlen(many)));
	resp_guard_exchange(&guard);
	assert_null(resp_guard_feed(&guard, many, strlen(many)));

	memset(line, 'x', sizeof line);
	line[0] = '-';
	resp_guard_init(&guard);
	assert_non_null(resp_guard_feed(&guard, line, sizeof line));
}

static void test_total_bytes(void **state)
{
	struct resp_guard guard;
	static char chunk[1 << 16];
	const char *header = "$1000000\r\n";
	unsigned fed = 0;

	(void)state;
	resp_guard_init(&guard);
	for (unsigned i = 0; i < 20; i++) {
		if (resp_guard_feed(&guard, header, strlen(header)) != NULL)
			break;
		for (size_t left = 1000000; left > 0; left -= fed) {
			fed = left < sizeof chunk ? (unsigned)left : (unsigned)sizeof chunk;
			if (resp_guard_feed(&guard, chunk, fed) != NULL)
				return; /* refused within the budget */
		}
		assert_null(resp_guard_feed(&guard, "\r\n", 2));
	}
	fail_msg("20 MB in one exchange were accepted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepts_replies),
	    cmocka_unit_test(test_refuses_garbage),
	    cmocka_unit_test(test_budgets_are_of_an_exchange),
	    cmocka_unit_test(test_total_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
