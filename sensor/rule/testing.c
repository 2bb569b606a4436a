/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.c - the tests inside rules: an event, how often it comes, what must come of it.
 *
 * An event starts as a finding in which nothing is known (confidence proof, attribution
 * consistent, tenants unknown) and the test's map sets fields in it by the same table that
 * conditions read.  A test sees its own rule alone, enabled or not, and a fresh threshold.
 *
 * A shipped rule's tests run against the rule as shipped, so that lowering a severity by an
 * override does not break them; an override may bring tests of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bulkhead/clock.h"
#include "bulkhead/tenant.h"
#include "ruleset.h"

/* Early enough that no exception's `until` has passed: a test must not fail with the calendar. */
#define TEST_START_NS NS_PER_SEC
#define TEST_STEP_NS NS_PER_MS
#define TEST_GROUPS 4
#define NAME_SIZE 128

/* ---- reading ------------------------------------------------------------------------------- */

static void start_event(struct finding *event)
{
	*event = (struct finding){.confidence = CONFIDENCE_PROOF,
				  .attribution = ATTRIBUTION_CONSISTENT,
				  .segment = SEGMENT_NONE,
				  .count = 1};
	event->actor = (struct party){.tenant = "unknown", .host = "unknown"};
	event->victim = event->actor;
}

static bool set_value(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		      const struct field_ref *ref, struct finding *event)
{
	char why[256];
	const char *text;

	if (!yaml_text(doc, node, &text, scope->problems))
		return false;
	if (field_set(ref, event, text, scope->kinds, why, sizeof why))
		return true;
	yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "%s", why);
	return false;
}

static bool set_field(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		      const char *name, struct finding *event)
{
	struct field_ref ref;
	const char *near;
	bool good = true;

	if (!field_find(name, scope->arena, &ref)) {
		near = field_nearest(name);
		problem_add(scope->problems, PROBLEM_ERROR, doc->file, node->key_line,
			    node->key_col, "unknown field \"%.60s\"%s%s%s", name,
			    near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
			    near == NULL ? "" : "\"?");
		return false;
	}
	if (node->kind != YAML_LIST)
		return set_value(scope, doc, node, &ref, event);
	if (field_class(ref.field->type) != CLASS_BITS && ref.field->type != FIELD_VLAN) {
		yaml_problem(doc, node, PROBLEM_ERROR, scope->problems, "\"%s\" takes one value",
			     name);
		return false;
	}
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next)
		good &= set_value(scope, doc, n, &ref, event);
	return good;
}

/* Fields have at most one dot, so an event's map has at most one map inside. */
static bool set_fields(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct finding *event)
{
	bool good = true;

	for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
		if (n->kind != YAML_MAP) {
			good &= set_field(scope, doc, n, n->key, event);
			continue;
		}
		for (const struct yaml_node *m = n->first; m != NULL; m = m->next) {
			char name[NAME_SIZE];

			(void)snprintf(name, sizeof name, "%.60s.%.60s", n->key, m->key);
			good &= set_field(scope, doc, m, name, event);
		}
	}
	return good;
}

static bool read_event(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct finding *event)
{
	const struct yaml_node *node = yaml_get(map, "event");

	start_event(event);
	if (node == NULL) {
		yaml_problem(doc, map, PROBLEM_ERROR, scope->problems, "test without \"event\"");
		return false;
	}
	if (!yaml_is_map(doc, node, scope->problems) || !set_fields(scope, doc, node, event))
		return false;
	if (event->kind != NULL)
		return true;
	yaml_problem(doc, node, PROBLEM_ERROR, scope->problems,
		     "event without \"kind\"; write { kind: relay.forward, ... }");
	return false;
}

static bool read_expected_map(struct scope *scope, const struct yaml_doc *doc,
			      const struct yaml_node *map, struct rule_test *test)
{
	static const char *const keys[] = {"alerts", "severity", "none", NULL};
	const struct yaml_node *alerts = yaml_get(map, "alerts");
	const struct yaml_node *severity = yaml_get(map, "severity");
	const struct yaml_node *none = yaml_get(map, "none");
	bool nothing = false;
	const char *text;

	yaml_check_keys(doc, map, keys, scope->problems);
	if (map->count == 0) {
		yaml_problem(doc, map, PROBLEM_ERROR, scope->problems,
			     "nothing is expected; write { alerts: 1 } or { none: true }");
		return false;
	}
	test->alerts = 1; /* a severity alone: of an alert */
	if (alerts != NULL &&
	    !yaml_uint(doc, alerts, 0, RULE_MAX_TIMES, &test->alerts, scope->problems))
		return false;
	if (none != NULL && !yaml_bool(doc, none, &nothing, scope->problems))
		return false;
	if (nothing)
		test->alerts = 0;
	if (severity == NULL)
		return true;
	if (!yaml_text(doc, severity, &text, scope->problems))
		return false;
	test->severity = severity_parse(text);
	if (test->severity >= 0 && test->alerts > 0)
		return true;
	yaml_problem(doc, severity, PROBLEM_ERROR, scope->problems,
		     test->severity < 0 ? "\"%.60s\" is no severity; write informational, low, "
					  "medium, high or critical"
					: "severity %.60s of no alert",
		     text);
	return false;
}

static bool read_expected(struct scope *scope, const struct yaml_doc *doc,
			  const struct yaml_node *map, struct rule_test *test)
{
	const struct yaml_node *node = yaml_get(map, "expect");

	test->severity = -1;
	if (node == NULL) {
		yaml_problem(doc, map, PROBLEM_ERROR, scope->problems, "test without \"expect\"");
		return false;
	}
	if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0)
		return true; /* alerts is 0 */
	return yaml_is_map(doc, node, scope->problems) && read_expected_map(scope, doc, node, test);
}

static struct rule_test *read_test(struct scope *scope, const struct yaml_doc *doc,
				   const struct yaml_node *node)
{
	static const char *const keys[] = {"name", "event", "times", "expect", NULL};
	const struct yaml_node *times, *name;
	struct rule_test *test;
	bool good = true;

	if (!yaml_is_map(doc, node, scope->problems))
		return NULL;
	test = arena_alloc(scope->arena, sizeof *test);
	if (test == NULL) {
		scope->no_memory = true;
		return NULL;
	}
	yaml_check_keys(doc, node, keys, scope->problems);
	test->doc = doc;
	test->node = node;
	test->name = "unnamed";
	test->times = 1;
	name = yaml_get(node, "name");
	times = yaml_get(node, "times");
	if (name != NULL)
		good &= yaml_text(doc, name, &test->name, scope->problems);
	if (times != NULL)
		good &= yaml_uint(doc, times, 1, RULE_MAX_TIMES, &test->times, scope->problems);
	good &= read_event(scope, doc, node, &test->event);
	good &= read_expected(scope, doc, node, test);
	return good ? test : NULL;
}

bool rule_tests_compile(struct scope *scope, const struct yaml_doc *doc,
			const struct yaml_node *node, struct compiled *out)
{
	struct rule_test **last = &out->tests;
	bool good = true;

	if (!yaml_is_list(doc, node, scope->problems))
		return false;
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next) {
		struct rule_test *test = read_test(scope, doc, n);

		if (test == NULL) {
			good = false;
			continue;
		}
		*last = test;
		last = &test->next;
	}
	return good;
}

/* ---- running ------------------------------------------------------------------------------- */

struct result {
	uint64_t alerts;
	int severity;		   /* the highest; -1 none */
	enum rule_outcome outcome; /* of the last event */
};

static bool is_on(const struct compiled *rule, const char *kind)
{
	const char **on = rule->on;

	while (*on != NULL && strcmp(*on, kind) != 0)
		on++;
	return *on != NULL;
}

/* One event many times is one group: one alert, however often the rule fires. */
static struct result run_test(const struct compiled *rule, const struct rule_test *test,
			      struct table *thresholds)
{
	struct result result = {.severity = -1, .outcome = RULE_NO_MATCH};
	struct finding event = test->event;
	struct verdict verdict;

	table_clear(thresholds);
	event.ts_ns = TEST_START_NS;
	for (uint64_t i = 0; i < test->times && is_on(rule, event.kind); i++) {
		result.outcome = rule_judge(rule, &event, thresholds, &verdict);
		event.ts_ns += TEST_STEP_NS;
		if (result.outcome != RULE_FIRED)
			continue;
		result.alerts = 1;
		if ((int)verdict.severity > result.severity)
			result.severity = (int)verdict.severity;
	}
	return result;
}

static const char *why_silent(const struct compiled *rule, const struct rule_test *test,
			      const struct result *result)
{
	if (!is_on(rule, test->event.kind))
		return "the rule is not on this kind";
	if (result->outcome == RULE_NO_MATCH)
		return "the condition does not hold";
	return result->outcome == RULE_EXCEPTED ? "an exception excuses it"
						: "the threshold is not reached";
}

static bool tell_result(const struct compiled *rule, const struct rule_test *test,
			const struct result *result, struct problems *problems)
{
	if (result->alerts != test->alerts)
		yaml_problem(test->doc, test->node, PROBLEM_ERROR, problems,
			     "test \"%.60s\" of %s: %" PRIu64 " alerts, expected %" PRIu64 "%s%s",
			     test->name, rule->rule.id, result->alerts, test->alerts,
			     result->alerts == 0 ? "; " : "",
			     result->alerts == 0 ? why_silent(rule, test, result) : "");
	else if (test->severity >= 0 && result->severity != test->severity)
		yaml_problem(test->doc, test->node, PROBLEM_ERROR, problems,
			     "test \"%.60s\" of %s: severity %s, expected %s", test->name,
			     rule->rule.id, severity_name((enum severity)result->severity),
			     severity_name((enum severity)test->severity));
	else
		return true;
	return false;
}

static unsigned run_tests(const struct compiled *rule, struct table *thresholds,
			  struct problems *problems, unsigned *failed)
{
	unsigned count = 0;

	for (const struct rule_test *test = rule->tests; test != NULL; test = test->next) {
		struct result result = run_test(rule, test, thresholds);

		count++;
		*failed += !tell_result(rule, test, &result, problems);
	}
	return count;
}

unsigned rules_test(struct ruleset *rules, struct problems *problems, unsigned *failed)
{
	struct table *thresholds = thresholds_new(TEST_GROUPS, 0);
	unsigned count = 0;

	*failed = 0;
	if (thresholds == NULL) {
		problem_add(problems, PROBLEM_ERROR, "rules", 0, 0,
			    "out of memory for their tests");
		*failed = 1;
		return 1;
	}
	for (unsigned i = 0; i < rules->rules; i++) {
		const struct compiled *rule = rules->rule[i];

		count += run_tests(rule, thresholds, problems, failed);
		if (rule->shipped != NULL)
			count += run_tests(rule->shipped, thresholds, problems, failed);
	}
	table_free(thresholds);
	return count;
}
