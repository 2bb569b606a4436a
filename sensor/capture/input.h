/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.h - the bytes of a capture file, whatever it is: a file, a pipe, compressed.
 *
 *	plain file	read into the window
 *	pipe, stdin	likewise, without waiting while there are frames to hand out
 *	gzip, zstd	unpacked into the window; recognised by their first bytes, not by name
 *
 *	window:   |.. used ..|at .. not yet used .. end|.. room ..|
 *
 * Bytes handed out stay where they are until input_recycle(), which makes room.  So a reader
 * recycles at the start of a batch, and ends the batch when INPUT_LATER says that the window is
 * full or that the pipe has nothing just now.
 *
 * Who keeps the bytes longer gives a window of his own for each stretch of them: input_move().
 * That one is not recycled, and it is full when INPUT_MOVED bytes are in it, unless the first frame
 * alone needs more.
 *
 * invariant: a request of up to INPUT_MAX_NEED bytes succeeds after input_recycle() or input_move()
 * if the input has as many.
 */
#ifndef CAPTURE_INPUT_H
#define CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/capture.h"
#include "bulkhead/err.h"

#define INPUT_WINDOW CAPTURE_WINDOW
#define INPUT_MAX_NEED (INPUT_WINDOW / 2)
#define INPUT_MOVED ((size_t)256 << 10)

enum input_state {
	INPUT_READY,
	INPUT_LATER,  /* recycle and ask again */
	INPUT_END,    /* the input has fewer bytes than that */
	INPUT_BROKEN, /* cannot be read or unpacked: see err */
};

struct unpacker;

struct input {
	const uint8_t *at, *end; /* in the window */
	uint64_t skip;		 /* bytes still to be passed over */
	uint8_t *window, *own;	 /* the same until input_move() */
	size_t limit;		 /* of bytes in the window, once some were handed out */
	struct unpacker *unpacker;
	uint64_t size;	/* of a regular file; 0: unknown */
	uint64_t taken; /* bytes read from fd */
	int fd;
	bool regular;
	bool ended;	  /* fd gives no more */
	bool interrupted; /* the last wait, by a signal */
	bool idle; /* nothing handed out since input_recycle() or input_move(): waiting is fine */
	struct err err;
};

/* name "-" is stdin.  ERR_NOINPUT, ERR_PERM, ERR_MEMORY, ERR_RUN. */
int input_open(struct input **input, const char *name, struct err *err)
    __attribute__((warn_unused_result));
void input_close(struct input *input);
void input_recycle(struct input *input);
/* From now on bytes lie in this memory of INPUT_WINDOW bytes, which may be the window it has. */
void input_move(struct input *input, uint8_t *memory);
enum input_state input_fill(struct input *input, size_t len);
/* 0..1, negative when unknown. */
double input_progress(const struct input *input);

static inline size_t input_left(const struct input *input)
{
	return (size_t)(input->end - input->at);
}

/* Whether the next len bytes are at input->at. */
static inline enum input_state input_need(struct input *input, size_t len)
{
	if (input->skip == 0 && input_left(input) >= len)
		return INPUT_READY;
	return input_fill(input, len);
}

/* len bytes that are there. */
static inline void input_take(struct input *input, size_t len)
{
	input->at += len;
	input->idle = false;
}

/* len bytes that may not be there yet. */
static inline void input_skip(struct input *input, uint64_t len)
{
	input->skip += len;
}

/* unpack.c: NULL when the first bytes are of no known compression (or memory is short: error). */
#define UNPACK_MAGIC 4
bool unpack_wanted(const uint8_t magic[static UNPACK_MAGIC]);
struct unpacker *unpacker_new(const uint8_t magic[static UNPACK_MAGIC]);
void unpacker_free(struct unpacker *unpacker);

struct unpack_step {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	bool starved; /* set: there was no memory to go on */
};

/* Moves step's pointers over what was used and made.  False: corrupt, or starved. */
bool unpack(struct unpacker *unpacker, struct unpack_step *step);
/* Whether the packed stream may end here. */
bool unpack_whole(const struct unpacker *unpacker);

#endif
