/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - capture files made byte by byte in memory, and read by name like any other.
 */
#ifndef TESTS_CAPTURE_BYTES_H
#define TESTS_CAPTURE_BYTES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bulkhead/capture.h"

#define MAX_BYTES ((size_t)32 << 20)
#define NAME_SIZE 32

struct bytes {
	uint8_t *at;
	size_t len;
	bool big; /* endian */
};

static inline void bytes_begin(struct bytes *b, bool big)
{
	if (b->at == NULL)
		b->at = malloc(MAX_BYTES);
	assert_non_null(b->at);
	b->len = 0;
	b->big = big;
}

static inline void put(struct bytes *b, uint64_t value, unsigned size)
{
	assert_true(b->len + size <= MAX_BYTES);
	for (unsigned n = 0; n < size; n++) {
		unsigned shift = 8 * (b->big ? size - 1 - n : n);

		b->at[b->len++] = (uint8_t)(value >> shift);
	}
}

static inline void put_fill(struct bytes *b, uint8_t value, size_t size)
{
	assert_true(b->len + size <= MAX_BYTES);
	memset(b->at + b->len, value, size);
	b->len += size;
}

/* A file that lives until its descriptor is closed; its name goes to name. */
static inline int as_file(const uint8_t *data, size_t len, char name[static NAME_SIZE])
{
	int fd = memfd_create("capture", 0);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	(void)snprintf(name, NAME_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}

struct outcome {
	int open;		      /* 0 or an error code */
	enum capture_verdict verdict; /* the last */
	struct err err;
	struct capture_stats stats;
	unsigned count;
	struct frame frame[256]; /* the first of them; data is gone */
	uint32_t sum;		 /* over all bytes of all frames */
	uint32_t mixed;		 /* likewise, and over their order */
	double progress;	 /* at the end */
};

static inline uint16_t tap_by_name(void *context, const char *name)
{
	char *names = context;

	strcat(names, name);
	strcat(names, " ");
	return (uint16_t)(100 + strlen(name));
}

static inline void take_frame(struct outcome *out, const struct frame *frame)
{
	if (out->count < sizeof out->frame / sizeof out->frame[0])
		out->frame[out->count] = *frame;
	out->count++;
	for (uint32_t i = 0; i < frame->caplen; i++) {
		out->sum += frame->data[i];
		out->mixed = out->mixed * 31 + frame->data[i];
	}
}

static inline void read_capture(const struct capture_options *options, struct outcome *out)
{
	struct capture *c = NULL;
	struct frame_batch batch;

	memset(out, 0, sizeof *out);
	out->open = capture_savefile.open(&c, options, &out->err);
	if (out->open != 0)
		return;
	for (;;) {
		out->verdict = capture_savefile.next(c, &batch, &out->err);
		if (out->verdict != CAPTURE_OK)
			break;
		assert_true(batch.count <= FRAME_BATCH);
		/* All frames of a batch must be whole at its end. */
		for (unsigned n = 0; n < batch.count; n++)
			take_frame(out, &batch.frame[n]);
	}
	capture_savefile.stats(c, &out->stats);
	out->progress = capture_savefile.progress(c);
	capture_savefile.close(c);
}

#define KEPT_WINDOWS 3
#define KEPT_BATCHES (CAPTURE_WINDOW / 16 / FRAME_BATCH + 1) /* records of a header alone */

/* Frames of a window, looked at when others were filled after it. */
struct kept {
	uint8_t *memory;
	struct frame_batch *batch;
	unsigned batches;
};

static inline void look_at_kept(struct kept *k, struct outcome *out)
{
	for (unsigned i = 0; i < k->batches; i++)
		for (unsigned n = 0; n < k->batch[i].count; n++)
			take_frame(out, &k->batch[i].frame[n]);
	k->batches = 0;
}

static inline void fill_kept(struct capture *c, struct kept *k, struct outcome *out)
{
	struct frame_batch *batch;

	capture_savefile.window(c, k->memory);
	do {
		assert_true(k->batches < KEPT_BATCHES);
		batch = &k->batch[k->batches++];
		out->verdict = capture_savefile.next(c, batch, &out->err);
		for (unsigned n = 0; n < batch->count; n++) {
			const struct frame *f = &batch->frame[n];

			assert_true(f->data >= k->memory &&
				    f->data + f->caplen <= k->memory + CAPTURE_WINDOW);
		}
	} while (out->verdict == CAPTURE_OK && batch->count == FRAME_BATCH);
}

/* The same by windows. */
static inline void read_windows(const struct capture_options *options, struct outcome *out)
{
	static struct kept kept[KEPT_WINDOWS]; /* made once: a run reads thousands of files */
	struct capture *c = NULL;
	unsigned turn = 0;

	memset(out, 0, sizeof *out);
	out->open = capture_savefile.open(&c, options, &out->err);
	if (out->open != 0)
		return;
	for (unsigned i = 0; i < KEPT_WINDOWS && kept[i].memory == NULL; i++) {
		kept[i].memory = malloc(CAPTURE_WINDOW);
		kept[i].batch = calloc(KEPT_BATCHES, sizeof *kept[i].batch);
		assert_true(kept[i].memory != NULL && kept[i].batch != NULL);
	}
	for (; out->verdict == CAPTURE_OK; turn++) {
		struct kept *k = &kept[turn % KEPT_WINDOWS];

		look_at_kept(k, out);
		fill_kept(c, k, out);
	}
	capture_savefile.stats(c, &out->stats);
	out->progress = capture_savefile.progress(c);
	capture_savefile.close(c);
	for (unsigned i = 0; i < KEPT_WINDOWS; i++)
		look_at_kept(&kept[(turn + i) % KEPT_WINDOWS], out);
}

/* Both ways, which must give the same. */
static inline void read_bytes(const uint8_t *data, size_t len, struct outcome *out)
{
	static struct outcome windows;
	char name[NAME_SIZE];
	int fd = as_file(data, len, name);
	struct capture_options options = {.name = name, .tap = 7};

	read_capture(&options, out);
	read_windows(&options, &windows);
	assert_int_equal(close(fd), 0);
	assert_int_equal(windows.open, out->open);
	assert_int_equal(windows.verdict, out->verdict);
	assert_string_equal(windows.err.text, out->err.text);
	assert_int_equal(windows.count, out->count);
	assert_int_equal(windows.mixed, out->mixed);
	assert_memory_equal(&windows.stats, &out->stats, sizeof out->stats);
	for (unsigned n = 0; n < out->count && n < sizeof out->frame / sizeof out->frame[0]; n++) {
		const struct frame *a = &windows.frame[n], *b = &out->frame[n];

		assert_true(a->caplen == b->caplen && a->len == b->len && a->ts_ns == b->ts_ns);
		assert_int_equal(a->number, b->number);
		assert_true(a->linktype == b->linktype && a->tap == b->tap);
	}
}

static inline uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

#endif
