/* SPDX-License-Identifier: Apache-2.0 */
/*
 * word.h - eight bytes at a time, wherever they lie.
 *
 * For keys that are compared for every packet: in registers.  Copied into an array of words, they
 * go through memory, and a call of memcmp() is felt.
 */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The word that begins `at` bytes behind p, in the machine's byte order. */
static inline uint64_t word_at(const void *p, size_t at)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)p + at, sizeof word);
	return word;
}

#endif
