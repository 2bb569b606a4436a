/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c - see pages.h. */
#include "base/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Smaller arrays do not gain what a huge page costs in memory ... */
#define HUGE_FROM ((size_t)4 << 20)
/* ... and those below have no use for pages of their own. */
#define PAGES_FROM ((size_t)64 << 10)

void *pages_new(size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	if (bytes < PAGES_FROM)
		return calloc(count, size);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (bytes >= HUGE_FROM)
		(void)madvise(p, bytes, MADV_HUGEPAGE); /* a hint: the kernel may have none */
	return p;
}

void pages_free(void *pages, size_t count, size_t size)
{
	if (pages != NULL && count * size >= PAGES_FROM)
		(void)munmap(pages, count * size);
	else
		free(pages);
}
