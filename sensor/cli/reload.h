/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload.h - SIGHUP: inventory and rules anew, all of it or nothing.
 *
 * struct loaded remembers what is in force, so that a reload can say what it changed.  A file that
 * has a mistake leaves everything as it was, and the log names the mistake.  Settings other than
 * the lists of inventory and rules size tables and open sockets: they take a restart, and the log
 * says so when the config file has changed.
 */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include <stdint.h>

#include "cli/setup.h"
#include "engine.h"

struct loaded {
	struct inventory *inventory; /* a reference of our own */
	char rules_revision[32];
	unsigned rules_count;
	char (*rule)[24]; /* "BH-1001 rev 3", sorted */
	uint64_t config_hash;
};

int loaded_init(struct loaded *loaded, const struct setup *setup, struct err *err)
    __attribute__((warn_unused_result));
void loaded_fini(struct loaded *loaded);
/* Reads the files that `from` names; logs the outcome. */
void reload(struct loaded *loaded, const struct setup *from, struct engine *engine);

#endif
