/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - the state of one inventory_load(), shared by the files that read a section each.
 *
 *	files.c		paths -> documents, revision
 *	segments.c	segments, domains
 *	hosts.c		tenants, infrastructure, their hosts
 *	shared.c	shared addresses, decoys
 *	taps.c allow.c	the rest
 *	place.c		which domains an address or prefix counts in
 *	build.c		the look-up tables, and every conflict that shows there
 *
 * A mistake is reported and reading goes on, so that one run tells all.  Lack of memory sets
 * memory and everything after it may be skipped.
 */
#ifndef TENANT_LOAD_H
#define TENANT_LOAD_H

#include "base/yaml_doc.h"
#include "tenant/inventory.h"

#define INVENTORY_MAX_FILES 4096u
#define INVENTORY_MAX_BYTES (UINT64_C(256) << 20) /* of all files together */
#define INVENTORY_MAX_HOSTS (UINT32_C(1) << 22)
#define INVENTORY_MAX_ENTRIES (UINT32_C(1) << 23) /* addresses and prefixes, times domains */
#define INVENTORY_MAX_NAME 128u
#define INVENTORY_MAX_HINTS 20u /* nearest names looked for; each is a pass over all names */
#define DECOY_MIN_SECRET 8u	/* shorter ones occur by chance */
#define ALLOW_WARNING_DAYS 14u

/* Where something stands, for "here and there" messages. */
struct place {
	const struct yaml_doc *doc;
	const struct yaml_node *node;
};

/* An address or prefix as it will stand in a table, and where it was written. */
struct entry {
	struct addr_slot slot;
	struct place place;
};

struct entries {
	struct entry *v;
	uint32_t count, room;
};

struct words { /* 64-bit numbers, growing */
	uint64_t *v;
	uint32_t count, room;
};

/*
 * Prefixes in order, each knowing the nearest one before it that encloses it: a binary search
 * and a walk along parents then give everything that encloses an address.
 */
struct span {
	struct ip_key ip;
	uint32_t id; /* of whatever the prefix belongs to */
	uint32_t parent;
	uint16_t domain;
	uint8_t length;
};

struct spans {
	struct span *v;
	uint32_t count;
};

#define SPAN_NONE UINT32_MAX

struct loader {
	struct inventory *inv;
	struct arena *scratch; /* the YAML trees */
	struct problems *problems;
	uint64_t now_ns;
	bool memory; /* ran out */
	bool full;   /* INVENTORY_MAX_ENTRIES was hit and reported */
	unsigned hints;

	struct yaml_doc *docs;
	unsigned doc_count;
	bool missing; /* a file could not be opened */

	struct place *segment_place;
	struct place *tenant_place;
	struct place *host_place;
	struct place *tap_place;
	struct place *mac_place; /* by slot */
	uint32_t mac_count;
	uint32_t macs_max;
	struct entries addresses; /* exact */
	struct entries prefixes;  /* of tenants */
	struct entries ranges;	  /* of segments: OWNER_SEGMENT and OWNER_DYNAMIC */
	struct words pairs;	  /* segment << 32 | tenant */

	struct spans by_domain; /* segment prefixes within a domain; id: segment */
	struct spans anywhere;	/* the same without regard to domain */
	uint32_t *stamp;	/* by domain: the last placement that used it */
	uint32_t stamp_now;
	uint32_t shared_room, holder_room;
};

/* loader.c: what every section needs */
const struct yaml_node *section(struct loader *l, const struct yaml_doc *doc,
				const struct yaml_node *map, const char *key);
uint32_t section_count(const struct yaml_node *map, const char *key);
/* The scalars of a value that is one or a list of them. */
const struct yaml_node *one_or_first(const struct yaml_node *value);
const struct yaml_node *one_or_next(const struct yaml_node *value, const struct yaml_node *at);
uint32_t one_or_count(const struct yaml_node *value);
void wrong(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
	   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void beware(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The required text under key; NULL after saying what is missing. */
const char *required_text(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			  const char *what, const char *key);
/* The required, well-formed `name` of a map, copied into the snapshot; NULL after saying why. */
const char *required_name(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			  const char *what);
bool parse_prefix(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		  struct ip_prefix *out);
bool parse_address(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		   struct ip_addr *out);
/* "; did you mean X?" or "", for a name that is none of count names. */
const char *hint(struct loader *l, const char *word, const char *(*name)(const void *, uint32_t),
		 const void *context, uint32_t count, char *buf, size_t size);
const char *place_text(struct place place, char *buf, size_t size);
/* "globex/b1", "infrastructure/gw", "globex" without a host. */
const char *label(const struct inventory *inv, uint32_t tenant, uint32_t host, char *buf,
		  size_t size);
const char *keep(struct loader *l, const char *text); /* a copy in the snapshot; never NULL */
void *keep_array(struct loader *l, uint64_t count, size_t size);
void entry_add(struct loader *l, struct entries *entries, const struct entry *entry);
void pair_add(struct loader *l, uint16_t segment, uint32_t tenant);
/* A host as a reference names it: "host" of the tenant or "tenant/host". */
uint32_t host_reference(struct loader *l, uint32_t tenant, const char *text);
const char *tenant_name_at(const void *inv, uint32_t index);

#define PLACE_TEXT_SIZE 320
#define LABEL_SIZE 280
#define HINT_SIZE 160

/* files.c */
int files_read(struct loader *l, const char *const *paths, unsigned count, struct err *err);

/* span.c */
int spans_init(struct spans *spans, uint32_t room);
void spans_link(struct spans *spans); /* sorts and finds the parents */
void spans_free(struct spans *spans);
bool span_holds(const struct span *span, struct ip_key ip, uint8_t length);
/* The longest of the domain's spans that encloses ip/length, or SPAN_NONE; go on with .parent. */
uint32_t spans_find(const struct spans *spans, uint16_t domain, struct ip_key ip, uint8_t length);

/* segments.c */
void segments_load(struct loader *l);

/* hosts.c */
void tenants_load(struct loader *l);
void infrastructure_load(struct loader *l);

/* shared.c */
void shared_load(struct loader *l);
/* Makes one more holder of an exact slot that is of the same tenant already. */
void shared_merge(struct loader *l, struct addr_slot *slot, const struct addr_slot *more);

/* taps.c, allow.c */
void taps_load(struct loader *l);
void allow_load(struct loader *l);

/* place.c */
/* Adds entry (its domain aside) for every domain in which the tenant's address counts.  The
 * segments are the tenant's or, for infrastructure that names any, the host's. */
void place_address(struct loader *l, const struct entry *entry, const uint16_t *segments,
		   uint32_t segment_count, bool listed);
void place_prefix(struct loader *l, const struct entry *entry, const struct member *member);

/* build.c */
void build_tables(struct loader *l);

#endif
