/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.h - the captures of a replay, one after the other, as one stream of numbered frames.
 *
 * What is wrong with one of them is kept in err and ends that one alone.  Threads: one at a time.
 */
#ifndef READING_H
#define READING_H

#include "bulkhead/capture.h"

struct reading {
	const struct capture_source *source;
	struct capture_options options;
	const char *const *files;
	unsigned file_count;
	unsigned at;		 /* of files: the current one */
	struct capture *capture; /* of it; NULL between two */
	uint64_t base;		 /* frames of the files before it */
	uint64_t number;	 /* of the last frame */
	uint64_t progress;	 /* per mille of the current file, UINT64_MAX unknown */
	struct err err;		 /* the last; ERR_NONE: none */
};

/* With source, options, files and file_count filled in: opens the first file. */
int reading_open(struct reading *reading, struct err *err) __attribute__((warn_unused_result));
void reading_close(struct reading *reading);
/* A batch, which may be empty; files do not mix in one.  False: all files were read. */
bool reading_next(struct reading *reading, struct frame_batch *batch);
/* capture.h's window, for the batches of one file.  False: all files were read. */
bool reading_window(struct reading *reading, uint8_t *memory);

#endif
