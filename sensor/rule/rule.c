/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule.c - one rule, key by key, from its map (and the overrides on it) to struct compiled.
 */
#include <stdio.h>
#include <string.h>

#include "ruleset.h"

#define ID_PREFIX "BH-"
#define ID_MIN_DIGITS 4
#define ID_MAX_DIGITS 9
#define MAX_COUNT 1000000000
#define MAX_EVIDENCE 4096

static const struct family {
	char digit; /* BH-1xxx */
	const char *root;
	const char *category;
} families[] = {
    {'1', "relay.", "Cross-tenant relay"}, {'2', "observe.", "Cross-tenant observation"},
    {'3', "spoof.", "Spoofed position"},   {'4', "boundary.", "Segment boundary"},
    {'5', "residency.", "Data residency"}, {'9', "health.", "Sensor health"},
};

/* Where a rule's key is told: with overrides it may stand in another file. */
struct at {
	struct scope *scope;
	const struct written *written;
	bool overridden;
	const struct yaml_doc *doc;
	const struct yaml_node *node; /* NULL: the key is absent */
};

const struct yaml_node *written_get(const struct written *written, bool overridden, const char *key,
				    const struct yaml_doc **doc)
{
	for (const struct override *o = written->overrides; overridden && o != NULL; o = o->next) {
		const struct yaml_node *node = yaml_get(o->set, key);

		if (node != NULL) {
			*doc = o->doc;
			return node;
		}
	}
	*doc = written->doc;
	return yaml_get(written->node, key);
}

static bool get(struct at *at, const char *key)
{
	at->node = written_get(at->written, at->overridden, key, &at->doc);
	return at->node != NULL;
}

static bool need(struct at *at, const char *key)
{
	if (get(at, key))
		return true;
	yaml_problem(at->doc, at->written->node, PROBLEM_ERROR, at->scope->problems,
		     "rule \"%s\" has no \"%s\"", at->written->name, key);
	return false;
}

static const struct family *family_of(const char *id)
{
	const char *digits = id + strlen(ID_PREFIX);

	if (strlen(digits) != ID_MIN_DIGITS)
		return NULL;
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		if (families[i].digit == digits[0])
			return &families[i];
	}
	return NULL;
}

static bool compile_id(struct at *at, struct rule *rule)
{
	const char *digits = at->written->id + strlen(ID_PREFIX);
	const struct family *family;
	size_t len;

	if (strncmp(at->written->id, ID_PREFIX, strlen(ID_PREFIX)) != 0)
		digits = "";
	len = strlen(digits);
	if (len < ID_MIN_DIGITS || len > ID_MAX_DIGITS || digits[0] == '0' ||
	    strspn(digits, "0123456789") != len) {
		yaml_problem(at->written->doc, yaml_get(at->written->node, "id"), PROBLEM_ERROR,
			     at->scope->problems,
			     "\"%.60s\" is no rule id; write BH- and four digits, for your own "
			     "rules from BH-6000 to BH-8999",
			     at->written->id);
		return false;
	}
	rule->id = at->written->id;
	for (size_t i = 0; i < len; i++)
		rule->number = rule->number * 10 + (uint32_t)(digits[i] - '0');
	family = family_of(rule->id);
	rule->category = family == NULL ? "Local rule" : family->category;
	return true;
}

static bool compile_kind(struct at *at, const struct yaml_node *node, struct compiled *out,
			 unsigned *count)
{
	const struct family *family = out->rule.id == NULL ? NULL : family_of(out->rule.id);
	struct literal literal;
	const char *kind;
	char why[256];

	if (!yaml_text(at->doc, node, &kind, at->scope->problems))
		return false;
	if (!literal_parse(FIELD_KIND, kind, at->scope->kinds, &literal, why, sizeof why)) {
		yaml_problem(at->doc, node, PROBLEM_ERROR, at->scope->problems, "%s", why);
		return false;
	}
	for (unsigned i = 0; i < *count; i++) {
		if (strcmp(out->on[i], kind) != 0)
			continue;
		yaml_problem(at->doc, node, PROBLEM_ERROR, at->scope->problems,
			     "\"%s\" is named twice", kind);
		return false;
	}
	if (family != NULL && strncmp(kind, family->root, strlen(family->root)) != 0)
		yaml_problem(at->doc, node, PROBLEM_WARNING, at->scope->problems,
			     "%s is an id of the family %s*, \"%s\" is none of it", out->rule.id,
			     family->root, kind);
	out->on[(*count)++] = kind;
	return true;
}

static bool compile_on(struct at *at, struct compiled *out)
{
	bool good = true;
	unsigned count = 0;

	if (!need(at, "on"))
		return false;
	if (at->node->kind == YAML_LIST && at->node->count == 0) {
		yaml_problem(at->doc, at->node, PROBLEM_ERROR, at->scope->problems,
			     "on names no kind of finding");
		return false;
	}
	out->on = arena_array(at->scope->arena, (size_t)at->node->count + 2, sizeof *out->on);
	if (out->on == NULL) {
		at->scope->no_memory = true;
		return false;
	}
	if (at->node->kind == YAML_SCALAR)
		return compile_kind(at, at->node, out, &count);
	if (!yaml_is_list(at->doc, at->node, at->scope->problems))
		return false;
	for (const struct yaml_node *n = at->node->first; n != NULL; n = n->next)
		good &= compile_kind(at, n, out, &count);
	return good;
}

static bool compile_severity(struct at *at, struct rule *rule)
{
	const char *text;
	int severity;

	if (!need(at, "severity") || !yaml_text(at->doc, at->node, &text, at->scope->problems))
		return false;
	severity = severity_parse(text);
	if (severity < 0) {
		yaml_problem(at->doc, at->node, PROBLEM_ERROR, at->scope->problems,
			     "\"%.60s\" is no severity; write informational, low, medium, high or "
			     "critical",
			     text);
		return false;
	}
	rule->severity = (enum severity)severity;
	return true;
}

static bool is_technique(const char *text)
{
	size_t digits = strspn(text + 1, "0123456789");

	if (text[0] != 'T' || digits != 4)
		return false;
	text += 1 + digits;
	return *text == '\0' ||
	       (*text == '.' && strlen(text) == 4 && strspn(text + 1, "0123456789") == 3);
}

static bool compile_attack(struct at *at, struct rule *rule)
{
	bool good = true;

	if (!get(at, "attack"))
		return true;
	if (!yaml_is_list(at->doc, at->node, at->scope->problems))
		return false;
	if (at->node->count > RULE_MAX_ATTACK) {
		yaml_problem(at->doc, at->node, PROBLEM_ERROR, at->scope->problems,
			     "more than %d techniques", RULE_MAX_ATTACK);
		return false;
	}
	for (const struct yaml_node *n = at->node->first; n != NULL; n = n->next) {
		const char *text;

		if (!yaml_text(at->doc, n, &text, at->scope->problems)) {
			good = false;
		} else if (!is_technique(text)) {
			yaml_problem(at->doc, n, PROBLEM_ERROR, at->scope->problems,
				     "\"%.60s\" is no ATT&CK technique; write T1557 or T1557.002",
				     text);
			good = false;
		} else {
			rule->attack[rule->attack_count++] = text;
		}
	}
	return good;
}

static bool compile_threshold(struct at *at, struct compiled *out)
{
	static const char *const keys[] = {"count", "within", NULL};
	const struct yaml_node *count, *within;
	const char *text;

	out->threshold_count = 1;
	if (!get(at, "threshold"))
		return true;
	if (!yaml_is_map(at->doc, at->node, at->scope->problems))
		return false;
	yaml_check_keys(at->doc, at->node, keys, at->scope->problems);
	count = yaml_get(at->node, "count");
	within = yaml_get(at->node, "within");
	if (count == NULL || within == NULL) {
		yaml_problem(at->doc, at->node, PROBLEM_ERROR, at->scope->problems,
			     "a threshold wants both: { count: 3, within: 10s }");
		return false;
	}
	if (!yaml_uint(at->doc, count, 1, MAX_COUNT, &out->threshold_count, at->scope->problems) ||
	    !yaml_text(at->doc, within, &text, at->scope->problems))
		return false;
	if (parse_duration(text, &out->threshold_ns) == 0 && out->threshold_ns > 0 &&
	    out->threshold_ns <= RULE_MAX_WITHIN)
		return true;
	yaml_problem(at->doc, within, PROBLEM_ERROR, at->scope->problems,
		     "\"%.60s\" is no time for a threshold; write 10s, 5m, at most 24h", text);
	return false;
}

static bool compile_group(struct at *at, struct compiled *out)
{
	static const char *const standard[] = {"actor.host", "victim.tenant", "kind"};

	if (get(at, "group_by"))
		return fields_compile(at->scope, at->doc, at->node, out->group, &out->groups);
	for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
		(void)field_find(standard[i], at->scope->arena, &out->group[out->groups++]);
	return true;
}

static bool compile_evidence(struct at *at, struct rule *rule)
{
	static const char *const keys[] = {"packets", NULL};
	const struct yaml_node *packets;

	if (!get(at, "evidence"))
		return true;
	if (!yaml_is_map(at->doc, at->node, at->scope->problems))
		return false;
	yaml_check_keys(at->doc, at->node, keys, at->scope->problems);
	packets = yaml_get(at->node, "packets");
	return packets == NULL || yaml_uint(at->doc, packets, 1, MAX_EVIDENCE,
					    &rule->evidence_packets, at->scope->problems);
}

static bool compile_output(struct at *at, struct compiled *out)
{
	const char *text;

	if (!get(at, "output"))
		return output_compile(at->scope, at->doc, NULL,
				      out->rule.title == NULL ? "" : out->rule.title, out);
	return yaml_text(at->doc, at->node, &text, at->scope->problems) &&
	       output_compile(at->scope, at->doc, at->node, text, out);
}

static bool compile_scalars(struct at *at, struct rule *rule)
{
	uint64_t rev = 1;
	bool good = true;

	rule->rev = 1;
	if (get(at, "rev")) {
		good &= yaml_uint(at->doc, at->node, 1, UINT32_MAX, &rev, at->scope->problems);
		rule->rev = (uint32_t)rev;
	}
	rule->enabled = true;
	if (get(at, "enabled"))
		good &= yaml_bool(at->doc, at->node, &rule->enabled, at->scope->problems);
	good &=
	    need(at, "title") && yaml_text(at->doc, at->node, &rule->title, at->scope->problems);
	return good;
}

/* Tests belong to the rule they stand with: shipped ones to the rule as shipped. */
static bool compile_tests(struct at *at, struct compiled *out)
{
	if (!get(at, "tests"))
		return true;
	if (at->overridden && at->written->overrides != NULL &&
	    at->node == yaml_get(at->written->node, "tests"))
		return true;
	return rule_tests_compile(at->scope, at->doc, at->node, out);
}

bool rule_compile(struct scope *scope, const struct written *written, bool overridden,
		  uint64_t wall_now_ns, struct compiled *out)
{
	struct at at = {.scope = scope, .written = written, .overridden = overridden};
	bool good;

	out->written = written;
	out->rule.name = written->name;
	out->rule.file = written->doc->file;
	out->rule.line = written->node->line;
	good = compile_id(&at, &out->rule);
	good &= compile_scalars(&at, &out->rule);
	good &= compile_on(&at, out);
	good &= compile_severity(&at, &out->rule);
	good &= compile_attack(&at, &out->rule);
	good &= compile_threshold(&at, out);
	good &= compile_group(&at, out);
	good &= compile_evidence(&at, &out->rule);
	good &= compile_output(&at, out);
	if (get(&at, "condition")) {
		const char *text;

		good &= yaml_text(at.doc, at.node, &text, scope->problems) &&
			condition_compile(scope, at.doc, at.node, &out->condition);
	}
	if (get(&at, "exceptions"))
		good &= exceptions_compile(scope, at.doc, at.node, wall_now_ns, out);
	good &= compile_tests(&at, out);
	return good;
}
