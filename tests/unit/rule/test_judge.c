/* SPDX-License-Identifier: Apache-2.0 */
/* test_judge.c - thresholds, exceptions, groups, severities and messages. */
#include "unit/rule/rule_test.h"

#define ONE_RULE                                                                                   \
	RULES_HEAD "rules:\n"                                                                      \
		   "  - rule: r\n"                                                                 \
		   "    id: BH-6001\n"                                                             \
		   "    on: [relay.forward, health.drop]\n"                                        \
		   "    title: It's a title\n"                                                     \
		   "    severity: medium\n"

static struct ruleset *one_rule(const char *more)
{
	char text[8192];

	(void)snprintf(text, sizeof text, ONE_RULE "%s", more);
	return load_good(text);
}

static struct verdict fire(struct ruleset *rules, const struct finding *f)
{
	struct verdict verdict = {0};
	struct stats stats = {0};

	assert_int_equal(rules_judge(rules, f, &stats, &verdict, 1), 1);
	return verdict;
}

static void findings_no_rule_takes_are_counted(void **state)
{
	struct ruleset *rules = one_rule("    condition: count < 5\n");
	struct finding f = a_finding();
	struct verdict verdict[2];
	struct stats stats = {0};

	(void)state;
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 2), 1);
	assert_ptr_equal(verdict[0].rule, rules_get(rules, 0));
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_NO_RULE), 0);
	f.count = 5;
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 2), 0);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_NO_RULE), 1);
	f.count = 1;
	f.kind = "spoof.arp"; /* known, without a rule */
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 2), 0);
	f.kind = "no.such-kind";
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 2), 0);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_NO_RULE), 3);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_EXCEPTED), 0);
	rules_free(rules);
}

static void all_rules_that_match_fire_in_order(void **state)
{
	static const char form[] = "  - { rule: %c, id: BH-600%d, on: relay.forward, title: t, "
				   "severity: low, enabled: %s }\n";
	char text[4096] = RULES_HEAD "rules:\n";
	struct finding f = a_finding();
	struct verdict verdict[10];
	struct stats stats = {0};
	struct ruleset *rules;

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)sprintf(text + strlen(text), form, 'a' + i, 9 - i, i == 2 ? "false" : "true");
	rules = load_good(text);
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 10), 5);
	assert_string_equal(verdict[0].rule->name, "a");
	assert_string_equal(verdict[2].rule->name, "d");
	assert_string_equal(verdict[4].rule->name, "f");
	assert_int_equal(rules_judge(rules, &f, &stats, verdict, 2), 2);
	assert_string_equal(verdict[1].rule->name, "b");
	assert_int_equal(rules_judge(rules, &f, &stats, NULL, 0), 0);
	rules_free(rules);
}

static unsigned at(struct ruleset *rules, struct finding *f, uint64_t ms, uint64_t count)
{
	f->ts_ns = TEST_NOW + ms * NS_PER_MS;
	f->count = count;
	return judge(rules, f);
}

static void thresholds_count_within_time(void **state)
{
	struct ruleset *rules = one_rule("    threshold: { count: 3, within: 10s }\n"
					 "    group_by: [actor.host]\n");
	struct finding f = a_finding();
	struct finding other = a_finding();

	(void)state;
	other.actor.host = "a2";
	assert_int_equal(at(rules, &f, 0, 1), 0);
	assert_int_equal(at(rules, &other, 1, 1), 0);
	assert_int_equal(at(rules, &f, 5000, 1), 0);
	assert_int_equal(at(rules, &other, 5001, 1), 0);
	assert_int_equal(at(rules, &f, 10000, 1), 1); /* 10 s after the first: within */
	assert_int_equal(at(rules, &f, 10001, 1), 1);
	/* The first has left: 5000, 10000, 10001. */
	assert_int_equal(at(rules, &f, 15001, 1), 1); /* 10000, 10001, 15001 */
	assert_int_equal(at(rules, &f, 25002, 1), 0); /* alone */
	assert_int_equal(at(rules, &f, 25003, 2), 1); /* a finding counts for what it stands for */
	assert_int_equal(at(rules, &other, 15002, 1), 0);
	assert_int_equal(at(rules, &other, 15003, 1), 0);
	/* Time that runs backwards counts as standing still. */
	assert_int_equal(at(rules, &other, 3, 1), 1);
	rules_free(rules);
}

/* At once, spread over the window, and far more than there are slots. */
static void thresholds_of_many(void **state)
{
	struct ruleset *rules = one_rule("    threshold: { count: 100, within: 10s }\n");
	struct finding f = a_finding();
	unsigned fired = 0;

	(void)state;
	for (uint64_t i = 0; i < 99; i++)
		assert_int_equal(at(rules, &f, 1000 + i, 1), 0);
	assert_int_equal(at(rules, &f, 1099, 1), 1);
	/* The hundredth comes 99 x 102 ms after the first: never 100 in 10 s. */
	for (uint64_t i = 0; i < 500; i++)
		fired += at(rules, &f, 50000 + i * 102, 1);
	assert_int_equal(fired, 0);
	/* 12 a second: found, and within the first 11 s. */
	for (uint64_t i = 0; i < 132; i++)
		fired += at(rules, &f, 200000 + i * 83, 1);
	assert_true(fired > 0);
	f.actor.host = "huge";
	assert_int_equal(at(rules, &f, 300000, UINT64_MAX), 1);
	assert_int_equal(at(rules, &f, 300001, UINT64_MAX), 1);
	rules_free(rules);
}

static void threshold_groups_are_bounded(void **state)
{
	struct ruleset *rules = one_rule("    threshold: { count: 2, within: 10s }\n");
	struct finding f = a_finding();
	struct verdict verdict;
	struct stats stats = {0};
	char host[16];

	(void)state;
	f.actor.host = host;
	for (int i = 0; i < 20000; i++) {
		(void)sprintf(host, "h%d", i);
		assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	}
	assert_int_equal(stat_get(&stats, STAT_STATE_EVICTED), 20000 - 16384);
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 1); /* the newest is there */
	(void)sprintf(host, "h0");
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0); /* the oldest went */
	rules_free(rules);
}

static void exceptions_excuse_and_are_counted(void **state)
{
	struct ruleset *rules = one_rule(
	    "    threshold: { count: 2, within: 10s }\n"
	    "    exceptions:\n"
	    "      - { name: fw, fields: [actor.tenant, victim.tenant], values: [[netops, \"*\"],"
	    " [acme, [globex, initech]]] }\n"
	    "      - { name: hosts, fields: actor.host, values: [zeta/web-*, \"yotta/z1\"] }\n"
	    "      - { name: nets, fields: [actor.ip], values: [[10.0.0.0/8], [fd00::1]] }\n");
	struct finding f = a_finding();
	struct verdict verdict;
	struct stats stats = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_EXCEPTED), 3);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_NO_RULE), 0);
	f.victim.tenant = "umbrella";
	/* What was excused did not count towards the threshold. */
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 1);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_EXCEPTED), 3);
	f.actor.tenant = "netops";
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	f.actor.tenant = "zeta";
	f.actor.host = "web-12";
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	f.actor.has_ip = true;
	f.actor.host = "db";
	assert_true(ip_parse("10.1.2.3", &f.actor.ip));
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0);
	assert_int_equal(stat_get(&stats, STAT_FINDINGS_EXCEPTED), 6);
	assert_true(ip_parse("11.1.2.3", &f.actor.ip));
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 0); /* first of its group */
	assert_int_equal(rules_judge(rules, &f, &stats, &verdict, 1), 1);
	rules_free(rules);
}

static void exceptions_end(void **state)
{
	struct ruleset *rules = one_rule("    exceptions: [{ name: x, fields: [kind], values: "
					 "[relay.forward], until: 2026-01-02, reason: ticket }]\n");
	struct finding f = a_finding();

	(void)state;
	assert_int_equal(judge(rules, &f), 0);
	f.ts_ns = TEST_NOW + 86400 * NS_PER_SEC - 1;
	assert_int_equal(judge(rules, &f), 0);
	f.ts_ns++;
	assert_int_equal(judge(rules, &f), 1);
	rules_free(rules);
}

static void exceptions_that_are_wrong(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
	    {"[{ name: x, fields: [actor.ip], values: [[10.0.0.300]] }]", "no IP address"},
	    {"[{ name: x, fields: [kind], values: [[relay.x]] }]", "no kind of finding"},
	    {"[{ name: x, fields: [actor.hst], values: [[x]] }]", "did you mean \"actor.host\""},
	    {"[{ name: x, fields: [actor.host], values: [a1] }]", "write tenant/host"},
	    {"[{ name: x, fields: [kind, vlan], values: [[spoof.arp]] }]",
	     "one value for each of the 2 fields"},
	    {"[{ name: x, fields: [kind, vlan], values: [spoof.arp] }]", "one value for each"},
	    {"[{ name: x, fields: [], values: [a] }]", "name 1 to 8"},
	    {"[{ name: x, fields: [kind], values: [] }]", "write 1 to 4096"},
	    {"[{ name: x, fields: [kind], values: [[[]]] }]", "no value here"},
	    {"[{ name: x, fields: [kind], values: [[{ a: b }]] }]", "list"},
	    {"[{ fields: [kind], values: [\"*\"] }]", "exception without \"name\""},
	    {"{ name: x }", "list"},
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(text, sizeof text, ONE_RULE "    exceptions: %s\n", cases[i].text);
		load_bad(text, cases[i].told, NULL);
	}
}

static void exceptions_may_name_lists(void **state)
{
	struct ruleset *rules = load_good(
	    RULES_HEAD
	    "lists: [{ list: friends, items: [acme, beta] }]\n"
	    "rules:\n"
	    "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
	    "      exceptions: [{ name: x, fields: actor.tenant, values: [friends] }] }\n"
	    "  - { rule: q, id: BH-6002, on: relay.forward, title: t, severity: low,\n"
	    "      exceptions: [{ name: x, fields: actor.tenant, values: [\"friends\"] }] }\n");
	struct finding f = a_finding();

	(void)state;
	assert_int_equal(judge(rules, &f), 1); /* only q: quoted, it is a tenant's name */
	f.actor.tenant = "friends";
	assert_int_equal(judge(rules, &f), 1);
	f.actor.tenant = "gamma";
	assert_int_equal(judge(rules, &f), 2);
	rules_free(rules);
}

static void globs_take_bounded_time(void **state)
{
	char text[4096];
	char pattern[600] = "", name[600];
	struct finding f = a_finding();
	struct ruleset *rules;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)strcat(pattern, "a*");
	memset(name, 'a', 310);
	(void)strcpy(name + 310, "b");
	(void)snprintf(text, sizeof text,
		       "    exceptions: [{ name: x, fields: actor.tenant, values: [\"%sc\"] }]\n",
		       pattern);
	rules = one_rule(text);
	f.actor.tenant = name;
	assert_int_equal(judge(rules, &f), 1);
	name[310] = 'c';
	assert_int_equal(judge(rules, &f), 0);
	rules_free(rules);
}

static bool same_group(const struct verdict *a, const struct verdict *b)
{
	return a->group_lo == b->group_lo && a->group_hi == b->group_hi;
}

static void groups_are_of_rule_and_fields(void **state)
{
	struct ruleset *rules = one_rule("    group_by: [actor.host, victim.tenant]\n");
	struct finding f = a_finding();
	struct verdict first = fire(rules, &f), v;

	(void)state;
	/* The same in every run and on every machine. */
	assert_int_equal(first.group_lo, UINT64_C(0xff87144d94505396));
	assert_int_equal(first.group_hi, UINT64_C(0x3866401ed72a9b27));
	f.count = 99;
	f.victim.host = "b2";
	f.has_flow = true;
	v = fire(rules, &f);
	assert_true(same_group(&first, &v));
	f.victim.tenant = "initech";
	v = fire(rules, &f);
	assert_false(same_group(&first, &v));
	f.victim.tenant = "globex";
	f.actor.host = "a2";
	v = fire(rules, &f);
	assert_false(same_group(&first, &v));
	/* tenant/host: the same host name of another tenant is another host. */
	f.actor.host = "a1";
	f.actor.tenant = "umbrella";
	v = fire(rules, &f);
	assert_false(same_group(&first, &v));
	rules_free(rules);
}

static void groups_do_not_depend_on_load_order(void **state)
{
	struct finding f = a_finding();
	struct ruleset *alone = one_rule("");
	struct ruleset *rules = load_good(
	    RULES_HEAD
	    "rules:\n"
	    "  - { rule: other, id: BH-6002, on: relay.forward, title: t, severity: low }\n"
	    "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low }\n");
	struct verdict a = fire(alone, &f), both[2];
	struct stats stats = {0};

	(void)state;
	assert_int_equal(rules_judge(rules, &f, &stats, both, 2), 2);
	assert_false(same_group(&a, &both[0]));
	assert_true(same_group(&a, &both[1]));
	rules_free(alone);
	rules_free(rules);
}

/* Nobody registered them, but they are two. */
static void unregistered_devices_are_told_apart(void **state)
{
	struct ruleset *rules = one_rule("    group_by: [actor.host, victim.tenant]\n");
	struct finding f = a_finding();
	struct verdict first, v;

	(void)state;
	f.actor = (struct party){.tenant = "unknown", .host = "unknown", .has_mac = true};
	assert_true(mac_parse("02:00:00:00:00:01", &f.actor.mac));
	first = fire(rules, &f);
	v = fire(rules, &f);
	assert_true(same_group(&first, &v));
	assert_true(mac_parse("02:00:00:00:00:02", &f.actor.mac));
	v = fire(rules, &f);
	assert_false(same_group(&first, &v));
	/* A registered host is one with all its NICs. */
	f.actor.tenant = "acme";
	f.actor.host = "a1";
	first = fire(rules, &f);
	assert_true(mac_parse("02:00:00:00:00:01", &f.actor.mac));
	v = fire(rules, &f);
	assert_true(same_group(&first, &v));
	rules_free(rules);
}

static void clear_text_credentials_raise(void **state)
{
	static const struct {
		const char *severity, *kind;
		enum severity raised;
	} cases[] = {
	    {"informational", "relay.forward", SEVERITY_INFORMATIONAL},
	    {"low", "relay.forward", SEVERITY_MEDIUM},
	    {"medium", "relay.forward", SEVERITY_HIGH},
	    {"high", "relay.forward", SEVERITY_CRITICAL},
	    {"critical", "relay.forward", SEVERITY_CRITICAL},
	    {"medium", "health.drop", SEVERITY_MEDIUM},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct finding f = a_finding();
		struct ruleset *rules;
		struct verdict v;

		(void)snprintf(text, sizeof text,
			       RULES_HEAD "rules:\n  - { rule: r, id: BH-6001, on: [relay.forward, "
					  "health.drop], title: t, severity: %s }\n",
			       cases[i].severity);
		rules = load_good(text);
		f.kind = cases[i].kind;
		v = fire(rules, &f);
		assert_int_equal(v.severity, rules_get(rules, 0)->severity);
		f.app.flags = APP_CLEARTEXT_CREDENTIALS;
		v = fire(rules, &f);
		assert_int_equal(v.severity, cases[i].raised);
		rules_free(rules);
	}
}

static void messages_are_filled_in(void **state)
{
	struct ruleset *rules =
	    one_rule("    output: \"{actor.tenant}/{actor.host} relays {app.proto} of "
		     "{victim.tenant}/{victim.host} to {next.name}: {count} {bytes} {delay} "
		     "{ttl_delta} {actor.mac} {actor.ip} {victim.ip} {vlan} {vni} {actor.role} "
		     "{flow.proto} {confidence} {app.encrypted} {detail.x}\"\n");
	struct finding f = a_finding();
	struct verdict v = fire(rules, &f);

	(void)state;
	assert_string_equal(v.message,
			    "acme/a1 relays traffic of globex/b1 to unknown: 1 0 unknown unknown "
			    "unknown unknown unknown untagged none none unknown proof no unknown");
	(void)strcpy(f.app.proto, "TLS");
	f.next.tenant = "infrastructure";
	f.next.host = "gw";
	f.count = 7;
	f.bytes = 9120;
	f.has_delay = f.has_ttl_delta = f.actor.has_mac = f.actor.has_ip = f.victim.has_ip = true;
	f.delay_us = 2000;
	f.ttl_delta = -1;
	assert_true(mac_parse("02:ac:00:00:00:a1", &f.actor.mac));
	assert_true(ip_parse("10.20.0.11", &f.actor.ip));
	assert_true(ip_parse("fd00::1", &f.victim.ip));
	f.vlan_count = 2;
	f.vlan[0] = 100;
	f.vlan[1] = 200;
	f.has_vni = true;
	f.vni = 5001;
	f.actor.roles = ROLE_SERVER | ROLE_PROXY;
	f.has_flow = true;
	f.tuple.proto = IPPROTO_NUM_TCP;
	f.app.flags = APP_ENCRYPTED;
	finding_detail_text(&f, "x", "y");
	v = fire(rules, &f);
	assert_string_equal(v.message,
			    "acme/a1 relays TLS of globex/b1 to gw: 7 9120 2ms -1 "
			    "02:ac:00:00:00:a1 10.20.0.11 fd00::1 100,200 5001 server, proxy TCP "
			    "proof yes y");
	rules_free(rules);
	rules = one_rule("");
	v = fire(rules, &f);
	assert_string_equal(v.message, "It's a title");
	rules_free(rules);
}

/* Names come from the wire. */
static void messages_are_sanitised(void **state)
{
	struct ruleset *rules = one_rule("    output: \"[{app.host}] {detail.x}{detail.x}{detail.x}"
					 "{detail.x}{detail.x}{detail.x}\"\n");
	struct finding f = a_finding();
	char wild[256];
	struct verdict v;

	(void)state;
	memset(f.app.host, 'h', sizeof f.app.host); /* not even terminated */
	for (int i = 1; i < 256; i++)
		wild[i - 1] = (char)i;
	finding_detail(&f, "x", wild, 127);
	v = fire(rules, &f);
	assert_true(strlen(v.message) < RULE_MESSAGE_SIZE);
	for (const char *p = v.message; *p != '\0'; p++)
		assert_true(*p >= ' ' && *p <= '~');
	finding_detail(&f, "y", wild + 120, 127);
	f.detail[0] = f.detail[1];
	f.detail[0].name = "x";
	v = fire(rules, &f);
	for (const char *p = v.message; *p != '\0'; p++)
		assert_true(*p >= ' ' && *p <= '~');
	rules_free(rules);
}

static void outputs_that_are_wrong(void **state)
{
	load_bad(ONE_RULE "    output: \"a { b\"\n", "without its other half", NULL);
	load_bad(ONE_RULE "    output: \"a } b\"\n", "without its other half", NULL);
	load_bad(ONE_RULE "    output: \"{actor.hots}\"\n", "did you mean \"actor.host\"?", NULL);
	load_bad(ONE_RULE "    output: [a]\n", "a text", NULL);
	(void)state;
}

/* A thousand rules on other kinds cost a finding nothing; on its kind, little. */
static void a_thousand_rules(void **state)
{
	static char text[400000];
	size_t len = (size_t)sprintf(text, RULES_HEAD "macros: [{ macro: cross, condition: "
						      "actor.tenant != victim.tenant }]\nrules:\n");
	struct finding f = a_finding();
	struct verdict verdict[4];
	struct stats stats = {0};
	struct ruleset *rules;
	uint64_t start, spent;

	(void)state;
	for (int i = 0; i < 1000; i++)
		len += (size_t)sprintf(
		    text + len,
		    "  - { rule: r%d, id: BH-%d, on: %s, title: t, severity: low,\n"
		    "      condition: cross and actor.tenant = t%d and count > 3 }\n",
		    i, 6000 + i, i % 2 ? "relay.forward" : all_kinds[i % 40], i);
	rules = load_good(text);
	start = clock_thread_cpu();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rules_judge(rules, &f, &stats, verdict, 4), 0);
	spent = clock_thread_cpu() - start;
	/* 500 conditions a finding; measured at 25 us, and sanitizers are some ten times slower. */
	assert_true(spent < 1000 * 2 * NS_PER_MS);
	rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(findings_no_rule_takes_are_counted),
	    cmocka_unit_test(all_rules_that_match_fire_in_order),
	    cmocka_unit_test(thresholds_count_within_time),
	    cmocka_unit_test(thresholds_of_many),
	    cmocka_unit_test(threshold_groups_are_bounded),
	    cmocka_unit_test(exceptions_excuse_and_are_counted),
	    cmocka_unit_test(exceptions_end),
	    cmocka_unit_test(exceptions_that_are_wrong),
	    cmocka_unit_test(exceptions_may_name_lists),
	    cmocka_unit_test(globs_take_bounded_time),
	    cmocka_unit_test(groups_are_of_rule_and_fields),
	    cmocka_unit_test(groups_do_not_depend_on_load_order),
	    cmocka_unit_test(unregistered_devices_are_told_apart),
	    cmocka_unit_test(clear_text_credentials_raise),
	    cmocka_unit_test(messages_are_filled_in),
	    cmocka_unit_test(messages_are_sanitised),
	    cmocka_unit_test(outputs_that_are_wrong),
	    cmocka_unit_test(a_thousand_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
