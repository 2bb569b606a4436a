/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap.c - the classic capture file: a header, then records of 16 bytes and a frame.
 *
 * Microseconds or nanoseconds, in the byte order of whoever wrote it; the magic number tells.
 * The snap length of the header is not believed: records longer than it occur, and are whole.
 */
#include "capture/source.h"

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define VERSION_MAJOR 2
#define LINKTYPE_MASK 0xffff /* the upper half tells of frame check sequences */

bool pcap_is_magic(const uint8_t magic[static FILE_MAGIC_SIZE])
{
	uint32_t v = get32(magic, false), s = get32(magic, true);

	return v == MAGIC_US || v == MAGIC_NS || s == MAGIC_US || s == MAGIC_NS;
}

enum read_state read_state_of(enum input_state state, const struct input *input, struct err *err)
{
	switch (state) {
	case INPUT_READY:
		return READ_FRAME;
	case INPUT_LATER:
		return READ_LATER;
	case INPUT_BROKEN:
		(void)err_set(err, input->err.code, "%s", input->err.text);
		return READ_FAILED;
	default:
		(void)err_set(err, ERR_DATA, "the file is truncated");
		return READ_FAILED;
	}
}

enum read_state pcap_begin(struct pcap_reader *reader, struct input *input, struct err *err)
{
	enum input_state state = input_need(input, FILE_HEADER);
	const uint8_t *h = input->at;
	uint32_t magic;

	if (state != INPUT_READY)
		return read_state_of(state, input, err);
	magic = get32(h, false);
	reader->swapped = magic != MAGIC_US && magic != MAGIC_NS;
	reader->nanoseconds = get32(h, reader->swapped) == MAGIC_NS;
	reader->linktype = get32(h + 20, reader->swapped) & LINKTYPE_MASK;
	if (get16(h + 4, reader->swapped) != VERSION_MAJOR) {
		(void)err_set(err, ERR_DATA, "pcap version %u is unknown",
			      get16(h + 4, reader->swapped));
		return READ_FAILED;
	}
	input_take(input, FILE_HEADER);
	return READ_FRAME;
}

static inline void fill(const struct pcap_reader *reader, bool swapped, const uint8_t *h,
			uint32_t caplen, struct frame *frame)
{
	frame->data = h + RECORD_HEADER;
	frame->caplen = caplen;
	frame->len = get32(h + 12, swapped);
	frame->ts_ns = get32(h, swapped) * UINT64_C(1000000000) +
		       get32(h + 4, swapped) * (uint64_t)(reader->nanoseconds ? 1 : 1000);
	frame->linktype = reader->linktype;
	frame->tap = reader->tap;
}

enum read_state pcap_next_frame(struct pcap_reader *reader, struct input *input,
				struct frame *frame, struct err *err)
{
	enum input_state state = input_need(input, RECORD_HEADER);
	const uint8_t *h = input->at;
	bool swapped = reader->swapped;
	uint32_t caplen;

	if (state == INPUT_END && input_left(input) == 0)
		return READ_END;
	if (state != INPUT_READY)
		return read_state_of(state, input, err);
	caplen = get32(h + 8, swapped);
	if (caplen > CAPTURE_MAX_FRAME) {
		(void)err_set(err, ERR_DATA, "the file is corrupt: a frame of %u bytes", caplen);
		return READ_FAILED;
	}
	state = input_need(input, RECORD_HEADER + caplen);
	if (state != INPUT_READY)
		return read_state_of(state, input, err);
	fill(reader, swapped, h, caplen, frame);
	input_take(input, RECORD_HEADER + caplen);
	return READ_FRAME;
}

static inline unsigned frames_at_hand(const struct pcap_reader *reader, bool swapped,
				      struct input *input, struct frame *frame, unsigned most)
{
	const uint8_t *at = input->at;
	unsigned n;

	for (n = 0; n < most; n++) {
		size_t left = (size_t)(input->end - at);
		uint32_t caplen;

		if (left < RECORD_HEADER)
			break;
		caplen = get32(at + 8, swapped);
		if (caplen > CAPTURE_MAX_FRAME || caplen > left - RECORD_HEADER)
			break;
		fill(reader, swapped, at, caplen, &frame[n]);
		at += RECORD_HEADER + caplen;
	}
	if (n > 0)
		input_take(input, (size_t)(at - input->at));
	return n;
}

unsigned pcap_frames_at_hand(const struct pcap_reader *reader, struct input *input,
			     struct frame *frame, unsigned most)
{
	if (input->skip != 0)
		return 0;
	return reader->swapped ? frames_at_hand(reader, true, input, frame, most)
			       : frames_at_hand(reader, false, input, frame, most);
}
