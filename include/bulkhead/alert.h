/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert.h - an alert is what a rule makes of findings: one incident, counted, with a life cycle.
 *
 *	capture > decode > tenant > flow > dpi > detect > rule > ALERT > sink
 *
 * An incident opens with its first verdict, is told again (update) when it escalates (severity,
 * confidence or attribution rises, an application becomes known) and otherwise at most once per
 * `windows.update` while it goes on, and closes after `windows.close` without a new finding, or
 * at the end of a capture.
 *
 * Ids are deterministic: a 128-bit hash of rule, group, sensor and the start of the episode.
 *
 * Calls, all from the judge: raise, tick (once a second of packet time), finish, free.  What
 * changes state is handed to the emit function as a struct alert, borrowed for the call.
 *
 * Memory: open alerts are a fixed table; when full, the one untouched longest is closed
 * (reason "evicted") and counted.
 */
#ifndef BULKHEAD_ALERT_H
#define BULKHEAD_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/err.h"
#include "bulkhead/finding.h"
#include "bulkhead/options.h"
#include "bulkhead/rule.h"
#include "bulkhead/stats.h"

#define ALERT_ID_SIZE 33
#define ALERT_NAME_SIZE 128
#define ALERT_JSON_SIZE 6144

enum alert_op { ALERT_OPEN, ALERT_UPDATE, ALERT_CLOSE };

/* One state change, flat, as sinks need it.  All strings are sanitised printable ASCII. */
struct alert {
	char id[ALERT_ID_SIZE];
	uint32_t seq; /* 1 at open */
	enum alert_op op;
	uint64_t ts_ns; /* packet time of this change */
	uint64_t first_ns, last_ns;
	enum severity severity;
	char sensor[ALERT_NAME_SIZE], site[ALERT_NAME_SIZE];
	char rule[16];
	char kind[40];
	char confidence[16];
	char status[16];		  /* "open", "acknowledged", "closed" */
	char actor[ALERT_NAME_SIZE];	  /* tenant */
	char actor_host[ALERT_NAME_SIZE]; /* host name, without tenant */
	char actor_mac[MAC_TEXT_SIZE];	  /* "" unknown */
	char victim[ALERT_NAME_SIZE];
	char victim_host[ALERT_NAME_SIZE];
	char app[APP_NAME_SIZE * 2]; /* "TLS", "TLS.Google", "" unknown */
	char vlan[64];		     /* "100" or "100,200", "" untagged */
	char cid[COMMUNITY_ID_SIZE];
	uint64_t count, bytes;
	uint64_t exposed; /* bytes new since the last state change: what the matrix adds */
	char message[RULE_MESSAGE_SIZE];
	const char *json; /* the whole document, one line without the newline */
	size_t json_len;
};

const char *alert_op_name(enum alert_op op);

typedef void alert_emit(void *context, const struct alert *alert);

struct incidents_config {
	uint32_t capacity; /* limits.open_alerts */
	uint64_t update_ns, close_ns;
	const char *sensor, *site;
	const char *evidence_directory; /* NULL or "": no files */
	uint64_t evidence_packets, evidence_snap;
	uint64_t evidence_memory; /* bytes of frames held for open alerts */
	uint64_t evidence_quota;  /* bytes on disk */
	const char *in_iface;	  /* NULL: left out */
};

struct incidents;

struct incidents *incidents_new(const struct incidents_config *config, alert_emit *emit,
				void *context, struct stats *stats, struct err *err);
void incidents_free(struct incidents *incidents);

/* inventory_rev and the segment's name go into the document. */
void incidents_raise(struct incidents *incidents, const struct finding *finding,
		     const struct verdict *verdict, const char *inventory_rev,
		     const char *segment_name);
void incidents_tick(struct incidents *incidents, uint64_t now_ns);
/* Closes everything that is open, in the order it was opened. */
void incidents_finish(struct incidents *incidents, uint64_t now_ns, const char *reason);
uint32_t incidents_open(const struct incidents *incidents);

/*
 * The SOC's word: suppress an open alert until a time (0: for good).  It is tracked on, nothing is
 * told but its close, and a new episode of the same rule and group is silent too.  What is held
 * back is counted (STAT_ALERTS_SUPPRESSED), never lost: the first word after that says it all.
 * An id that is not open (closed, or of before a restart) changes nothing.
 */
void incidents_suppress(struct incidents *incidents, const char *id, uint64_t until_ns);
/* The SOC acknowledged it (told as an update) or closed it (reason "closed by the SOC"; what goes
 * on is a new alert). */
void incidents_acknowledge(struct incidents *incidents, const char *id, bool close,
			   uint64_t now_ns);

#endif
