/* SPDX-License-Identifier: Apache-2.0 */
/*
 * savefile.h - a capture file, read in each way there is: all must give the same frames.
 *
 * Mapped, through a pipe, and gzip-packed on the way: the readers see windows of other sizes, and
 * a frame that depends on them would differ.
 */
#ifndef FUZZ_SAVEFILE_H
#define FUZZ_SAVEFILE_H

#include <stddef.h>
#include <stdint.h>

/* filter: tried as well when it is not NULL. */
void fuzz_savefile(const uint8_t *data, size_t size, const char *filter);

#endif
