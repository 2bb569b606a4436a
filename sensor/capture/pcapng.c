/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng.c - the block-structured capture file (IETF draft-ietf-opsawg-pcapng).
 *
 *	+---------+---------+------------ ... ------+---------+
 *	| type    | length  | body, options         | length  |   each block
 *	+---------+---------+------------ ... ------+---------+
 *
 *	section header		byte order; forgets the interfaces of the section before
 *	interface description	link type, name, time resolution: numbered from 0
 *	enhanced, simple and (obsolete) packet block	a frame
 *	anything else		passed over
 *
 * Read by ourselves because libpcap hides which interface a frame came from, and refuses files
 * whose interfaces differ in link type or snap length.
 */
#include <string.h>

#include "bulkhead/clock.h"
#include "capture/source.h"

#define BLOCK_HEADER 8
#define BLOCK_TRAILER 4
#define BLOCK_MIN (BLOCK_HEADER + BLOCK_TRAILER)
#define BLOCK_SECTION UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 2
#define BLOCK_SIMPLE 3
#define BLOCK_ENHANCED 6
#define ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define SECTION_FIXED 16 /* up to and with the section's length */
#define INTERFACE_FIXED 8
#define PACKET_FIXED 20 /* enhanced and obsolete alike */
#define SIMPLE_FIXED 4
#define OPTION_END 0
#define OPTION_IF_NAME 2
#define OPTION_IF_TSRESOL 9
#define OPTION_IF_TSOFFSET 14
#define DEFAULT_UNITS 1000000
#define TSRESOL_BINARY 0x80
#define TSRESOL_MAX_DECIMAL 19 /* 10^19 still fits in 64 bits */
#define TSRESOL_MAX_BINARY 63
#define VERSION_MAJOR 1
/* Blocks without a frame passed over in one call. */
#define MAX_BLOCKS 4096

bool pcapng_is_magic(const uint8_t magic[static FILE_MAGIC_SIZE])
{
	return get32(magic, false) == BLOCK_SECTION; /* a palindrome: the same in both orders */
}

static enum read_state corrupt(struct err *err, const char *what)
{
	(void)err_set(err, ERR_DATA, "the file is corrupt: %s", what);
	return READ_FAILED;
}

/* Uses the first bytes of a block and passes over the rest. */
static void finish_block(struct input *in, size_t used, uint32_t length)
{
	input_take(in, used);
	input_skip(in, length - used);
}

static enum read_state read_section(struct pcapng_reader *r, struct input *in, struct err *err)
{
	enum input_state state = input_need(in, SECTION_FIXED);
	const uint8_t *h = in->at;
	uint32_t length;

	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	r->swapped = get32(h + 8, false) != ORDER_MAGIC;
	if (get32(h + 8, r->swapped) != ORDER_MAGIC)
		return corrupt(err, "the byte order of a section is unknown");
	length = get32(h + 4, r->swapped);
	if (length < SECTION_FIXED || length % 4 != 0)
		return corrupt(err, "the length of a section header is impossible");
	if (get16(h + 12, r->swapped) != VERSION_MAJOR)
		return corrupt(err, "the version of pcapng is unknown");
	r->in_section = true;
	r->count = 0;
	finish_block(in, SECTION_FIXED, length);
	return READ_FRAME;
}

static uint64_t units_of(uint8_t tsresol)
{
	uint64_t units = 1;
	unsigned exponent = tsresol & (TSRESOL_BINARY - 1);

	if (tsresol & TSRESOL_BINARY)
		return UINT64_C(1)
		       << (exponent < TSRESOL_MAX_BINARY ? exponent : TSRESOL_MAX_BINARY);
	for (unsigned n = 0; n < exponent && n < TSRESOL_MAX_DECIMAL; n++)
		units *= 10;
	return units;
}

static void read_name(struct pcapng_reader *r, struct pcapng_interface *interface,
		      const uint8_t *text, size_t len)
{
	char name[INTERFACE_NAME_SIZE];

	if (r->options->tap_of == NULL || len == 0)
		return;
	len = len < sizeof name ? len : sizeof name - 1;
	memcpy(name, text, len);
	name[len] = '\0';
	interface->tap = r->options->tap_of(r->options->tap_context, name);
}

static void read_options(struct pcapng_reader *r, struct pcapng_interface *interface,
			 const uint8_t *at, size_t left)
{
	while (left >= 4) {
		uint16_t code = get16(at, r->swapped), len = get16(at + 2, r->swapped);
		size_t padded = 4 + (((size_t)len + 3) & ~(size_t)3);

		if (code == OPTION_END || padded > left)
			return;
		if (code == OPTION_IF_NAME) {
			read_name(r, interface, at + 4, len);
		} else if (code == OPTION_IF_TSRESOL && len == 1) {
			interface->units = units_of(at[4]);
		} else if (code == OPTION_IF_TSOFFSET && len == 8) {
			uint64_t lo = get32(at + (r->swapped ? 8 : 4), r->swapped),
				 hi = get32(at + (r->swapped ? 4 : 8), r->swapped);

			interface->offset_s = (int64_t)(hi << 32 | lo);
		}
		at += padded;
		left -= padded;
	}
}

static enum read_state read_interface(struct pcapng_reader *r, struct input *in, uint32_t length,
				      struct err *err)
{
	uint32_t body = length - BLOCK_MIN;
	size_t looked =
	    BLOCK_HEADER + (body < PCAPNG_MAX_DESCRIPTION ? body : PCAPNG_MAX_DESCRIPTION);
	enum input_state state = input_need(in, looked);
	const uint8_t *h = in->at + BLOCK_HEADER;
	struct pcapng_interface *interface;

	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	if (body < INTERFACE_FIXED)
		return corrupt(err, "an interface description is too short");
	if (r->count == PCAPNG_MAX_INTERFACES)
		return corrupt(err, "more interfaces than we can tell apart");
	interface = &r->interface[r->count++];
	*interface = (struct pcapng_interface){
	    .units = DEFAULT_UNITS,
	    .snaplen = get32(h + 4, r->swapped),
	    .linktype = get16(h, r->swapped),
	    .tap = r->options->tap,
	};
	read_options(r, interface, h + INTERFACE_FIXED, looked - BLOCK_HEADER - INTERFACE_FIXED);
	finish_block(in, looked, length);
	return READ_FRAME;
}

static uint64_t to_ns(const struct pcapng_interface *interface, uint64_t ticks)
{
	__int128 ns = (__int128)((unsigned __int128)ticks * NS_PER_SEC / interface->units) +
		      (__int128)interface->offset_s * (__int128)NS_PER_SEC;

	if (ns < 0)
		return 0;
	return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

static enum read_state read_packet(struct pcapng_reader *r, struct input *in, uint32_t type,
				   uint32_t length, struct frame *frame, struct err *err)
{
	enum input_state state = input_need(in, BLOCK_HEADER + PACKET_FIXED);
	const uint8_t *h = in->at + BLOCK_HEADER;
	const struct pcapng_interface *interface;
	uint32_t id, caplen;

	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	id = type == BLOCK_PACKET ? get16(h, r->swapped) : get32(h, r->swapped);
	if (id >= r->count)
		return corrupt(err, "a frame of an interface that was not described");
	interface = &r->interface[id];
	caplen = get32(h + 12, r->swapped);
	if (length < BLOCK_MIN + PACKET_FIXED || caplen > length - BLOCK_MIN - PACKET_FIXED)
		return corrupt(err, "a frame is longer than its block");
	if (caplen > CAPTURE_MAX_FRAME)
		return corrupt(err, "a frame is larger than any");
	state = input_need(in, BLOCK_HEADER + PACKET_FIXED + caplen);
	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	r->last_ns =
	    to_ns(interface, (uint64_t)get32(h + 4, r->swapped) << 32 | get32(h + 8, r->swapped));
	frame->data = h + PACKET_FIXED;
	frame->caplen = caplen;
	frame->len = get32(h + 16, r->swapped);
	frame->ts_ns = r->last_ns;
	frame->linktype = interface->linktype;
	frame->tap = interface->tap;
	finish_block(in, BLOCK_HEADER + PACKET_FIXED + caplen, length);
	return READ_FRAME;
}

static enum read_state read_simple(struct pcapng_reader *r, struct input *in, uint32_t length,
				   struct frame *frame, struct err *err)
{
	enum input_state state = input_need(in, BLOCK_HEADER + SIMPLE_FIXED);
	const uint8_t *h = in->at + BLOCK_HEADER;
	uint32_t caplen, room;

	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	if (r->count == 0)
		return corrupt(err, "a frame of an interface that was not described");
	if (length < BLOCK_MIN + SIMPLE_FIXED)
		return corrupt(err, "a frame is longer than its block");
	room = length - BLOCK_MIN - SIMPLE_FIXED;
	caplen = frame->len = get32(h, r->swapped);
	if (r->interface[0].snaplen != 0 && caplen > r->interface[0].snaplen)
		caplen = r->interface[0].snaplen;
	if (caplen > room)
		caplen = room; /* it has no captured length of its own but this */
	if (caplen > CAPTURE_MAX_FRAME)
		return corrupt(err, "a frame is larger than any");
	state = input_need(in, BLOCK_HEADER + SIMPLE_FIXED + caplen);
	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	frame->data = h + SIMPLE_FIXED;
	frame->caplen = caplen;
	frame->ts_ns = r->last_ns;
	frame->linktype = r->interface[0].linktype;
	frame->tap = r->interface[0].tap;
	finish_block(in, BLOCK_HEADER + SIMPLE_FIXED + caplen, length);
	return READ_FRAME;
}

/* One block; *is_frame tells whether it gave a frame. */
static enum read_state read_block(struct pcapng_reader *r, struct input *in, struct frame *frame,
				  bool *is_frame, struct err *err)
{
	enum input_state state = input_need(in, BLOCK_HEADER);
	uint32_t type, length;

	*is_frame = false;
	if (state == INPUT_END && input_left(in) == 0 && in->skip == 0)
		return READ_END;
	if (state != INPUT_READY)
		return read_state_of(state, in, err);
	type = get32(in->at, r->swapped);
	if (type == BLOCK_SECTION)
		return read_section(r, in, err);
	length = get32(in->at + 4, r->swapped);
	if (!r->in_section || length < BLOCK_MIN || length % 4 != 0)
		return corrupt(err, "the length of a block is impossible");
	*is_frame = true;
	switch (type) {
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
		return read_packet(r, in, type, length, frame, err);
	case BLOCK_SIMPLE:
		return read_simple(r, in, length, frame, err);
	case BLOCK_INTERFACE:
		*is_frame = false;
		return read_interface(r, in, length, err);
	default:
		*is_frame = false;
		finish_block(in, BLOCK_HEADER, length);
		return READ_FRAME;
	}
}

enum read_state pcapng_next_frame(struct pcapng_reader *reader, struct input *input,
				  struct frame *frame, struct err *err)
{
	for (unsigned n = 0; n < MAX_BLOCKS; n++) {
		bool is_frame;
		enum read_state state = read_block(reader, input, frame, &is_frame, err);

		if (state != READ_FRAME || is_frame)
			return state;
	}
	return READ_LATER;
}
