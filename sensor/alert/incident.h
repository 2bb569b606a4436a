/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident.h - what the alert room remembers of one open incident.
 *
 *	incident.c   the table and the life cycle: who is told what, and when
 *	facts.c      what is kept of a finding (findings borrow, incidents copy)
 *	json.c       an incident as a struct alert with its document
 *	evidence.c   its frames, in memory and on disk; pcapng.c the format
 *
 * The document describes one finding in full: the one that opened the incident or last made it
 * graver.  Later ones only count.  So a reader sees one flow, one frame, one path, never a
 * blend of two.
 */
#ifndef ALERT_INCIDENT_H
#define ALERT_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bulkhead/alert.h"
#include "bulkhead/finding.h"
#include "bulkhead/rule.h"
#include "alert/evidence.h"

#define REVISION_SIZE 32
#define ATTACK_ID_SIZE 16
#define CATEGORY_SIZE 64

/* Frame numbers told in a document: the first ones and the newest ones. */
#define FRAMES_FIRST 4
#define FRAMES_LAST 4

struct incident_party {
	char tenant[ALERT_NAME_SIZE];
	char host[ALERT_NAME_SIZE];
	char port[ALERT_NAME_SIZE]; /* "" unknown */
	uint32_t roles;
	struct mac_addr mac;
	struct ip_addr ip;
	bool has_mac, has_ip;
	bool present;
};

/* One finding, by value. */
struct facts {
	char kind[sizeof((struct alert *)0)->kind];
	char message[RULE_MESSAGE_SIZE];
	char segment[ALERT_NAME_SIZE]; /* "" unknown */
	char inventory_rev[REVISION_SIZE];
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	bool has_vni, has_flow, has_ether, has_ttl_delta, has_delay;
	uint32_t vni;
	struct flow_tuple tuple;
	uint64_t flow_id;
	struct mac_addr smac, dmac;
	struct app app;
	struct incident_party actor, victim, peer, next;
	int ttl_delta;
	uint64_t delay_us;
	unsigned detail_count;
	struct detail detail[FINDING_DETAILS];
};

/* A rule as it was when the incident opened: a reload frees the original. */
struct incident_rule {
	char id[sizeof((struct alert *)0)->rule];
	uint32_t number, rev;
	char category[CATEGORY_SIZE];
	char attack[RULE_MAX_ATTACK][ATTACK_ID_SIZE];
	unsigned attack_count;
	uint64_t evidence_packets;
};

/* No padding: hashed and compared as bytes. */
struct incident_key {
	uint64_t group_lo, group_hi;
	uint64_t rule; /* number */
};

struct incident {
	TAILQ_ENTRY(incident) by_open; /* in the order they opened; also the free list */
	TAILQ_ENTRY(incident) by_told; /* in the order they were last told */
	TAILQ_ENTRY(incident) by_held; /* in the order they opened */
	bool waiting;		       /* is in by_told */
	bool held;		       /* is in by_held: its actor has opened too many */
	bool pending;		       /* something was counted since it was last told */
	bool acknowledged;

	char id[ALERT_ID_SIZE];
	struct incident_key key;
	struct incident_rule rule;
	enum severity severity; /* these three never fall within an episode */
	enum confidence confidence;
	enum attribution attribution;
	uint32_t actor; /* tenant id */
	uint32_t seq;	/* 0: nobody was told yet (suppressed or held from the start) */
	uint64_t first_ns, last_ns;
	uint64_t told_ns; /* when it was last told, or would have been */
	uint64_t count, bytes, exposed;

	uint64_t frames; /* numbers noted so far */
	uint64_t frame_first[FRAMES_FIRST];
	uint64_t frame_last[FRAMES_LAST]; /* a ring: frame n (from 0) is at n % FRAMES_LAST */
	struct evidence_log evidence;

	struct facts facts;
};

/* ---- facts.c ------------------------------------------------------------------------------ */

/* Copies at most size - 1 bytes; NULL counts as "". */
void text_copy(char *out, size_t size, const char *text);
void rule_copy(struct incident_rule *copy, const struct rule *rule);
void facts_set(struct facts *facts, const struct finding *finding, const struct verdict *verdict,
	       const char *inventory_rev, const char *segment);
/* Only a label that DPI took from content names an application. */
bool app_known(const struct app *app);
/* Notes a frame's number; false when it is among those noted already. */
bool frame_note(struct incident *incident, uint64_t number);
/* Writes the noted numbers, oldest first, without repetition; returns how many. */
unsigned frames_noted(const struct incident *incident,
		      uint64_t out[static FRAMES_FIRST + FRAMES_LAST]);

/* ---- json.c ------------------------------------------------------------------------------- */

struct document_config {
	char sensor[ALERT_NAME_SIZE], site[ALERT_NAME_SIZE];
	char in_iface[ALERT_NAME_SIZE]; /* "" none */
};

/*
 * Fills *alert from the incident, whose seq and counters are those of this change.  The document
 * goes into buf (ALERT_JSON_SIZE bytes), which alert->json then points to.  reason: of a close.
 */
void alert_fill(struct alert *alert, char *buf, const struct incident *incident,
		const struct document_config *config, enum alert_op op, uint64_t now_ns,
		const char *reason);

#endif
