/* SPDX-License-Identifier: Apache-2.0 */
/* test_core.c - the rules built into the binary, and what rules/README.md says about fields. */
#include "unit/rule/rule_test.h"

static struct ruleset *load_core(void)
{
	struct problems problems = {0};
	struct err err = {0};
	struct ruleset *rules = NULL;

	if (rules_load(NULL, 0, all_kinds, TEST_NOW, &rules, &problems, &err) != 0)
		fail_msg("%s: %s", err.text, problems.text == NULL ? "" : problems.text);
	assert_int_equal(problems.errors, 0);
	assert_int_equal(problems.warnings, 0);
	problems_fini(&problems);
	return rules;
}

static unsigned judge_kind(struct ruleset *rules, const char *kind, struct finding *f,
			   struct verdict *out)
{
	struct stats stats = {0};

	f->kind = kind;
	return rules_judge(rules, f, &stats, out, 8);
}

static bool is_health(const char *kind)
{
	return strncmp(kind, "health.", 7) == 0;
}

static void the_tests_inside_hold(void **state)
{
	struct ruleset *rules = load_core();
	struct problems problems = {0};
	unsigned failed, count = rules_test(rules, &problems, &failed);

	(void)state;
	if (failed != 0)
		fail_msg("%s", problems.text);
	assert_true(count >= 2 * rules_count(rules));
	rules_free(rules);
}

/* The files in rules/ are what is built in. */
static void the_folder_is_the_same(void **state)
{
	const char *paths[] = {"rules"};
	struct problems problems = {0};
	struct err err = {0};
	struct ruleset *folder = NULL, *core = load_core();

	(void)state;
	assert_int_equal(rules_load(paths, 1, all_kinds, 0, &folder, &problems, &err), 0);
	assert_string_equal(rules_revision(folder), rules_revision(core));
	assert_int_equal(rules_count(folder), rules_count(core));
	rules_free(folder);
	rules_free(core);
}

static void every_kind_fires_exactly_one_rule(void **state)
{
	struct ruleset *rules = load_core();
	struct verdict v[8];

	(void)state;
	for (const char *const *kind = all_kinds; *kind != NULL; kind++) {
		struct finding f = a_finding();
		enum confidence levels[] = {CONFIDENCE_PROOF, CONFIDENCE_STRONG,
					    CONFIDENCE_INDICATOR};

		for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
			f.confidence = levels[i];
			if (judge_kind(rules, *kind, &f, v) != 1)
				fail_msg("%s does not fire one rule", *kind);
			/* What the sensor only suspects of its own sight is for the log. */
			if (strcmp(*kind, "health.unmapped") != 0 &&
			    (strncmp(*kind, "health.", 7) != 0 ||
			     f.confidence != CONFIDENCE_INDICATOR))
				assert_true(v[0].severity > SEVERITY_INFORMATIONAL);
		}
	}
	rules_free(rules);
}

static void inside_one_tenant_nothing_alerts(void **state)
{
	struct ruleset *rules = load_core();
	struct verdict v[8];

	(void)state;
	for (const char *const *kind = all_kinds; *kind != NULL; kind++) {
		struct finding f = a_finding();

		/* A tenant's own traffic leaving, and a flood of MACs, have no two parties. */
		if (is_health(*kind) || strcmp(*kind, "residency.egress") == 0 ||
		    strcmp(*kind, "observe.mac-exhaustion") == 0)
			continue;
		f.victim.tenant = "acme";
		f.victim.host = "a2";
		if (judge_kind(rules, *kind, &f, v) != 0)
			fail_msg("%s fires inside one tenant", *kind);
	}
	rules_free(rules);
}

static void hints_about_unregistered_devices_accuse_nobody(void **state)
{
	struct ruleset *rules = load_core();
	struct verdict v[8];

	(void)state;
	for (const char *const *kind = all_kinds; *kind != NULL; kind++) {
		struct finding f = a_finding();

		if (is_health(*kind) || strcmp(*kind, "residency.egress") == 0)
			continue;
		f.actor = (struct party){.tenant = "unknown", .host = "unknown", .has_mac = true};
		f.confidence = CONFIDENCE_INDICATOR;
		f.app.flags = APP_CLEARTEXT_CREDENTIALS;
		if (judge_kind(rules, *kind, &f, v) != 1 || v[0].severity != SEVERITY_INFORMATIONAL)
			fail_msg("%s: a hint is more than informational", *kind);
		f.confidence = CONFIDENCE_PROOF;
		if (judge_kind(rules, *kind, &f, v) != 1 || v[0].severity == SEVERITY_INFORMATIONAL)
			fail_msg("%s: proof is lost", *kind);
	}
	rules_free(rules);
}

static void severities_are_the_designs(void **state)
{
	static const struct {
		const char *kind;
		enum severity severity;
	} wanted[] = {
	    {"observe.misdelivery", SEVERITY_HIGH},
	    {"observe.exposure", SEVERITY_HIGH},
	    {"observe.flood", SEVERITY_MEDIUM},
	    {"observe.mac-exhaustion", SEVERITY_HIGH},
	    {"observe.icmp-quote", SEVERITY_CRITICAL},
	    {"observe.promiscuous-reply", SEVERITY_MEDIUM},
	    {"observe.ptr-lookup", SEVERITY_LOW},
	    {"observe.tunnel", SEVERITY_CRITICAL},
	    {"observe.capture-export", SEVERITY_CRITICAL},
	    {"observe.decoy", SEVERITY_CRITICAL},
	    {"observe.secret-reuse", SEVERITY_HIGH},
	    {"relay.forward", SEVERITY_CRITICAL},
	    {"relay.bridge", SEVERITY_CRITICAL},
	    {"relay.rewrite", SEVERITY_CRITICAL},
	    {"relay.proxy", SEVERITY_HIGH},
	    {"relay.intercept", SEVERITY_MEDIUM},
	    {"relay.tunnel", SEVERITY_CRITICAL},
	    {"relay.capture-export", SEVERITY_CRITICAL},
	    {"spoof.arp", SEVERITY_HIGH},
	    {"spoof.proxy-arp", SEVERITY_CRITICAL},
	    {"spoof.ndp", SEVERITY_HIGH},
	    {"spoof.router-advertisement", SEVERITY_HIGH},
	    {"spoof.redirect", SEVERITY_HIGH},
	    {"spoof.dhcp", SEVERITY_HIGH},
	    {"spoof.name", SEVERITY_HIGH},
	    {"spoof.source", SEVERITY_MEDIUM},
	    {"spoof.mac", SEVERITY_HIGH},
	    {"spoof.gateway", SEVERITY_HIGH},
	    {"spoof.injection", SEVERITY_CRITICAL},
	    {"boundary.vlan", SEVERITY_HIGH},
	    {"boundary.vni", SEVERITY_HIGH},
	    {"boundary.topology", SEVERITY_MEDIUM},
	    {"residency.egress", SEVERITY_MEDIUM},
	    {"residency.relay", SEVERITY_CRITICAL},
	    {"health.drop", SEVERITY_HIGH},
	    {"health.truncated", SEVERITY_LOW},
	    {"health.silent-tap", SEVERITY_HIGH},
	    {"health.one-way", SEVERITY_MEDIUM},
	    {"health.unknown-segment", SEVERITY_LOW},
	    {"health.unmapped", SEVERITY_INFORMATIONAL},
	    {"health.table-full", SEVERITY_MEDIUM},
	    {"health.clock", SEVERITY_LOW},
	    {"health.inventory-age", SEVERITY_LOW},
	    {"health.sink-down", SEVERITY_HIGH},
	};
	struct ruleset *rules = load_core();
	struct verdict v[8];

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct finding f = a_finding();

		assert_int_equal(judge_kind(rules, wanted[i].kind, &f, v), 1);
		if (v[0].severity != wanted[i].severity)
			fail_msg("%s is %s", wanted[i].kind, severity_name(v[0].severity));
		/* Kind and id are of one family, and someone has thought about the message. */
		assert_true(v[0].rule->number >= 1000 && v[0].rule->number <= 9999);
		assert_string_not_equal(v[0].rule->category, "Local rule");
		assert_string_not_equal(v[0].message, v[0].rule->title);
		assert_true(is_health(wanted[i].kind) == (v[0].rule->number / 1000 == 9));
	}
	rules_free(rules);
}

static void a_look_up_after_exposure_is_graver(void **state)
{
	struct ruleset *rules = load_core();
	struct finding f = a_finding();
	struct verdict v[8];

	(void)state;
	finding_detail_text(&f, "exposed", "yes");
	assert_int_equal(judge_kind(rules, "observe.ptr-lookup", &f, v), 1);
	assert_int_equal(v[0].severity, SEVERITY_MEDIUM);
	f.detail[0].text[0] = 'n';
	assert_int_equal(judge_kind(rules, "observe.ptr-lookup", &f, v), 1);
	assert_int_equal(v[0].severity, SEVERITY_LOW);
	rules_free(rules);
}

/* BH-1001 as the contract writes it. */
static void the_contracts_rule(void **state)
{
	struct ruleset *rules = load_core();
	const struct rule *rule = rules_find(rules, "BH-1001");
	struct finding f = a_finding();
	struct verdict v[8];

	(void)state;
	assert_non_null(rule);
	assert_string_equal(rule->name, "relay.forward");
	assert_string_equal(rule->category, "Cross-tenant relay");
	assert_int_equal(rule->attack_count, 2);
	assert_string_equal(rule->attack[0], "T1557");
	assert_string_equal(rule->attack[1], "T1040");
	(void)strcpy(f.app.proto, "TLS");
	f.next.tenant = "infrastructure";
	f.next.host = "gw";
	assert_int_equal(judge_kind(rules, "relay.forward", &f, v), 1);
	assert_string_equal(v[0].message, "acme/a1 relays TLS of globex/b1 to gw");
	rules_free(rules);
}

/* ---- the manual ---------------------------------------------------------------------------- */

struct manual {
	char *text;
	unsigned rows; /* fields looked for */
};

static void in_manual(void *context, const char *name, const char *type, const char *example,
		      const char *summary)
{
	struct manual *manual = context;
	char row[512];

	(void)snprintf(row, sizeof row, "| `%s` | %s | `%s` | %s |\n", name, type, example,
		       summary);
	if (strstr(manual->text, row) == NULL)
		fail_msg("rules/README.md lacks the row: %s", row);
	manual->rows++;
}

static void the_manual_lists_the_fields(void **state)
{
	struct manual manual = {.text = calloc(1, 1 << 18)};
	FILE *file = fopen("rules/README.md", "r");
	unsigned rows = 0;

	(void)state;
	assert_non_null(file);
	assert_non_null(manual.text);
	assert_true(fread(manual.text, 1, (1 << 18) - 1, file) > 1000);
	assert_int_equal(fclose(file), 0);
	rule_fields(in_manual, &manual);
	assert_true(manual.rows > 40);
	/* No row more: fields are the rows between the table's head and the next empty line. */
	for (char *p = strstr(manual.text, "| field |"); p != NULL && *p == '|';
	     p = strchr(p, '\n') + 1)
		rows++;
	assert_int_equal(rows, manual.rows + 2);
	free(manual.text);
}

/* The worked examples: whole files between ```yaml fences that begin with a version. */
static void the_manuals_examples_load(void **state)
{
	char *text = calloc(1, 1 << 18);
	FILE *file = fopen("rules/README.md", "r");
	unsigned examples = 0;

	(void)state;
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 1000);
	assert_int_equal(fclose(file), 0);
	for (char *p = strstr(text, "```yaml\nversion: 1"); p != NULL;
	     p = strstr(p, "```yaml\nversion: 1")) {
		struct problems problems = {0};
		struct ruleset *rules;
		char *end = strstr(p + 8, "```");
		unsigned failed;

		assert_non_null(end);
		*end = '\0';
		rules = load_good(p + 8);
		assert_true(rules_test(rules, &problems, &failed) > 0);
		if (failed != 0)
			fail_msg("%s", problems.text);
		rules_free(rules);
		p = end + 1;
		examples++;
	}
	assert_true(examples >= 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tests_inside_hold),
	    cmocka_unit_test(the_folder_is_the_same),
	    cmocka_unit_test(every_kind_fires_exactly_one_rule),
	    cmocka_unit_test(inside_one_tenant_nothing_alerts),
	    cmocka_unit_test(hints_about_unregistered_devices_accuse_nobody),
	    cmocka_unit_test(severities_are_the_designs),
	    cmocka_unit_test(a_look_up_after_exposure_is_graver),
	    cmocka_unit_test(the_contracts_rule),
	    cmocka_unit_test(the_manual_lists_the_fields),
	    cmocka_unit_test(the_manuals_examples_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
