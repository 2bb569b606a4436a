/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - how a failure travels to the one place that prints it.
 *
 * The callee that knows the cause fills a struct err and returns its code; each
 * caller may put context in front with err_prefix(); only main prints.  On the
 * packet path nothing uses this: a bad frame is an event that is counted.
 *
 * Files that a person writes (config, inventory, rules) are read to their end so
 * that every mistake is reported at once: these collect into struct problems.
 *
 * Threads: both structures belong to one caller; no function keeps a pointer.
 */
#ifndef BULKHEAD_ERR_H
#define BULKHEAD_ERR_H

#include <stddef.h>

/* Negative, so that "0 or an error" fits in an int. */
enum err_code {
	ERR_NONE = 0,
	ERR_RUN = -1,	    /* failed at run time */
	ERR_USAGE = -2,	    /* command line */
	ERR_DATA = -3,	    /* corrupt or truncated capture */
	ERR_NOINPUT = -4,   /* input file missing */
	ERR_NOREDIS = -5,   /* Redis required and unavailable */
	ERR_PERM = -6,	    /* no permission to capture */
	ERR_CONFIG = -7,    /* config, inventory or rules invalid */
	ERR_MEMORY = -8,    /* an allocation failed */
	ERR_THRESHOLD = -9, /* --fail-on matched */
};

struct err {
	enum err_code code;
	char text[512]; /* always terminated; "..." marks truncation */
};

/* Sets code and text; returns code, so that "return err_set(...)" reads well.  err may be NULL. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text already there; keeps and returns the code. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The process exit status that the manual promises for a code (0, 1, 2, 10, 65, 66, 69, 77, 78). */
int err_exit_status(int code);

enum problem_level { PROBLEM_ERROR, PROBLEM_WARNING };

/*
 * A growing list of "file:line:column: what is wrong; what would be right" lines.
 * Zero-initialise; free with problems_fini().  Keeps at most 200 lines and counts the rest.
 */
struct problems {
	unsigned errors;
	unsigned warnings;
	unsigned dropped; /* not kept, beyond the limit */
	char *text;	  /* newline separated, terminated; NULL while empty */
	size_t len;
};

/* line and col are 1-based; 0 leaves them out.  Warnings read "file:1:2: warning: ...". */
void problem_add(struct problems *problems, enum problem_level level, const char *file,
		 unsigned line, unsigned col, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void problems_fini(struct problems *problems);

#endif
