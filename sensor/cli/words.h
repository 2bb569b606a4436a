/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - which words of a command line are captures and which are a BPF filter.
 *
 * A word that names an existing path, ends like a capture file or is "-" is a capture; the first
 * word that is none of these begins the filter, and all behind it belong to it.  The very first
 * word is a capture whatever it looks like, so that a mistyped file is missed as a file.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>

#include "bulkhead/err.h"

#define WORDS_MAX_CAPTURES 100000

struct words {
	char **file; /* folders replaced by the captures in them */
	unsigned count;
	char *filter; /* NULL: none */
};

/* Adds one capture word (as -r does). ERR_NOINPUT, ERR_USAGE, ERR_MEMORY. */
int words_add(struct words *words, const char *path, struct err *err)
    __attribute__((warn_unused_result));
int words_take(struct words *words, int argc, char *const *argv, struct err *err)
    __attribute__((warn_unused_result));
/* The filter is what a file holds (-F); words on the command line replace it. */
int words_filter_file(struct words *words, const char *path, struct err *err)
    __attribute__((warn_unused_result));
void words_free(struct words *words);

#endif
