/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruleset.h - what a loaded rule is made of.
 *
 *	rules/NAME.yaml --load.c--> tree --compile.c, parts.c--> struct compiled
 *	finding --judge.c--> [kind's rules] --eval.c--> exceptions --threshold.c--> verdict
 *
 * A condition is a program for a machine of one truth value: TEST sets it, NOT turns it, JUMP_IF
 * skips ahead.  "and" and "or" are jumps, parentheses leave no trace, so evaluation needs neither
 * stack nor recursion.
 *
 * Everything here lives in the ruleset's arena and goes with it.
 */
#ifndef RULE_RULESET_H
#define RULE_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/table.h"
#include "base/yaml_doc.h"
#include "bulkhead/rule.h"
#include "field.h"

/* Limits on what a rule file may ask for; each is an error when hit. */
#define RULES_MAX_FILE ((size_t)16 << 20)
#define RULES_MAX_FILES 1000
#define RULES_MAX 10000
#define RULES_MAX_NAMES 1000 /* of macros, and of lists */
#define RULE_MAX_NAME 64
#define RULE_MAX_CONDITION ((size_t)16 << 10) /* bytes of a condition's or macro's text */
#define RULE_MAX_DEPTH 32		      /* parentheses and macros inside each other */
#define RULE_MAX_STEPS 4096		      /* of a program, macros written out */
#define RULE_MAX_VALUES 65536		      /* after one `in`, lists written out */
#define RULE_MAX_TUPLES 4096		      /* of one exception */
#define RULE_MAX_FIELDS 8		      /* of one exception, or of group_by */
#define RULE_MAX_TIMES 100000		      /* of a test's event */
#define RULE_MAX_SEGMENTS 64		      /* of an output template */
#define RULES_MAX_STEPS 1000000	 /* of all programs together: macros in macros double quickly */
#define RULES_MAX_VALUES 4000000 /* of all tests together: a list costs memory at each use */
#define RULE_MAX_WITHIN (UINT64_C(86400) * 1000000000)
#define THRESHOLD_GROUPS 16384 /* counted at a time; the least recently used goes first */

/* ---- conditions ---------------------------------------------------------------------------- */

enum test_op { TEST_EQUAL, TEST_LESS, TEST_LESS_EQUAL, TEST_MORE, TEST_MORE_EQUAL, TEST_WITHIN };

/* One comparison of a field with another field, or with any of some values. */
struct test {
	uint8_t op; /* enum test_op */
	bool negate;
	bool any; /* exceptions: "*", everything matches */
	struct field_ref left;
	struct field_ref right; /* field NULL: compare with the values */
	const char **text;	/* CLASS_TEXT, sorted by the type's order */
	uint32_t texts;
	const char **glob; /* exceptions: texts with "*" in them */
	uint32_t globs;
	int64_t *number; /* CLASS_NUMBER, sorted */
	uint32_t numbers;
	struct ip_prefix *prefix; /* CLASS_IP */
	uint32_t prefixes;
	uint64_t bits; /* CLASS_BITS */
};

enum step_op { STEP_TEST, STEP_NOT, STEP_JUMP_IF_TRUE, STEP_JUMP_IF_FALSE };

struct step {
	uint8_t op;   /* enum step_op */
	uint32_t arg; /* test's number, or where to go on */
};

struct program {
	struct step *step;
	uint32_t steps;	    /* 0: always true */
	struct test **test; /* those of macros are shared */
	uint32_t tests;
};

bool program_run(const struct program *program, const struct finding *finding);
bool test_run(const struct test *test, const struct finding *finding);
/* "*" stands for any run of bytes.  Time is bounded by the product of the lengths. */
bool glob_match(const char *pattern, const char *text, size_t len, bool fold);

/* ---- names a rule file defines -------------------------------------------------------------- */

struct list {
	struct list *next;
	const char *name;
	const struct yaml_doc *doc;
	const struct yaml_node *node; /* the sequence of items */
	uint32_t wrong_for; /* field types, as bits, its items are known to be wrong for */
};

enum macro_state { MACRO_UNCHECKED, MACRO_OPEN, MACRO_GOOD, MACRO_BROKEN };

struct macro {
	struct macro *next;
	const char *name;
	const struct yaml_doc *doc;
	const struct yaml_node *node; /* the condition */
	uint8_t state;		      /* enum macro_state */
	unsigned depth;		      /* MACRO_GOOD: macros inside each other below it */
	struct program program;	      /* MACRO_GOOD */
};

/* What a condition is compiled against. */
struct scope {
	struct arena *arena;
	struct problems *problems;
	const char *const *kinds;
	struct list *lists;
	struct macro *macros;
	const struct source *sources;
	unsigned source_count;
	uint32_t steps;	 /* used of RULES_MAX_STEPS */
	uint32_t values; /* used of RULES_MAX_VALUES */
	bool exhausted;	 /* values ran out, which is told */
	bool no_memory;	 /* an allocation failed: the load ends with ERR_MEMORY */
};

struct list *scope_list(const struct scope *scope, const char *name);
struct macro *scope_macro(const struct scope *scope, const char *name);
const char *scope_nearest(const struct scope *scope, const char *name, bool macros, bool lists);

/* Compiles a condition, and macros as they are met; false when it was wrong (told in problems). */
bool condition_compile(struct scope *scope, const struct yaml_doc *doc,
		       const struct yaml_node *node, struct program *out);
/* Compiles a macro, unless that was done: mistakes in it are told once, used or not. */
void macro_compile(struct scope *scope, struct macro *macro);

/* Values gathered for one test, before they are sorted into it. */
struct values {
	struct scope *scope;
	enum field_type type;
	bool globs; /* "*" in a text is a wildcard */
	uint32_t count;
	uint32_t room;
	struct literal *literal;
};

/* Adds one; false with the reason in why. */
bool values_add(struct values *values, const char *text, char *why, size_t size);
/* Adds a list's items; false when some were wrong, which is told in problems. */
bool values_add_list(struct values *values, struct list *list);
/* Sorts what was gathered into the test, if any, and lets go of it. */
bool values_finish(struct values *values, struct test *test);

/* ---- files ---------------------------------------------------------------------------------- */

/* A file's text is kept: positions inside a condition are found in it. */
struct source {
	struct yaml_doc doc;
	const char *text;
	size_t len;
};

/* Where byte `at` of a scalar's text stands in its file, through quotes, escapes and folding. */
void source_position(const struct scope *scope, const struct yaml_doc *doc,
		     const struct yaml_node *node, size_t at, unsigned *line, unsigned *col);

/* ---- rules ---------------------------------------------------------------------------------- */

struct exception {
	const char *name;
	uint64_t until_ns; /* UINT64_MAX: for good */
	unsigned fields;
	struct test *tuple; /* tuples times fields */
	uint32_t tuples;
};

/* A piece of an output template: literal text, or a field. */
struct segment_of_text {
	const char *literal; /* NULL: the field */
	struct field_ref ref;
};

struct rule_test {
	struct rule_test *next;
	const struct yaml_doc *doc;
	const struct yaml_node *node;
	const char *name;
	struct finding event;
	uint64_t times;
	uint64_t alerts;
	bool has_alerts;
	int severity; /* -1: any */
};

struct override {
	struct override *next;
	const struct yaml_doc *doc;
	const struct yaml_node *set;
	const char *reason;
};

/* A rule as written: its map, and the overrides on it, the last one first. */
struct written {
	struct written *next; /* in file order */
	unsigned place;	      /* in it */
	const struct yaml_doc *doc;
	const struct yaml_node *node;
	const char *name;
	const char *id;
	struct override *overrides;
};

/* The rules of all sources, in order, with their overrides. */
struct collected {
	struct written *first, **last;
	unsigned count;
};

/* Takes the lists and macros of every source into the scope, the rules into out. */
void collect(struct scope *scope, struct collected *out);

struct compiled {
	struct rule rule; /* first: a struct rule given out is its compiled one */
	const struct written *written;
	struct program condition;
	struct exception *exception;
	unsigned exceptions;
	struct field_ref group[RULE_MAX_FIELDS];
	unsigned groups;
	uint64_t threshold_count; /* 1: none */
	uint64_t threshold_ns;
	struct segment_of_text *output;
	unsigned outputs;
	const char **on; /* NULL-terminated */
	struct rule_test *tests;
	struct compiled *shipped; /* overridden: as it was without, for its tests */
};

struct kind_index {
	const char *kind;
	struct compiled **rule; /* enabled ones, in file order */
	unsigned rules;
};

struct ruleset {
	struct arena *arena;
	struct scope scope;
	struct compiled **rule;
	unsigned rules;
	struct kind_index *kind; /* sorted by name */
	unsigned kinds;
	struct table *thresholds; /* NULL when no rule has one */
	uint64_t thresholds_evicted;
	char revision[17];
};

/* The value of a key with overrides applied, and the file it stands in. */
const struct yaml_node *written_get(const struct written *written, bool overridden, const char *key,
				    const struct yaml_doc **doc);
/* Compiles one rule; false when something in it was wrong. */
bool rule_compile(struct scope *scope, const struct written *written, bool overridden,
		  uint64_t wall_now_ns, struct compiled *out);
bool rule_tests_compile(struct scope *scope, const struct yaml_doc *doc,
			const struct yaml_node *node, struct compiled *out);
bool exceptions_compile(struct scope *scope, const struct yaml_doc *doc,
			const struct yaml_node *node, uint64_t wall_now_ns, struct compiled *out);
/* One field name, or a list of them. */
bool fields_compile(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		    struct field_ref out[static RULE_MAX_FIELDS], unsigned *count);
/* node NULL: text is the message as it stands. */
bool output_compile(struct scope *scope, const struct yaml_doc *doc, const struct yaml_node *node,
		    const char *text, struct compiled *out);
void output_fill(const struct compiled *rule, const struct finding *finding,
		 char out[static RULE_MESSAGE_SIZE]);

/* ---- judging -------------------------------------------------------------------------------- */

enum rule_outcome { RULE_NO_MATCH, RULE_EXCEPTED, RULE_BELOW_THRESHOLD, RULE_FIRED };

/* One rule on one finding.  thresholds may be NULL when the rule has none. */
enum rule_outcome rule_judge(const struct compiled *rule, const struct finding *finding,
			     struct table *thresholds, struct verdict *out);
struct table *thresholds_new(uint32_t groups, uint64_t seed);
/* Counts n more at ts in the group; true when the last `within` now hold `count` or more. */
bool threshold_reached(struct table *thresholds, uint64_t group_lo, uint64_t group_hi,
		       uint64_t ts_ns, uint64_t n, uint64_t count, uint64_t within_ns);

/* The rules built into the binary. */
struct core_rules {
	const char *file;
	const char *text;
	size_t len;
};
const struct core_rules *core_rules(unsigned *count);

#endif
