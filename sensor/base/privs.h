/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privs.h - giving up what the process no longer needs, before it reads a foreign byte.
 *
 * Call once, with captures, sockets and files that need rights already open, and before any
 * other thread exists: capabilities and Landlock bind the calling thread and those it starts.
 *
 *	user and groups > capability sets, bounding set > no_new_privs, not dumpable
 *	> Landlock > seccomp
 *
 * seccomp: what is on no list fails with ENOSYS; what only an intruder needs (execve, fork,
 * ptrace, bpf, mount, executable mprotect ...) kills the process, as do opening files and making
 * sockets when they were not asked for.  Packet sockets cannot be made afterwards at all.
 */
#ifndef BASE_PRIVS_H
#define BASE_PRIVS_H

#include <stdbool.h>
#include <stddef.h>

#include "bulkhead/err.h"

#define PRIVS_TEXT_SIZE 160

struct privs {
	const char *user; /* to become when started as root; "" stays */
	bool files;	  /* may still open files, below the paths only where Landlock is there */
	bool network;	  /* may still make IP and Unix sockets; reads /etc for the resolver */
	const char *const *read_paths;	/* files or folders, NULL-terminated, or NULL; absent ones
					 * are passed over */
	const char *const *write_paths; /* must exist */
	bool bare;	 /* nothing but memory and time: no files at all, no descriptor to come */
	size_t memory;	 /* bare: bytes that the process may still grow by; 0: any */
	bool no_seccomp; /* an operator's explicit wish, and for sanitizers, which fork */
};

/*
 * ERR_RUN when something fails that this kernel can do; err says what and how to go on without.
 * A kernel or architecture without Landlock or seccomp is no error: level, for the log and the
 * heartbeat, says what was reached: "user=bulkhead capabilities=none bounding=empty
 * no_new_privs=yes landlock=5 seccomp=yes".
 */
int privs_drop(const struct privs *want, char level[static PRIVS_TEXT_SIZE], struct err *err)
    __attribute__((warn_unused_result));

/*
 * For a supervisor, at its start: becomes user ("" stays) and keeps what the program that it
 * executes needs to open captures and then to give up everything - CAP_NET_RAW, and CAP_SETPCAP
 * to empty the bounding set - in the ambient set, nothing of it in effect.  What is not there to
 * keep is no error: the program will find out.  Nor is a user that does not exist: nothing is
 * done, and the program's privs_drop() refuses, after it has told what else is wrong.  Else
 * ERR_RUN as above.
 */
int privs_keep(const char *user, struct err *err) __attribute__((warn_unused_result));

/*
 * For a supervisor with all signals and rights as it wants them: no_new_privs, and a system call
 * filter that whatever it starts inherits.  It leaves a supervisor's work, a program's start and
 * what privs_drop() takes; the rest fails or kills as above.  Not under a sanitizer, and where the
 * kernel has no seccomp that is no error.
 */
int privs_fence(struct err *err) __attribute__((warn_unused_result));

/* Built with a sanitizer, which forks, opens and looks at itself as nobody else may. */
bool privs_sanitized(void);

#endif
