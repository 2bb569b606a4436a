/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gunzip.h - a few gzip streams that are unpacked as they pass, in memory of fixed size.
 *
 * A newer stream takes the oldest one's place.  Threads: one a pool.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_GUNZIP_H
#define DETECT_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gunzip_pool;

struct gunzip_pool *gunzip_pool_new(void);
void gunzip_pool_free(struct gunzip_pool *pool);
uint64_t gunzip_evicted(const struct gunzip_pool *pool); /* streams given up for newer ones */

/* Does a gzip file begin here (RFC 1952 2.3.1)? */
bool gunzip_begins(const uint8_t *data, size_t len);

/* Begins a stream under this name; false when the library refuses. */
bool gunzip_start(struct gunzip_pool *pool, uint64_t name);

/* Nothing more will be read of it: its place is free for another. */
void gunzip_end(struct gunzip_pool *pool, uint64_t name);

/* Unpacks from *data on, which it moves forward, until out is full or data ends; returns how many
 * bytes came out.  *broken: nothing more will, for the data is damaged, is at its end, or another
 * stream took the place. */
size_t gunzip_read(struct gunzip_pool *pool, uint64_t name, const uint8_t **data, size_t *len,
		   uint8_t *out, size_t room, bool *broken);

#endif
