/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_doc.h - a YAML file as a tree of nodes that know their line and column.
 *
 * Built on libyaml's events, the only place that sees yaml.h.  Everything a person may get
 * wrong is reported with file:line:column: syntax, duplicate keys, unknown keys (with the
 * nearest known one), aliases, anchors, tags and directives (refused: no bombs), merge keys, a
 * second document, nesting beyond 32 (libyaml is quadratic in it), NUL bytes, a size beyond
 * 64 MiB, 4 million values, 128 keys in one map.
 *
 * The tree lives in the caller's arena.  One thread at a time.
 */
#ifndef BASE_YAML_DOC_H
#define BASE_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "bulkhead/err.h"

#define YAML_MAX_DEPTH 32
#define YAML_MAX_BYTES (UINT64_C(64) << 20)

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	uint8_t kind;
	bool quoted;	  /* scalar was quoted or a block scalar: never a number or boolean */
	uint32_t line;	  /* 1-based */
	uint32_t col;	  /* 1-based */
	const char *text; /* scalar's text; NULL for list and map */
	const char *key;  /* the key under which it stands in a map, else NULL */
	uint32_t key_line, key_col;
	uint32_t count;		 /* children */
	struct yaml_node *first; /* first child, in file order */
	struct yaml_node *next;	 /* next sibling */
};

struct yaml_doc {
	const char *file; /* as messages name it */
	struct yaml_node *root;
};

/*
 * Reads a file; "-" is stdin.  ERR_NOINPUT when it cannot be read.  ERR_CONFIG and root NULL when
 * there is no whole tree: syntax, nesting, size, a second document, an empty one (also in
 * problems).  0 when there is one, to be read on for further mistakes: problems->errors tells
 * whether it may be used (a duplicate key, an alias, a tag are in problems only).
 */
int yaml_read_file(struct yaml_doc *doc, const char *path, struct arena *arena,
		   struct problems *problems, struct err *err) __attribute__((warn_unused_result));
/* The same over a buffer; name is what messages call it. */
int yaml_read_text(struct yaml_doc *doc, const char *name, const char *text, size_t len,
		   struct arena *arena, struct problems *problems, struct err *err)
    __attribute__((warn_unused_result));

/* The child of a map with this key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Adds "FILE:LINE:COL: text" at the node. */
void yaml_problem(const struct yaml_doc *doc, const struct yaml_node *node,
		  enum problem_level level, struct problems *problems, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Reports every key of map that is not among known (NULL-terminated), with the nearest name. */
void yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map,
		     const char *const *known, struct problems *problems);

/*
 * Typed values.  Each reports a problem and returns false when the node is not of the type; node
 * NULL is false without a word.  Text is any scalar but a bare null (nothing, ~, null); numbers
 * and booleans are never quoted, numbers have base ten and no leading zero.
 */
bool yaml_text(const struct yaml_doc *doc, const struct yaml_node *node, const char **out,
	       struct problems *problems);
bool yaml_uint(const struct yaml_doc *doc, const struct yaml_node *node, uint64_t min, uint64_t max,
	       uint64_t *out, struct problems *problems);
bool yaml_bool(const struct yaml_doc *doc, const struct yaml_node *node, bool *out,
	       struct problems *problems);
bool yaml_is_list(const struct yaml_doc *doc, const struct yaml_node *node,
		  struct problems *problems);
bool yaml_is_map(const struct yaml_doc *doc, const struct yaml_node *node,
		 struct problems *problems);
/* Requires `version: 1` at the root map. */
bool yaml_check_version(const struct yaml_doc *doc, struct problems *problems);

/* The name among names (NULL-terminated) closest to word by edit distance, or NULL when none is
 * near (distance above 3 or above half the word). */
const char *nearest_name(const char *word, const char *const *names);

/* Text to numbers with unit: "256MiB", "1Ki", "4096" (bytes or counts); "5s", "120ms", "10m", "1h",
 * "30d" (ns).  0 or -1. */
int parse_size(const char *text, uint64_t *out);
int parse_duration(const char *text, uint64_t *ns);

#endif
