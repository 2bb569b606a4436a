/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.c - a finding meets the rules for its kind: condition, exceptions, group, threshold.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ruleset.h"

#define HEALTH_ROOT "health."

static bool tuple_matches(const struct exception *exception, uint32_t tuple,
			  const struct finding *finding)
{
	const struct test *test = &exception->tuple[(size_t)tuple * exception->fields];

	for (unsigned i = 0; i < exception->fields; i++) {
		if (!test_run(&test[i], finding))
			return false;
	}
	return true;
}

static bool excepted(const struct compiled *rule, const struct finding *finding)
{
	for (unsigned i = 0; i < rule->exceptions; i++) {
		const struct exception *exception = &rule->exception[i];

		if (finding->ts_ns >= exception->until_ns)
			continue;
		for (uint32_t t = 0; t < exception->tuples; t++) {
			if (tuple_matches(exception, t, finding))
				return true;
		}
	}
	return false;
}

/* Appends text and a NUL, which no value contains: parts cannot run into each other. */
static size_t append(char *buf, size_t size, size_t used, const char *text)
{
	size_t len = strlen(text);

	assert(len < size - used); /* field_print() and names are bounded */
	memcpy(buf + used, text, len);
	buf[used + len] = '\0';
	return used + len + 1;
}

static const char *group_value(const struct field_ref *ref, const struct finding *finding,
			       struct field_value *value, char mac[static MAC_TEXT_SIZE])
{
	const struct party *party;

	if (ref->field->type != FIELD_HOST)
		return field_print(ref, finding, value);
	/* Unregistered devices have no name; by their MAC they are still different ones. */
	party = (const void *)((const char *)finding + ref->field->offset);
	if (party->has_mac && party->tenant != NULL && strcmp(party->tenant, "unknown") == 0)
		return mac_format(party->mac, mac);
	field_get(ref, finding, value);
	return value->text;
}

static struct hash128 group_of(const struct compiled *rule, const struct finding *finding)
{
	char buf[RULE_MAX_FIELDS * (FIELD_TEXT_SIZE + 1) + RULE_MAX_NAME];
	char mac[MAC_TEXT_SIZE];
	struct field_value value;
	size_t used = append(buf, sizeof buf, 0, rule->rule.id);

	for (unsigned i = 0; i < rule->groups; i++) {
		const char *text = group_value(&rule->group[i], finding, &value, mac);

		used = append(buf, sizeof buf, used, text);
	}
	return hash128_plain(buf, used);
}

static enum severity raised(const struct compiled *rule, const struct finding *finding)
{
	enum severity severity = rule->rule.severity;

	if ((finding->app.flags & APP_CLEARTEXT_CREDENTIALS) == 0 ||
	    severity == SEVERITY_INFORMATIONAL || severity == SEVERITY_CRITICAL ||
	    strncmp(finding->kind, HEALTH_ROOT, strlen(HEALTH_ROOT)) == 0)
		return severity;
	return severity + 1;
}

enum rule_outcome rule_judge(const struct compiled *rule, const struct finding *finding,
			     struct table *thresholds, struct verdict *out)
{
	struct hash128 group;

	if (!program_run(&rule->condition, finding))
		return RULE_NO_MATCH;
	if (excepted(rule, finding))
		return RULE_EXCEPTED;
	group = group_of(rule, finding);
	if (rule->threshold_count > 1 &&
	    !threshold_reached(thresholds, group.lo, group.hi, finding->ts_ns, finding->count,
			       rule->threshold_count, rule->threshold_ns))
		return RULE_BELOW_THRESHOLD;
	out->rule = &rule->rule;
	out->severity = raised(rule, finding);
	out->group_lo = group.lo;
	out->group_hi = group.hi;
	output_fill(rule, finding, out->message);
	return RULE_FIRED;
}

static int by_kind(const void *key, const void *member)
{
	return strcmp(key, ((const struct kind_index *)member)->kind);
}

static void count_evictions(struct ruleset *rules, struct stats *stats)
{
	uint64_t evicted;

	if (rules->thresholds == NULL)
		return;
	evicted = table_evicted(rules->thresholds);
	stat_add(stats, STAT_STATE_EVICTED, evicted - rules->thresholds_evicted);
	rules->thresholds_evicted = evicted;
}

unsigned rules_judge(struct ruleset *rules, const struct finding *finding, struct stats *stats,
		     struct verdict *out, unsigned max)
{
	const struct kind_index *index =
	    bsearch(finding->kind, rules->kind, rules->kinds, sizeof *rules->kind, by_kind);
	struct verdict spare;
	bool taken = false, excused = false;
	unsigned fired = 0;

	for (unsigned i = 0; index != NULL && i < index->rules; i++) {
		/* Beyond max, rules still count towards their thresholds. */
		struct verdict *verdict = fired < max ? &out[fired] : &spare;
		enum rule_outcome outcome =
		    rule_judge(index->rule[i], finding, rules->thresholds, verdict);

		taken |= outcome != RULE_NO_MATCH;
		excused |= outcome == RULE_EXCEPTED;
		fired += outcome == RULE_FIRED && fired < max;
	}
	if (!taken)
		stat_add(stats, STAT_FINDINGS_NO_RULE, 1);
	if (excused)
		stat_add(stats, STAT_FINDINGS_EXCEPTED, 1);
	count_evictions(rules, stats);
	return fired;
}

unsigned rules_count(const struct ruleset *rules)
{
	return rules->rules;
}

const struct rule *rules_get(const struct ruleset *rules, unsigned i)
{
	return i < rules->rules ? &rules->rule[i]->rule : NULL;
}

const struct rule *rules_find(const struct ruleset *rules, const char *id_or_name)
{
	for (unsigned i = 0; i < rules->rules; i++) {
		const struct rule *rule = &rules->rule[i]->rule;

		if (strcmp(rule->id, id_or_name) == 0 || strcmp(rule->name, id_or_name) == 0)
			return rule;
	}
	return NULL;
}

const char *rules_revision(const struct ruleset *rules)
{
	return rules->revision;
}

void rules_free(struct ruleset *rules)
{
	if (rules == NULL)
		return;
	table_free(rules->thresholds);
	arena_free(rules->arena); /* the ruleset itself with it */
}
