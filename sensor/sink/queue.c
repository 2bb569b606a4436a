/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - see queue.h. */
#include "sink/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bulkhead/clock.h"

/*
 * invariant: used <= capacity; slots [head, head + used) hold records, modulo capacity.  The
 * judge writes only slots outside that range, the writer reads only inside it.
 */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct stored *slot;
	uint32_t capacity, head, used;
	uint64_t patience_ns;
	bool lossless;
	bool stuck; /* somebody waited in vain and the writer has not moved since */
	bool closed;
};

void stored_copy(struct stored *to, const struct alert *alert)
{
	assert(alert->json_len < sizeof to->json);
	to->sequence = 0;
	to->alert = *alert;
	if (alert->json_len > 0)
		memcpy(to->json, alert->json, alert->json_len);
	to->json[alert->json_len] = '\0';
	to->alert.json = to->json;
}

struct queue *queue_new(uint32_t capacity, bool lossless, uint64_t patience_ns)
{
	struct queue *q = calloc(1, sizeof *q);
	pthread_condattr_t attr;

	if (q == NULL)
		return NULL;
	q->slot = malloc(capacity * sizeof *q->slot);
	if (q->slot == NULL) {
		free(q);
		return NULL;
	}
	q->capacity = capacity;
	q->lossless = lossless;
	q->patience_ns = patience_ns;
	(void)pthread_mutex_init(&q->lock, NULL); /* glibc's cannot fail with these arguments */
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&q->filled, &attr);
	(void)pthread_cond_init(&q->emptied, &attr);
	(void)pthread_condattr_destroy(&attr);
	return q;
}

void queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	(void)pthread_cond_destroy(&q->filled);
	(void)pthread_cond_destroy(&q->emptied);
	(void)pthread_mutex_destroy(&q->lock);
	free(q->slot);
	free(q);
}

/* With the lock held: waits until fewer than limit are used, or patience ends. */
static bool wait_below(struct queue *q, uint32_t limit)
{
	uint64_t until = clock_monotonic() + q->patience_ns;
	struct timespec ts = {.tv_sec = (time_t)(until / NS_PER_SEC),
			      .tv_nsec = (long)(until % NS_PER_SEC)};

	while (q->used >= limit && !q->stuck)
		if (pthread_cond_timedwait(&q->emptied, &q->lock, &ts) == ETIMEDOUT)
			q->stuck = q->used >= limit;
	return q->used < limit;
}

bool queue_put(struct queue *q, const struct alert *alert)
{
	bool may_wait = q->lossless || alert->op != ALERT_UPDATE;
	uint32_t limit = may_wait ? q->capacity : q->capacity - q->capacity / 4;
	bool room;

	(void)pthread_mutex_lock(&q->lock);
	assert(!q->closed);
	room = q->used < limit || (may_wait && wait_below(q, limit));
	if (room) {
		stored_copy(&q->slot[(q->head + q->used) % q->capacity], alert);
		if (q->used++ == 0)
			(void)pthread_cond_signal(&q->filled);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return room;
}

void queue_close(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	q->closed = true;
	(void)pthread_cond_signal(&q->filled);
	(void)pthread_mutex_unlock(&q->lock);
}

uint32_t queue_take(struct queue *q, struct stored **first)
{
	uint32_t n;

	(void)pthread_mutex_lock(&q->lock);
	while (q->used == 0 && !q->closed)
		(void)pthread_cond_wait(&q->filled, &q->lock);
	n = q->used;
	if (n > q->capacity - q->head)
		n = q->capacity - q->head;
	*first = &q->slot[q->head];
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}

void queue_release(struct queue *q, uint32_t count)
{
	(void)pthread_mutex_lock(&q->lock);
	assert(count <= q->used);
	q->head = (q->head + count) % q->capacity;
	q->used -= count;
	q->stuck = false;
	(void)pthread_cond_signal(&q->emptied);
	(void)pthread_mutex_unlock(&q->lock);
}

uint32_t queue_used(struct queue *q)
{
	uint32_t used;

	(void)pthread_mutex_lock(&q->lock);
	used = q->used;
	(void)pthread_mutex_unlock(&q->lock);
	return used;
}
