/* SPDX-License-Identifier: Apache-2.0 */
/* reading.c - see reading.h. */
#include "reading.h"

static int open_one(struct reading *r, struct err *err)
{
	r->options.name = r->files[r->at];
	return r->source->open(&r->capture, &r->options, err);
}

int reading_open(struct reading *r, struct err *err)
{
	r->progress = UINT64_MAX;
	return open_one(r, err);
}

void reading_close(struct reading *r)
{
	if (r->capture != NULL)
		r->source->close(r->capture);
	r->capture = NULL;
}

static bool is_open(struct reading *r)
{
	while (r->capture == NULL && r->at < r->file_count) {
		struct err err = {0};

		if (open_one(r, &err) == 0)
			break;
		r->err = err;
		r->at++;
	}
	return r->capture != NULL;
}

static void tell_progress(struct reading *r)
{
	double done = r->source->progress != NULL ? r->source->progress(r->capture) : -1;

	r->progress = done < 0 ? UINT64_MAX : (uint64_t)(done * 1000);
}

bool reading_next(struct reading *r, struct frame_batch *batch)
{
	enum capture_verdict verdict;

	batch->count = 0;
	if (!is_open(r))
		return false;
	verdict = r->source->next(r->capture, batch, &r->err);
	for (unsigned i = 0; i < batch->count; i++)
		batch->frame[i].number += r->base;
	if (batch->count > 0)
		r->number = batch->frame[batch->count - 1].number;
	tell_progress(r);
	if (verdict == CAPTURE_OK)
		return true;
	if (verdict == CAPTURE_ERROR)
		(void)err_prefix(&r->err, "%s", r->files[r->at]);
	reading_close(r);
	r->base = r->number;
	r->at++;
	return true;
}

bool reading_window(struct reading *r, uint8_t *memory)
{
	if (!is_open(r))
		return false;
	if (r->source->window != NULL)
		r->source->window(r->capture, memory);
	return true;
}
