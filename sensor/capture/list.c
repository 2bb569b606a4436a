/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c - the sources compiled in.
 */
#include <stddef.h>

#include "bulkhead/capture.h"

const struct capture_source *const capture_sources[] = {
    &capture_live,
    &capture_savefile,
    NULL,
};
