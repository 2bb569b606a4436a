/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_edges.c - the other side of decisions: mistakes that are rare, values at their bounds,
 * fields that are not there.
 */
#include <unistd.h>

#include "unit/rule/rule_test.h"

#define NAME32 "abcdefghijklmnopqrstuvwxyzabcdef"
#define NAME66 NAME32 NAME32 "ab"
#define RULE(more)                                                                                 \
	"rules:\n  - rule: r\n    id: BH-6001\n    on: [relay.forward]\n    title: t\n" more
#define LOW "    severity: low\n"

/* Each a whole file behind the head, and a word that must be told. */
static const struct {
	const char *text, *told;
} mistakes[] = {
    {"lists: [{ list: " NAME66 ", items: [1] }]\n", "is no name"},
    {"lists: [{ list: a-b!, items: [1] }]\n", "is no name"},
    {"lists: [{ list: 9a, items: [1] }]\n", "is no name"},
    {"lists: [{ list: a, items: [1, 2] }, { list: a, items: [1] }]\n", "\"a\""},
    {"lists: [{ list: a, items: [1] }, { list: a, items: [{ x: 1 }] }]\n", "\"a\""},
    {"lists: [{ list: a, items: [{ x: 1 }] }, { list: a, items: [1] }]\n", "\"a\""},
    {"lists: [{ list: a, items: [1] }]\nmacros: [{ macro: a, condition: count > 1 }]\n",
     "already a list"},
    {"lists: [{ list: a, items: [{ x: 1 }] }]\n" RULE(LOW "    condition: count in (a)\n"), "text"},
    {"lists: [{ list: a, items: [x, 1] }]\n" RULE(LOW
						  "    condition: count in (a) or count in (a)\n"),
     "list \"a\" is compared"},
    {"macros: [{ macro: a }]\n", "no \"condition\""},
    {"macros: [{ condition: count > 1 }]\n", "no \"macro\""},
    {RULE(LOW) "  - { rule: \"\", id: BH-6002, on: relay.forward, title: t, severity: low }\n",
     "name"},
    {RULE(LOW) "  - { rule: " NAME66
	       ", id: BH-6002, on: relay.forward, title: t, severity: low }\n",
     "name"},
    {RULE(LOW) "override: [{ rule: r }]\n", "no \"set\""},
    {RULE(LOW) "override: [{ rule: r, set: low }]\n", "map"},
    {RULE(LOW) "override: [{ set: { severity: low } }]\n", "no \"rule\""},
    {RULE(LOW "    group_by: { a: b }\n"), "list"},
    {RULE(LOW "    attack: [T1040.00a]\n"), "T1040.00a"},
    {RULE(LOW "    attack: [T1040.01]\n"), "T1040.01"},
    {RULE(LOW "    attack: [T1040x001]\n"), "T1040x001"},
    {RULE(LOW "    output: \"{" NAME66 "}\"\n"), "unknown field"},
    {RULE(LOW "    exceptions: [{ name: e, fields: [kind], reason: x }]\n"), "values"},
    {RULE(LOW "    exceptions: [{ name: e, fields: [kind], values: 7, reason: x }]\n"), "list"},
    {RULE(LOW "    exceptions: [{ name: e, fields: [count], values: [[[1, { a: b }]]], reason: x "
	      "}]\n"),
     "text"},
    {RULE(LOW "    exceptions: [{ name: e, fields: [count], values: [[[1, x]]], reason: x }]\n"),
     "number"},
    {RULE(LOW
	  "    tests: [{ name: t, event: { kind: relay.forward }, expect: { none: maybe } }]\n"),
     "maybe"},
    {RULE(LOW
	  "    tests: [{ name: t, event: { kind: relay.forward, actor: { host: a/b } }, expect: { "
	  "alerts: 1 } }]\n"),
     "tenant before"},
    {RULE(
	 LOW
	 "    tests: [{ name: t, event: { kind: relay.forward, actor: { tenant: abc, host: abd/b } "
	 "}, expect: { alerts: 1 } }]\n"),
     "that tenant"},
    {RULE(
	 LOW
	 "    tests: [{ name: t, event: { kind: relay.forward, actor: { tenant: abc, host: ab/b } }"
	 ", expect: { alerts: 1 } }]\n"),
     "that tenant"},
    {RULE(LOW "    tests: [{ name: t, event: { kind: relay.forward, flow: { dst_port: 65536 } }, "
	      "expect: { alerts: 1 } }]\n"),
     "out of range"},
};

static void rare_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		char text[4096];

		(void)snprintf(text, sizeof text, RULES_HEAD "%s", mistakes[i].text);
		load_bad(text, mistakes[i].told, NULL);
	}
}

static void a_list_may_be_said_twice(void **state)
{
	(void)state;
	rules_free(load_good(
	    RULES_HEAD "lists: [{ list: a, items: [1, 2] }, { list: a, items: [1, 2] }]\n"
		       "macros: [{ macro: m, condition: count in (a) }, { macro: m, condition: "
		       "count in (a) }]\n" RULE(LOW)));
}

static void twins_are_told_at_the_later(void **state)
{
	char text[4096] = RULES_HEAD "rules:\n";

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		(void)snprintf(
		    text + strlen(text), sizeof text - strlen(text),
		    "  - { rule: r%u, id: BH-600%u, on: relay.forward, title: t, severity: "
		    "low }\n",
		    8 - i, i % 8);
	load_bad(text, ":12:", "id \"BH-6000\" is taken by the rule at", ":4", NULL);
}

/* ---- conditions ------------------------------------------------------------------------------ */

static const struct {
	const char *condition, *told;
} wrong[] = {
    {"vlan = flow.dst_port", "vlan"},
    {"actor.tenant = flow.dst_port", "flow.dst_port"},
    {"vni = vlan", "number"},
    {"detail. = 7", "detail."},
    {"detail.A = 7", "detail.A"},
    {"flow.dst_port = actor.tenant", "actor.tenant"},
    {"nothing in (chatty)", "nothing"},
    {"nothing within 10.0.0.0/8", "nothing"},
    {"nothing not in (chatty)", "nothing"},
    {"nothing", "nothing"},
    {"flow.src_ip = 10.0.0.0/8", "is a prefix"},
    {"actor.host = a1", "write tenant/host"},
    {"count > 99999999999999999999", "number"},
    {"count > 9223372036854775808", "number"},
    {"count > 18446744073709551616", "number"},
    {"count > 0x", "number"},
    {"count > 7B", "number"},
    {"bytes > 7s", "size"},
    {"bytes > 9223372036854775807GiB", "size"},
    {"delay > 7", "duration"},
    {"delay > 7GiB", "duration"},
    {"vlan = 4096", "VLAN"},
    {"vlan = -1", "VLAN"},
    {"vlan = x", "VLAN"},
    {"flow.proto = 256", "256"},
    {"flow.proto = -1", "-1"},
    {"flow.proto = 6x", "6x"},
    {"app.sure = maybe", "yes or no"},
    {"confidence = sure", "confidence"},
    {"attribution = sure", "attribution"},
    {"app.risk = \"Clear-Text Credential\"", "did you mean"},
    {"app.risk = zzzzzzzzzzzzzzzzzzzzzzzz", "no risk"},
    {"actor.role = king", "role"},
};

static void conditions_that_are_wrong(void **state)
{
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		(void)snprintf(text, sizeof text, "'%s'", wrong[i].condition);
		bad_condition(text, wrong[i].told);
	}
	bad_condition("\"actor.tenant = a\\x7f\"", "beyond ASCII");
	bad_condition("\"actor.tenant = a\\x01\"", "beyond ASCII");
}

/* Macros that were compiled before count with their own depth. */
static void macros_are_bounded_however_they_are_met(void **state)
{
	char text[8192] = RULES_HEAD "macros:\n";
	size_t used;

	(void)state;
	for (unsigned i = 39; i > 0; i--) {
		used = strlen(text);
		(void)snprintf(text + used, sizeof text - used,
			       "  - { macro: m%u, condition: m%u }\n", i, i - 1);
	}
	(void)strcat(text, "  - { macro: m0, condition: count > 0 }\nrules:\n");
	for (unsigned i = 1; i < 5; i++) {
		used = strlen(text);
		(void)snprintf(
		    text + used, sizeof text - used,
		    "  - { rule: r%u, id: BH-600%u, on: relay.forward, title: t, severity: "
		    "low, condition: m%u }\n",
		    i, i, i * 9);
	}
	load_bad(text, "more than 32 deep", NULL);
}

static void values_at_their_bounds(void **state)
{
	struct finding f = a_finding();

	(void)state;
	assert_true(holds("app.sure = false", &f));
	assert_true(holds("app.sure = no", &f));
	assert_false(holds("app.sure = true", &f));
	assert_true(holds("bytes = 0", &f));
	assert_true(holds("bytes = 0B", &f));
	assert_true(holds("delay <= 0 or count = 1", &f));
	assert_true(holds("ttl_delta = -0 or count = 1", &f));
	f.count = UINT64_MAX; /* as large as a number of rules can be */
	assert_true(holds("count = 9223372036854775807", &f));
	f.has_delay = true;
	f.delay_us = UINT64_MAX;
	assert_true(holds("delay > 2562047h", &f));
	f.has_flow = true;
	f.tuple.proto = 255;
	assert_true(holds("flow.proto = 255", &f));
	assert_true(holds("vlan = 0", &f));
	f.vlan_count = PACKET_MAX_TAGS;
	f.vlan[PACKET_MAX_TAGS - 1] = 4095;
	assert_true(holds("vlan = 4095", &f));
	assert_false(holds("vlan = 7", &f));
}

static void what_is_not_there_equals_nothing(void **state)
{
	struct finding f = a_finding();

	(void)state;
	f.actor.has_ip = true;
	assert_false(holds("actor.ip = flow.src_ip", &f));
	assert_false(holds("flow.src_ip = actor.ip", &f));
	f.has_flow = true;
	assert_true(holds("flow.src_ip = actor.ip", &f));
	f.app.flags = APP_SURE;
	(void)snprintf(f.app.proto, sizeof f.app.proto, "ACME"); /* names do not mind case */
	assert_true(holds("app.proto = actor.tenant", &f));
	f.actor.host = NULL;
	assert_true(holds("actor.host = acme/unknown", &f));
	f.actor.tenant = NULL;
	assert_true(holds("actor.host = unknown/unknown", &f));
}

static void details_that_are_no_numbers(void **state)
{
	static const struct {
		const char *text;
		bool more;
	} details[] = {{"-8", false}, {"8", true},   {"7", false}, {"", false},
		       {"x8", false}, {"8x", false}, {":8", false}};
	struct finding f = a_finding();

	(void)state;
	for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
		f.detail_count = 0;
		finding_detail_text(&f, "n", details[i].text);
		assert_int_equal(holds("detail.n > 7", &f), details[i].more);
	}
}

/* ---- exceptions, output, groups -------------------------------------------------------------- */

static void stars_stand_for_anything(void **state)
{
	static const struct {
		const char *tenant;
		bool excused;
	} tenants[] = {{"acme", true}, {"acme-2", true}, {"acm", false}, {"xacme", false}};
	struct ruleset *rules = load_good(RULES_HEAD RULE(
	    LOW "    exceptions: [{ name: e, fields: [actor.tenant], values: [[\"acme**\"]], "
		"reason: x }]\n"));
	struct finding f = a_finding();

	(void)state;
	for (size_t i = 0; i < sizeof tenants / sizeof tenants[0]; i++) {
		f.actor.tenant = tenants[i].tenant;
		assert_int_equal(judge(rules, &f), !tenants[i].excused);
	}
	rules_free(rules);
}

static void message_is(const char *output, const struct finding *f, const char *wanted)
{
	struct verdict verdict;
	struct stats stats = {0};
	struct ruleset *rules;
	char text[1024];

	(void)snprintf(text, sizeof text, RULES_HEAD RULE(LOW "    output: \"%s\"\n"), output);
	rules = load_good(text);
	assert_int_equal(rules_judge(rules, f, &stats, &verdict, 1), 1);
	assert_string_equal(verdict.message, wanted);
	rules_free(rules);
}

static void messages_of_every_type(void **state)
{
	struct finding f = a_finding();

	(void)state;
	f.has_delay = true;
	f.delay_us = 7;
	message_is("{attribution} {confidence} {delay} {actor.host} {vlan}", &f,
		   "consistent proof 7us a1 untagged");
	f.delay_us = 120000000;
	f.actor.host = NULL;
	f.actor.roles = 1;
	f.vlan_count = 2;
	f.vlan[0] = 7;
	f.vlan[1] = 8;
	message_is("{delay} [{actor.host}] {actor.role} {vlan}", &f, "2m [unknown] server 7,8");
	message_is("\\x7f\\xe9 {actor.tenant}", &f, "\\u007f\\u00e9 acme");
}

/* As many as fit, and none of them by half beyond that. */
static void names_of_many_risks(void **state)
{
	struct ruleset *rules = load_good(RULES_HEAD RULE(LOW "    output: \"{app.risk}\"\n"));
	struct finding f = a_finding();
	struct verdict verdict;
	struct stats stats = {0};

	(void)state;
	f.app.flags = APP_SURE;
	f.app.risks = UINT64_MAX;
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 1);
	assert_in_range(strlen(verdict.message), 100, RULE_MESSAGE_SIZE - 1);
	assert_non_null(strstr(verdict.message, ", "));
	rules_free(rules);
}

static void devices_without_a_name_are_told_apart(void **state)
{
	struct ruleset *rules =
	    load_good(RULES_HEAD RULE(LOW "    group_by: [actor.host, app.risk]\n"));
	struct finding f = a_finding();
	struct verdict a, b;
	struct stats stats = {0};

	(void)state;
	f.actor.tenant = "unknown";
	f.actor.host = NULL;
	f.actor.has_mac = true;
	assert_int_equal(rules_judge(rules, &f, &stats, &a, 1), 1);
	f.actor.mac.b[5] = 1;
	assert_int_equal(rules_judge(rules, &f, &stats, &b, 1), 1);
	assert_int_not_equal(a.group_lo, b.group_lo);
	f.actor.tenant = NULL; /* nobody looked: no name, and no MAC to tell apart by */
	assert_int_equal(rules_judge(rules, &f, &stats, &a, 1), 1);
	f.actor.mac.b[5] = 2;
	assert_int_equal(rules_judge(rules, &f, &stats, &b, 1), 1);
	assert_int_equal(a.group_lo, b.group_lo);
	rules_free(rules);
}

/* ---- overrides, printing --------------------------------------------------------------------- */

static void printed(const char *text, const char *wanted)
{
	struct ruleset *rules = load_good(text);
	char *out = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&out, &len);

	assert_non_null(file);
	rules_print(rules, rules_get(rules, 0), file);
	assert_int_equal(fclose(file), 0);
	if (strstr(out, wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, out);
	free(out);
	rules_free(rules);
}

static void rules_are_printed_so_that_they_can_be_read(void **state)
{
	(void)state;
	printed(RULES_HEAD RULE(LOW "    exceptions: []\n"), "exceptions: []");
	printed(RULES_HEAD RULE(LOW "    evidence: {}\n"), "evidence: {}");
	printed(RULES_HEAD RULE(LOW "    output: \"a \\\"b\\\" \\\\ \\x7f\\xe9\"\n"),
		"\"a \\\"b\\\" \\\\ \\x7f\\xc3\\xa9\"");
	printed(RULES_HEAD RULE(LOW "    output: \"-\"\n"), "output: \"-\"");
	printed(RULES_HEAD RULE(
		    LOW "    exceptions: [{ name: -x, fields: [actor.port], values: [[\"\"]], "
			"reason: y }]\n"),
		"\"\"");
	printed(RULES_HEAD RULE(LOW) "override: [{ rule: r, set: { severity: high } }]\n",
		"no reason given");
}

/* As shipped it does not hold water, and an override does not hide that. */
static void a_broken_rule_is_told_though_overridden(void **state)
{
	(void)state;
	load_bad(RULES_HEAD RULE(LOW "    condition: nothing\n") "override: [{ rule: r, set: { "
								 "condition: count > 1 } }]\n",
		 "nothing", NULL);
	rules_free(load_good(RULES_HEAD RULE(
	    LOW "    tests: [{ name: t, event: { kind: relay.forward, vlan: [0, 7] }, "
		"expect: { severity: low, none: false } }]\n") "override: [{ rule: r, set: { "
							       "tests: [{ name: u, event: { kind: "
							       "relay.forward, app: { "
							       "sure: no } }, expect: { alerts: 1 "
							       "} }] } }]\n"));
}

/* A condition, however it is written, and where its wrong word stands.
 */
static void mistakes_are_told_where_they_stand(void **state)
{
	static const struct {
		const char *written, *place;
	} conditions[] = {
	    {"    condition: count > 1 and nothing\n", ":9:30:"},
	    {"    condition: \"count > 1 and nothing\"\n", ":9:31:"},
	    {"    condition: 'count > 1 and nothing'\n", ":9:31:"},
	    {"    condition: >\n      count > 1\n      and nothing\n", ":11:11:"},
	    {"    condition: |\n      count > 1\n\n      and nothing\n", ":12:11:"},
	    {"    condition: >-\n\n      nothing\n", ":11:7:"},
	    {"    condition: count > 1\n      and\n      nothing\n", ":11:7:"},
	    {"    condition: count > 1  \r\n      and nothing\r\n", ":10:11:"},
	    {"    condition: \"count > 1 and\n      nothing\"\n", ":10:7:"},
	    {"    condition: \"app.host = \\\"ab\\\" and nothing\"\n", ":9:39:"},
	    {"    condition: 'app.host = \"it''s\" and nothing'\n", ":9:40:"},
	    {"    condition: \"count\\x20> 1 and nothing\"\n", ":9:"},
	    {"    condition: \"\\\n      count > 1 and nothing\"\n", ":"},
	    {"    condition: !!str nothing\n", ":9:"},
	    {"    condition: \"\xc3\xa9\"\n", ":9:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		char text[1024];

		(void)snprintf(text, sizeof text, RULES_HEAD RULE(LOW "%s"), conditions[i].written);
		load_bad(text, conditions[i].place, NULL);
	}
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	(void)fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int load_paths(const char *const *paths, unsigned count, struct problems *problems,
		      struct err *err)
{
	struct ruleset *rules = NULL;
	int code;

	*problems = (struct problems){0};
	*err = (struct err){0};
	code = rules_load(paths, count, all_kinds, TEST_NOW, &rules, problems, err);
	assert_true((code == 0) == (rules != NULL));
	rules_free(rules);
	return code;
}

/* What a macro is called in one file is no list in the next. */
static void names_of_another_file(void **state)
{
	char folder[] = "/tmp/bulkhead-rules-XXXXXX", path[2][64];
	const char *paths[] = {path[0], path[1]};
	struct problems problems;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i < 2; i++)
		(void)snprintf(path[i], sizeof path[i], "%s/%u.yaml", folder, i);
	write_text(path[0], RULES_HEAD "macros: [{ macro: m, condition: count > 1 }]\n");
	write_text(path[1], RULES_HEAD "lists: [{ list: m, items: [1] }]\n");
	assert_int_equal(load_paths(paths, 2, &problems, &err), ERR_CONFIG);
	assert_non_null(strstr(problems.text, "already a macro"));
	problems_fini(&problems);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(unlink(path[i]), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void files_that_cannot_be_read(void **state)
{
	static const char *const absent[] = {"/nonexistent/a", "/nonexistent/b"};
	static const char *const empty[] = {""};
	static const char *const strange[] = {"/proc/self/mem"};
	char large[] = "/tmp/bulkhead-rule-XXXXXX";
	const char *path = large;
	struct problems problems;
	struct err err;
	int fd = mkstemp(large);

	(void)state;
	assert_int_equal(load_paths(absent, 2, &problems, &err), ERR_NOINPUT);
	assert_non_null(strstr(err.text, "/nonexistent/a")); /* the first; the other beside it */
	assert_non_null(strstr(problems.text, "/nonexistent/b"));
	problems_fini(&problems);
	assert_int_equal(load_paths(empty, 1, &problems, &err), ERR_NOINPUT);
	problems_fini(&problems);
	assert_int_equal(load_paths(strange, 1, &problems, &err), ERR_NOINPUT);
	problems_fini(&problems);
	assert_true(fd >= 0);
	for (unsigned twice = 1; twice <= 2;
	     twice++) { /* more than was read at once, and far more */
		assert_int_equal(ftruncate(fd, ((off_t)twice * 16 << 20) + 1), 0);
		assert_int_equal(load_paths(&path, 1, &problems, &err), ERR_CONFIG);
		assert_non_null(strstr(err.text, "16 MiB"));
		problems_fini(&problems);
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(large), 0);
}

static void folders_hold_other_things_too(void **state)
{
	static const char *const names[] = {"a.yaml", "b.yml", ".hidden.yaml", "c.txt", "README"};
	char folder[] = "/tmp/bulkhead-rules-XXXXXX", slash[64], path[96];
	const char *paths[] = {slash};
	struct problems problems;
	struct ruleset *rules;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i < 5; i++) {
		FILE *file;

		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		file = fopen(path, "w");
		assert_non_null(file);
		(void)fprintf(file,
			      RULES_HEAD "rules: [{ rule: r%u, id: BH-600%u, on: relay.forward, "
					 "title: t, severity: low }]\n",
			      i, i);
		assert_int_equal(fclose(file), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(slash, sizeof slash, "%s%s", folder, i == 0 ? "" : "/");
		problems = (struct problems){0};
		assert_int_equal(rules_load(paths, 1, all_kinds, TEST_NOW, &rules, &problems, &err),
				 0);
		assert_int_equal(rules_count(rules), 2);
		rules_free(rules);
		problems_fini(&problems);
	}
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rare_mistakes),
	    cmocka_unit_test(a_list_may_be_said_twice),
	    cmocka_unit_test(twins_are_told_at_the_later),
	    cmocka_unit_test(conditions_that_are_wrong),
	    cmocka_unit_test(macros_are_bounded_however_they_are_met),
	    cmocka_unit_test(values_at_their_bounds),
	    cmocka_unit_test(what_is_not_there_equals_nothing),
	    cmocka_unit_test(details_that_are_no_numbers),
	    cmocka_unit_test(stars_stand_for_anything),
	    cmocka_unit_test(messages_of_every_type),
	    cmocka_unit_test(names_of_many_risks),
	    cmocka_unit_test(devices_without_a_name_are_told_apart),
	    cmocka_unit_test(mistakes_are_told_where_they_stand),
	    cmocka_unit_test(names_of_another_file),
	    cmocka_unit_test(rules_are_printed_so_that_they_can_be_read),
	    cmocka_unit_test(a_broken_rule_is_told_though_overridden),
	    cmocka_unit_test(files_that_cannot_be_read),
	    cmocka_unit_test(folders_hold_other_things_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
