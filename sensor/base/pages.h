/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - memory for big arrays that are read at random.
 *
 * Zeroed; the kernel gives pages when they are first touched, so an array costs what it holds. From
 * some MiB on it asks for huge pages: a random access misses the TLB as well, and a page fault
 * costs more than what it is for.
 *
 * Threads: any, each array is its owner's.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* NULL when memory is short or the product overflows. */
void *pages_new(size_t count, size_t size);
/* With the count and size it was made with; NULL is fine. */
void pages_free(void *pages, size_t count, size_t size);

#endif
