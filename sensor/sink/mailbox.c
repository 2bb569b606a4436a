/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c - see mailbox.h. */
#include "sink/mailbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 256
#define FACT_NAME_SIZE 64

/* A heartbeat that owns its text. */
struct beat {
	struct heartbeat beat;
	char sensor[ALERT_NAME_SIZE], site[ALERT_NAME_SIZE], version[64];
	char name[HEARTBEAT_FACTS][FACT_NAME_SIZE];
};

struct mailbox {
	pthread_mutex_t lock;
	bool fresh;
	struct beat waiting, taken;
	struct soc_word word[WORDS]; /* a ring: [head, head + used) */
	unsigned head, used;
};

struct mailbox *mailbox_new(void)
{
	struct mailbox *m = calloc(1, sizeof *m);

	if (m != NULL)
		(void)pthread_mutex_init(&m->lock, NULL);
	return m;
}

void mailbox_free(struct mailbox *m)
{
	if (m == NULL)
		return;
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

static void own(struct beat *to, const struct heartbeat *from)
{
	assert(from->fact_count <= HEARTBEAT_FACTS);
	to->beat = *from;
	(void)snprintf(to->sensor, sizeof to->sensor, "%s", from->sensor);
	(void)snprintf(to->site, sizeof to->site, "%s", from->site);
	(void)snprintf(to->version, sizeof to->version, "%s", from->version);
	to->beat.sensor = to->sensor;
	to->beat.site = to->site;
	to->beat.version = to->version;
	for (unsigned i = 0; i < to->beat.fact_count; i++) {
		(void)snprintf(to->name[i], sizeof to->name[i], "%s", from->fact[i].name);
		to->beat.fact[i].name = to->name[i];
	}
}

void mailbox_put_beat(struct mailbox *m, const struct heartbeat *beat)
{
	(void)pthread_mutex_lock(&m->lock);
	own(&m->waiting, beat);
	m->fresh = true;
	(void)pthread_mutex_unlock(&m->lock);
}

const struct heartbeat *mailbox_take_beat(struct mailbox *m)
{
	bool fresh;

	(void)pthread_mutex_lock(&m->lock);
	fresh = m->fresh;
	if (fresh)
		own(&m->taken, &m->waiting.beat);
	m->fresh = false;
	(void)pthread_mutex_unlock(&m->lock);
	return fresh ? &m->taken.beat : NULL;
}

unsigned mailbox_room(struct mailbox *m, unsigned max)
{
	unsigned room;

	(void)pthread_mutex_lock(&m->lock);
	room = WORDS - m->used;
	(void)pthread_mutex_unlock(&m->lock);
	return room < max ? room : max;
}

void mailbox_put_words(struct mailbox *m, const struct soc_word *word, unsigned count)
{
	(void)pthread_mutex_lock(&m->lock);
	assert(count <= WORDS - m->used); /* mailbox_room() was asked, and words only go */
	for (unsigned i = 0; i < count; i++)
		m->word[(m->head + m->used++) % WORDS] = word[i];
	(void)pthread_mutex_unlock(&m->lock);
}

bool mailbox_take_word(struct mailbox *m, struct soc_word *word)
{
	bool any;

	(void)pthread_mutex_lock(&m->lock);
	any = m->used > 0;
	if (any) {
		*word = m->word[m->head];
		m->head = (m->head + 1) % WORDS;
		m->used--;
	}
	(void)pthread_mutex_unlock(&m->lock);
	return any;
}
