/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fingerprint.h - the name under which Redis remembers a replay.
 *
 * Two replays of the same name would write the same records in the same order, so that the
 * second can go on where the first stopped and adds nothing twice.  So everything that changes
 * the records is in it: the captures' content (not their names), inventory, rules, filter, tap,
 * sensor and site, and our version.
 */
#ifndef CLI_FINGERPRINT_H
#define CLI_FINGERPRINT_H

#include "bulkhead/err.h"
#include "cli/setup.h"
#include "cli/words.h"

#define FINGERPRINT_SIZE 48

/* "replay-<32 hex digits>".  Standard input cannot be read twice: its name is a new one each
 * time. */
int fingerprint(const struct setup *setup, const struct words *words, const char *tap,
		char out[static FINGERPRINT_SIZE], struct err *err)
    __attribute__((warn_unused_result));

#endif
