/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c - loading rules when memory is short or a file cannot be read: refused as a whole,
 * with a reason, whichever call it was; and what is loaded afterwards is all of it.
 */
#include "unit/rule/rule_test.h"

#include "unit/faults.h"

/* Something of everything. */
static const char everything[] =
    "version: 1\n"
    "ruleset: whole\n"
    "lists:\n"
    "  - { list: chatty, items: [NTP, ICMP, \"QU*\"] }\n"
    "  - { list: ports, items: [80, 443, 873] }\n"
    "  - { list: nets, items: [10.0.0.0/8, \"fd00::/8\"] }\n"
    "macros:\n"
    "  - { macro: cross, condition: actor.tenant != victim.tenant }\n"
    "  - { macro: quiet, condition: not cross or app.proto in (chatty) }\n"
    "rules:\n"
    "  - rule: one\n"
    "    id: BH-6001\n"
    "    rev: 3\n"
    "    on: [relay.forward, relay.bridge]\n"
    "    title: A title\n"
    "    condition: cross and not app.proto in (chatty) and flow.dst_port in (ports)\n"
    "    group_by: [actor.host, victim.tenant]\n"
    "    threshold: { count: 3, within: 10s }\n"
    "    severity: critical\n"
    "    attack: [T1557, T1040.001]\n"
    "    output: \"{actor.tenant}/{actor.host} relays {app.proto} \\e[1m {next.name}\"\n"
    "    evidence: { packets: 64 }\n"
    "    exceptions:\n"
    "      - { name: fw, fields: [actor.tenant, victim.tenant], values: [[netops, \"*\"],\n"
    "          [lab, acme]], reason: ticket 411, until: 2027-01-31 }\n"
    "    tests:\n"
    "      - { name: fires, event: { kind: relay.forward, actor: { tenant: acme, host: a1 },\n"
    "          victim: { tenant: globex }, flow: { dst_port: 80 } }, times: 3,\n"
    "          expect: { alerts: 1, severity: critical } }\n"
    "  - rule: two\n"
    "    id: BH-6002\n"
    "    on: relay.forward\n"
    "    title: Another\n"
    "    condition: flow.src_ip within nets and quiet and detail.path = \"a*\" and vlan in (7, 9)\n"
    "    severity: low\n"
    "override:\n"
    "  - { rule: BH-6001, set: { severity: low, condition: cross }, reason: \"lab switch\" }\n"
    "  - { rule: two, set: { enabled: false }, reason: \"not here\" }\n"
    "  - { rule: three, set: { enabled: false } }\n"; /* none: a warning */

struct folder {
	char path[64], file[2][80];
};

static int set_up(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	(void)strcpy(f->path, "/tmp/bulkhead-faults-XXXXXX");
	if (mkdtemp(f->path) == NULL)
		return 1;
	for (unsigned i = 0; i < 2; i++) {
		FILE *out;

		(void)snprintf(f->file[i], sizeof f->file[i], "%s/%u.yaml", f->path, i);
		out = fopen(f->file[i], "w");
		if (out == NULL)
			return 1;
		(void)fputs(
		    i == 0 ? everything : RULES_HEAD "lists: [{ list: more, items: [1] }]\n", out);
		if (fclose(out) != 0)
			return 1;
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *f = *state;

	for (unsigned i = 0; i < 2; i++)
		(void)unlink(f->file[i]);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

static int load(const char *path, struct ruleset **rules, struct problems *problems,
		struct err *err)
{
	*rules = NULL;
	*problems = (struct problems){0};
	*err = (struct err){0};
	return rules_load(&path, path != NULL, all_kinds, TEST_NOW, rules, problems, err);
}

static void each_call_fails(const char *path, unsigned least)
{
	struct problems problems;
	struct ruleset *rules;
	struct err err;
	char revision[32] = "";
	unsigned failed = 0;
	int code;

	FAULTS_EACH(code = load(path, &rules, &problems, &err), hit)
	{
		/* The text of a warning is no part of the rules; that there was one is counted. */
		hit = hit && !(problems.warnings > 0 && problems.dropped > 0);
		failed += hit;
		if ((code == 0) == hit || (rules == NULL) != hit)
			fail_msg("%s: code %d: %s", fault_name(), code, err.text);
		if (hit) {
			assert_true(err.text[0] != '\0');
		} else {
			assert_int_equal(problems.errors, 0);
			(void)snprintf(revision, sizeof revision, "%s", rules_revision(rules));
		}
		rules_free(rules);
		problems_fini(&problems);
	}
	assert_in_range(failed, least, 100000);
	assert_int_equal(load(path, &rules, &problems, &err), 0);
	assert_string_equal(rules_revision(rules), revision);
	rules_free(rules);
	problems_fini(&problems);
}

static void rules_of_a_folder(void **state)
{
	struct folder *f = *state;

	each_call_fails(f->path, 100);
}

/* More than is read at once. */
static void a_large_file(void **state)
{
	struct folder *f = *state;
	FILE *out = fopen(f->file[1], "a");

	assert_non_null(out);
	for (unsigned lines = 0; lines < 1200; lines++)
		(void)fputs("# a remark that fills the buffer which files are read into\n", out);
	assert_int_equal(fclose(out), 0);
	each_call_fails(f->file[1], 10);
}

static void core_rules(void **state)
{
	(void)state;
	fault_step = 29; /* there are thousands, of the same kinds as above */
	each_call_fails(NULL, 50);
	fault_step = 1;
}

static void tests_of_rules(void **state)
{
	struct folder *f = *state;
	struct problems problems;
	struct ruleset *rules;
	struct err err;
	unsigned count, failed;

	assert_int_equal(load(f->path, &rules, &problems, &err), 0);
	FAULTS_EACH(count = rules_test(rules, &problems, &failed), hit)
	{
		assert_int_equal(count, 1);
		assert_int_equal(failed, hit); /* told, not passed over */
	}
	problems_fini(&problems);
	rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rules_of_a_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_large_file, set_up, tear_down),
	    cmocka_unit_test(core_rules),
	    cmocka_unit_test_setup_teardown(tests_of_rules, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
