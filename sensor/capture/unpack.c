/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.c - gzip (zlib) and Zstandard streams, of one or several members.
 *
 * Both unpack into the caller's window, so that a small file that unpacks to a huge one costs
 * time but no memory beyond the library's own window (zstd: at most 128 MiB by its default).
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "capture/input.h"

#define GZIP_WINDOW_BITS (15 + 16)    /* + 16: a gzip header is expected */
#define UNPACK_STEP ((size_t)1 << 30) /* zlib counts in unsigned int */

struct unpacker {
	bool gzip;
	bool whole; /* between members */
	z_stream z;
	ZSTD_DStream *zstd;
};

static bool is_gzip(const uint8_t *magic)
{
	return magic[0] == 0x1f && magic[1] == 0x8b;
}

static bool is_zstd(const uint8_t *magic)
{
	return memcmp(magic, "\x28\xb5\x2f\xfd", UNPACK_MAGIC) == 0;
}

bool unpack_wanted(const uint8_t magic[static UNPACK_MAGIC])
{
	return is_gzip(magic) || is_zstd(magic);
}

struct unpacker *unpacker_new(const uint8_t magic[static UNPACK_MAGIC])
{
	struct unpacker *u = calloc(1, sizeof *u);

	if (u == NULL)
		return NULL;
	u->gzip = is_gzip(magic);
	if (u->gzip && inflateInit2(&u->z, GZIP_WINDOW_BITS) == Z_OK)
		return u;
	if (!u->gzip) {
		u->zstd = ZSTD_createDStream();
		if (u->zstd != NULL && !ZSTD_isError(ZSTD_initDStream(u->zstd)))
			return u;
	}
	ZSTD_freeDStream(u->zstd);
	free(u);
	return NULL;
}

void unpacker_free(struct unpacker *u)
{
	if (u == NULL)
		return;
	if (u->gzip)
		(void)inflateEnd(&u->z); /* reports only misuse */
	ZSTD_freeDStream(u->zstd);
	free(u);
}

static bool gzip_step(struct unpacker *u, struct unpack_step *s)
{
	int rc;

	if (s->in_len == 0 && u->whole)
		return true;
	if (u->whole) { /* another member follows, or the padding some tools leave */
		if (s->in[0] == 0) {
			s->in++;
			s->in_len--;
			return true;
		}
		if (inflateReset(&u->z) != Z_OK)
			return false;
	}
	u->whole = false;
	u->z.next_in = (Bytef *)(uintptr_t)s->in; /* zlib's API is not const, zlib is */
	u->z.avail_in = (uInt)(s->in_len < UNPACK_STEP ? s->in_len : UNPACK_STEP);
	u->z.next_out = s->out;
	u->z.avail_out = (uInt)(s->out_len < UNPACK_STEP ? s->out_len : UNPACK_STEP);
	rc = inflate(&u->z, Z_NO_FLUSH);
	s->in_len -= (size_t)(u->z.next_in - s->in);
	s->in = u->z.next_in;
	s->out_len -= (size_t)(u->z.next_out - s->out);
	s->out = u->z.next_out;
	u->whole = rc == Z_STREAM_END;
	s->starved = rc == Z_MEM_ERROR;
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool zstd_step(struct unpacker *u, struct unpack_step *s)
{
	ZSTD_inBuffer in = {.src = s->in, .size = s->in_len};
	ZSTD_outBuffer out = {.dst = s->out, .size = s->out_len};
	size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);

	s->in += in.pos;
	s->in_len -= in.pos;
	s->out += out.pos;
	s->out_len -= out.pos;
	if (in.pos != 0 || out.pos != 0)
		u->whole = rc == 0;
	s->starved = ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation;
	return !ZSTD_isError(rc);
}

bool unpack(struct unpacker *u, struct unpack_step *step)
{
	return u->gzip ? gzip_step(u, step) : zstd_step(u, step);
}

bool unpack_whole(const struct unpacker *u)
{
	return u->whole;
}
