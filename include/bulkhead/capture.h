/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.h - what a source of frames is.
 *
 *	CAPTURE > decode > tenant > flow > dpi > detect > rule > alert > sink
 *
 * Two kinds exist: a live interface (live.c, by libpcap) and a capture file (savefile.c).
 * Files are read by our own pcap and pcapng readers: without a copy, and because libpcap drops
 * the interface ids of pcapng and refuses files whose interfaces differ.
 *
 * Calls, all from one thread:
 *
 *	open	once.  Fills err: ERR_NOINPUT, ERR_PERM, ERR_DATA, ERR_RUN.
 *	next	fills a batch; frames are borrowed until the following next or close.
 *		CAPTURE_OK with count 0 means: nothing within the time-out, ask again.
 *	window	files only, for who keeps frames: those of the following calls of next lie in this
 *		memory of CAPTURE_WINDOW bytes, which is the caller's.  They stay until he gives it
 *		again, also when the capture is closed.  A batch that is not full means that the
 *		window is, or that there is nothing more just now.
 *	stats	cumulative counters, 64 bit.
 *	progress the share of the input's bytes read, 0..1; negative when that is unknown.
 *	close	once.
 *
 * Ownership: open allocates the source, close frees it.  To add one: write
 * sensor/capture/NAME.c and name it in sensor/capture/list.c.
 */
#ifndef BULKHEAD_CAPTURE_H
#define BULKHEAD_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/err.h"
#include "bulkhead/frame.h"

/* The largest frame that files may have, twice; little of it is touched otherwise. */
#define CAPTURE_WINDOW ((size_t)1 << 20)

enum capture_verdict {
	CAPTURE_OK,
	CAPTURE_END,   /* end of file: nothing more will come */
	CAPTURE_ERROR, /* err says why (ERR_DATA: corrupt or truncated; frames before it were given)
			*/
};

struct capture_stats {
	uint64_t received;  /* frames handed out */
	uint64_t bytes;	    /* their wire lengths */
	uint64_t dropped;   /* by the kernel's ring */
	uint64_t ifdropped; /* by the interface or its driver */
	uint64_t truncated; /* frames with caplen < len */
	uint64_t numbered;  /* number of the last frame read: a filter's rejects count too */
};

/* Names an interface's tap: asked once per interface name seen; returns an index into the taps. */
typedef uint16_t capture_tap_of(void *context, const char *interface);

struct capture_options {
	const char *name;   /* interface, file, or "-" for stdin */
	const char *filter; /* BPF text, or NULL */
	uint32_t snaplen;   /* live; a file has what it has */
	uint64_t buffer;    /* live: bytes of kernel ring */
	uint16_t tap;	    /* index used when tap_of is NULL or the file names no interface */
	capture_tap_of *tap_of;
	void *tap_context;
	int fanout_group; /* live: PACKET_FANOUT group (16 bits), the same for all members */
	unsigned fanout_members;
};

struct capture;

struct capture_source {
	const char *name; /* "live", "savefile" */
	int (*open)(struct capture **capture, const struct capture_options *options,
		    struct err *err) __attribute__((warn_unused_result));
	enum capture_verdict (*next)(struct capture *capture, struct frame_batch *batch,
				     struct err *err);
	void (*window)(struct capture *capture, uint8_t *memory); /* NULL: frames cannot be kept */
	void (*stats)(struct capture *capture, struct capture_stats *out);
	double (*progress)(struct capture *capture);
	void (*close)(struct capture *capture);
};

extern const struct capture_source capture_live;
extern const struct capture_source capture_savefile;

/* Every source compiled in; ends with NULL. */
extern const struct capture_source *const capture_sources[];

/*
 * The capture files that PATH stands for, sorted by name: itself, or the .pcap, .pcapng,
 * .cap (also .gz, .zst) files of a folder.  Frees with capture_paths_free().  ERR_NOINPUT
 * when there is none.
 */
int capture_paths(const char *path, char ***paths, unsigned *count, struct err *err)
    __attribute__((warn_unused_result));
void capture_paths_free(char **paths, unsigned count);

/* Checks BPF text without opening anything.  0 or ERR_USAGE. */
int capture_check_filter(const char *filter, struct err *err) __attribute__((warn_unused_result));

/* Interfaces of this machine for "list interfaces": calls each(name, description, up). */
int capture_interfaces(void (*each)(void *context, const char *name, const char *description,
				    bool up),
		       void *context, struct err *err) __attribute__((warn_unused_result));

#endif
