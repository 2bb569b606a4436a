/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h - what application a flow carries, as deep packet inspection sees it.
 *
 *	capture > decode > tenant > flow > DPI > detect > rule > alert > sink
 *
 * The contract is ask and collect: the first packets of one flow go in, its label comes out, now or
 * later, so that inspection may run elsewhere and may die without taking detection along.  No
 * verdict depends on a label: it names, and may raise a severity.
 *
 * A replay inspects here and now (dpi_new), so that its outcome is always the same.  Live, a
 * process of its own does (dpi_attach), which has no privilege and may die of a packet: then the
 * flows it had in hand get no label.
 *
 * Calls: all from one thread.  No two of dpi_new, dpi_free and dpi_protocols at the same time
 * (nDPI's module set-up shares counters).
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
#define DPI_ASK_PACKETS 16 /* of a flow that are looked at */

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

struct dpi_result {
	uint64_t flow; /* as given to dpi_ask() */
	struct app app;
};

struct dpi *dpi_new(struct err *err);
/* The segment is borrowed for the life of what is returned. */
struct dpi *dpi_attach(const struct dpi_segment *segment, struct err *err);
void dpi_free(struct dpi *dpi); /* NULL is fine */

/*
 * Asks what application a flow carries, by its first packets, oldest first; ts_ns: of each.  Of
 * packets only whole, unfragmented TCP or UDP with payload are looked at, of one IP version and
 * protocol, and DPI_ASK_PACKETS at most.  False when there is no room for the question now
 * (STAT_DPI_FULL); else it is answered once, with a label or without, unless DPI dies of it.
 */
bool dpi_ask(struct dpi *dpi, uint64_t flow, const struct packet packet[], const uint64_t ts_ns[],
	     unsigned count);

/* Whether answers come later; else each is there at once, and to be collected before the next is
 * asked for. */
bool dpi_is_late(const struct dpi *dpi);
/* Where they are late, now and then: then they are to be collected. */
void dpi_turn(struct dpi *dpi);

/* After dpi_turn(): the flow that the DPI process was busy with when it died, told once; false when
 * that is not known.  It says so itself: no proof. */
bool dpi_suspect(struct dpi *dpi, uint64_t *flow);

/* The next answer, if one is there. */
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
