/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h - each call of ours that may fail does so, once.
 *
 * The linker sends what our objects call by these names through here, in the programs that the
 * Makefile says so of (FAULTS, WITH_FAULTS); what
 * libraries call among themselves, and what gcov and sanitizers do, is left alone.  So the branches
 * are counted and leaks are seen, which an allocator that fails for everybody would not allow.
 *
 *	FAULTS_EACH(code = load(...), hit) {
 *		... judge code: hit says whether something failed, and fault_name() what
 *	}
 *
 * runs the statement with the first call failing, then with the second, until none is left to fail.
 * fault_keep("write") makes all calls of that name fail until fault_disarm().
 */
#ifndef UNIT_FAULTS_H
#define UNIT_FAULTS_H

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"

static atomic_ulong fault_calls; /* since it was armed */
static atomic_ulong fault_at;	 /* 0: not armed */
static const char *_Atomic fault_what;
static const char *_Atomic fault_kept;
static atomic_int fault_error;	     /* errno of calls of the system; 0: the usual one of each */
static unsigned long fault_step = 1; /* from one call that fails to the next */

static inline void fault_arm(unsigned long nth)
{
	atomic_store(&fault_calls, 0);
	atomic_store(&fault_what, NULL);
	atomic_store(&fault_at, nth);
}

static inline void fault_keep(const char *name)
{
	atomic_store(&fault_what, NULL);
	atomic_store(&fault_kept, name);
}

/* True when a call failed. */
static inline bool fault_disarm(void)
{
	atomic_store(&fault_kept, NULL);
	atomic_store(&fault_at, 0);
	return atomic_load(&fault_what) != NULL;
}

static inline const char *fault_name(void)
{
	const char *name = atomic_load(&fault_what);

	return name != NULL ? name : "nothing";
}

static inline bool fault_now(const char *name)
{
	unsigned long at = atomic_load(&fault_at);
	const char *kept = atomic_load(&fault_kept);

	if (kept != NULL && strcmp(kept, name) == 0) {
		atomic_store(&fault_what, name);
		return true;
	}
	if (at == 0 || atomic_fetch_add(&fault_calls, 1) + 1 != at)
		return false;
	atomic_store(&fault_what, name);
	return true;
}

#define FAULTS_EACH(statement, hit)                                                                \
	for (unsigned long fault_n = 1, fault_more = 1; fault_more; fault_n += fault_step)         \
		for (bool fault_once = (fault_arm(fault_n), true), hit = false; fault_once;)       \
			if ((statement), hit = fault_disarm(), fault_more = hit,                   \
			    fault_once = false, true)

#define FAULT(type, name, parameters, arguments, failure, number)                                  \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		if (!fault_now(#name))                                                             \
			return __real_##name arguments;                                            \
		errno = atomic_load(&fault_error) != 0 ? atomic_load(&fault_error) : number;       \
		return failure;                                                                    \
	}

/* ---- memory ---------------------------------------------------------------------------------- */

FAULT(void *, malloc, (size_t size), (size), NULL, ENOMEM)
FAULT(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM)
FAULT(void *, realloc, (void *old, size_t size), (old, size), NULL, ENOMEM)
FAULT(char *, strdup, (const char *text), (text), NULL, ENOMEM)
FAULT(void *, arena_alloc, (struct arena * arena, size_t size), (arena, size), NULL, ENOMEM)
FAULT(void *, arena_array, (struct arena * arena, size_t n, size_t size), (arena, n, size), NULL,
      ENOMEM)
FAULT(char *, arena_strdup, (struct arena * arena, const char *text), (arena, text), NULL, ENOMEM)
FAULT(char *, arena_strndup, (struct arena * arena, const char *text, size_t len),
      (arena, text, len), NULL, ENOMEM)

char *__wrap_arena_printf(struct arena *arena, const char *format, ...);
char *__wrap_arena_printf(struct arena *arena, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	if (fault_now("arena_printf"))
		return NULL;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return __real_arena_strdup(arena, text);
}

/* ---- files, threads, sockets ----------------------------------------------------------------- */

FAULT(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
FAULT(ssize_t, pread, (int fd, void *out, size_t size, off_t at), (fd, out, size, at), -1, EIO)
FAULT(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), -1, ENOSPC)
FAULT(ssize_t, writev, (int fd, const struct iovec *part, int count), (fd, part, count), -1, ENOSPC)
FAULT(int, fdatasync, (int fd), (fd), -1, EIO)
FAULT(int, pthread_create,
      (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *context),
      (thread, how, run, context), EAGAIN, EAGAIN)
FAULT(int, socket, (int family, int type, int proto), (family, type, proto), -1, EMFILE)
FAULT(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags),
      -1, ECONNRESET)
FAULT(ssize_t, recv, (int fd, void *out, size_t size, int flags), (fd, out, size, flags), -1,
      ECONNRESET)
FAULT(int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms), -1, ENOMEM)

/* ---- libraries ------------------------------------------------------------------------------- */

FAULT(int, sqlite3_open_v2, (const char *path, sqlite3 **db, int flags, const char *vfs),
      (path, db, flags, vfs), SQLITE_CANTOPEN, EIO)
FAULT(int, sqlite3_prepare_v2,
      (sqlite3 * db, const char *sql, int len, sqlite3_stmt **out, const char **tail),
      (db, sql, len, out, tail), SQLITE_NOMEM, ENOMEM)
FAULT(int, sqlite3_prepare_v3,
      (sqlite3 * db, const char *sql, int len, unsigned flags, sqlite3_stmt **out,
       const char **tail),
      (db, sql, len, flags, out, tail), SQLITE_NOMEM, ENOMEM)
FAULT(int, sqlite3_step, (sqlite3_stmt * st), (st), SQLITE_IOERR, EIO)
FAULT(int, sqlite3_exec,
      (sqlite3 * db, const char *sql, int (*row)(void *, int, char **, char **), void *context,
       char **why),
      (db, sql, row, context, why), SQLITE_IOERR, EIO)
/* Not sqlite3_bind_int64(): with a parameter that exists and a statement that is reset it succeeds.
 */
FAULT(int, sqlite3_bind_text,
      (sqlite3_stmt * st, int at, const char *text, int len, void (*end)(void *)),
      (st, at, text, len, end), SQLITE_NOMEM, ENOMEM)
FAULT(redisContext *, redisConnectUnixWithTimeout, (const char *path, const struct timeval limit),
      (path, limit), NULL, ENOMEM)
FAULT(int, redisReaderFeed, (redisReader * reader, const char *data, size_t len),
      (reader, data, len), REDIS_ERR, ENOMEM)
FAULT(int, redisReaderGetReply, (redisReader * reader, void **reply), (reader, reply), REDIS_ERR,
      ENOMEM)

#endif
