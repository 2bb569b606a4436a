/* SPDX-License-Identifier: Apache-2.0 */
/* test_testing.c - the tests inside rules: they hold, they fail, and they say why. */
#include "unit/rule/rule_test.h"

#define RULE_WITH(more)                                                                            \
	RULES_HEAD "rules:\n"                                                                      \
		   "  - rule: r\n"                                                                 \
		   "    id: BH-6001\n"                                                             \
		   "    on: [relay.forward, spoof.arp]\n"                                          \
		   "    title: t\n"                                                                \
		   "    severity: medium\n" more

static unsigned run(const char *text, unsigned *failed, struct problems *problems)
{
	struct ruleset *rules = load_good(text);
	unsigned count = rules_test(rules, problems, failed);

	rules_free(rules);
	return count;
}

static void holds_all(const char *text, unsigned tests)
{
	struct problems problems = {0};
	unsigned failed, count = run(text, &failed, &problems);

	if (failed != 0)
		fail_msg("%s", problems.text);
	assert_int_equal(count, tests);
	assert_int_equal(problems.errors, 0);
	problems_fini(&problems);
}

static void fails(const char *text, const char *told)
{
	struct problems problems = {0};
	unsigned failed, count = run(text, &failed, &problems);

	assert_int_equal(count, 1);
	assert_int_equal(failed, 1);
	assert_int_equal(problems.errors, 1);
	if (strstr(problems.text, told) == NULL)
		fail_msg("\"%s\" is not in: %s", told, problems.text);
	problems_fini(&problems);
}

static void tests_that_hold(void **state)
{
	(void)state;
	holds_all(
	    RULE_WITH("    condition: actor.tenant != victim.tenant\n"
		      "    threshold: { count: 3, within: 10s }\n"
		      "    tests:\n"
		      "      - { name: fires, event: { kind: relay.forward, actor: { tenant: "
		      "acme, host: a1 }, victim: { tenant: globex } }, times: 3, expect: { "
		      "alerts: 1, severity: medium } }\n"
		      "      - { event: { kind: relay.forward, actor.tenant: acme }, times: 9, "
		      "expect: { alerts: 1 } }\n"
		      "      - { event: { kind: relay.forward, actor: { tenant: acme } }, times: "
		      "2, expect: none }\n"
		      "      - { event: { kind: spoof.arp, actor: { tenant: acme }, app: { "
		      "cleartext_credentials: yes } }, times: 3, expect: { severity: high } }\n"
		      "      - { event: { kind: relay.forward }, times: 3, expect: { none: true } "
		      "}\n"
		      "      - { event: { kind: boundary.vlan, actor: { tenant: acme } }, times: "
		      "3, expect: { alerts: 0 } }\n"),
	    6);
}

/* Each field that a condition may read can be set by a test. */
static void every_field_can_be_set(void **state)
{
	(void)state;
	holds_all(
	    RULE_WITH(
		"    condition: kind = relay.forward and confidence = strong and attribution = "
		"attested and actor.tenant = acme and actor.host = acme/a1 and actor.mac = "
		"02:00:00:00:00:01 and actor.ip = 10.0.0.1 and actor.port = leaf/1 and actor.role "
		"= "
		"proxy and actor.role = server and victim.host = globex/b1 and peer.tenant = "
		"external "
		"and peer.ip = 192.0.2.1 and next.name = gw and next.role = router and next.mac = "
		"02:00:00:00:00:02 and app.proto = TLS and app.service = s and app.category = c "
		"and "
		"app.host = h and app.ja3 = j and app.encrypted = yes and "
		"app.cleartext_credentials = "
		"yes and app.sure = yes and app.risk = \"Weak TLS Cipher\" and "
		"flow.src_ip = 10.0.0.2 and flow.dst_ip = fd00::1 and flow.src_port = 1 and "
		"flow.dst_port = 65535 and flow.proto = UDP and ether.src_mac = 02:00:00:00:00:03 "
		"and "
		"ether.dst_mac = 02:00:00:00:00:04 and vlan = 100 and vlan = 200 and vni = "
		"16777215 "
		"and tap = 2 and count = 3 and bytes = 1048576 and ttl_delta = -1 and delay = 5ms "
		"and "
		"detail.router = 10.0.0.66\n"
		"    tests:\n"
		"      - event:\n"
		"          kind: relay.forward\n"
		"          confidence: strong\n"
		"          attribution: attested\n"
		"          actor: { tenant: acme, host: acme/a1, mac: \"02:00:00:00:00:01\", ip: "
		"10.0.0.1, port: leaf/1, role: [proxy, server] }\n"
		"          victim: { tenant: globex, host: b1 }\n"
		"          peer: { tenant: external, ip: 192.0.2.1 }\n"
		"          next: { name: gw, role: router, mac: \"02:00:00:00:00:02\" }\n"
		"          app: { proto: TLS, service: s, category: c, host: h, ja3: j, encrypted: "
		"yes,"
		" cleartext_credentials: yes, sure: yes, risk: Weak TLS Cipher }\n"
		"          flow: { src_ip: 10.0.0.2, dst_ip: \"fd00::1\", src_port: 1, dst_port: "
		"65535, "
		"proto: udp }\n"
		"          ether: { src_mac: \"02:00:00:00:00:03\", dst_mac: \"02:00:00:00:00:04\" "
		"}\n"
		"          vlan: [100, 200]\n"
		"          vni: 16777215\n"
		"          tap: 2\n"
		"          count: 3\n"
		"          bytes: 1MiB\n"
		"          ttl_delta: -1\n"
		"          delay: 5ms\n"
		"          detail: { router: 10.0.0.66 }\n"
		"        expect: { alerts: 1, severity: high }\n"),
	    1);
}

static void tests_that_fail_say_why(void **state)
{
	(void)state;
	fails(RULE_WITH(
		  "    condition: count > 1\n"
		  "    tests: [{ name: x, event: { kind: relay.forward }, expect: { alerts: 1 } "
		  "}]\n"),
	      ":10:13: test \"x\" of BH-6001: 0 alerts, expected 1; the condition does not hold");
	fails(RULE_WITH("    tests: [{ event: { kind: relay.bridge }, expect: { alerts: 1 } }]\n"),
	      "the rule is not on this kind");
	fails(RULE_WITH(
		  "    threshold: { count: 3, within: 1s }\n"
		  "    tests: [{ event: { kind: spoof.arp }, times: 2, expect: { alerts: 1 } }]\n"),
	      "the threshold is not reached");
	fails(RULE_WITH("    exceptions: [{ name: x, fields: kind, values: [\"*\"], until: "
			"2020-01-01 }]\n"
			"    tests: [{ event: { kind: spoof.arp }, expect: { alerts: 1 } }]\n"),
	      "an exception excuses it");
	fails(RULE_WITH("    tests: [{ event: { kind: spoof.arp }, expect: none }]\n"),
	      "1 alerts, expected 0");
	fails(RULE_WITH("    tests: [{ event: { kind: spoof.arp }, expect: { alerts: 2 } }]\n"),
	      "1 alerts, expected 2");
	fails(RULE_WITH("    tests: [{ event: { kind: spoof.arp }, expect: { severity: low } }]\n"),
	      "severity medium, expected low");
}

static void a_disabled_rule_is_tested(void **state)
{
	(void)state;
	holds_all(RULE_WITH("    enabled: false\n"
			    "    tests: [{ event: { kind: spoof.arp }, expect: { alerts: 1 } }]\n"),
		  1);
}

/* The shipped tests hold for the shipped rule; the override's for what it makes of it. */
static void overridden_rules(void **state)
{
	(void)state;
	holds_all(
	    RULE_WITH("    tests: [{ event: { kind: spoof.arp }, expect: { severity: medium } }]\n"
		      "override:\n"
		      "  - { rule: r, set: { severity: low, enabled: false } }\n"),
	    1);
	holds_all(
	    RULE_WITH("    tests: [{ event: { kind: spoof.arp }, expect: { severity: medium } }]\n"
		      "override:\n"
		      "  - { rule: r, set: { severity: low, tests: [{ event: { kind: spoof.arp }, "
		      "expect: { severity: low } }] } }\n"),
	    2);
}

/* Tests leave nothing behind in the thresholds of the rules in force, nor in each other's. */
static void tests_leave_no_trace(void **state)
{
	struct ruleset *rules = load_good(
	    RULE_WITH("    threshold: { count: 2, within: 10s }\n"
		      "    tests: [{ event: { kind: spoof.arp }, expect: none }, { event: { kind: "
		      "spoof.arp }, expect: none }]\n"));
	struct problems problems = {0};
	struct finding f = a_finding();
	unsigned failed;

	(void)state;
	assert_int_equal(judge(rules, &f), 0);
	assert_int_equal(rules_test(rules, &problems, &failed), 2);
	assert_int_equal(failed, 0);
	assert_int_equal(rules_test(rules, &problems, &failed), 2);
	assert_int_equal(failed, 0);
	assert_int_equal(judge(rules, &f), 1);
	rules_free(rules);
}

static void tests_that_are_wrong(void **state)
{
	static const struct {
		const char *test, *told;
	} cases[] = {
	    {"{ expect: none }", "test without \"event\""},
	    {"{ event: { kind: spoof.arp } }", "test without \"expect\""},
	    {"{ event: { count: 1 }, expect: none }", "event without \"kind\""},
	    {"{ event: { kind: spoof.arp, actor: { tennant: x } }, expect: none }",
	     "unknown field \"actor.tennant\"; did you mean \"actor.tenant\"?"},
	    {"{ event: { kind: spoof.arp, actr: { tenant: x } }, expect: none }",
	     "unknown field \"actr.tenant\""},
	    {"{ event: { kind: spoof.arp, actor: { ip: x } }, expect: none }", "no IP address"},
	    {"{ event: { kind: spoof.arp, actor: { ip: 10.0.0.0/8 } }, expect: none }",
	     "an event has one address"},
	    {"{ event: { kind: spoof.arp, actor: { mac: x } }, expect: none }", "no MAC"},
	    {"{ event: { kind: spoof.arp, actor: { role: king } }, expect: none }", "no role"},
	    {"{ event: { kind: spoof.arp, flow: { dst_port: 65536 } }, expect: none }",
	     "65536 is out of range"},
	    {"{ event: { kind: spoof.arp, flow: { dst_port: -1 } }, expect: none }",
	     "-1 is out of range"},
	    {"{ event: { kind: spoof.arp, vlan: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, expect: none }",
	     "more than 8 tags"},
	    {"{ event: { kind: spoof.arp, count: [1, 2] }, expect: none }",
	     "\"count\" takes one value"},
	    {"{ event: { kind: spoof.arp, app: { proto: "
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx } }, expect: none }",
	     "longer than 23 bytes"},
	    {"{ event: { kind: spoof.arp, detail: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, "
	     "h: 1, i: 1 } }, expect: none }",
	     "more than 8 details"},
	    {"{ event: { kind: spoof.arp, actor: { tenant: acme, host: beta/b1 } }, expect: "
	     "none }",
	     "name one tenant"},
	    {"{ event: { kind: spoof.arp, actor: { tenant: [a, b] } }, expect: none }",
	     "takes one value"},
	    {"{ event: { kind: spoof.arp, actor: { tenant: { x: y } } }, expect: none }", "a text"},
	    {"{ event: { kind: spoof.arp }, times: 0, expect: none }", "from 1 to 100000"},
	    {"{ event: { kind: spoof.arp }, expect: {} }", "nothing is expected"},
	    {"{ event: { kind: spoof.arp }, expect: nothing }", "a map"},
	    {"{ event: { kind: spoof.arp }, expect: { severity: grave } }", "is no severity"},
	    {"{ event: { kind: spoof.arp }, expect: { alerts: 0, severity: low } }",
	     "severity low of no alert"},
	    {"{ event: { kind: spoof.arp }, expect: { alrts: 0 } }", "did you mean \"alerts\"?"},
	    {"{ event: [x], expect: none }", "a map"},
	    {"x", "a map"},
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(text, sizeof text, RULE_WITH("    tests: [%s]\n"), cases[i].test);
		load_bad(text, cases[i].told, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tests_that_hold),	       cmocka_unit_test(every_field_can_be_set),
	    cmocka_unit_test(tests_that_fail_say_why), cmocka_unit_test(a_disabled_rule_is_tested),
	    cmocka_unit_test(overridden_rules),	       cmocka_unit_test(tests_leave_no_trace),
	    cmocka_unit_test(tests_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
