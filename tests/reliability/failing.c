/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing.c - LD_PRELOAD: makes the n-th allocation of a process fail, once.
 *
 * BULKHEAD_FAULTS names a file that holds a struct plan, shared with the test.  Processes that one
 * starts after the other (a supervisor, its worker) each get a slot.  A test sets fail_at before
 * the start, or later to count + n, and reads how far the process came.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 8

struct slot {
	_Atomic uint64_t count, fail_at, failed, pid;
};

struct plan {
	_Atomic uint64_t slots;
	struct slot slot[SLOTS];
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);

static struct slot *mine;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("BULKHEAD_FAULTS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct plan *plan;
	uint64_t nth;

	if (fd < 0)
		return;
	plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (plan == MAP_FAILED)
		return;
	nth = atomic_fetch_add(&plan->slots, 1);
	if (nth >= SLOTS)
		return;
	atomic_store(&plan->slot[nth].pid, (uint64_t)getpid());
	mine = &plan->slot[nth];
}

static int fails(void)
{
	if (mine == NULL || atomic_fetch_add(&mine->count, 1) + 1 != atomic_load(&mine->fail_at))
		return 0;
	(void)atomic_fetch_add(&mine->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, n * size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	if (fails())
		return ENOMEM;
	*out = __libc_memalign(align, size);
	return *out == NULL ? ENOMEM : 0;
}

char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}
