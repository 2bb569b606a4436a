/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.c - see evidence.h.
 *
 * invariants: every slot is in the free list or in exactly one log's list; a log is in waiting
 * exactly while it holds a slot.
 */
#include "alert/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/folder.h"
#include "alert/pcapng.h"

#define NO_SLOT UINT32_MAX
/* Written at once; more is written in several pieces. */
#define SCRATCH_SIZE ((size_t)64 << 10)
/* No snap beyond what a frame can have: GRO and loopback frames reach 64 KiB and a header. */
#define SNAP_MAX (UINT32_C(256) << 10)
/* Files remembered beyond those of open incidents. */
#define FILES_CLOSED 65536u

struct slot {
	uint32_t next;
	uint32_t caplen, len;
	uint32_t interface;
	uint64_t ts_ns;
	const char *note;
	uint8_t data[];
};

TAILQ_HEAD(evidence_waiting, evidence_log);

struct evidence {
	struct folder *folder; /* NULL: no evidence is kept */
	struct stats *stats;
	const char *in_iface;
	uint32_t snap;
	uint64_t packets; /* an incident, unless its rule says otherwise */
	uint64_t removed; /* of folder_removed(), counted so far */
	uint8_t *slots;
	size_t slot_size;
	uint32_t slot_count;
	uint32_t fresh;	    /* slots from here on were never used */
	uint32_t free_slot; /* given back, or NO_SLOT */
	struct evidence_waiting waiting;
	uint8_t *scratch;
};

static struct slot *slot_at(const struct evidence *ev, uint32_t n)
{
	return (struct slot *)(void *)(ev->slots + n * ev->slot_size);
}

static int slots_new(struct evidence *ev, const struct incidents_config *config, struct err *err)
{
	uint64_t want;

	ev->slot_size = (sizeof(struct slot) + ev->snap + 7) & ~(size_t)7;
	want = config->evidence_memory / ev->slot_size;
	if (want >= NO_SLOT)
		want = NO_SLOT - 1;
	ev->slot_count = (uint32_t)want;
	ev->free_slot = NO_SLOT;
	/* The last frame begun may need this much more, and so may the section header. */
	ev->scratch =
	    malloc(SCRATCH_SIZE + PCAPNG_ROOM(2, 0) + PCAPNG_ROOM(1, 0) + PCAPNG_ROOM(1, ev->snap));
	/* Untouched pages of it cost nothing: slots are used from the low end up. */
	ev->slots = calloc(want > 0 ? want : 1, ev->slot_size);
	if (ev->scratch == NULL || ev->slots == NULL)
		return err_set(err, ERR_MEMORY, "evidence: %llu bytes of memory are not to be had",
			       (unsigned long long)config->evidence_memory);
	return 0;
}

struct evidence *evidence_new(const struct incidents_config *config, struct stats *stats,
			      struct err *err)
{
	struct evidence *ev = calloc(1, sizeof *ev);

	if (ev == NULL) {
		(void)err_set(err, ERR_MEMORY, "evidence: out of memory");
		return NULL;
	}
	TAILQ_INIT(&ev->waiting);
	ev->stats = stats;
	if (config->evidence_directory == NULL || config->evidence_directory[0] == '\0')
		return ev;
	ev->in_iface = config->in_iface;
	ev->packets = config->evidence_packets;
	ev->snap = config->evidence_snap < SNAP_MAX ? (uint32_t)config->evidence_snap : SNAP_MAX;
	if (slots_new(ev, config, err) != 0)
		goto fail;
	ev->folder = folder_new(config->evidence_directory, config->capacity + FILES_CLOSED,
				config->evidence_quota, err);
	if (ev->folder == NULL)
		goto fail;
	return ev;
fail:
	evidence_free(ev);
	return NULL;
}

void evidence_free(struct evidence *ev)
{
	if (ev == NULL)
		return;
	folder_free(ev->folder);
	free(ev->slots);
	free(ev->scratch);
	free(ev);
}

void evidence_begin(struct evidence *ev, struct evidence_log *log, const char *id,
		    const char *comment, uint64_t limit)
{
	*log = (struct evidence_log){.id = id,
				     .comment = comment,
				     .limit = limit > 0 ? limit : ev->packets,
				     .first = NO_SLOT,
				     .last = NO_SLOT};
}

static uint32_t slot_take(struct evidence *ev)
{
	uint32_t n = ev->free_slot;

	if (n != NO_SLOT)
		ev->free_slot = slot_at(ev, n)->next;
	else if (ev->fresh < ev->slot_count)
		n = ev->fresh++;
	return n;
}

/* Gives the log's oldest held slot back. */
static void slot_release(struct evidence *ev, struct evidence_log *log)
{
	uint32_t n = log->first;
	struct slot *slot = slot_at(ev, n);

	log->first = slot->next;
	if (--log->held == 0) {
		log->last = NO_SLOT;
		TAILQ_REMOVE(&ev->waiting, log, by_wait);
	}
	slot->next = ev->free_slot;
	ev->free_slot = n;
}

static void drop_held(struct evidence *ev, struct evidence_log *log)
{
	stat_add(ev->stats, STAT_EVIDENCE_DROPPED, log->held);
	while (log->held > 0)
		slot_release(ev, log);
}

/* The interface number of a link type in the incident's file; -1 when it has as many as it may. */
static int link_of(struct evidence_log *log, uint16_t linktype)
{
	/* Old Linux files number raw IP as no pcapng reader expects it. */
	uint16_t number = linktype == LINK_RAW_OLD ? (uint16_t)LINK_RAW : linktype;
	unsigned i = 0;

	while (i < log->links && log->link[i] != number)
		i++;
	if (i == EVIDENCE_LINKTYPES)
		return -1;
	if (i == log->links)
		log->link[log->links++] = number;
	return (int)i;
}

/* A slot, made free by writing the frames that wait longest if need be. */
static uint32_t slot_make(struct evidence *ev)
{
	struct evidence_log *longest = TAILQ_FIRST(&ev->waiting);
	uint32_t n = slot_take(ev);

	if (n != NO_SLOT || longest == NULL)
		return n;
	evidence_flush(ev, longest);
	if (longest->held > 0)
		drop_held(ev, longest); /* the disk refuses: memory must go on */
	return slot_take(ev);
}

void evidence_keep(struct evidence *ev, struct evidence_log *log, const struct finding_frame *frame,
		   const char *note)
{
	struct slot *slot;
	uint32_t n;
	int link;

	if (ev->folder == NULL || log->kept >= log->limit || frame->data == NULL)
		return;
	link = link_of(log, frame->linktype);
	n = link < 0 ? NO_SLOT : slot_make(ev);
	if (n == NO_SLOT) {
		stat_add(ev->stats, STAT_EVIDENCE_DROPPED, 1);
		return;
	}
	slot = slot_at(ev, n);
	slot->next = NO_SLOT;
	slot->caplen = frame->caplen < ev->snap ? frame->caplen : ev->snap;
	slot->len = frame->len > slot->caplen ? frame->len : slot->caplen;
	slot->interface = (uint32_t)link;
	slot->ts_ns = frame->ts_ns;
	slot->note = note;
	memcpy(slot->data, frame->data, slot->caplen);
	if (log->held++ == 0) {
		log->first = n;
		TAILQ_INSERT_TAIL(&ev->waiting, log, by_wait);
	} else {
		slot_at(ev, log->last)->next = n;
	}
	log->last = n;
	log->kept++;
}

/* Encodes held slots into scratch until it is full; returns how many, *len bytes. */
static uint32_t encode(struct evidence *ev, struct evidence_log *log, size_t *len)
{
	uint8_t *out = ev->scratch;
	uint32_t done = 0;
	uint32_t n = log->first;

	if (log->size == 0)
		out += pcapng_section(out, log->comment, "bulkhead " BULKHEAD_VERSION);
	while (done < log->held && (size_t)(out - ev->scratch) < SCRATCH_SIZE) {
		const struct slot *slot = slot_at(ev, n);
		const struct finding_frame frame = {.ts_ns = slot->ts_ns,
						    .data = slot->data,
						    .caplen = slot->caplen,
						    .len = slot->len};

		/* Link types were numbered in the order of these slots: at most one is new. */
		if (slot->interface >= log->described)
			out += pcapng_interface(out, log->link[log->described++], ev->snap,
						ev->in_iface);
		out += pcapng_frame(out, slot->interface, &frame, slot->note);
		n = slot->next;
		done++;
	}
	*len = (size_t)(out - ev->scratch);
	return done;
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(fd, bytes + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* Puts scratch behind what the file has, all of it or nothing. */
static bool append(struct evidence *ev, struct evidence_log *log, size_t len)
{
	bool created = log->size == 0;
	bool written;
	int fd;

	if (!folder_reserve(ev->folder, len, created))
		return false;
	fd = created ? folder_create(ev->folder, log->id, &log->file)
		     : folder_append(ev->folder, log->id, log->size);
	if (fd < 0)
		return false;
	written = write_all(fd, ev->scratch, len);
	if (!written && created)
		folder_discard(ev->folder, log->file);
	else if (!written && ftruncate(fd, (off_t)log->size) != 0)
		log->limit = 0; /* half a block is at its end now: nothing may follow it */
	(void)close(fd);	/* a write error has shown itself before */
	if (!written)
		return false;
	log->size += len;
	folder_grow(ev->folder, log->file, len);
	return true;
}

void evidence_flush(struct evidence *ev, struct evidence_log *log)
{
	while (log->held > 0) {
		unsigned described = log->described;
		size_t len;
		uint32_t done = encode(ev, log, &len);

		if (!append(ev, log, len)) {
			log->described = described;
			break;
		}
		while (done-- > 0)
			slot_release(ev, log);
	}
	if (ev->folder != NULL && folder_removed(ev->folder) > ev->removed) {
		stat_add(ev->stats, STAT_EVIDENCE_DROPPED,
			 folder_removed(ev->folder) - ev->removed);
		ev->removed = folder_removed(ev->folder);
	}
}

void evidence_end(struct evidence *ev, struct evidence_log *log)
{
	drop_held(ev, log);
	if (ev->folder != NULL && log->size > 0)
		folder_close(ev->folder, log->file);
}

const char *evidence_name(const struct evidence_log *log, char buf[static EVIDENCE_NAME_SIZE])
{
	if (log->size == 0)
		return NULL;
	memcpy(buf, log->id, ALERT_ID_SIZE - 1);
	memcpy(buf + ALERT_ID_SIZE - 1, ".pcapng", sizeof ".pcapng");
	return buf;
}
