/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng.h - writing pcapng blocks into a buffer (draft-ietf-opsawg-pcapng).
 *
 *	+------------------+  one section header, with what the file is about
 *	| SHB              |
 *	+------------------+  one interface description a link type, right before
 *	| IDB  link type 1 |  the first frame that needs it
 *	+------------------+
 *	| EPB ... EPB      |  the frames, times in nanoseconds
 *	+------------------+
 *
 * Always little-endian, so that the same incident gives the same bytes on every machine.  A file
 * made of whole blocks is readable at any time and may be appended to.
 */
#ifndef ALERT_PCAPNG_H
#define ALERT_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "bulkhead/finding.h"

/* What the blocks need beyond text and frame bytes; each text is cut at PCAPNG_TEXT_MAX. */
#define PCAPNG_BLOCK_MAX 128
#define PCAPNG_TEXT_MAX 511

/* Room that a block with these texts and bytes can need. */
#define PCAPNG_ROOM(texts, bytes) (PCAPNG_BLOCK_MAX + (texts) * (PCAPNG_TEXT_MAX + 1) + (bytes))

/* Each writes one block at buf, which has the room, and returns its size.  Texts may be NULL. */
size_t pcapng_section(uint8_t *buf, const char *comment, const char *program);
size_t pcapng_interface(uint8_t *buf, uint16_t linktype, uint32_t snaplen, const char *name);
/* frame->caplen bytes are written. */
size_t pcapng_frame(uint8_t *buf, uint32_t interface, const struct finding_frame *frame,
		    const char *comment);

#endif
