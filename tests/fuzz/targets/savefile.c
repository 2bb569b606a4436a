/* SPDX-License-Identifier: Apache-2.0 */
/* savefile.c - see savefile.h. */
#include "savefile.h"

#include <sanitizer/asan_interface.h>
#include <unistd.h>
#include <zlib.h>

#include "base/hash.h"
#include "bulkhead/capture.h"
#include "capture/input.h"
#include "common.h"

#define MAX_BATCHES 100000
#define WINDOW_BATCHES 64 /* fewer than some windows have: then those end early */

/* The linker puts these before the real ones: what of the window holds no input yet is no memory
 * to whoever reads on. */
enum input_state __real_input_fill(struct input *input, size_t len);
enum input_state __wrap_input_fill(struct input *input, size_t len);
void __real_input_recycle(struct input *input);
void __wrap_input_recycle(struct input *input);
void __real_input_move(struct input *input, uint8_t *memory);
void __wrap_input_move(struct input *input, uint8_t *memory);

static void hide_rest(const struct input *input)
{
	const uint8_t *end = input->window + INPUT_WINDOW;

	ASAN_POISON_MEMORY_REGION(input->end, (size_t)(end - input->end));
}

static void show_all(const struct input *input)
{
	ASAN_UNPOISON_MEMORY_REGION(input->window, INPUT_WINDOW);
}

enum input_state __wrap_input_fill(struct input *input, size_t len)
{
	enum input_state state;

	show_all(input);
	state = __real_input_fill(input, len);
	hide_rest(input);
	return state;
}

void __wrap_input_recycle(struct input *input)
{
	show_all(input);
	__real_input_recycle(input);
	hide_rest(input);
}

void __wrap_input_move(struct input *input, uint8_t *memory)
{
	show_all(input);
	ASAN_UNPOISON_MEMORY_REGION(memory, INPUT_WINDOW);
	__real_input_move(input, memory);
	hide_rest(input);
}

struct outcome {
	uint64_t frames, bytes, sum;
	enum capture_verdict verdict;
	int opened;
};

static uint16_t tap_of(void *context, const char *interface)
{
	(void)context;
	return (uint16_t)strlen(interface);
}

static void take_frame(struct outcome *o, const struct frame *f)
{
	struct hash128 h;
	uint64_t word[6];

	FUZZ_CHECK(f->number == o->frames + 1);
	free(fuzz_copy(f->data, f->caplen)); /* AddressSanitizer does not see into libxxhash */
	h = hash128_plain(f->data, f->caplen);
	word[0] = o->sum;
	word[1] = h.lo;
	word[2] = f->ts_ns;
	word[3] = (uint64_t)f->len << 32 | f->caplen;
	word[4] = (uint64_t)f->linktype << 16 | f->tap;
	word[5] = f->number;
	o->sum = hash128_plain(word, sizeof word).lo;
	o->frames++;
	o->bytes += f->len;
}

static struct outcome read_all(const char *path, const char *filter)
{
	struct capture_options options = {
	    .name = path, .filter = filter, .tap = 3, .tap_of = tap_of};
	struct outcome o = {.verdict = CAPTURE_OK};
	struct capture_stats stats;
	struct capture *capture = NULL;
	static struct frame_batch batch;
	struct err err = {0};

	o.opened = capture_savefile.open(&capture, &options, &err);
	if (o.opened != 0) {
		FUZZ_CHECK(o.opened < 0 && err.text[0] != '\0');
		return o;
	}
	for (unsigned n = 0; o.verdict == CAPTURE_OK && n < MAX_BATCHES; n++) {
		o.verdict = capture_savefile.next(capture, &batch, &err);
		FUZZ_CHECK(batch.count <= FRAME_BATCH);
		for (unsigned i = 0; i < batch.count && filter == NULL; i++)
			take_frame(&o, &batch.frame[i]);
		FUZZ_CHECK(capture_savefile.progress(capture) <= 1);
	}
	FUZZ_CHECK(o.verdict == CAPTURE_END || o.verdict == CAPTURE_ERROR);
	FUZZ_CHECK(o.verdict != CAPTURE_ERROR || err.text[0] != '\0');
	capture_savefile.stats(capture, &stats);
	FUZZ_CHECK(filter != NULL || (stats.received == o.frames && stats.bytes == o.bytes));
	capture_savefile.close(capture);
	return o;
}

/* By windows that lie one behind the other in memory of their own; frames are looked at when the
 * window after theirs is filled. */
static struct outcome read_windows(const char *path)
{
	struct capture_options options = {.name = path, .tap = 3, .tap_of = tap_of};
	static struct frame_batch batch[2][WINDOW_BATCHES];
	static uint8_t memory[2][CAPTURE_WINDOW];
	unsigned count[2] = {0}, n = 0;
	struct outcome o = {.verdict = CAPTURE_OK};
	struct capture *capture = NULL;
	struct err err = {0};

	o.opened = capture_savefile.open(&capture, &options, &err);
	if (o.opened != 0)
		return o;
	for (bool last = false; !last; n ^= 1) {
		last = o.verdict != CAPTURE_OK;
		count[n] = 0;
		if (!last)
			capture_savefile.window(capture, memory[n]);
		while (o.verdict == CAPTURE_OK && count[n] < WINDOW_BATCHES) {
			struct frame_batch *next = &batch[n][count[n]++];

			o.verdict = capture_savefile.next(capture, next, &err);
			if (next->count < FRAME_BATCH)
				break;
		}
		for (unsigned k = 0; k < count[n ^ 1]; k++)
			for (unsigned i = 0; i < batch[n ^ 1][k].count; i++)
				take_frame(&o, &batch[n ^ 1][k].frame[i]);
	}
	capture_savefile.close(capture);
	ASAN_UNPOISON_MEMORY_REGION(memory, sizeof memory);
	return o;
}

static void compare(const struct outcome *a, const struct outcome *b)
{
	/* What cannot be opened in one way may be opened and found wanting in another. */
	if (a->opened != 0 || b->opened != 0) {
		FUZZ_CHECK(a->opened == b->opened);
		return;
	}
	FUZZ_CHECK(a->frames == b->frames && a->sum == b->sum && a->bytes == b->bytes);
	FUZZ_CHECK(a->verdict == b->verdict);
}

static void read_packed(const uint8_t *data, size_t size, const struct outcome *plain)
{
	uLong room = compressBound(size) + 64;
	char path[FUZZ_PATH_SIZE];
	struct outcome o;
	z_stream z = {0};
	uint8_t *out = malloc(room);
	int fd;

	FUZZ_CHECK(out != NULL);
	/* 16: a gzip header; level 1 is the quickest that packs */
	FUZZ_CHECK(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)room;
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	fd = fuzz_file(out, room - z.avail_out, path);
	(void)deflateEnd(&z);
	o = read_all(path, NULL);
	compare(plain, &o);
	(void)close(fd);
	free(out);
}

void fuzz_savefile(const uint8_t *data, size_t size, const char *filter)
{
	char path[FUZZ_PATH_SIZE];
	struct outcome mapped, piped, windows;
	int fd = fuzz_file(data, size, path);

	mapped = read_all(path, NULL);
	windows = read_windows(path);
	compare(&mapped, &windows);
	if (filter != NULL)
		(void)read_all(path, filter);
	(void)close(fd);
	if (fuzz_stdin(data, size)) {
		piped = read_all("-", NULL);
		compare(&mapped, &piped);
	}
	/* Packed twice is no capture file. */
	if (size % 4 == 0 && mapped.opened == 0 && !unpack_wanted(data))
		read_packed(data, size, &mapped);
}
