/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - which rights the running sensor keeps: base/privs.h, for what the config names.
 *
 * Reading stays possible in the folders of config, inventory, rules, password and GeoIP files -
 * folders, because an editor replaces a file by a new one - and writing in those of the outbox,
 * the evidence and the outputs.  Nothing else may be opened, no program run, no frame sent.
 *
 * To be called with captures open and before the first thread.
 */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "base/privs.h"
#include "bulkhead/err.h"
#include "cli/setup.h"

struct confine {
	const struct setup *setup;
	const char *output; /* -o, or NULL */
	bool redis;	    /* --redis */
};

/*
 * Whom to become: sensor.user.  Where nobody has made the user that the default names, "": root,
 * but without any capability, and confined like any other user; said in the log.  A name that the
 * config chose has to exist.
 */
const char *confine_user(const struct options *options);

/* level: as privs_drop() has it. */
int confine(const struct confine *confine, char level[static PRIVS_TEXT_SIZE], struct err *err)
    __attribute__((warn_unused_result));

#endif
