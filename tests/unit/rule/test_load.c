/* SPDX-License-Identifier: Apache-2.0 */
/* test_load.c - rule files: every key checked, every mistake told with its place. */
#include <sys/types.h>
#include <unistd.h>

#include "unit/rule/rule_test.h"

#define RULE(id, name)                                                                             \
	"  - { rule: " name ", id: " id ", on: relay.forward, title: t, severity: low }\n"

static void a_whole_rule(void **state)
{
	struct ruleset *rules = load_good(
	    "version: 1\n"
	    "ruleset: core\n"
	    "lists:  [{ list: chatty, items: [NTP, ICMP] }]\n"
	    "macros: [{ macro: cross_tenant, condition: actor.tenant != victim.tenant }]\n"
	    "rules:\n"
	    "  - rule: relay.forward\n"
	    "    id: BH-1001\n"
	    "    rev: 3\n"
	    "    on: [relay.forward, relay.bridge]\n"
	    "    title: A tenant's host relays another tenant's traffic\n"
	    "    condition: cross_tenant and not app.proto in (chatty)\n"
	    "    group_by: [actor.host, victim.tenant]\n"
	    "    threshold: { count: 3, within: 10s }\n"
	    "    severity: critical\n"
	    "    attack: [T1557, T1040.001]\n"
	    "    output: \"{actor.tenant}/{actor.host} relays {app.proto} of "
	    "{victim.tenant}/{victim.host} to {next.name}\"\n"
	    "    evidence: { packets: 64 }\n"
	    "    exceptions: [{ name: managed-fw, fields: [actor.tenant, victim.tenant], "
	    "values: [[netops, \"*\"]], reason: ticket 411, until: 2027-01-31 }]\n"
	    "    enabled: true\n"
	    "    tests:\n"
	    "      - { name: fires, event: { kind: relay.forward, actor: { tenant: acme, host: "
	    "a1 }, victim: { tenant: globex } }, times: 3, expect: { alerts: 1, severity: "
	    "critical } }\n"
	    "override: [{ rule: BH-1001, set: { severity: low }, reason: \"lab switch\" }]\n");
	const struct rule *rule = rules_find(rules, "BH-1001");

	(void)state;
	assert_int_equal(rules_count(rules), 1);
	assert_ptr_equal(rule, rules_get(rules, 0));
	assert_ptr_equal(rule, rules_find(rules, "relay.forward"));
	assert_null(rules_find(rules, "BH-1002"));
	assert_null(rules_get(rules, 1));
	assert_string_equal(rule->name, "relay.forward");
	assert_int_equal(rule->number, 1001);
	assert_int_equal(rule->rev, 3);
	assert_string_equal(rule->category, "Cross-tenant relay");
	assert_int_equal(rule->severity, SEVERITY_LOW); /* by the override */
	assert_int_equal(rule->attack_count, 2);
	assert_string_equal(rule->attack[1], "T1040.001");
	assert_int_equal(rule->evidence_packets, 64);
	assert_true(rule->enabled);
	assert_int_equal(rule->line, 6);
	assert_int_equal(strlen(rules_revision(rules)), 16);
	rules_free(rules);
}

static void unknown_keys_and_values(void **state)
{
	(void)state;
	load_bad("version: 1\nrulset: x\nrules: []\n",
		 ":2:1: unknown key \"rulset\"; did you mean "
		 "\"ruleset\"?",
		 NULL);
	load_bad("version: 2\nrules: []\n", ":1:", "version", NULL);
	load_bad("rules: []\n", "version", NULL);
	load_bad("- version: 1\n", "map", NULL);
	load_bad("", "", NULL);
	load_bad(RULES_HEAD "rules:\n  - relay\n", ":4:5:", NULL);
	load_bad(RULES_HEAD "rules: { rule: x }\n", "list", NULL);
	load_bad(RULES_HEAD "rules:\n"
			    "  - rule: r\n"
			    "    id: BH-6001\n"
			    "    on: [relay.forwad]\n"
			    "    titel: t\n"
			    "    severty: low\n"
			    "    severity: grave\n"
			    "    rev: 0\n"
			    "    enabled: maybe\n"
			    "    group_by: [actor.hst]\n"
			    "    threshold: { count: 0, within: 10s }\n"
			    "    attack: [T15, X1]\n"
			    "    output: \"{actor.tennant} and {}\"\n"
			    "    evidence: { packets: many, frames: 1 }\n"
			    "    exceptions: [{ name: x, field: [a] }]\n"
			    "    tests: [{ event: { kind: x }, expects: none }]\n",
		 ":6:10: \"relay.forwad\" is no kind of finding; did you mean \"relay.forward\"?",
		 ":7:5: unknown key \"titel\"; did you mean \"title\"?",
		 ":8:5: unknown key \"severty\"", ":4:5: rule \"r\" has no \"title\"",
		 ":9:15: \"grave\" is no severity", ":10:10:", ":11:14:",
		 ":12:16: unknown field \"actor.hst\"; did you mean \"actor.host\"?",
		 ":13:25:", ":14:14: \"T15\" is no ATT&CK technique", ":14:19: \"X1\"",
		 ":15:14: unknown field \"actor.tennant\"", ":15:34: unknown field \"\"",
		 ":16:26:", ":16:32: unknown key \"frames\"", ":17:29: unknown key \"field\"",
		 "exception without \"fields\"", ":18:30: \"x\" is no kind",
		 ":18:35: unknown key \"expects\"", "test without \"expect\"", NULL);
}

static void what_a_rule_must_have(void **state)
{
	(void)state;
	load_bad(RULES_HEAD "rules:\n  - { rule: r, id: BH-6001 }\n", "has no \"title\"",
		 "has no \"on\"", "has no \"severity\"", NULL);
	load_bad(RULES_HEAD "rules:\n  - { id: BH-6001 }\n", "no \"rule\" here", NULL);
	load_bad(RULES_HEAD "rules:\n  - { rule: r }\n", "no \"id\" here", NULL);
	load_bad(RULES_HEAD
		 "rules:\n  - { rule: r, id: BH-6001, title: t, on: [], severity: low }\n",
		 "on names no kind", NULL);
	load_bad(RULES_HEAD "rules:\n  - { rule: r, id: BH-6001, title: t, on: [spoof.arp, "
			    "spoof.arp], severity: low }\n",
		 "named twice", NULL);
	load_bad(RULES_HEAD "rules:\n  - { rule: 'a b', id: BH-6001, title: t, on: spoof.arp, "
			    "severity: low }\n",
		 "no name for a rule", NULL);
}

static void ids(void **state)
{
	static const char *const bad[] = {"BH-1",    "BH-0999", "1001",		  "bh-1001",
					  "BH-10a1", "BH-",	"BH-99999999999", "XX-1001"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text,
			       RULES_HEAD "rules:\n  - { rule: r, id: %s, on: relay.forward, "
					  "title: t, severity: low }\n",
			       bad[i]);
		load_bad(text, "is no rule id; write BH-", NULL);
	}
}

static void names_are_unique(void **state)
{
	(void)state;
	load_bad(RULES_HEAD "rules:\n" RULE("BH-6001", "a") RULE("BH-6001", "b")
		     RULE("BH-6002", "a"),
		 ":5:20: id \"BH-6001\" is taken by the rule at ", ":6:13: name \"a\" is taken by",
		 NULL);
	load_bad(RULES_HEAD "lists: [{ list: x, items: [a] }, { list: x, items: [b] }]\n",
		 "list \"x\" is defined differently at ", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: x, condition: count = 1 }, { macro: x, condition: "
			    "count = 2 }]\n",
		 "macro \"x\" is defined differently at ", NULL);
	load_bad(RULES_HEAD "lists: [{ list: x, items: [a] }]\n"
			    "macros: [{ macro: x, condition: count = 1 }]\n",
		 "\"x\" is already a list", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: vlan, condition: count = 1 }]\n",
		 "\"vlan\" is a field", NULL);
	load_bad(RULES_HEAD "macros: [{ macro: and, condition: count = 1 }]\n",
		 "\"and\" is a word of conditions", NULL);
	load_bad(RULES_HEAD "lists: [{ list: a.b, items: [x] }]\n", "is no name", NULL);
	load_bad(RULES_HEAD "lists: [{ lst: a, items: [x] }]\n", "unknown key \"lst\"",
		 "no \"list\" here", NULL);
	load_bad(RULES_HEAD "lists: [{ list: a }]\n", "no \"items\" here", NULL);
	load_bad(RULES_HEAD "lists: [{ list: a, items: x }]\n", "list", NULL);
	load_bad(RULES_HEAD "lists: [{ list: a, items: [[x]] }]\n", ":3:28:", NULL);
	rules_free(load_good(RULES_HEAD
			     "lists: [{ list: x, items: [a] }, { list: x, items: [a] }]\n"
			     "macros: [{ macro: m, condition: count = 1 },"
			     " { macro: m, condition: count = 1 }]\n"));
}

static void thresholds(void **state)
{
	static const char *const bad[] = {"{ count: 3 }",
					  "{ within: 10s }",
					  "{ count: 3, within: 0s }",
					  "{ count: 3, within: 25h }",
					  "{ count: 3, within: ten }",
					  "{ count: -1, within: 1s }",
					  "{ count: 3, within: 10s, per: x }",
					  "3"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text,
			       RULES_HEAD "rules:\n  - { rule: r, id: BH-6001, on: relay.forward, "
					  "title: t, severity: low,\n      threshold: %s }\n",
			       bad[i]);
		load_bad(text, ":5:", NULL);
	}
}

static void overrides(void **state)
{
	struct finding f = a_finding();
	struct ruleset *rules;

	(void)state;
	/* Before the rule, by name and by id; the later one counts. */
	rules = load_good(
	    RULES_HEAD "override:\n"
		       "  - { rule: a, set: { severity: high, title: new }, reason: x }\n"
		       "  - { rule: BH-6001, set: { severity: medium } }\n"
		       "  - { rule: b, set: { enabled: false } }\n"
		       "  - { rule: c, set: { condition: count = 2, on: spoof.arp } }\n"
		       "rules:\n" RULE("BH-6001", "a") RULE("BH-6002", "b") RULE("BH-6003", "c"));
	assert_int_equal(rules_find(rules, "a")->severity, SEVERITY_MEDIUM);
	assert_string_equal(rules_find(rules, "a")->title, "new");
	assert_false(rules_find(rules, "b")->enabled);
	assert_int_equal(judge(rules, &f), 1);
	f.kind = "spoof.arp";
	assert_int_equal(judge(rules, &f), 0);
	f.count = 2;
	assert_int_equal(judge(rules, &f), 1);
	rules_free(rules);

	load_bad(RULES_HEAD "rules:\n" RULE(
		     "BH-6001",
		     "abcdef") "override:\n"
			       "  - { rule: abcdeg, set: { severity: low } }\n"
			       "  - { rule: BH-6001, set: { severity: lw, id: x }, resaon: y }\n"
			       "  - { rule: BH-6001 }\n"
			       "  - { set: { severity: low } }\n",
		 ":6:13: warning: no rule \"abcdeg\"; did you mean \"abcdef\"?",
		 ":7:39: \"lw\" is no severity", ":7:43: unknown key \"id\"",
		 ":7:52: unknown key \"resaon\"", ":8:5: no \"set\" here", ":9:5: no \"rule\" here",
		 NULL);
}

static void family_is_checked(void **state)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;

	(void)state;
	assert_int_equal(load_text(RULES_HEAD "rules:\n" RULE("BH-3001", "a"), &rules, &problems),
			 0);
	assert_int_equal(problems.warnings, 1);
	assert_non_null(strstr(problems.text, "BH-3001 is an id of the family spoof.*"));
	assert_string_equal(rules_get(rules, 0)->category, "Spoofed position");
	rules_free(rules);
	problems_fini(&problems);
}

static void until_is_watched(void **state)
{
	static const struct {
		const char *until;
		const char *told; /* NULL: nothing */
	} cases[] = {
	    {"2025-12-31", "ended on 2025-12-31 and no longer excuses"},
	    {"2026-01-01", "ended on 2026-01-01"},
	    {"2026-01-02", "ends on 2026-01-02, in 1 days"},
	    {"2026-01-15", "in 14 days"},
	    {"2026-01-16", NULL},
	};
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(
		    text, sizeof text,
		    RULES_HEAD
		    "rules:\n"
		    "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: "
		    "low,\n"
		    "      exceptions: [{ name: x, fields: kind, values: [\"*\"], until: "
		    "%s }] }\n",
		    cases[i].until);
		assert_int_equal(load_text(text, &rules, &problems), 0);
		assert_int_equal(problems.warnings, cases[i].told != NULL);
		if (cases[i].told != NULL)
			assert_non_null(strstr(problems.text, cases[i].told));
		rules_free(rules);
		problems_fini(&problems);
	}
	load_bad(
	    RULES_HEAD
	    "rules:\n"
	    "  - { rule: r, id: BH-6001, on: relay.forward, title: t, severity: low,\n"
	    "      exceptions: [{ name: x, fields: kind, values: [\"*\"], until: 2026-02-30 }] }\n",
	    "is no date", NULL);
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void take_away(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void folders_are_read_in_order(void **state)
{
	char folder[] = "/tmp/bulkhead-rules-XXXXXX";
	const char *paths[] = {folder};
	struct problems problems = {0};
	struct err err = {0};
	struct ruleset *rules = NULL;
	char before[17];

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &rules, &problems, &err), ERR_CONFIG);
	assert_non_null(strstr(problems.text, "no rules in this folder"));
	problems_fini(&problems);

	put(folder, "b.yaml",
	    RULES_HEAD "rules:\n" RULE("BH-6002", "b")
		RULE("BH-6001", "c") "macros: [{ macro: m, condition: count = 1 }]\n");
	put(folder, "a.yml",
	    RULES_HEAD "rules:\n"
		       "  - { rule: a, id: BH-6003, on: relay.forward, title: t, "
		       "severity: low, condition: m }\n");
	put(folder, "README.md", "not: [rules");
	put(folder, ".hidden.yaml", "not: [rules");
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &rules, &problems, &err), 0);
	assert_int_equal(rules_count(rules), 3);
	assert_string_equal(rules_get(rules, 0)->name, "a");
	assert_string_equal(rules_get(rules, 1)->name, "b");
	assert_string_equal(rules_get(rules, 2)->name, "c");
	assert_non_null(strstr(rules_get(rules, 0)->file, "/a.yml"));
	(void)strcpy(before, rules_revision(rules));
	rules_free(rules);
	/* The revision is of the text, and of all of it. */
	assert_int_equal(rules_load(paths, 1, all_kinds, 1, &rules, &problems, &err), 0);
	assert_string_equal(rules_revision(rules), before);
	rules_free(rules);
	put(folder, "b.yaml",
	    RULES_HEAD "rules:\n" RULE("BH-6002", "b")
		RULE("BH-6001", "d") "macros: [{ macro: m, condition: count = 1 }]\n");
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &rules, &problems, &err), 0);
	assert_string_not_equal(rules_revision(rules), before);
	rules_free(rules);
	/* Mistakes of all files at once. */
	put(folder, "a.yml", "version: 1\nrules: [\n");
	put(folder, "b.yaml", "version: 1\nrles: []\n");
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &rules, &problems, &err), ERR_CONFIG);
	assert_non_null(strstr(problems.text, "/a.yml:"));
	assert_non_null(strstr(problems.text, "/b.yaml:2:1: unknown key \"rles\""));
	problems_fini(&problems);
	take_away(folder, "a.yml");
	take_away(folder, "b.yaml");
	take_away(folder, "README.md");
	take_away(folder, ".hidden.yaml");
	assert_int_equal(rmdir(folder), 0);
}

static void missing_files(void **state)
{
	const char *paths[] = {"/nonexistent/rules.yaml"};
	struct problems problems = {0};
	struct err err = {0};
	struct ruleset *rules = NULL;

	(void)state;
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &rules, &problems, &err), ERR_NOINPUT);
	assert_null(rules);
	assert_string_equal(err.text, "/nonexistent/rules.yaml: No such file or directory");
	problems_fini(&problems);
	rules_free(NULL);
}

/* Cuts and flips of the core rules must load or be told; under sanitizers this is the point. */
static void mangled_files_do_no_harm(void **state)
{
	static char text[65536];
	FILE *file = fopen("rules/relay.yaml", "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(text, 1, sizeof text, file);
	assert_int_equal(fclose(file), 0);
	assert_true(len > 1000 && len < sizeof text);
	for (size_t at = 0; at < len; at += 97) {
		static const char marks[] = "\"({[:,-#&*!|>'%@`\\\0\xff";
		struct problems problems = {0};
		struct ruleset *rules = NULL;
		char kept = text[at];

		(void)load_text_at(text, at, TEST_NOW, &rules, &problems);
		rules_free(rules);
		text[at] = marks[at % (sizeof marks - 1)];
		(void)load_text_at(text, len, TEST_NOW, &rules, &problems);
		rules_free(rules);
		text[at] = kept;
		problems_fini(&problems);
	}
}

static char *printed(const struct ruleset *rules, const struct rule *rule)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	rules_print(rules, rule, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void a_printed_rule_loads_again(void **state)
{
	struct ruleset *rules = load_good(
	    RULES_HEAD
	    "rules:\n"
	    "  - rule: r\n"
	    "    id: BH-6001\n"
	    "    on: [relay.forward, relay.bridge]\n"
	    "    title: \"it's \\\"new\\\" \\u00e9 \\e[31m\"\n"
	    "    condition: actor.tenant = \"a b\" or count > 3\n"
	    "    severity: low\n"
	    "    threshold: { count: 2, within: 10s }\n"
	    "    exceptions: [{ name: x, fields: [kind], values: [[\"*\"], [[spoof.arp, "
	    "spoof.ndp]]] }]\n"
	    "    tests: [{ event: { kind: relay.forward, count: 9 }, times: 2, expect: none }]\n"
	    "override: [{ rule: r, set: { severity: high, exceptions: [] }, reason: why }]\n");
	char *text = printed(rules, rules_get(rules, 0));
	char again[8192];
	struct ruleset *reloaded;

	(void)state;
	assert_non_null(strstr(text, "severity: high"));
	assert_non_null(strstr(text, ": \"why\""));
	for (const char *p = text; *p != '\0'; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	(void)snprintf(again, sizeof again, RULES_HEAD "rules:\n%s", text);
	reloaded = load_good(again);
	assert_int_equal(rules_get(reloaded, 0)->severity, SEVERITY_HIGH);
	assert_string_equal(rules_get(reloaded, 0)->id, "BH-6001");
	rules_free(reloaded);
	rules_free(rules);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_rule),
	    cmocka_unit_test(unknown_keys_and_values),
	    cmocka_unit_test(what_a_rule_must_have),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(thresholds),
	    cmocka_unit_test(overrides),
	    cmocka_unit_test(family_is_checked),
	    cmocka_unit_test(until_is_watched),
	    cmocka_unit_test(folders_are_read_in_order),
	    cmocka_unit_test(missing_files),
	    cmocka_unit_test(mangled_files_do_no_harm),
	    cmocka_unit_test(a_printed_rule_loads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
