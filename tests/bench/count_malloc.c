/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count_malloc.c - a library to preload that counts allocations by thread and caller.
 *
 * A thread goes by the function that it began with.  At the end a line for each pair is written to
 * the file that COUNT_MALLOC names: the thread's function and the caller, each as module and
 * offset, and how often.  Nothing is counted that is not in the table's first thousand pairs; a
 * last line says how often that happened.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS 1024

/* glibc's own names for what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

struct pair {
	_Atomic uintptr_t start, caller;
	atomic_ulong count;
};

static struct pair pairs[PAIRS];
static atomic_ulong lost;
static _Thread_local uintptr_t start_of_thread;

static void count(const void *caller)
{
	uintptr_t start = start_of_thread, at = (uintptr_t)caller;
	size_t slot = (at ^ start >> 4) % PAIRS;

	if (start == 0)
		return; /* the main thread sets up and tears down */
	for (size_t i = 0; i < PAIRS; i++) {
		struct pair *p = &pairs[(slot + i) % PAIRS];
		uintptr_t free_slot = 0;

		if (atomic_compare_exchange_strong(&p->caller, &free_slot, at))
			atomic_store(&p->start, start);
		else if (free_slot != at || atomic_load(&p->start) != start)
			continue;
		atomic_fetch_add(&p->count, 1);
		return;
	}
	atomic_fetch_add(&lost, 1);
}

void *malloc(size_t size)
{
	count(__builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_realloc(old, size);
}

struct beginning {
	void *(*start)(void *argument);
	void *argument;
};

static void *begin(void *argument)
{
	struct beginning b = *(struct beginning *)argument;

	free(argument);
	start_of_thread = (uintptr_t)b.start;
	return b.start(b.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*start)(void *argument), void *argument)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
	    (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
		RTLD_NEXT, "pthread_create");
	struct beginning *b = __libc_malloc(sizeof *b);

	if (b == NULL || create == NULL)
		abort();
	*b = (struct beginning){start, argument};
	return create(thread, attributes, begin, b);
}

static void print_place(FILE *file, uintptr_t address)
{
	Dl_info info;

	if (dladdr((void *)address, &info) != 0)
		(void)fprintf(file, "%s %#lx ", info.dli_fname,
			      (unsigned long)(address - (uintptr_t)info.dli_fbase));
	else
		(void)fprintf(file, "? %#lx ", (unsigned long)address);
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("COUNT_MALLOC");
	FILE *file;

	start_of_thread = 0;
	file = path != NULL ? fopen(path, "w") : NULL;
	if (file == NULL)
		return;
	for (size_t i = 0; i < PAIRS; i++) {
		if (atomic_load(&pairs[i].caller) == 0)
			continue;
		print_place(file, atomic_load(&pairs[i].start));
		print_place(file, atomic_load(&pairs[i].caller) - 1);
		(void)fprintf(file, "%lu\n", atomic_load(&pairs[i].count));
	}
	(void)fprintf(file, "lost %lu\n", atomic_load(&lost));
	(void)fclose(file);
}
