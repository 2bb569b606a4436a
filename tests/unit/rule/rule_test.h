/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_test.h - what the tests of this room share: the catalogue of kinds, loading rules from a
 * text, and a finding to begin with.
 */
#ifndef TESTS_RULE_TEST_H
#define TESTS_RULE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/clock.h"
#include "bulkhead/rule.h"
#include "bulkhead/tenant.h"

__attribute__((unused)) static const char *const all_kinds[] = {
    "observe.misdelivery",
    "observe.exposure",
    "observe.flood",
    "observe.mac-exhaustion",
    "observe.icmp-quote",
    "observe.promiscuous-reply",
    "observe.ptr-lookup",
    "observe.tunnel",
    "observe.capture-export",
    "observe.decoy",
    "observe.secret-reuse",
    "relay.forward",
    "relay.bridge",
    "relay.rewrite",
    "relay.proxy",
    "relay.intercept",
    "relay.tunnel",
    "relay.capture-export",
    "spoof.arp",
    "spoof.proxy-arp",
    "spoof.ndp",
    "spoof.router-advertisement",
    "spoof.redirect",
    "spoof.dhcp",
    "spoof.name",
    "spoof.source",
    "spoof.mac",
    "spoof.gateway",
    "spoof.injection",
    "boundary.vlan",
    "boundary.vni",
    "boundary.topology",
    "residency.egress",
    "residency.relay",
    "health.drop",
    "health.truncated",
    "health.silent-tap",
    "health.one-way",
    "health.unknown-segment",
    "health.unmapped",
    "health.table-full",
    "health.clock",
    "health.inventory-age",
    "health.sink-down",
    NULL,
};

#define RULES_HEAD "version: 1\nruleset: test\n"
/* 2026-01-01 */
#define TEST_NOW (UINT64_C(1767225600) * NS_PER_SEC)

/* Writes text to a file of its own and loads it; the name is in path. */
__attribute__((unused)) static int load_text_at(const char *text, size_t len, uint64_t now_ns,
						struct ruleset **rules, struct problems *problems)
{
	char path[] = "/tmp/bulkhead-rule-XXXXXX";
	const char *paths[] = {path};
	struct err err = {0};
	FILE *file;
	int fd = mkstemp(path);
	int code;

	assert_int_not_equal(fd, -1);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	code = rules_load(paths, 1, all_kinds, now_ns, rules, problems, &err);
	assert_int_equal(remove(path), 0);
	assert_true((code == 0) == (*rules != NULL));
	assert_true(code == 0 || err.text[0] != '\0');
	return code;
}

__attribute__((unused)) static int load_text(const char *text, struct ruleset **rules,
					     struct problems *problems)
{
	return load_text_at(text, strlen(text), TEST_NOW, rules, problems);
}

/* Loads what must be right. */
__attribute__((unused)) static struct ruleset *load_good(const char *text)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	int code = load_text(text, &rules, &problems);

	if (code != 0)
		fail_msg("%s", problems.text == NULL ? "no text" : problems.text);
	assert_int_equal(problems.errors, 0);
	problems_fini(&problems);
	return rules;
}

/* Loads what must be wrong; each of the texts (NULL-terminated) must be told. */
__attribute__((unused)) static void load_bad(const char *text, ...)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	const char *wanted;
	va_list args;

	assert_int_equal(load_text(text, &rules, &problems), ERR_CONFIG);
	assert_null(rules);
	assert_true(problems.errors > 0);
	assert_non_null(problems.text);
	va_start(args, text);
	while ((wanted = va_arg(args, const char *)) != NULL) {
		if (strstr(problems.text, wanted) == NULL)
			fail_msg("\"%s\" is not in:\n%s", wanted, problems.text);
	}
	va_end(args);
	problems_fini(&problems);
}

/* One rule with this condition. */
__attribute__((unused)) static struct ruleset *load_condition(const char *condition)
{
	char text[65536];

	(void)snprintf(text, sizeof text,
		       RULES_HEAD "rules:\n"
				  "  - rule: r\n"
				  "    id: BH-6001\n"
				  "    on: [relay.forward]\n"
				  "    title: t\n"
				  "    severity: low\n"
				  "    condition: '%s'\n",
		       condition);
	return load_good(text);
}

__attribute__((unused)) static void bad_condition(const char *condition, const char *wanted)
{
	char text[65536];

	(void)snprintf(text, sizeof text,
		       RULES_HEAD "lists: [{ list: chatty, items: [NTP, ICMP] }]\n"
				  "macros: [{ macro: cross, condition: actor.tenant != "
				  "victim.tenant }]\n"
				  "rules:\n"
				  "  - rule: r\n"
				  "    id: BH-6001\n"
				  "    on: [relay.forward]\n"
				  "    title: t\n"
				  "    severity: low\n"
				  "    condition: %s\n",
		       condition);
	load_bad(text, wanted, NULL);
}

/* A relay by acme/a1 of globex/b1's traffic. */
__attribute__((unused)) static struct finding a_finding(void)
{
	struct finding f = {.kind = "relay.forward",
			    .confidence = CONFIDENCE_PROOF,
			    .attribution = ATTRIBUTION_CONSISTENT,
			    .ts_ns = TEST_NOW,
			    .segment = SEGMENT_NONE,
			    .count = 1};

	f.actor.tenant = "acme";
	f.actor.host = "a1";
	f.victim.tenant = "globex";
	f.victim.host = "b1";
	return f;
}

__attribute__((unused)) static unsigned judge(struct ruleset *rules, const struct finding *f)
{
	struct verdict verdict[8];
	struct stats stats = {0};

	return rules_judge(rules, f, &stats, verdict, 8);
}

/* Does the condition hold for the finding? */
__attribute__((unused)) static bool holds(const char *condition, const struct finding *f)
{
	struct ruleset *rules = load_condition(condition);
	unsigned fired = judge(rules, f);

	rules_free(rules);
	return fired == 1;
}

#endif
