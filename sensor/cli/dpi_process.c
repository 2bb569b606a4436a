/* SPDX-License-Identifier: Apache-2.0 */
/* dpi_process.c - see dpi_process.h. */
#include "cli/dpi_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "bulkhead/clock.h"

#define ENVIRONMENT "BULKHEAD_DPI"
#define SELF "/proc/self/exe"
#define NAME "bulkhead-dpi"
#define EXEC_FAILED 127
#define LOOK_NS NS_PER_SEC
/* It shows itself twice a second; one that has not for so long hangs. */
#define HANGS_NS (5 * NS_PER_SEC)
/* Setting up nDPI takes 20 ms; a machine may be busy. */
#define START_NS (60 * NS_PER_SEC)
/* A packet that kills it, sent again and again, costs a start each time: not more often than this.
 * One that ends before it serves (another libndpi, no memory) waits longer each time. */
#define PAUSE_NS (250 * NS_PER_MS)
#define PAUSE_MAX_NS (10 * NS_PER_SEC)
#define ANSWER_MS 10000
#define NEVER UINT64_MAX

/* ---- the worker's side ----------------------------------------------------------------------- */

static int take_descriptor(int supervisor)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 0;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};
	struct cmsghdr *head;
	int fd = -1;

	if (recvmsg(supervisor, &message, MSG_CMSG_CLOEXEC) != 1 || byte != DPI_PROCESS_ANSWER)
		return -1;
	head = CMSG_FIRSTHDR(&message);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

int dpi_process_ask(int supervisor, int *fd, struct err *err)
{
	struct pollfd ready = {.fd = supervisor, .events = POLLIN};
	const ssize_t len = sizeof DPI_PROCESS_ASKS - 1;

	*fd = -1;
	if (send(supervisor, DPI_PROCESS_ASKS, (size_t)len, MSG_NOSIGNAL) == len &&
	    poll(&ready, 1, ANSWER_MS) == 1)
		*fd = take_descriptor(supervisor);
	if (*fd < 0)
		return err_set(err, ERR_RUN,
			       "the supervisor gives DPI no process of its own; "
			       "\"dpi: { own_process: false }\" does without");
	return 0;
}

/* ---- the DPI process's side ------------------------------------------------------------------ */

int dpi_process_station(void)
{
	const char *text = getenv(ENVIRONMENT);
	int fd, supervisor;

	if (text == NULL || sscanf(text, "%d %d", &fd, &supervisor) != 2 || fd <= STDERR_FILENO)
		return -1;
	(void)unsetenv(ENVIRONMENT);
	(void)prctl(PR_SET_NAME, NAME, 0, 0, 0); /* else it would be "exe" */
	/* Without a supervisor there is nobody to serve. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != supervisor)
		return -1;
	return fd;
}

/* Of the environment it gets what the loader and sanitizers need: no password, no address. */
static void keep_environment(char **environment, size_t room)
{
	static const char *const kept[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
					   "TSAN_OPTIONS"};
	size_t n = 1; /* behind our own */

	for (size_t i = 0; i < sizeof kept / sizeof kept[0] && n + 1 < room; i++) {
		const char *value = getenv(kept[i]);

		if (value != NULL && asprintf(&environment[n], "%s=%s", kept[i], value) > 0)
			n++;
	}
	environment[n] = NULL;
}

/* In the child of a process with one thread. */
static _Noreturn void become_dpi(int memory, const sigset_t *mask)
{
	char own[64];
	char *environment[8] = {own};
	char *argv[] = {"bulkhead", "run", NULL};

	(void)setpgid(0, 0);
	(void)snprintf(own, sizeof own, ENVIRONMENT "=%d %d", memory, (int)getppid());
	keep_environment(environment, sizeof environment / sizeof environment[0]);
	if (fcntl(memory, F_SETFD, 0) == 0 && sigprocmask(SIG_SETMASK, mask, NULL) == 0)
		(void)execve(SELF, argv, environment);
	_exit(EXEC_FAILED);
}

/* ---- the supervisor's side ------------------------------------------------------------------- */

static void start(struct dpi_process *p, const sigset_t *mask)
{
	uint64_t now = clock_monotonic();
	pid_t pid;

	(void)fflush(NULL); /* or both would write what is still in the buffers */
	pid = fork();
	if (pid == 0)
		become_dpi(p->memory, mask);
	p->started_ns = p->moved_ns = now;
	p->start_ns = NEVER;
	p->beats = dpi_segment_beats(p->segment);
	if (pid > 0) {
		p->pid = pid;
		return;
	}
	log_err("dpi: cannot start a process: %s", strerror(errno));
	p->start_ns = now + NS_PER_SEC;
}

static void hand_over(int worker, int memory)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	char byte = DPI_PROCESS_ANSWER;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (memory >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof memory),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &memory, sizeof memory);
	}
	(void)sendmsg(worker, &message, MSG_NOSIGNAL | MSG_DONTWAIT); /* it waits for ten seconds */
}

void dpi_process_serve(struct dpi_process *p, int worker, const sigset_t *mask)
{
	struct err err = {0};

	if (p->memory >= 0) /* one a worker */
		return;
	p->pause_ns = PAUSE_NS;
	if (dpi_segment_new(&p->segment, &p->memory, &err) == 0)
		start(p, mask);
	else
		log_err("dpi: %s", err.text);
	hand_over(worker, p->memory);
}

static void tell_end(const struct dpi_process *p, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		log_err("dpi process %d was killed by signal %d (%s): flows in its hands get no "
			"label",
			(int)p->pid, WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		log_err("dpi process %d ended with status %d", (int)p->pid,
			WEXITSTATUS(wait_status));
}

bool dpi_process_ended(struct dpi_process *p, pid_t pid, int wait_status)
{
	if (pid != p->pid || pid == 0)
		return false;
	tell_end(p, wait_status);
	p->pid = 0;
	if (dpi_segment_beats(p->segment) != p->beats || p->moved_ns != p->started_ns)
		p->pause_ns = PAUSE_NS;
	else if (p->pause_ns < PAUSE_MAX_NS)
		p->pause_ns *= 2;
	/* It can write no more: workers may begin anew. */
	dpi_segment_begin_epoch(p->segment);
	p->start_ns = p->started_ns + p->pause_ns;
	return true;
}

/* Killed for it, it ends and is replaced as if it had died. */
static void kill_what_hangs(struct dpi_process *p, uint64_t now)
{
	uint64_t beats = dpi_segment_beats(p->segment);
	uint64_t limit = p->moved_ns == p->started_ns ? START_NS : HANGS_NS;

	if (dpi_segment_is_broken(p->segment)) {
		log_err("dpi process %d writes what cannot be: killed", (int)p->pid);
		(void)kill(p->pid, SIGKILL);
	}
	if (beats != p->beats) {
		p->beats = beats;
		p->moved_ns = now;
	} else if (now - p->moved_ns >= limit) {
		log_err("dpi process %d has not moved for %llu s: killed", (int)p->pid,
			(unsigned long long)((now - p->moved_ns) / NS_PER_SEC));
		(void)kill(p->pid, SIGKILL);
	}
}

void dpi_process_look(struct dpi_process *p, const sigset_t *mask)
{
	uint64_t now = clock_monotonic();

	if (p->memory < 0)
		return;
	if (p->pid != 0)
		kill_what_hangs(p, now);
	else if (now >= p->start_ns)
		start(p, mask);
}

uint64_t dpi_process_due(const struct dpi_process *p)
{
	if (p->memory < 0)
		return NEVER;
	return p->pid == 0 ? p->start_ns : clock_monotonic() + LOOK_NS;
}

void dpi_process_end(struct dpi_process *p)
{
	if (p->memory < 0)
		return;
	if (p->pid != 0)
		(void)kill(p->pid, SIGKILL); /* whoever reaps it finds that nobody knows it */
	dpi_segment_free(p->segment);
	(void)close(p->memory);
	*p = (struct dpi_process){.memory = -1};
}
