/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - what the files of this folder share: readers of file formats, and BPF.
 *
 * A reader gives one frame a call, all of it but its number.  It uses input bytes only when the
 * whole record is there, so that INPUT_LATER can be answered by calling again.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "bulkhead/capture.h"
#include "capture/input.h"

/* No capture program writes larger frames (libpcap's limit); what claims more is corrupt. */
#define CAPTURE_MAX_FRAME ((uint32_t)256 << 10)
/* Interfaces of one pcapng section that we remember. */
#define PCAPNG_MAX_INTERFACES 1024
/* Of an interface description we read this much: its name stands near its start. */
#define PCAPNG_MAX_DESCRIPTION 4096
#define INTERFACE_NAME_SIZE 64

#define FILE_MAGIC_SIZE 4

enum read_state {
	READ_FRAME,
	READ_LATER, /* the batch has to be given away first, or there is nothing just now */
	READ_END,
	READ_FAILED, /* err says why */
};

struct pcap_reader {
	bool swapped, nanoseconds;
	uint16_t linktype;
	uint16_t tap;
};

struct pcapng_interface {
	uint64_t units;	  /* ticks a second */
	int64_t offset_s; /* added to each time stamp */
	uint32_t snaplen;
	uint16_t linktype;
	uint16_t tap;
};

struct pcapng_reader {
	const struct capture_options *options;
	bool swapped;
	bool in_section;
	unsigned count;
	uint64_t last_ns; /* a simple packet has no time of its own */
	struct pcapng_interface interface[PCAPNG_MAX_INTERFACES];
};

/* The four bytes are those of such a file. */
bool pcap_is_magic(const uint8_t magic[static FILE_MAGIC_SIZE]);
bool pcapng_is_magic(const uint8_t magic[static FILE_MAGIC_SIZE]);

/* READ_FRAME means that the header was read. */
enum read_state pcap_begin(struct pcap_reader *reader, struct input *input, struct err *err);
enum read_state pcap_next_frame(struct pcap_reader *reader, struct input *input,
				struct frame *frame, struct err *err);
/* Of those frames that are in the window already, up to `most`.  Anything that is not in order ends
 * them: pcap_next_frame() says what. */
unsigned pcap_frames_at_hand(const struct pcap_reader *reader, struct input *input,
			     struct frame *frame, unsigned most);
enum read_state pcapng_next_frame(struct pcapng_reader *reader, struct input *input,
				  struct frame *frame, struct err *err);

/* What not being READY means in the middle of something: END is "truncated". */
enum read_state read_state_of(enum input_state state, const struct input *input, struct err *err);

static inline uint32_t get32(const uint8_t *p, bool swapped)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof v);
	return swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t get16(const uint8_t *p, bool swapped)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof v);
	return swapped ? __builtin_bswap16(v) : v;
}

/* filter.c: one BPF text compiled for each link type that occurs. */
struct filter;
/* ERR_USAGE when the text is wrong for Ethernet, which all is checked against first. */
int filter_new(struct filter **filter, const char *text, struct err *err)
    __attribute__((warn_unused_result));
void filter_free(struct filter *filter);
/* 1 the frame passes, 0 not, or a negative error: the text does not fit the frame's link type. */
int filter_passes(struct filter *filter, const struct frame *frame, struct err *err);

/* fanout.c: joins a packet socket to the group; ERR_RUN. */
int fanout_join(int fd, uint16_t group, struct err *err) __attribute__((warn_unused_result));

#endif
