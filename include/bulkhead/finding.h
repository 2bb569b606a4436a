/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h - a finding is one detector's statement about one event, with its evidence.
 *
 *	capture > decode > tenant > flow > dpi > DETECT > rule > alert > sink
 *
 * Ownership: strings point into the inventory snapshot, static text or the event; frames into
 * the event.  All are borrowed for the call: whoever keeps a finding copies it.
 */
#ifndef BULKHEAD_FINDING_H
#define BULKHEAD_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/app.h"
#include "bulkhead/flow.h"

enum confidence { CONFIDENCE_INDICATOR, CONFIDENCE_STRONG, CONFIDENCE_PROOF };
enum attribution { ATTRIBUTION_CLAIMED, ATTRIBUTION_CONSISTENT, ATTRIBUTION_ATTESTED };
enum severity {
	SEVERITY_INFORMATIONAL,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_MAX
};

/* Someone in a finding.  tenant and host are never NULL in a finished finding: "unknown",
 * "infrastructure", "external" stand where no name is known. */
struct party {
	const char *tenant;
	const char *host;
	const char *port; /* switch port, or NULL */
	uint32_t tenant_id;
	uint32_t host_id;
	uint32_t roles;
	struct mac_addr mac;
	struct ip_addr ip;
	bool has_mac;
	bool has_ip;
};

/* One frame kept as evidence. */
struct finding_frame {
	uint64_t number;
	uint64_t ts_ns;
	const uint8_t *data;
	uint32_t caplen;
	uint32_t len;
	uint16_t linktype;
};

#define FINDING_FRAMES 4
#define FINDING_DETAILS 8
#define DETAIL_TEXT_SIZE 128

/* A named fact beyond the common fields: "router", "dns", "token", "target" ...  Goes to the
 * alert's evidence object and is a rule field `detail.NAME`. */
struct detail {
	const char *name;	     /* static text */
	char text[DETAIL_TEXT_SIZE]; /* wire bytes possible: whoever prints it sanitises */
};

struct finding {
	const char *kind; /* stamped from the detector's row unless it set one itself */
	enum confidence confidence;
	enum attribution attribution;
	bool own_doing; /* of a tenant with its own traffic: actor and victim may be one */
	uint64_t ts_ns;
	uint16_t tap;
	uint16_t segment; /* SEGMENT_NONE unknown */
	uint8_t vlan_count;
	uint16_t vlan[PACKET_MAX_TAGS];
	bool has_vni;
	uint32_t vni;

	bool has_flow; /* tuple and flow_id are set: the victim's flow */
	struct flow_tuple tuple;
	uint64_t flow_id;
	bool has_ether;
	struct mac_addr smac, dmac; /* of the offending frame */
	struct app app;

	struct party actor, victim;
	struct party peer; /* the victim's other end; tenant NULL when there is none */
	struct party next; /* where the actor sent it on; tenant NULL when there is none */

	uint64_t count; /* packets or events this finding stands for, at least 1 */
	uint64_t bytes; /* the victim's bytes the actor could read */
	bool has_ttl_delta;
	int ttl_delta;
	bool has_delay;
	uint64_t delay_us;

	unsigned frame_count;
	struct finding_frame frame[FINDING_FRAMES];
	unsigned detail_count;
	struct detail detail[FINDING_DETAILS];
};

/* A bounded list that detectors write to; what does not fit is counted. */
#define FINDINGS_MAX 32
struct findings {
	unsigned count;
	uint64_t dropped;
	struct finding finding[FINDINGS_MAX];
};

/* The next free finding, zeroed except count = 1 and segment = SEGMENT_NONE, or NULL when full. */
struct finding *findings_add(struct findings *findings);
/* Adds a detail; silently nothing when all are used.  len bytes, cut to fit. */
void finding_detail(struct finding *finding, const char *name, const void *text, size_t len);
void finding_detail_text(struct finding *finding, const char *name, const char *text);
void finding_detail_uint(struct finding *finding, const char *name, uint64_t value);

const char *confidence_name(enum confidence c);	  /* "proof" ... */
const char *attribution_name(enum attribution a); /* "claimed" ... */
const char *severity_name(enum severity s);	  /* "critical" ... */
/* -1 when it is none. */
int severity_parse(const char *text);
int confidence_parse(const char *text);
int attribution_parse(const char *text);

#endif
