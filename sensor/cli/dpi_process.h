/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpi_process.h - a process for DPI alone, kept alive by the supervisor.
 *
 *	worker  --  "DPI=1"  -->  supervisor  -- executes itself -->  bulkhead-dpi
 *	   '------ a descriptor of the shared memory (bulkhead/dpi.h) ------'
 *
 * Each worker process gets a DPI process of its own, with new memory; it does not outlive the
 * worker.  One that dies is replaced at once; one that stands still is killed for it.  The
 * supervisor itself looks at nothing in the shared memory but a number that has to change.
 */
#ifndef CLI_DPI_PROCESS_H
#define CLI_DPI_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bulkhead/dpi.h"

#define DPI_PROCESS_ASKS "DPI=1\n"
/* On the socket to a worker, with the descriptor; without one it cannot be had. */
#define DPI_PROCESS_ANSWER 'D'

struct dpi_process {
	struct dpi_segment *segment;
	int memory;	   /* below 0: nobody asked */
	pid_t pid;	   /* 0: none runs */
	uint64_t start_ns; /* when to start the next one */
	uint64_t pause_ns; /* between starts */
	uint64_t started_ns;
	uint64_t beats, moved_ns; /* its pulse, and when that last changed */
};

/* Worker: asks for one; *fd is the shared memory. */
int dpi_process_ask(int supervisor, int *fd, struct err *err) __attribute__((warn_unused_result));

/* Supervisor: a worker has asked; answers it. */
void dpi_process_serve(struct dpi_process *process, int worker, const sigset_t *mask);
/* A child has ended: true when it was this one. */
bool dpi_process_ended(struct dpi_process *process, pid_t pid, int wait_status);
/* Starts what is due, kills what hangs.  To be called when dpi_process_due() has come. */
void dpi_process_look(struct dpi_process *process, const sigset_t *mask);
uint64_t dpi_process_due(const struct dpi_process *process);
/* Its worker has ended. */
void dpi_process_end(struct dpi_process *process);

/* The descriptor that this process was started with to be a DPI process; below 0: it is none. */
int dpi_process_station(void);

#endif
