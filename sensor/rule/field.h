/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - a field is a fact of a finding that a rule may name: "actor.tenant", "bytes".
 *
 * One table row a field says where in struct finding it lives and of what type it is; reading a
 * finding, setting up a test's event, checking a condition's types and the manual's list all
 * come from that row.
 */
#ifndef RULE_FIELD_H
#define RULE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "bulkhead/finding.h"

enum field_type {
	FIELD_TEXT,	   /* names as the inventory spells them */
	FIELD_NAME,	   /* names of protocols and servers: upper and lower case are equal */
	FIELD_HOST,	   /* "tenant/host" */
	FIELD_KIND,	   /* one of the known kinds of finding */
	FIELD_CONFIDENCE,  /* indicator < strong < proof */
	FIELD_ATTRIBUTION, /* claimed < consistent < attested */
	FIELD_NUMBER,
	FIELD_SIZE,	/* bytes; B, KiB, MiB, GiB */
	FIELD_DURATION, /* ns; us, ms, s, m, h */
	FIELD_BOOL,	/* yes, no */
	FIELD_IP,
	FIELD_MAC,
	FIELD_ROLES, /* several at a time: = asks for one of them */
	FIELD_RISKS, /* likewise */
	FIELD_PROTO, /* TCP, UDP, ICMP or a number */
	FIELD_VLAN,  /* each tag of the stack; 0 untagged */
	FIELD_DETAIL,
	FIELD_TYPES
};

/* How values of a type are held and compared. */
enum value_class { CLASS_TEXT, CLASS_NUMBER, CLASS_IP, CLASS_BITS };

enum field_store {
	STORE_POINTER, /* const char * */
	STORE_CHARS,   /* char[size] */
	STORE_U8,
	STORE_U16,
	STORE_U32,
	STORE_U64,
	STORE_I32,
	STORE_FLAG, /* bits `size` of a uint16_t */
	STORE_MAC,
	STORE_IP,
	STORE_PARTY, /* FIELD_HOST */
	STORE_VLANS,
	STORE_DETAIL
};

#define FIELD_ALWAYS SIZE_MAX

struct field {
	const char *name;
	uint8_t type;	    /* enum field_type */
	uint8_t store;	    /* enum field_store */
	uint16_t size;	    /* STORE_CHARS: bytes; STORE_FLAG: the bit */
	size_t offset;	    /* in struct finding */
	size_t present;	    /* offset of the bool that says it is set, or FIELD_ALWAYS */
	const char *absent; /* what an output template prints when it is not set */
	const char *example;
	const char *summary;
};

/* A field as a rule names it; detail is the NAME of "detail.NAME", else NULL. */
struct field_ref {
	const struct field *field;
	const char *detail;
};

#define FIELD_TEXT_SIZE 320

/* A field's value in one finding.  text points into the finding or into scratch. */
struct field_value {
	bool present;
	const char *text;
	size_t len;
	int64_t number; /* CLASS_NUMBER; MAC as a number */
	uint64_t bits;
	struct ip_addr ip;
	char scratch[FIELD_TEXT_SIZE];
};

/* Finds a field by name; false when there is none.  arena keeps the names of details; NULL will do
 * for a name without a dot. */
bool field_find(const char *name, struct arena *arena, struct field_ref *out);
/* Does the word begin like a field ("actor.x"), so that a field must have been meant? */
bool field_rooted(const char *word);
/* The nearest field name, or NULL. */
const char *field_nearest(const char *name);

enum value_class field_class(enum field_type type);
bool field_ordered(enum field_type type); /* may be compared with < and > */
const char *field_type_name(enum field_type type);

void field_get(const struct field_ref *ref, const struct finding *finding,
	       struct field_value *value);
/* As an output template prints it; `scratch` may be used.  Hosts without their tenant. */
const char *field_print(const struct field_ref *ref, const struct finding *finding,
			struct field_value *value);

/* One literal of a rule, of a field's type. */
struct literal {
	int64_t number;
	uint64_t bits;
	struct ip_prefix prefix; /* CLASS_IP; length 128 for one address */
	const char *text;
};

/* Parses text as a value of the type; on failure `why` says what would be right. */
bool literal_parse(enum field_type type, const char *text, const char *const *kinds,
		   struct literal *out, char *why, size_t size);

/* For the tests inside rules: sets the field in a finding.  text must outlive the finding. */
bool field_set(const struct field_ref *ref, struct finding *finding, const char *text,
	       const char *const *kinds, char *why, size_t size);

#endif
