/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_doc.c - a YAML text as a tree, and everything that must be refused, quickly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml_doc.h"
#include "bulkhead/clock.h"

struct result {
	struct arena *arena;
	struct yaml_doc doc;
	struct problems problems;
	struct err err;
	int rc;
};

static struct result read_bytes(const char *text, size_t len)
{
	struct result r = {.arena = arena_new()};

	assert_non_null(r.arena);
	r.rc = yaml_read_text(&r.doc, "t.yaml", text, len, r.arena, &r.problems, &r.err);
	return r;
}

static struct result read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void done(struct result *r)
{
	problems_fini(&r->problems);
	arena_free(r->arena);
}

/* Reading text must give rc and exactly these problem lines. */
static void expect(const char *text, int rc, const char *problems)
{
	struct result r = read_text(text);

	assert_int_equal(r.rc, rc);
	assert_string_equal(r.problems.text == NULL ? "" : r.problems.text, problems);
	if (rc != 0)
		assert_null(r.doc.root);
	done(&r);
}

static void tree_has_values_and_places(void **state)
{
	struct result r = read_text("\xef\xbb\xbf# head\n"
				    "version: 1\n"
				    "list:\n"
				    "  - { name: a, ip: [10.0.0.1, \"fd00::1\"] }\n"
				    "  - plain\n"
				    "empty:\n");
	const struct yaml_node *list = yaml_get(r.doc.root, "list");
	const struct yaml_node *ip = yaml_get(list->first, "ip");

	(void)state;
	assert_int_equal(r.rc, 0);
	assert_null(r.problems.text);
	assert_string_equal(r.doc.file, "t.yaml");
	assert_int_equal(r.doc.root->kind, YAML_MAP);
	assert_int_equal(r.doc.root->count, 3);
	assert_int_equal(list->kind, YAML_LIST);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->key_line, 3);
	assert_int_equal(list->key_col, 1);
	assert_string_equal(ip->first->text, "10.0.0.1");
	assert_false(ip->first->quoted);
	assert_true(ip->first->next->quoted);
	assert_int_equal(ip->first->next->line, 4);
	assert_int_equal(ip->first->next->col, 31);
	assert_null(ip->first->next->next);
	assert_string_equal(list->first->next->text, "plain");
	assert_null(yaml_get(r.doc.root, "nothing"));
	assert_null(yaml_get(ip, "ip"));
	done(&r);
}

static void mistakes_that_are_read_on(void **state)
{
	(void)state;
	expect("a: 1\nb: 2\na: 3\n", 0,
	       "t.yaml:3:1: key \"a\" is there twice; the first is in line 1\n");
	expect("a: &x 1\nb: *x\n", 0,
	       "t.yaml:1:4: anchors (&name) are not supported; write the value out\n"
	       "t.yaml:2:4: aliases (*name) are not supported; write the value out\n");
	expect("a: {c: 1}\nb:\n  <<: {d: 2}\n", 0,
	       "t.yaml:3:3: merge keys (<<) are not supported; write the values out\n");
	expect("a: !!int 3\nb: !x [1]\n", 0,
	       "t.yaml:1:4: tags (!name) are not supported; quote text instead\n"
	       "t.yaml:2:4: tags (!name) are not supported; quote text instead\n");
	expect("a: \"x\\0y\"\n", 0, "t.yaml:1:4: a NUL character inside a text\n");
}

static void mistakes_that_end_the_reading(void **state)
{
	(void)state;
	expect("", ERR_CONFIG, "t.yaml:1:1: empty; begin with \"version: 1\"\n");
	expect("# only a comment\n", ERR_CONFIG, "t.yaml:1:1: empty; begin with \"version: 1\"\n");
	expect("a: 1\n---\nb: 2\n", ERR_CONFIG,
	       "t.yaml:2:1: a second document; one file holds one document\n");
	expect("%YAML 1.1\n---\na: 1\n", ERR_CONFIG,
	       "t.yaml:1:1: a line that begins with %; directives are not supported\n");
	expect("a: 1\xc2\x85%TAG ! x\n", ERR_CONFIG,
	       "t.yaml:1:7: a line that begins with %; directives are not supported\n");
	expect("a:\n\tb: 1\n", ERR_CONFIG, "t.yaml:2:1: a tab; indent with spaces\n");
	expect("? [a]\n: b\n", ERR_CONFIG,
	       "t.yaml:1:3: a list or map as a key; a key is a plain word\n");
	expect("a: 1\nb: \xff\n", ERR_CONFIG, "t.yaml:2:4: invalid leading UTF-8 octet\n");
	expect("a: [1, 2\nb: 3\n", ERR_CONFIG,
	       "t.yaml:2:2: did not find expected ',' or ']', while parsing a flow sequence that "
	       "began in line 1\n");
}

static void nul_bytes_and_utf16_are_refused(void **state)
{
	struct result r = read_bytes("a: 1\nb\0: 2\n", 11);

	(void)state;
	assert_int_equal(r.rc, ERR_CONFIG);
	assert_string_equal(r.problems.text, "t.yaml:2:2: a NUL byte; this is not a text file\n");
	done(&r);
	r = read_bytes("\xff\xfe%\x01", 4);
	assert_int_equal(r.rc, ERR_CONFIG);
	done(&r);
}

static void nesting_is_bounded(void **state)
{
	char text[256] = "";
	struct result r;

	(void)state;
	for (int i = 0; i < 32; i++)
		strcat(text, "[");
	for (int i = 0; i < 32; i++)
		strcat(text, "]");
	r = read_text(text);
	assert_int_equal(r.rc, 0);
	done(&r);
	memmove(text + 1, text, strlen(text) + 1);
	expect(text, ERR_CONFIG, "t.yaml:1:33: nested deeper than 32 levels\n");
}

/* Repeats piece to size bytes, and demands an end within a second whatever it is. */
static void expect_quick(const char *head, const char *piece, size_t size)
{
	size_t len = strlen(piece);
	size_t at = strlen(head);
	char *text = malloc(size + len + at);
	uint64_t start = clock_thread_cpu();
	struct result r;

	assert_non_null(text);
	memcpy(text, head, at);
	for (; at < size; at += len)
		memcpy(text + at, piece, len);
	r = read_bytes(text, at);
	assert_true(clock_thread_cpu() - start < NS_PER_SEC);
	assert_true(r.rc == 0 || r.problems.errors > 0);
	done(&r);
	free(text);
}

static void hostile_texts_end_quickly(void **state)
{
	static const char *const pieces[] = {
	    "{",       "[",	 "[{",	   "- ",  "? ",	   "?\n",  "{?",    "a: {",	    "\"",
	    "'",       "&a ",	 "*a ",	   "!a ", "[a,",   "[]",   "- - ",  "%TAG ! a\n",   "---\n",
	    "...\n",   "a: b\n", "{a: b,", "\n",  "# x\n", "| \n", "> a\n", "\xc2\x85",	    "[\n",
	    "a: *b\n", ",",	 "a",	   ": ",  "[?",	   "{a,",  "-\n",   "\xef\xbb\xbf",
	};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		expect_quick("", pieces[i], 65536);
		expect_quick("a: 1\n...\n", pieces[i], 65536);
		expect_quick("a: [", pieces[i], 65536);
	}
}

static void a_map_holds_128_keys(void **state)
{
	char text[4096] = "";
	struct result r;

	(void)state;
	for (int i = 0; i < 128; i++)
		(void)snprintf(text + strlen(text), 20, "k%d: 1\n", i);
	r = read_text(text);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.doc.root->count, 128);
	assert_null(r.problems.text);
	done(&r);
	strcat(text, "more: 1\n");
	expect(text, ERR_CONFIG, "t.yaml:129:1: a map of more than 128 keys\n");
}

static void files_are_read(void **state)
{
	char path[] = "/tmp/test_yaml_XXXXXX";
	int fd = mkstemp(path);
	struct result r = {.arena = arena_new()};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: b\n", 5), 5);
	(void)close(fd);
	r.rc = yaml_read_file(&r.doc, path, r.arena, &r.problems, &r.err);
	assert_int_equal(r.rc, 0);
	assert_string_equal(yaml_get(r.doc.root, "a")->text, "b");
	assert_string_equal(r.doc.file, path);
	(void)unlink(path);
	assert_int_equal(yaml_read_file(&r.doc, path, r.arena, &r.problems, &r.err), ERR_NOINPUT);
	assert_int_equal(yaml_read_file(&r.doc, "/tmp", r.arena, &r.problems, &r.err), ERR_NOINPUT);
	done(&r);
}

static void typed_values(void **state)
{
	struct result r = read_text("t: word\nn: 42\nq: \"42\"\nz: 010\nbig: 18446744073709551616\n"
				    "yes: true\nno: no\nnil: ~\nl: [1]\nneg: -1\nmax: "
				    "18446744073709551615\n");
	const struct yaml_node *root = r.doc.root;
	const char *text = NULL;
	uint64_t n = 0;
	bool b = false;

	(void)state;
	assert_true(yaml_text(&r.doc, yaml_get(root, "t"), &text, &r.problems));
	assert_string_equal(text, "word");
	assert_true(yaml_text(&r.doc, yaml_get(root, "q"), &text, &r.problems));
	assert_true(yaml_text(&r.doc, yaml_get(root, "no"), &text, &r.problems));
	assert_true(yaml_uint(&r.doc, yaml_get(root, "n"), 1, 42, &n, &r.problems));
	assert_int_equal(n, 42);
	assert_true(yaml_uint(&r.doc, yaml_get(root, "max"), 0, UINT64_MAX, &n, &r.problems));
	assert_true(n == UINT64_MAX);
	assert_true(yaml_bool(&r.doc, yaml_get(root, "yes"), &b, &r.problems));
	assert_true(b);
	assert_true(yaml_is_list(&r.doc, yaml_get(root, "l"), &r.problems));
	assert_null(r.problems.text);
	assert_false(yaml_text(&r.doc, NULL, &text, &r.problems));
	assert_null(r.problems.text);

	assert_false(yaml_text(&r.doc, yaml_get(root, "nil"), &text, &r.problems));
	assert_false(yaml_text(&r.doc, yaml_get(root, "l"), &text, &r.problems));
	assert_false(yaml_uint(&r.doc, yaml_get(root, "n"), 1, 41, &n, &r.problems));
	assert_false(yaml_uint(&r.doc, yaml_get(root, "q"), 0, 99, &n, &r.problems));
	assert_false(yaml_uint(&r.doc, yaml_get(root, "z"), 0, 99, &n, &r.problems));
	assert_false(yaml_uint(&r.doc, yaml_get(root, "big"), 0, UINT64_MAX, &n, &r.problems));
	assert_false(yaml_uint(&r.doc, yaml_get(root, "neg"), 0, 99, &n, &r.problems));
	assert_false(yaml_bool(&r.doc, yaml_get(root, "no"), &b, &r.problems));
	assert_false(yaml_is_map(&r.doc, yaml_get(root, "l"), &r.problems));
	assert_false(yaml_is_list(&r.doc, yaml_get(root, "t"), &r.problems));
	assert_string_equal(
	    r.problems.text,
	    "t.yaml:8:6: nil is empty; it wants a text\n"
	    "t.yaml:9:4: l is a list; it wants a text\n"
	    "t.yaml:2:4: n is 42; it wants a whole number from 1 to 41\n"
	    "t.yaml:3:4: q is the text \"42\"; it wants a whole number from 0 to 99\n"
	    "t.yaml:4:4: z is 010; it wants a whole number from 0 to 99\n"
	    "t.yaml:5:6: big is 18446744073709551616; it wants a whole number from 0 to "
	    "18446744073709551615\n"
	    "t.yaml:10:6: neg is -1; it wants a whole number from 0 to 99\n"
	    "t.yaml:7:5: no is no; it wants true or false\n"
	    "t.yaml:9:4: l is a list; it wants a map (key: value)\n"
	    "t.yaml:1:4: t is word; it wants a list\n");
	done(&r);
}

static void unknown_keys_and_version(void **state)
{
	static const char *const known[] = {"version", "hosts", "tenants", NULL};
	struct result r = read_text("version: 2\nhots: 1\nzzzzzz: 2\n");

	(void)state;
	yaml_check_keys(&r.doc, r.doc.root, known, &r.problems);
	assert_false(yaml_check_version(&r.doc, &r.problems));
	assert_string_equal(r.problems.text,
			    "t.yaml:2:1: unknown key \"hots\"; did you mean \"hosts\"?\n"
			    "t.yaml:3:1: unknown key \"zzzzzz\"\n"
			    "t.yaml:1:10: version is 2; it wants a whole number from 1 to 1\n");
	done(&r);
	r = read_text("hosts: 1\n");
	assert_false(yaml_check_version(&r.doc, &r.problems));
	assert_string_equal(r.problems.text,
			    "t.yaml:1:1: version is missing; begin with \"version: 1\"\n");
	done(&r);
	r = read_text("- version\n");
	assert_false(yaml_check_version(&r.doc, &r.problems));
	done(&r);
	r = read_text("version: 1\n");
	assert_true(yaml_check_version(&r.doc, &r.problems));
	done(&r);
}

static void nearest_names(void **state)
{
	static const char *const names[] = {"severity", "server", "evidence", "ip", NULL};
	char longest[100] = "";

	(void)state;
	assert_string_equal(nearest_name("severty", names), "severity");
	assert_string_equal(nearest_name("sevreity", names), "severity");
	assert_string_equal(nearest_name("server", names), "server");
	assert_string_equal(nearest_name("pi", names), "ip");
	assert_null(nearest_name("xxxxxxxx", names));
	assert_null(nearest_name("", names));
	assert_null(nearest_name("a", names));
	memset(longest, 'x', sizeof longest - 1);
	assert_null(nearest_name(longest, names));
}

static void sizes_and_durations(void **state)
{
	static const char *const no_size[] = {"",    "Ki",    "1k",  "1 Ki",	   "-1",
					      "1.5", "1KiB ", "0x1", "16777216Ti", "1MB"};
	static const char *const no_time[] = {"",    "5",  "s",	   "5 s",	"1.5s",
					      "-1s", "5S", "5min", "999999999d"};
	uint64_t n = 7;

	(void)state;
	assert_int_equal(parse_size("256MiB", &n), 0);
	assert_int_equal(n, 256 << 20);
	assert_int_equal(parse_size("1Ki", &n), 0);
	assert_int_equal(n, 1024);
	assert_int_equal(parse_size("4096", &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(parse_duration("120ms", &n), 0);
	assert_int_equal(n, 120000000);
	assert_int_equal(parse_duration("10m", &n), 0);
	assert_int_equal(n, 600 * NS_PER_SEC);
	assert_int_equal(parse_duration("30d", &n), 0);
	assert_int_equal(n, 30 * 86400 * NS_PER_SEC);
	assert_int_equal(parse_duration("0", &n), 0);
	assert_int_equal(n, 0);
	n = 7;
	for (size_t i = 0; i < sizeof no_size / sizeof no_size[0]; i++)
		assert_int_equal(parse_size(no_size[i], &n), -1);
	for (size_t i = 0; i < sizeof no_time / sizeof no_time[0]; i++)
		assert_int_equal(parse_duration(no_time[i], &n), -1);
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tree_has_values_and_places),
	    cmocka_unit_test(mistakes_that_are_read_on),
	    cmocka_unit_test(mistakes_that_end_the_reading),
	    cmocka_unit_test(nul_bytes_and_utf16_are_refused),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(hostile_texts_end_quickly),
	    cmocka_unit_test(a_map_holds_128_keys),
	    cmocka_unit_test(files_are_read),
	    cmocka_unit_test(typed_values),
	    cmocka_unit_test(unknown_keys_and_version),
	    cmocka_unit_test(nearest_names),
	    cmocka_unit_test(sizes_and_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
