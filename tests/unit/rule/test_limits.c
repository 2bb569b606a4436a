/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_limits.c - every limit of a rule file is met and told, every key refuses what is no value of
 * it, and fields of each class compare with each other.
 */
#include <unistd.h>

#include "unit/rule/rule_test.h"

struct text {
	char *bytes;
	size_t len;
	FILE *out;
};

static FILE *begin(struct text *t)
{
	t->out = open_memstream(&t->bytes, &t->len);
	assert_non_null(t->out);
	(void)fputs(RULES_HEAD, t->out);
	return t->out;
}

static void is_refused(struct text *t, const char *why)
{
	assert_int_equal(fclose(t->out), 0);
	load_bad(t->bytes, why, NULL);
	free(t->bytes);
}

static void is_accepted(struct text *t)
{
	assert_int_equal(fclose(t->out), 0);
	rules_free(load_good(t->bytes));
	free(t->bytes);
}

static void one_rule(FILE *out, unsigned n, const char *more)
{
	(void)fprintf(out,
		      "  - { rule: r%u, id: BH-%u, on: [relay.forward], title: t, severity: low%s "
		      "}\n",
		      n, 100000 + n, more);
}

static void lists_macros_and_rules_are_counted(void **state)
{
	static const char *const kinds[] = {"list", "macro"};
	struct text t;

	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		for (unsigned most = 1000; most <= 1001; most++) {
			FILE *out = begin(&t);

			(void)fprintf(out, "%ss:\n", kinds[kind]);
			for (unsigned n = 0; n < most; n++)
				(void)fprintf(out,
					      kind == 0 ? "  - { list: x%u, items: [1] }\n"
							: "  - { macro: x%u, condition: count = 1 "
							  "}\n",
					      n);
			if (most == 1000)
				is_accepted(&t);
			else
				is_refused(&t, kind == 0 ? "more than 1000 lists"
							 : "more than 1000 macros");
		}
	}
	(void)fputs("rules:\n", begin(&t));
	for (unsigned n = 0; n < 10001; n++)
		one_rule(t.out, n, "");
	is_refused(&t, "more than 10000 rules");
}

static void values_and_tuples_are_counted(void **state)
{
	struct text t;

	(void)state;
	(void)fputs("rules:\n  - { rule: r, id: BH-6001, on: [relay.forward], title: t, severity: "
		    "low, exceptions: [{ name: e, fields: [count], reason: x, values: [",
		    begin(&t));
	for (unsigned n = 0; n < 4097; n++)
		(void)fprintf(t.out, "%s[%u]", n == 0 ? "" : ", ", n);
	(void)fputs("] }] }\n", t.out);
	is_refused(&t, "4096");

	(void)fputs("lists:\n", begin(&t)); /* 70 times a thousand */
	(void)fputs("  - { list: many, items: [", t.out);
	for (unsigned n = 0; n < 1000; n++)
		(void)fprintf(t.out, "%s%u", n == 0 ? "" : ", ", n);
	(void)fputs("] }\nrules:\n  - { rule: r, id: BH-6001, on: [relay.forward], title: t, "
		    "severity: low, condition: \"count in (",
		    t.out);
	for (unsigned n = 0; n < 70; n++)
		(void)fprintf(t.out, "%smany", n == 0 ? "" : ", ");
	(void)fputs(")\" }\n", t.out);
	is_refused(&t, "more than 65536 values");
}

static void programs_are_bounded(void **state)
{
	struct text t;

	(void)state;
	(void)fputs("macros:\n  - { macro: m0, condition: count = 1 }\n", begin(&t));
	for (unsigned n = 1; n <= 40; n++)
		(void)fprintf(t.out, "  - { macro: m%u, condition: m%u }\n", n, n - 1);
	(void)fputs("rules:\n", t.out);
	one_rule(t.out, 1, ", condition: m40");
	is_refused(&t, "more than 32 deep");

	(void)fputs("macros:\n  - { macro: m0, condition: count = 1 }\n", begin(&t));
	for (unsigned n = 1; n <= 20; n++)
		(void)fprintf(t.out, "  - { macro: m%u, condition: m%u and m%u }\n", n, n - 1,
			      n - 1);
	(void)fputs("rules:\n", t.out);
	one_rule(t.out, 1, ", condition: m20");
	is_refused(&t, "4096");

	/* Each within its bound, a thousand of them together are not. */
	(void)fputs("macros:\n  - { macro: m0, condition: count = 1 }\n", begin(&t));
	for (unsigned n = 1; n <= 10; n++)
		(void)fprintf(t.out, "  - { macro: m%u, condition: m%u and m%u }\n", n, n - 1,
			      n - 1);
	(void)fputs("rules:\n", t.out);
	for (unsigned n = 0; n < 1000; n++)
		one_rule(t.out, n, ", condition: m10");
	is_refused(&t, "1000000");
}

static void outputs_are_bounded(void **state)
{
	struct text t;

	(void)state;
	(void)fputs("rules:\n  - { rule: r, id: BH-6001, on: [relay.forward], title: t, severity: "
		    "low, output: \"",
		    begin(&t));
	for (unsigned n = 0; n < 40; n++)
		(void)fputs("a {kind} ", t.out);
	(void)fputs("\" }\n", t.out);
	is_refused(&t, "more than 32 pieces");
}

static void refuses_to_read(const char *path, const char *why)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	struct err err = {0};

	assert_int_equal(rules_load(&path, 1, all_kinds, TEST_NOW, &rules, &problems, &err),
			 ERR_CONFIG);
	assert_null(rules);
	assert_non_null(strstr(err.text, why));
	problems_fini(&problems);
}

static void large_files_are_not_read(void **state)
{
	char path[] = "/tmp/bulkhead-rule-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (16 << 20) + 1), 0);
	refuses_to_read(path, "larger than 16 MiB");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

static void more_files_than_can_be_loaded(void **state)
{
	char folder[] = "/tmp/bulkhead-rules-XXXXXX";
	char name[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (unsigned n = 0; n < 1001; n++) {
		FILE *out;

		(void)snprintf(name, sizeof name, "%s/%u.yaml", folder, n);
		out = fopen(name, "w");
		assert_non_null(out);
		(void)fputs("version: 1\n", out);
		assert_int_equal(fclose(out), 0);
	}
	refuses_to_read(folder, "more rule files");
	for (unsigned n = 0; n < 1001; n++) {
		(void)snprintf(name, sizeof name, "%s/%u.yaml", folder, n);
		assert_int_equal(unlink(name), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

/* A value of another shape, for each key that wants one. */
static void shapes_that_do_not_fit(void **state)
{
	static const char *const wrong[] = {
	    "on: { a: b }",
	    "on: []",
	    "title: [t]",
	    "severity: [low]",
	    "severity: { low: 1 }",
	    "rev: x",
	    "group_by: [[kind]]",
	    "group_by: []",
	    "attack: T1557",
	    "attack: [[T1557]]",
	    "attack: [T155]",
	    "attack: [T1557.1]",
	    "attack: [T1557.0o1]",
	    "attack: [T0001, T0002, T0003, T0004, T0005, T0006, T0007, T0008, T0009, T0010, "
	    "T0011, T0012, T0013, T0014, T0015, T0016, T0017, T0018, T0019, T0020]",
	    "threshold: 3",
	    "threshold: { count: 3 }",
	    "threshold: { count: 3, within: [10s] }",
	    "threshold: { count: 3, within: 25h }",
	    "evidence: 64",
	    "evidence: { packets: many }",
	    "enabled: perhaps",
	    "condition: [count]",
	    "output: [x]",
	    "output: \"{no.such}\"",
	    "output: \"{kind\"",
	    "exceptions: x",
	    "exceptions: [x]",
	    "exceptions: [{ name: e }]",
	    "exceptions: [{ name: e, fields: [[count]], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [no.such], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [zzzzzzzzz], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [count], values: 1, reason: x }]",
	    "exceptions: [{ name: e, fields: [count], values: [], reason: x }]",
	    "exceptions: [{ name: e, fields: [count], values: [[1, 2]], reason: x }]",
	    "exceptions: [{ name: e, fields: [count, bytes], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [count], values: [[1]], reason: x, until: [2027] }]",
	    "exceptions: [{ name: [e], fields: [count], values: [[1]], reason: x }]",
	    "exceptions: [{ name: e, fields: [kind, tap, vlan, vni, count, bytes, delay, "
	    "ttl_delta, actor.ip], values: [[1, 2, 3, 4, 5, 6, 7, 8, 9]], reason: x }]",
	    "tests: x",
	    "tests: [x]",
	    "tests: [{ name: t, event: x, expect: none }]",
	    "tests: [{ name: t, event: { kind: relay.forward }, expect: [none] }]",
	    "tests: [{ name: t, event: { kind: relay.forward }, expect: { alerts: few } }]",
	    "tests: [{ name: t, event: { kind: relay.forward }, expect: { severity: [low] } }]",
	    "tests: [{ name: t, event: { kind: relay.forward }, times: 0, expect: none }]",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		static const char *const keys[] = {"on: ", "title: ", "severity: "};
		static const char *const usual[] = {"on: [relay.forward]", "title: t",
						    "severity: low"};

		int n =
		    snprintf(text, sizeof text,
			     RULES_HEAD "rules:\n  - rule: r\n    id: BH-6001\n    %s\n", wrong[i]);
		for (unsigned k = 0; k < 3; k++)
			if (strncmp(wrong[i], keys[k], strlen(keys[k])) != 0)
				n += snprintf(text + n, sizeof text - (size_t)n, "    %s\n",
					      usual[k]);
		load_bad(text, ":6:", NULL);
	}
}

static void files_that_do_not_fit(void **state)
{
	(void)state;
	load_bad(RULES_HEAD "lists: [{ list: [x], items: [1] }]\n", ":3:", NULL);
	load_bad(RULES_HEAD "lists: [{ list: \"9.big\", items: [1] }]\n", ":3:", NULL);
	load_bad(RULES_HEAD "lists: [x]\nmacros: [x]\noverride: [x]\n", ":3:", ":4:", ":5:", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: x, condition: [1] }]\n", ":3:", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: x, condition: count = 1 }]\n"
			    "lists: [{ list: x, items: [1] }]\n",
		 "x", NULL);
	load_bad(RULES_HEAD "lists: [{ list: x, items: [1] }, { list: x, items: [2] }]\n",
		 ":3:", NULL);
	load_bad(RULES_HEAD "override: [{ rule: [x], set: { severity: low }, reason: x }]\n",
		 ":3:", NULL);
	load_bad(RULES_HEAD "override: [{ rule: x }]\n", ":3:", NULL);
	load_bad(RULES_HEAD "rules:\n  - { rule: r, id: BH-601, on: [relay.forward], title: t, "
			    "severity: low }\n",
		 "BH-601", NULL);
}

static void fields_of_each_class_compare(void **state)
{
	static const char *const good[] = {
	    "flow.src_port = flow.dst_port",
	    "flow.src_port <= flow.dst_port and flow.src_port >= flow.dst_port",
	    "actor.ip = victim.ip",
	    "actor.role = victim.role",
	    "detail.few < detail.many",
	    "detail.many != detail.few",
	};
	static const char *const bad[] = {
	    "flow.src_port < flow.dst_port", "actor.ip != victim.ip",
	    "actor.role != victim.role",     "detail.few < detail.absent",
	    "detail.few < detail.odd",	     "detail.odd < detail.many",
	    "detail.empty < detail.many",    "detail.colon < detail.many",
	    "detail.absent < detail.many",
	};
	struct finding f = a_finding();

	(void)state;
	f.has_flow = true;
	f.tuple.sport = f.tuple.dport = 179;
	f.actor.has_ip = f.victim.has_ip = true;
	assert_true(ip_parse("10.0.0.1", &f.actor.ip));
	f.victim.ip = f.actor.ip;
	f.actor.roles = ROLE_PROXY | ROLE_SERVER;
	f.victim.roles = ROLE_PROXY;
	finding_detail_text(&f, "few", "9");
	finding_detail_text(&f, "many", "10");
	finding_detail_text(&f, "odd", "9x");
	finding_detail_text(&f, "empty", "");
	finding_detail_text(&f, "colon", ":");
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!holds(good[i], &f))
			fail_msg("does not hold: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (holds(bad[i], &f))
			fail_msg("holds: %s", bad[i]);
	bad_condition("count = actor.ip", "cannot be compared");
	bad_condition("count = actor.ipp", "did you mean");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_macros_and_rules_are_counted),
	    cmocka_unit_test(values_and_tuples_are_counted),
	    cmocka_unit_test(programs_are_bounded),
	    cmocka_unit_test(outputs_are_bounded),
	    cmocka_unit_test(large_files_are_not_read),
	    cmocka_unit_test(more_files_than_can_be_loaded),
	    cmocka_unit_test(shapes_that_do_not_fit),
	    cmocka_unit_test(files_that_do_not_fit),
	    cmocka_unit_test(fields_of_each_class_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
