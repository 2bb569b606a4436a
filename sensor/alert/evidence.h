/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - the frames behind an incident, as `<alert_id>.pcapng` in one folder.
 *
 * Frames are copied (at most `evidence_snap` bytes each, a bounded number an incident) into slots
 * of one block of memory that is sized at start, and appended to the incident's file whenever it
 * is told: at its open, its updates and its close.  A file is written in whole blocks and cut
 * back when a write came short, so it is readable at any time after the open.
 *
 *	keep ---> slots (evidence_memory) ---flush---> ID.pcapng (evidence_quota)
 *
 * Bounds, each with the same counter (STAT_EVIDENCE_DROPPED):
 *	memory	no slot is free: the incident whose frames wait longest is written first
 *	disk	over the quota: the oldest files of incidents that are closed are removed, never
 *		one of an open incident
 *	errors	a write that fails is tried again at the next flush, the last time at close
 *	links	a frame of a fifth link type does not fit into an incident's file
 *
 * Names come from the id alone, never from the wire.  Only files that look like ours are ever
 * removed.  Calls from the judge's thread.
 */
#ifndef ALERT_EVIDENCE_H
#define ALERT_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bulkhead/alert.h"

#define EVIDENCE_LINKTYPES 4
#define EVIDENCE_NAME_SIZE (ALERT_ID_SIZE + sizeof ".pcapng" - 1)

/* One incident's share; part of the incident, whose id and text outlive it. */
struct evidence_log {
	TAILQ_ENTRY(evidence_log) by_wait; /* while frames are held, in the order they began to */
	const char *id;
	const char *comment;  /* what the file is about: one line */
	uint64_t limit;	      /* frames */
	uint64_t kept;	      /* frames taken so far */
	uint32_t first, last; /* held slots, oldest first */
	uint32_t held;
	unsigned links, described;	   /* link types taken, and told in the file so far */
	uint16_t link[EVIDENCE_LINKTYPES]; /* n is interface n of the file */
	uint64_t size;			   /* bytes in the file; 0: there is none */
	uint64_t file;			   /* its number among the files, when there is one */
};

struct evidence;

/* Without a folder in the config everything below does nothing.  ERR_RUN when the folder cannot be
 * made or opened. */
struct evidence *evidence_new(const struct incidents_config *config, struct stats *stats,
			      struct err *err);
void evidence_free(struct evidence *evidence); /* NULL is fine */

void evidence_begin(struct evidence *evidence, struct evidence_log *log, const char *id,
		    const char *comment, uint64_t limit);
/* note: static text for the frame's comment, or NULL. */
void evidence_keep(struct evidence *evidence, struct evidence_log *log,
		   const struct finding_frame *frame, const char *note);
void evidence_flush(struct evidence *evidence, struct evidence_log *log);
/* The incident closed: its file may be removed from now on. */
void evidence_end(struct evidence *evidence, struct evidence_log *log);

/* The file's name, or NULL while there is none. */
const char *evidence_name(const struct evidence_log *log, char buf[static EVIDENCE_NAME_SIZE]);

#endif
