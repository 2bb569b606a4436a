/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_wrap.c - what the linker puts before the real functions in the pipeline target.
 *
 * Tables and rings that hold seconds of a network's traffic take longer to make than all else
 * that the target does; small ones overflow sooner, too.
 */
#include <time.h>

#include "base/ring.h"
#include "base/table.h"
#include "common.h"
#include "judge.h"
#include "pipeline.h"

uint32_t pipeline_table_most;
size_t pipeline_ring_most;
struct judge *pipeline_judge;

struct table *__real_table_new(uint32_t capacity, size_t key, size_t value, uint64_t seed);
struct table *__wrap_table_new(uint32_t capacity, size_t key, size_t value, uint64_t seed);
struct ring *__real_ring_new(size_t bytes);
struct ring *__wrap_ring_new(size_t bytes);
const void *__real_ring_peek(struct ring *ring, size_t *len);
const void *__wrap_ring_peek(struct ring *ring, size_t *len);
void __real_ring_pop(struct ring *ring);
void __wrap_ring_pop(struct ring *ring);
const void *__wrap_ring_look_ahead(struct ring *ring, unsigned most);
void __real_ring_free(struct ring *ring);
void __wrap_ring_free(struct ring *ring);
int __wrap_nanosleep(const struct timespec *request, struct timespec *rest);

struct table *__wrap_table_new(uint32_t capacity, size_t key, size_t value, uint64_t seed)
{
	return __real_table_new(capacity < pipeline_table_most ? capacity : pipeline_table_most,
				key, value, seed);
}

struct ring *__wrap_ring_new(size_t bytes)
{
	return __real_ring_new(bytes < pipeline_ring_most ? bytes : pipeline_ring_most);
}

/* What the judge sees of a ring: a copy of the oldest record that ends where the record does, so
 * that AddressSanitizer sees a detector that reads on. */
static struct view {
	struct ring *ring;
	void *copy;
	size_t len;
} view[PIPELINE_WORKERS];

static struct view *view_of(struct ring *ring)
{
	for (unsigned i = 0; i < PIPELINE_WORKERS; i++)
		if (view[i].ring == ring)
			return &view[i];
	for (unsigned i = 0; i < PIPELINE_WORKERS; i++)
		if (view[i].ring == NULL) {
			view[i].ring = ring;
			return &view[i];
		}
	fuzz_fail(__FILE__, __LINE__, "no more rings than workers");
}

const void *__wrap_ring_peek(struct ring *ring, size_t *len)
{
	struct view *v = view_of(ring);
	const void *record;

	if (v->copy == NULL) {
		record = __real_ring_peek(ring, &v->len);
		if (record == NULL)
			return NULL;
		v->copy = fuzz_copy(record, v->len);
	}
	*len = v->len;
	return v->copy;
}

void __wrap_ring_pop(struct ring *ring)
{
	struct view *v = view_of(ring);

	free(v->copy);
	v->copy = NULL;
	__real_ring_pop(ring);
}

/* Only ever to prefetch. */
const void *__wrap_ring_look_ahead(struct ring *ring, unsigned most)
{
	(void)ring;
	(void)most;
	return NULL;
}

void __wrap_ring_free(struct ring *ring)
{
	struct view *v = view_of(ring);

	free(v->copy);
	*v = (struct view){0};
	__real_ring_free(ring);
}

/* Who waits for room in the ring waits for the judge. */
int __wrap_nanosleep(const struct timespec *request, struct timespec *rest)
{
	(void)request;
	(void)rest;
	judge_drain(pipeline_judge);
	return 0;
}
