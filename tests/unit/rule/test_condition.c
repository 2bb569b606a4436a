/* SPDX-License-Identifier: Apache-2.0 */
/* test_condition.c - the language of conditions: what holds, and what is told when it is wrong. */
#include "unit/rule/rule_test.h"

static struct finding rich_finding(void)
{
	struct finding f = a_finding();

	f.count = 7;
	f.bytes = 9120;
	f.has_ttl_delta = true;
	f.ttl_delta = -1;
	f.has_delay = true;
	f.delay_us = 400;
	f.vlan_count = 2;
	f.vlan[0] = 100;
	f.vlan[1] = 200;
	f.has_vni = true;
	f.vni = 5001;
	f.tap = 3;
	f.actor.has_mac = true;
	assert_true(mac_parse("02:ac:00:00:00:a1", &f.actor.mac));
	f.actor.has_ip = true;
	assert_true(ip_parse("10.20.0.11", &f.actor.ip));
	f.actor.roles = ROLE_SERVER | ROLE_PROXY;
	f.actor.port = "leaf12/eth3";
	f.victim.has_ip = true;
	assert_true(ip_parse("fd00:10::21", &f.victim.ip));
	f.peer.tenant = "external";
	f.next.tenant = "infrastructure";
	f.next.host = "gw";
	f.next.roles = ROLE_ROUTER;
	f.has_flow = true;
	f.tuple.sport = 40000;
	f.tuple.dport = 443;
	f.tuple.proto = IPPROTO_NUM_TCP;
	assert_true(ip_parse("10.20.0.21", &f.tuple.src));
	assert_true(ip_parse("198.51.100.7", &f.tuple.dst));
	f.app.flags = APP_SURE | APP_ENCRYPTED;
	(void)strcpy(f.app.proto, "TLS");
	(void)strcpy(f.app.host, "www.Example.com");
	finding_detail_text(&f, "router", "10.0.0.66");
	finding_detail_uint(&f, "addresses", 12);
	finding_detail_text(&f, "exposed", "yes");
	return f;
}

static void conditions_that_hold(void **state)
{
	static const char *const good[] = {
	    "kind = relay.forward",
	    "kind in (relay.bridge, relay.forward)",
	    "actor.tenant = acme",
	    "actor.tenant == \"acme\"",
	    "actor.tenant != globex",
	    "actor.tenant != victim.tenant",
	    "actor.tenant in (zeta, acme, beta)",
	    "actor.tenant not in (zeta, beta)",
	    "actor.host = acme/a1",
	    "actor.host in (acme/a0, acme/a1, acme/a2)",
	    "actor.mac = 02:AC:00:00:00:A1",
	    "actor.mac = 02-ac-00-00-00-a1",
	    "actor.ip = 10.20.0.11",
	    "actor.ip within 10.20.0.0/24",
	    "actor.ip within (192.0.2.0/24, 10.20.0.0/16)",
	    "actor.ip in (192.0.2.1, 10.20.0.0/16)",
	    "actor.ip not within 10.30.0.0/24",
	    "victim.ip within fd00:10::/64",
	    "actor.port = leaf12/eth3",
	    "actor.role = proxy",
	    "actor.role = server",
	    "actor.role in (router, proxy)",
	    "actor.role != router",
	    "next.role = router and next.name = gw",
	    "peer.tenant = external",
	    "app.proto = tls",
	    "app.proto in (http, Tls)",
	    "app.host = WWW.example.COM",
	    "app.encrypted = yes",
	    "app.encrypted = true",
	    "app.cleartext_credentials = no",
	    "app.sure != no",
	    "app.service = \"\"",
	    "flow.src_port = 40000 and flow.dst_port = 443",
	    "flow.proto = TCP and flow.proto = 6 and flow.proto = tcp",
	    "flow.src_ip = 10.20.0.21",
	    "confidence = proof and confidence >= strong and confidence > indicator",
	    "attribution >= consistent and attribution < attested",
	    "vlan = 100 and vlan = 200 and vlan != 300 and vlan in (1, 2, 200)",
	    "vni = 5001",
	    "tap = 3",
	    "count >= 7 and count <= 7 and count > 6 and count < 8",
	    "bytes > 8KiB and bytes < 1MiB and bytes = 9120 and bytes = 9120B",
	    "ttl_delta = -1 and ttl_delta < 0 and ttl_delta > -2",
	    "delay = 400us and delay < 1ms and delay < 1s and delay < 1m and delay < 1h",
	    "delay > 0",
	    "detail.router = 10.0.0.66",
	    "detail.router within 10.0.0.0/24",
	    "detail.addresses > 9 and detail.addresses <= 12 and detail.addresses = 12",
	    "detail.exposed = yes",
	    "detail.missing = \"\" or detail.missing != x",
	    "not detail.missing = x",
	    "not not kind = relay.forward",
	};
	struct finding f = rich_finding();

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!holds(good[i], &f))
			fail_msg("does not hold: %s", good[i]);
	}
}

static void conditions_that_do_not(void **state)
{
	static const char *const bad[] = {
	    "actor.tenant = Acme", /* names are spelled as in the inventory */
	    "actor.tenant = victim.tenant",
	    "actor.host = globex/a1",
	    "actor.mac = 02:ac:00:00:00:a2",
	    "actor.ip within 10.21.0.0/24",
	    "actor.ip within ::/0 and actor.ip = 10.20.0.12",
	    "actor.role = router",
	    "actor.role not in (server)",
	    "vlan = 0",
	    "vlan not in (100)",
	    "count > 7",
	    "bytes > 9KiB",
	    "delay > 400us",
	    "ttl_delta > -1",
	    "app.proto not in (TLS)",
	    "confidence < proof",
	    "detail.router > 9", /* no number */
	    "detail.exposed within 10.0.0.0/8",
	    "detail.missing > 0",
	    "detail.missing = x",
	};
	struct finding f = rich_finding();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (holds(bad[i], &f))
			fail_msg("holds: %s", bad[i]);
	}
}

/* Unset fields equal nothing and compare with nothing. */
static void what_is_not_known(void **state)
{
	struct finding f = a_finding();

	(void)state;
	assert_false(holds("actor.ip = 0.0.0.0", &f));
	assert_false(holds("actor.ip within ::/0", &f));
	assert_true(holds("actor.ip != 10.0.0.1", &f));
	assert_true(holds("actor.ip not within ::/0", &f));
	assert_false(holds("actor.ip = victim.ip", &f));
	assert_true(holds("actor.ip != victim.ip", &f));
	assert_false(holds("delay < 1h", &f));
	assert_false(holds("delay >= 0", &f));
	assert_false(holds("ttl_delta = 0", &f));
	assert_false(holds("vni = 0", &f));
	assert_false(holds("flow.dst_port = 0", &f));
	assert_true(holds("vlan = 0", &f));
	assert_false(holds("vlan = 1", &f));
	assert_true(holds("app.proto = \"\"", &f));
	assert_true(holds("peer.tenant != external", &f));
	assert_true(holds("next.name = \"\"", &f));
	assert_false(holds("actor.role = server", &f));
}

/* "or" binds weaker than "and", "not" strongest; every row of the truth table. */
static void precedence(void **state)
{
	static const char *const word[] = {"count = 2", "count = 1"};

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct finding f = a_finding(); /* count is 1: word[1] holds */
		bool a = i & 1, b = i & 2, c = i & 4;
		char text[200];

		(void)snprintf(text, sizeof text, "%s or %s and %s", word[a], word[b], word[c]);
		assert_int_equal(holds(text, &f), a || (b && c));
		(void)snprintf(text, sizeof text, "%s and %s or %s", word[a], word[b], word[c]);
		assert_int_equal(holds(text, &f), (a && b) || c);
		(void)snprintf(text, sizeof text, "(%s or %s) and %s", word[a], word[b], word[c]);
		assert_int_equal(holds(text, &f), (a || b) && c);
		(void)snprintf(text, sizeof text, "not %s or %s and not %s", word[a], word[b],
			       word[c]);
		assert_int_equal(holds(text, &f), !a || (b && !c));
		(void)snprintf(text, sizeof text, "not (%s or %s) and (not (%s))", word[a], word[b],
			       word[c]);
		assert_int_equal(holds(text, &f), !(a || b) && !c);
		(void)snprintf(text, sizeof text, "not(%s and(%s or %s))or %s", word[a], word[b],
			       word[c], word[c]);
		assert_int_equal(holds(text, &f), !(a && (b || c)) || c);
	}
}

static bool with_names(const char *condition, const struct finding *f)
{
	char text[4096];
	struct ruleset *rules;
	unsigned fired;

	(void)snprintf(text, sizeof text,
		       RULES_HEAD
		       "lists:\n"
		       "  - { list: chatty, items: [NTP, ICMP] }\n"
		       "  - { list: nets, items: [10.0.0.0/8, \"fd00::/8\", 192.0.2.1] }\n"
		       "macros:\n"
		       "  - { macro: either, condition: actor.tenant = acme or count = 99 }\n"
		       "  - { macro: both, condition: either and not neither }\n"
		       "  - { macro: neither, condition: count = 98 or count = 97 }\n"
		       "rules:\n"
		       "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
		       "      condition: '%s' }\n",
		       condition);
	rules = load_good(text);
	fired = judge(rules, f);
	rules_free(rules);
	return fired == 1;
}

static void lists_and_macros(void **state)
{
	struct finding f = a_finding();

	(void)state;
	(void)strcpy(f.app.proto, "NTP");
	f.actor.has_ip = true;
	assert_true(ip_parse("192.0.2.1", &f.actor.ip));
	assert_true(with_names("app.proto in (chatty)", &f));
	assert_true(with_names("app.proto in (TLS, chatty)", &f));
	assert_false(with_names("not app.proto in (chatty)", &f));
	assert_false(with_names("app.proto not in (chatty, TLS)", &f));
	assert_true(with_names("actor.ip in (nets)", &f));
	assert_true(with_names("actor.ip within nets", &f));
	assert_true(with_names("actor.ip within (nets, 203.0.113.0/24)", &f));
	/* A macro is one thing, however its insides read. */
	f.count = 5;
	assert_false(with_names("either and count = 6", &f));
	assert_true(with_names("not both or either", &f));
	assert_false(with_names("not both", &f));
	f.actor.tenant = "zeta";
	assert_false(with_names("either", &f));
	assert_true(with_names("either or count = 5", &f));
	f.count = 99;
	assert_true(with_names("both", &f));
	f.count = 98;
	assert_false(with_names("both or either", &f));
	assert_true(with_names("neither", &f));
	/* A quoted word is a text, never a list. */
	(void)strcpy(f.app.proto, "chatty");
	assert_true(with_names("app.proto in (\"chatty\")", &f));
	assert_false(with_names("app.proto in (chatty)", &f));
}

static void texts_in_quotes(void **state)
{
	struct finding f = a_finding();

	(void)state;
	f.actor.tenant = "a \"b\" \\c, (d)";
	assert_true(holds("actor.tenant = \"a \\\"b\\\" \\\\c, (d)\"", &f));
	f.actor.tenant = "and";
	assert_true(holds("actor.tenant = \"and\"", &f));
	assert_true(holds("actor.tenant=\"and\"and count=1", &f));
}

static void wrong_conditions_are_told(void **state)
{
	static const struct {
		const char *condition, *told;
	} cases[] = {
	    {"actor.tennant = acme",
	     "unknown field \"actor.tennant\"; did you mean \"actor.tenant\"?"},
	    {"vlann = 1", "did you mean \"vlan\"?"},
	    {"detail.X = 1", "unknown field"},
	    {"actor.tenant = victim.tennant", "did you mean \"victim.tenant\"?"},
	    {"cros", "no macro \"cros\"; did you mean \"cross\"?"},
	    {"something", "no macro \"something\"; a comparison reads"},
	    {"chatty", "\"chatty\" is a list"},
	    {"app.proto in (chattty)", "no list \"chattty\"; did you mean \"chatty\"?"},
	    {"app.proto = chatty", "write \"in (chatty)\""},
	    {"actor.tenant = cross", "\"cross\" is a macro"},
	    {"actor.tenant in (cross)", "\"cross\" is a macro"},
	    {"app.proto in chatty", "expected \"(\" after in, found \"chatty\""},
	    {"app.proto in ()", "expected a value or the name of a list"},
	    {"app.proto in (TLS DNS)", "expected \",\" or \")\""},
	    {"app.proto in (TLS", "found the end"},
	    {"actor.ip in (victim.ip)", "a field cannot stand in a list"},
	    {"actor.tenant", "expected = != < <= > >= in or within, found the end"},
	    {"actor.tenant =", "expected a value, found the end"},
	    {"actor.tenant = = acme", "expected a value"},
	    {"actor.tenant not acme", "expected in or within"},
	    {"actor.tenant < acme", "neither less nor more"},
	    {"actor.ip > 10.0.0.1", "neither less nor more"},
	    {"app.encrypted = maybe", "write yes or no"},
	    {"actor.ip = 10.0.0", "no IP address or prefix"},
	    {"actor.ip = 10.0.0.0/24", "write \"within 10.0.0.0/24\""},
	    {"actor.ip within 10.0.0.1/24", "bits are set behind its length"},
	    {"actor.tenant within 10.0.0.0/8", "not an address"},
	    {"actor.mac = 02:00", "six pairs of hex digits"},
	    {"actor.host = a1", "write tenant/host"},
	    {"actor.role = ruter", "no role"},
	    {"kind = relay.forwrd", "did you mean \"relay.forward\"?"},
	    {"confidence = sure", "write indicator, strong or proof"},
	    {"confidence = victim.tenant", "they cannot be compared"},
	    {"vlan = 5000", "from 0 (untagged) to 4095"},
	    {"vlan > 5", "neither less nor more"},
	    {"count = 5s", "digits without a unit"},
	    {"count = -", "no number"},
	    {"count > 99999999999999999999", "no number"},
	    {"bytes > 5s", "a number of B, KiB, MiB"},
	    {"bytes > 9999999999GiB", "no size"},
	    {"delay > 5", "one of us, ms, s, m, h"},
	    {"delay > 5KiB", "one of us, ms, s, m, h"},
	    {"detail.x > many", "no number"},
	    {"flow.proto = TPC", "write TCP, UDP, ICMP or a number"},
	    {"flow.proto = 256", "a number up to 255"},
	    {"app.risk = \"Clear-Text Credential\"", "is no risk nDPI knows"},
	    {"(count = 1", "expected and, or, or \")\", found the end"},
	    {"count = 1)", "expected and, or, or the end, found \")\""},
	    {"count = 1 count = 2", "expected and, or, or the end"},
	    {"count = 1 AND count = 2", "found \"AND\""},
	    {"and count = 1", "expected a field, a macro or \"(\", found \"and\""},
	    {"count = 1 and", "found the end"},
	    {"count = 1 or or count = 2", "found \"or\""},
	    {"not", "found the end"},
	    {"()", "expected a field, a macro"},
	    {"'actor.tenant = \"acme'", "a quote that is not closed"},
	    {"'actor.tenant = \"ac\\me\"'", "a backslash before neither"},
	    {"count ! 1", "a stray \"!\""},
	    {"actor.tenant = \xc3\xa9", "beyond ASCII outside quotes"},
	    {"''", "expected a field, a macro"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		bad_condition(cases[i].condition, cases[i].told);
}

/* The rule in bad_condition() has its condition in line 11; what is wrong is at the caret. */
static void places_are_exact(void **state)
{
	(void)state;
	bad_condition("count = 1 and vlann = 2", ":11:30: unknown field \"vlann\"");
	bad_condition("\"count = 1 and vlann = 2\"", ":11:31: unknown field");
	bad_condition("'count = 1 and vlann = 2'", ":11:31: unknown field");
	bad_condition("\"actor.tenant = \\\"x\\\" and vlann = 2\"", ":11:42: unknown field");
	bad_condition("'actor.tenant = \"it''s\" and vlann = 2'", ":11:44: unknown field");
	bad_condition("count = 1\n      and\n      vlann = 2", ":13:7: unknown field");
	bad_condition("|\n      count = 1\n        and vlann = 2", ":13:13: unknown field");
	bad_condition(">-\n      count = 1\n      and vlann = 2", ":13:11: unknown field");
	bad_condition("\"count = 1\n      and vlann = 2\"", ":12:11: unknown field");
	bad_condition("'actor.tenant = \"\xc3\xa9\" and vlann = 2'", ":11:40: unknown field");
}

static void several_mistakes_at_once(void **state)
{
	(void)state;
	load_bad(RULES_HEAD
		 "rules:\n"
		 "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
		 "      condition: vlann = 1 and actor.ip = x or cuont = 2 }\n",
		 ":5:18: unknown field \"vlann\"", ":5:43: \"x\" is no IP address",
		 ":5:48: unknown field \"cuont\"; did you mean \"count\"?", NULL);
}

static void macros_that_are_wrong(void **state)
{
	(void)state;
	/* Told where the macro stands, once, and not at its two uses. */
	load_bad(RULES_HEAD
		 "macros: [{ macro: m, condition: vlann = 1 }]\n"
		 "rules:\n"
		 "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
		 "      condition: m or m }\n",
		 ":3:33: unknown field \"vlann\"", NULL);
	load_bad(RULES_HEAD "macros:\n"
			    "  - { macro: a, condition: b or count = 1 }\n"
			    "  - { macro: b, condition: count = 2 and c }\n"
			    "  - { macro: c, condition: not a }\n",
		 "uses itself", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: a, condition: a }]\n", "macro \"a\" uses itself",
		 NULL);
	load_bad(RULES_HEAD "macros: [{ macro: unused, condition: count == }]\n",
		 "expected a value", NULL);
}

static void depth_is_bounded(void **state)
{
	struct finding f = a_finding();
	char text[32768] = "";

	(void)state;
	for (int i = 0; i < 32; i++)
		(void)strcat(text, "(");
	(void)strcat(text, "count = 1");
	for (int i = 0; i < 32; i++)
		(void)strcat(text, ")");
	assert_true(holds(text, &f));
	memmove(text + 1, text, strlen(text) + 1);
	text[0] = '(';
	(void)strcat(text, ")");
	bad_condition(text, "parentheses more than 32 deep");
	memset(text, '(', 10000);
	text[10000] = '\0';
	bad_condition(text, "parentheses more than 32 deep");
	/* "not" is counted, not nested. */
	text[0] = '\0';
	for (int i = 0; i < 2001; i++)
		memcpy(text + (size_t)i * 4, "not ", 5);
	(void)strcat(text, "count = 1");
	assert_false(holds(text, &f));
}

static size_t macro_chain(char *text, int count, const char *form)
{
	size_t len = (size_t)sprintf(text, RULES_HEAD "macros:\n"
						      "  - { macro: m0, condition: count = 1 }\n");

	for (int i = 1; i < count; i++) {
		len += (size_t)sprintf(text + len, "  - { macro: m%d, condition: ", i);
		len += (size_t)sprintf(text + len, form, i - 1, i - 1);
		len += (size_t)sprintf(text + len, " }\n");
	}
	return len;
}

static void macros_are_bounded(void **state)
{
	static char text[65536];
	struct ruleset *rules;

	(void)state;
	(void)macro_chain(text, 32, "m%d");
	rules = load_good(text);
	rules_free(rules);
	(void)macro_chain(text, 900, "m%d");
	load_bad(text, "macros inside each other more than 32 deep", NULL);
	/* Doubles with each line: 2^31 tests if written out. */
	(void)macro_chain(text, 32, "m%d and m%d");
	load_bad(text, "more than 4096 steps", NULL);
}

static void length_is_bounded(void **state)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	size_t size = (size_t)10 << 20, len;
	char *text = malloc(size + 1000);

	(void)state;
	assert_non_null(text);
	len = (size_t)sprintf(text, RULES_HEAD "rules:\n"
					       "  - rule: r\n"
					       "    id: BH-6001\n"
					       "    on: relay.forward\n"
					       "    title: t\n"
					       "    severity: low\n"
					       "    condition: ");
	while (len < size)
		len += (size_t)sprintf(text + len, "count = 1 or ");
	len += (size_t)sprintf(text + len, "count = 2\n");
	assert_int_equal(load_text_at(text, len, TEST_NOW, &rules, &problems), ERR_CONFIG);
	assert_non_null(strstr(problems.text, "condition is longer than 16384 bytes"));
	problems_fini(&problems);
	free(text);
}

static void large_lists_are_found_in(void **state)
{
	static char text[2 << 20];
	size_t len = (size_t)sprintf(text, RULES_HEAD "lists:\n  - list: big\n    items: [t0");
	struct finding f = a_finding();
	struct ruleset *rules;
	char name[20];

	(void)state;
	for (int i = 1; i < 50000; i++)
		len += (size_t)sprintf(text + len, ", t%d", i * 7919 % 50000);
	(void)sprintf(text + len, "]\nrules:\n"
				  "  - { rule: r, id: BH-6001, on: relay.forward, title: t,\n"
				  "      severity: low, condition: actor.tenant in (big) }\n");
	rules = load_good(text);
	f.actor.tenant = name;
	for (int i = 0; i < 50000; i += 333) {
		(void)sprintf(name, "t%d", i);
		assert_int_equal(judge(rules, &f), 1);
		(void)sprintf(name, "u%d", i);
		assert_int_equal(judge(rules, &f), 0);
	}
	(void)sprintf(name, "t50000");
	assert_int_equal(judge(rules, &f), 0);
	rules_free(rules);
}

/* 60,000 values times 100 uses: the budget of all rules ends it, told once. */
static void values_are_bounded_in_all(void **state)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	size_t size = (size_t)1 << 20;
	char *text = malloc(size);
	size_t len;

	(void)state;
	assert_non_null(text);
	len = (size_t)sprintf(text, RULES_HEAD "lists:\n  - list: big\n    items: [v");
	for (int i = 1; i < 60000; i++)
		len += (size_t)sprintf(text + len, ",v%d", i);
	len +=
	    (size_t)sprintf(text + len, "]\nrules:\n"
					"  - { rule: r, id: BH-6001, on: relay.forward, title: t,\n"
					"      severity: low, condition: app.proto in (big)");
	for (int i = 1; i < 100; i++)
		len += (size_t)sprintf(text + len, " or app.proto in (big)");
	len += (size_t)sprintf(text + len, " }\n");
	assert_int_equal(load_text_at(text, len, TEST_NOW, &rules, &problems), ERR_CONFIG);
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.text, "all rules together have more than 4000000 values"));
	problems_fini(&problems);
	free(text);
}

static void wrong_items_are_told_at_the_list(void **state)
{
	(void)state;
	load_bad(RULES_HEAD
		 "lists: [{ list: l, items: [10.0.0.1, x, 300.1.1.1] }]\n"
		 "rules:\n"
		 "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
		 "      condition: actor.ip in (l) }\n",
		 ":3:38: list \"l\" is compared with IP values: \"x\" is no IP address",
		 ":3:41: list \"l\"", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conditions_that_hold),
	    cmocka_unit_test(conditions_that_do_not),
	    cmocka_unit_test(what_is_not_known),
	    cmocka_unit_test(precedence),
	    cmocka_unit_test(lists_and_macros),
	    cmocka_unit_test(texts_in_quotes),
	    cmocka_unit_test(wrong_conditions_are_told),
	    cmocka_unit_test(places_are_exact),
	    cmocka_unit_test(several_mistakes_at_once),
	    cmocka_unit_test(macros_that_are_wrong),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(macros_are_bounded),
	    cmocka_unit_test(length_is_bounded),
	    cmocka_unit_test(large_lists_are_found_in),
	    cmocka_unit_test(values_are_bounded_in_all),
	    cmocka_unit_test(wrong_items_are_told_at_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
