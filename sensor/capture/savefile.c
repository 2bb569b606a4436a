/* SPDX-License-Identifier: Apache-2.0 */
/*
 * savefile.c - a capture file as a source of frames.
 *
 * Frames are numbered as they stand in the file, also those that a filter takes out, so that a
 * number found here is the one Wireshark shows.  When a file is cut short or corrupt, all frames
 * before that place are given first, then the error.
 */
#include <stdlib.h>

#include "capture/source.h"

/* Frames a filter may take out before the caller is asked to look for signals again. */
#define MAX_READS 4096

struct capture {
	struct capture_options options;
	struct input *input;
	struct filter *filter;
	struct capture_stats stats;
	bool is_pcapng;
	enum read_state state; /* of the last read: END and FAILED are final */
	struct err err;
	struct pcap_reader pcap;
	struct pcapng_reader pcapng;
};

/* Opening waits for the first bytes: their kind cannot be known before. */
static int begin(struct capture *c, struct err *err)
{
	enum input_state state;
	enum read_state read = READ_FRAME;

	do {
		input_recycle(c->input);
		state = input_need(c->input, FILE_MAGIC_SIZE);
	} while (state == INPUT_LATER && !c->input->interrupted);
	if (state == INPUT_LATER)
		return err_set(err, ERR_RUN, "interrupted");
	if (state == INPUT_END)
		return err_set(err, ERR_DATA,
			       input_left(c->input) == 0 ? "the file is empty"
							 : "is no capture file");
	if (state == INPUT_BROKEN)
		return err_set(err, c->input->err.code, "%s", c->input->err.text);
	c->is_pcapng = pcapng_is_magic(c->input->at);
	if (!c->is_pcapng && !pcap_is_magic(c->input->at))
		return err_set(err, ERR_DATA, "is no capture file (neither pcap nor pcapng)");
	while (!c->is_pcapng) {
		read = pcap_begin(&c->pcap, c->input, err);
		if (read != READ_LATER)
			break;
		if (c->input->interrupted)
			return err_set(err, ERR_RUN, "interrupted");
		input_recycle(c->input);
	}
	return read == READ_FAILED ? err->code : 0;
}

static void savefile_close(struct capture *c)
{
	if (c == NULL)
		return;
	filter_free(c->filter);
	input_close(c->input);
	free(c);
}

static int savefile_open(struct capture **capture, const struct capture_options *options,
			 struct err *err)
{
	struct capture *c = calloc(1, sizeof *c);
	struct err why = {.code = ERR_NONE};
	int rc;

	if (c == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	c->options = *options;
	c->pcap.tap = options->tap;
	c->pcapng.options = &c->options;
	if (options->filter != NULL && options->filter[0] != '\0') {
		rc = filter_new(&c->filter, options->filter, err);
		if (rc != 0)
			goto out;
	}
	rc = input_open(&c->input, options->name, &why);
	if (rc == 0)
		rc = begin(c, &why);
	if (rc == 0) {
		*capture = c;
		return 0;
	}
	(void)err_set(err, why.code, "%s: %s", options->name, why.text);
out:
	savefile_close(c);
	return rc;
}

static enum read_state next_frame(struct capture *c, struct frame *frame)
{
	if (c->is_pcapng)
		return pcapng_next_frame(&c->pcapng, c->input, frame, &c->err);
	return pcap_next_frame(&c->pcap, c->input, frame, &c->err);
}

/* Most files are plain, and most of their frames lie ready. */
static void take_ready(struct capture *c, struct frame_batch *batch)
{
	struct capture_stats stats = c->stats;
	unsigned end =
	    batch->count + pcap_frames_at_hand(&c->pcap, c->input, &batch->frame[batch->count],
					       FRAME_BATCH - batch->count);

	stats.received += end - batch->count;
	for (; batch->count < end; batch->count++) {
		struct frame *frame = &batch->frame[batch->count];

		frame->number = ++stats.numbered;
		stats.bytes += frame->len;
		stats.truncated += frame->caplen < frame->len;
	}
	c->stats = stats;
}

/* Counts the frame; false when the filter takes it out (or fails: then state does too). */
static bool wanted(struct capture *c, struct frame *frame)
{
	int rc;

	frame->number = ++c->stats.numbered;
	if (c->filter != NULL) {
		rc = filter_passes(c->filter, frame, &c->err);
		if (rc < 0)
			c->state = READ_FAILED;
		if (rc <= 0)
			return false;
	}
	c->stats.received++;
	c->stats.bytes += frame->len;
	c->stats.truncated += frame->caplen < frame->len;
	return true;
}

static enum capture_verdict savefile_next(struct capture *c, struct frame_batch *batch,
					  struct err *err)
{
	batch->count = 0;
	input_recycle(c->input);
	if (c->state != READ_END && c->state != READ_FAILED)
		c->state = READ_FRAME;
	for (unsigned n = 0; n < MAX_READS && batch->count < FRAME_BATCH && c->state == READ_FRAME;
	     n++) {
		struct frame *frame;

		if (!c->is_pcapng && c->filter == NULL)
			take_ready(c, batch);
		if (batch->count == FRAME_BATCH)
			break;
		frame = &batch->frame[batch->count];
		c->state = next_frame(c, frame);
		if (c->state == READ_FRAME && wanted(c, frame))
			batch->count++;
	}
	if (batch->count != 0 || c->state == READ_FRAME || c->state == READ_LATER)
		return CAPTURE_OK;
	if (c->state == READ_END)
		return CAPTURE_END;
	(void)err_set(err, c->err.code, "after frame %llu: %s",
		      (unsigned long long)c->stats.numbered, c->err.text);
	return CAPTURE_ERROR;
}

static void savefile_window(struct capture *c, uint8_t *memory)
{
	input_move(c->input, memory);
}

static void savefile_stats(struct capture *c, struct capture_stats *out)
{
	*out = c->stats;
}

static double savefile_progress(struct capture *c)
{
	return input_progress(c->input);
}

const struct capture_source capture_savefile = {
    .name = "savefile",
    .open = savefile_open,
    .next = savefile_next,
    .window = savefile_window,
    .stats = savefile_stats,
    .progress = savefile_progress,
    .close = savefile_close,
};
