/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h - what application a flow carries, as deep packet inspection sees it.
 *
 *	capture > decode > tenant > flow > DPI > detect > rule > alert > sink
 *
 * The contract is submit and collect: a packet goes in as a copy, a label comes out later, so
 * that inspection may run elsewhere and may die without taking detection along.  No verdict
 * depends on a label: it names, and may raise a severity.
 *
 * A replay inspects here and now (dpi_new), so that its outcome is always the same.  Live, a
 *process of its own does (dpi_attach), which has no privilege and may die of a packet: then the
 *flows it had in hand get no label.
 *
 * Calls: one struct dpi a worker, all from its thread.  dpi_new and dpi_free of different
 * workers must not run at the same time (nDPI's module set-up shares counters).
 *
 * Ownership: submit copies what it needs.  State is pooled: at most `flows` are inspected at
 * a time; beyond it submit answers DPI_FULL, which the caller counts.
 */
#ifndef BULKHEAD_APP_H
#define BULKHEAD_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/dpi.h"
#include "bulkhead/err.h"
#include "bulkhead/packet.h"
#include "bulkhead/stats.h"

#define APP_NAME_SIZE 24
#define APP_HOST_SIZE 80

enum app_flags {
	APP_SURE = 1u << 0,		     /* by content, not by port or address */
	APP_CLEARTEXT_CREDENTIALS = 1u << 1, /* a password or token was readable */
	APP_ENCRYPTED = 1u << 2,
};

struct app {
	uint16_t flags;		   /* enum app_flags */
	uint64_t risks;		   /* nDPI's risk bits */
	char proto[APP_NAME_SIZE]; /* "TLS", "HTTP", "DNS"; "" unknown.  Always upper level protocol
				    */
	char service[APP_NAME_SIZE];  /* "Google" when the protocol carries a known service, else ""
				       */
	char category[APP_NAME_SIZE]; /* "Web", "Network" ... */
	char host[APP_HOST_SIZE]; /* SNI, HTTP Host or DNS name: wire bytes, not trusted; last 79 */
	char ja3[33];		  /* client fingerprint, "" unknown */
	char ja3s[33];
};

struct dpi;

enum dpi_verdict {
	DPI_MORE, /* show further payload packets of this flow */
	DPI_DONE, /* no more: a label is, or will be, there to collect; the handle is gone */
	DPI_FULL, /* no state free; the handle stays 0 */
};

struct dpi_result {
	uint64_t flow; /* as given to dpi_submit() */
	struct app app;
};

/* packets: cap a flow. */
struct dpi *dpi_new(uint32_t flows, unsigned packets, struct err *err);
/* The worker's post in a segment, which has the limits; borrowed for the life of what is returned.
 */
struct dpi *dpi_attach(const struct dpi_segment *segment, unsigned worker, struct err *err);
void dpi_free(struct dpi *dpi);

/*
 * Shows one packet with payload.  *handle is 0 for a flow's first call and the caller's to keep;
 * it becomes 0 again with DPI_DONE.  Only whole, unfragmented TCP or UDP packets are looked at;
 * others are ignored (DPI_MORE).
 */
enum dpi_verdict dpi_submit(struct dpi *dpi, uint64_t flow, uint32_t *handle,
			    const struct packet *packet, uint64_t now_ns);

/* The flow ended, or enough was seen: settle with what is known.  *handle becomes 0. */
void dpi_finish(struct dpi *dpi, uint32_t *handle);

/* Whether labels come by themselves, some time after submit or finish; else they are there at once.
 */
bool dpi_is_late(const struct dpi *dpi);
/* Where they are late, now and then: then they are to be collected. */
void dpi_turn(struct dpi *dpi, uint64_t now_ns);

/* After dpi_turn(): the flow that the DPI process was busy with when it died, told once; false when
 * that is not known.  It says so itself: no proof. */
bool dpi_suspect(struct dpi *dpi, uint64_t *flow);

/* The next label, if one is ready. */
bool dpi_collect(struct dpi *dpi, struct dpi_result *result);

/* Adds STAT_DPI_* since the last call. */
void dpi_stats(struct dpi *dpi, struct stats *stats);

/* "nDPI 4.2.0 (API 8668)", for the heartbeat. */
const char *dpi_version(void);
/* Calls each(name, category) for every protocol, for "list protocols". */
void dpi_protocols(void (*each)(void *context, const char *name, const char *category),
		   void *context);
/* The text of the risk with the lowest bit set, or "". */
const char *dpi_risk_name(uint64_t risks);

#endif
