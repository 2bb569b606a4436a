/* SPDX-License-Identifier: Apache-2.0 */
/* privs_filter.h - the system call filters that privs_drop() and privs_fence() set last. */
#ifndef BASE_PRIVS_FILTER_H
#define BASE_PRIVS_FILTER_H

#include <stdbool.h>

enum filter_result { FILTER_SET, FILTER_UNSUPPORTED, FILTER_FAILED /* errno */ };

/* Binds all threads of the process.  Wants no_new_privs to be set. */
enum filter_result filter_set(bool files, bool network);
/* The same for what only computes: memory, time, futexes, and its end. */
enum filter_result filter_set_bare(void);
/* For a process that starts programs which open captures and then set one of the above. */
enum filter_result filter_set_family(void);

#endif
