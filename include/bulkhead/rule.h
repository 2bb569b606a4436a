/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.h - a rule decides whether a finding is an alert, how grave, and which findings are one.
 *
 *	capture > decode > tenant > flow > dpi > detect > RULE > alert > sink
 *
 * rules/NAME.yaml files are compiled into one immutable ruleset; the core ones are built into the
 * binary.  Thresholds count in a ruleset's own state.
 *
 * Threads: a ruleset and its state belong to the judge.  Errors: rules_load() reports every
 * mistake with file:line:column into problems.
 */
#ifndef BULKHEAD_RULE_H
#define BULKHEAD_RULE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bulkhead/err.h"
#include "bulkhead/finding.h"
#include "bulkhead/stats.h"

#define RULE_MAX_ATTACK 8
#define RULE_MESSAGE_SIZE 256

struct rule {
	const char *name; /* "relay.forward" */
	const char *id;	  /* "BH-1001" */
	uint32_t number;  /* 1001 */
	uint32_t rev;
	const char *title;
	const char *category; /* "Cross-tenant relay", from the id's family */
	enum severity severity;
	const char *attack[RULE_MAX_ATTACK];
	unsigned attack_count;
	uint64_t evidence_packets; /* 0: the config's */
	bool enabled;
	const char *file;
	unsigned line;
};

/* A rule fired. */
struct verdict {
	const struct rule *rule;
	enum severity severity; /* the rule's, raised one level for clear-text credentials */
	/* Unkeyed hash of rule id and group_by values: the same in every run. */
	uint64_t group_lo, group_hi;
	char message[RULE_MESSAGE_SIZE]; /* output template filled in, sanitised */
};

struct ruleset;

/*
 * Loads files and folders (*.yaml, *.yml).  count 0: the built-in core rules.  kinds: known
 * finding kinds (NULL-terminated), so that `on:` typos are errors.
 */
int rules_load(const char *const *paths, unsigned count, const char *const *kinds,
	       uint64_t wall_now_ns, struct ruleset **rules, struct problems *problems,
	       struct err *err) __attribute__((warn_unused_result));
void rules_free(struct ruleset *rules);
unsigned rules_count(const struct ruleset *rules);
const struct rule *rules_get(const struct ruleset *rules, unsigned i);
const struct rule *rules_find(const struct ruleset *rules, const char *id_or_name);
/* 16 hex digits over the loaded text. */
const char *rules_revision(const struct ruleset *rules);

/*
 * All enabled rules that match the finding, in file order.  Counts exceptions
 * (STAT_FINDINGS_EXCEPTED) and findings that no rule takes (STAT_FINDINGS_NO_RULE) in stats.
 * Time is the finding's.  Returns the number of verdicts written.
 */
unsigned rules_judge(struct ruleset *rules, const struct finding *finding, struct stats *stats,
		     struct verdict *out, unsigned max);

/* Runs the tests inside the rules.  Failures go to problems with the test's position; returns
 * the number of tests run, *failed those that did not hold. */
unsigned rules_test(struct ruleset *rules, struct problems *problems, unsigned *failed);

/* Every field a condition may name: name, type, example, meaning. */
void rule_fields(void (*each)(void *context, const char *name, const char *type,
			      const char *example, const char *summary),
		 void *context);

/* Writes one rule as YAML-like text, for "rules show". */
void rules_print(const struct ruleset *rules, const struct rule *rule, FILE *out);

#endif
