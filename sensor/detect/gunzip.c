/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gunzip.c - see gunzip.h.
 *
 * zlib asks for its state and its window of 32 KiB and for nothing else (inflate.h); both come out
 * of the stream's own room, and are given back by beginning anew.
 */
#include "detect/gunzip.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define STREAMS 8
#define ROOM ((size_t)56 * 1024) /* zlib 1.2 and 1.3: 7 KiB and the window */
#define ALIGN ((size_t)16)
#define GZIP_WINDOW_BITS (15 + 16) /* + 16: a gzip header is expected */
#define MAGIC 10		   /* bytes of the header that are always there */

struct stream {
	uint64_t name;
	uint64_t born; /* 0: unused */
	z_stream z;
	size_t used; /* of room */
	_Alignas(16) uint8_t room[ROOM];
};

struct gunzip_pool {
	uint64_t clock;	  /* streams so far */
	uint64_t evicted; /* given up for newer ones */
	struct stream stream[STREAMS];
};

struct gunzip_pool *gunzip_pool_new(void)
{
	return calloc(1, sizeof(struct gunzip_pool));
}

void gunzip_pool_free(struct gunzip_pool *pool)
{
	free(pool);
}

uint64_t gunzip_evicted(const struct gunzip_pool *pool)
{
	return pool->evicted;
}

bool gunzip_begins(const uint8_t *data, size_t len)
{
	/* Deflate, no reserved flags; the writer's system is one of the list, or unknown. */
	return len > MAGIC && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 &&
	       (data[3] & 0xe0) == 0 && (data[9] <= 13 || data[9] == 255);
}

static void *take(void *opaque, unsigned items, unsigned size)
{
	struct stream *s = opaque;
	size_t want = ((size_t)items * size + ALIGN - 1) / ALIGN * ALIGN;
	void *at = s->room + s->used;

	if (want > ROOM - s->used)
		return NULL;
	s->used += want;
	return at;
}

static void give(void *opaque, void *at)
{
	(void)opaque;
	(void)at;
}

bool gunzip_start(struct gunzip_pool *pool, uint64_t name)
{
	struct stream *s = &pool->stream[0];

	for (unsigned i = 1; i < STREAMS; i++)
		if (pool->stream[i].born < s->born)
			s = &pool->stream[i];
	pool->evicted += s->born != 0;
	s->name = name;
	s->born = ++pool->clock;
	s->used = 0;
	s->z = (z_stream){.zalloc = take, .zfree = give, .opaque = s};
	if (inflateInit2(&s->z, GZIP_WINDOW_BITS) == Z_OK)
		return true;
	s->born = 0;
	return false;
}

static struct stream *find(struct gunzip_pool *pool, uint64_t name)
{
	for (unsigned i = 0; i < STREAMS; i++)
		if (pool->stream[i].born != 0 && pool->stream[i].name == name)
			return &pool->stream[i];
	return NULL;
}

void gunzip_end(struct gunzip_pool *pool, uint64_t name)
{
	struct stream *s = find(pool, name);

	if (s != NULL)
		s->born = 0;
}

size_t gunzip_read(struct gunzip_pool *pool, uint64_t name, const uint8_t **data, size_t *len,
		   uint8_t *out, size_t room, bool *broken)
{
	struct stream *s = find(pool, name);
	size_t count;
	int result;

	*broken = true;
	if (s == NULL)
		return 0;
	s->z.next_in = (Bytef *)(uintptr_t)*data; /* zlib's own lack of a const */
	s->z.avail_in = (uInt)*len;
	s->z.next_out = out;
	s->z.avail_out = (uInt)room;
	result = inflate(&s->z, Z_SYNC_FLUSH);
	count = room - s->z.avail_out;
	*data += *len - s->z.avail_in;
	*len = s->z.avail_in;
	*broken = result != Z_OK && result != Z_BUF_ERROR;
	if (*broken)
		s->born = 0;
	return count;
}
