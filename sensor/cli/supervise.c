/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.c - see supervise.h.
 *
 * States of a worker, and what its end means:
 *
 *	starting --READY--> ready --STOPPING--> ending
 *	   | first: our end    |  start anew       | our end
 *	   | later: try again  |                   |
 *
 * REOPEN in any state: start anew.
 */
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "bulkhead/clock.h"
#include "cli/dpi_process.h"
#include "cli/notify.h"

#define ENVIRONMENT "BULKHEAD_WORKER"
#define SELF "/proc/self/exe"
/* A worker shows itself each second; one that has not for so long hangs. */
#define HANGS_NS (10 * NS_PER_SEC)
/* After a failed start: doubled each time. */
#define PAUSE_NS (100 * NS_PER_MS)
#define PAUSE_MAX_NS (10 * NS_PER_SEC)
/* A worker is ready after so long at most, and gone so long after it asked to be replaced. */
#define START_NS (120 * NS_PER_SEC)
#define REOPEN_NS (3 * NS_PER_SEC)
#define SAME_WISH_NS (NS_PER_SEC / 4)
#define NEVER UINT64_MAX
#define EXEC_FAILED 127
#define REOPEN "REOPEN=1\n"

enum phase { STARTING, READY, ENDING };

struct supervisor {
	char **argv;
	int signal_fd;
	sigset_t before; /* the mask that the worker gets, but for what it waits for itself */
	pid_t worker;	 /* 0: none */
	int socket;
	enum phase phase;
	bool ever_ready, reopen, told_to_end, hung;
	uint64_t told_ns;	  /* when it was told to end */
	uint64_t alive_ns;	  /* when the worker last showed itself */
	uint64_t unseen_since_ns; /* 0: somebody looks */
	uint64_t start_ns;	  /* when to start the next one; NEVER: one runs */
	uint64_t pause_ns;
	unsigned restarts;
	uint64_t watchdog_ns, watchdog_due_ns;
	struct dpi_process dpi;
};

/* ---- the worker's side ----------------------------------------------------------------------- */

struct station station_take(void)
{
	const char *text = getenv(ENVIRONMENT);
	struct station station = {.supervisor = -1};
	unsigned long long since;
	int type, fd;
	socklen_t len = sizeof type;

	if (text != NULL && sscanf(text, "%d %llu %u", &fd, &since, &station.restarts) == 3 &&
	    fd > STDERR_FILENO && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET) {
		station.supervisor = fd;
		station.unseen_since_ns = since;
	}
	(void)unsetenv(ENVIRONMENT);
	if (station.supervisor >= 0)
		(void)prctl(PR_SET_NAME, "bulkhead-worker", 0, 0, 0); /* else it would be "exe" */
	return station;
}

void station_reopen(const struct station *station)
{
	(void)send(station->supervisor, REOPEN, strlen(REOPEN), MSG_NOSIGNAL);
}

/* ---- starting one ---------------------------------------------------------------------------- */

/* In the child; only what is safe after a fork, and nothing that fails without a trace. */
static _Noreturn void become_worker(const struct supervisor *s, int socket, const sigset_t *mask)
{
	char text[64];

	(void)setpgid(0, 0); /* a terminal's ^C goes to the supervisor, which forwards it once */
	(void)snprintf(text, sizeof text, "%d %llu %u", socket,
		       (unsigned long long)s->unseen_since_ns, s->restarts);
	if (setenv(ENVIRONMENT, text, 1) == 0 && unsetenv("NOTIFY_SOCKET") == 0 &&
	    fcntl(socket, F_SETFD, 0) == 0 && sigprocmask(SIG_SETMASK, mask, NULL) == 0)
		(void)execv(SELF, s->argv);
	_exit(EXEC_FAILED);
}

static int start_worker(struct supervisor *s, struct err *err)
{
	sigset_t mask = s->before;
	int pair[2];
	pid_t pid;

	/* The worker waits for these by itself, once it is ready to. */
	(void)sigaddset(&mask, SIGHUP);
	(void)sigaddset(&mask, SIGTERM);
	(void)sigaddset(&mask, SIGINT);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_RUN, "cannot make a socket pair: %s", strerror(errno));
	(void)fflush(NULL); /* or both would write what is still in the buffers */
	pid = fork();
	if (pid == 0)
		become_worker(s, pair[1], &mask);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return err_set(err, ERR_RUN, "cannot start a worker: %s", strerror(errno));
	}
	s->worker = pid;
	s->socket = pair[0];
	s->phase = STARTING;
	s->reopen = false;
	s->alive_ns = clock_monotonic();
	s->start_ns = NEVER;
	return 0;
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* A status is for a person: one line of printable characters, whoever wrote it. */
static void copy_status(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; n + 1 < size && text[n] >= ' ' && text[n] <= '~'; n++)
		out[n] = text[n];
	out[n] = '\0';
}

static void take_ready(struct supervisor *s, const char *text)
{
	const char *status = strstr(text, "STATUS=");
	char shown[NOTIFY_TEXT_SIZE / 2] = "watching";

	if (status != NULL)
		copy_status(status + strlen("STATUS="), shown, sizeof shown);
	if (s->phase == STARTING && s->unseen_since_ns != 0)
		log_warn(
		    "worker %d took over; unseen for %llu ms", (int)s->worker,
		    (unsigned long long)((clock_monotonic() - s->unseen_since_ns) / NS_PER_MS));
	if (s->phase == STARTING)
		s->phase = READY;
	s->ever_ready = true;
	s->unseen_since_ns = 0;
	s->pause_ns = 0;
	notify_ready(-1, shown);
}

static bool says(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static void take_message(struct supervisor *s, const char *text)
{
	s->alive_ns = clock_monotonic();
	if (says(text, "READY=1\n")) {
		take_ready(s, text);
	} else if (says(text, "RELOADING=1\n")) {
		notify_reloading(-1);
	} else if (says(text, "STOPPING=1\n")) {
		s->phase = ENDING;
		notify_stopping(-1);
	} else if (says(text, REOPEN)) {
		s->reopen = true;
		s->unseen_since_ns = s->alive_ns;
	} else if (says(text, DPI_PROCESS_ASKS) && s->phase == STARTING) {
		dpi_process_serve(&s->dpi, s->socket, &s->before);
	}
}

static void take_messages(struct supervisor *s)
{
	char text[NOTIFY_TEXT_SIZE + 1];
	ssize_t n;

	while (s->socket >= 0 && (n = recv(s->socket, text, sizeof text - 1, MSG_DONTWAIT)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		text[n] = '\0';
		take_message(s, text);
	}
	if (s->socket >= 0)
		(void)close(s->socket);
	s->socket = -1;
}

/* ---- its end --------------------------------------------------------------------------------- */

static int exit_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 1;
}

static void tell_end(const struct supervisor *s, int wait_status)
{
	if (s->reopen)
		log_warn("worker %d ended to open its interfaces again", (int)s->worker);
	else if (WIFSIGNALED(wait_status))
		log_err("worker %d was killed by signal %d (%s)", (int)s->worker,
			WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else if (WEXITSTATUS(wait_status) == EXEC_FAILED)
		log_err("worker %d: cannot execute " SELF, (int)s->worker);
	else
		log_err("worker %d ended with status %d", (int)s->worker, WEXITSTATUS(wait_status));
}

/* True when its end is ours. */
static bool worker_ended(struct supervisor *s, int wait_status)
{
	uint64_t now = clock_monotonic();
	bool failed_start = s->phase == STARTING;

	take_messages(s); /* its last words */
	if (s->socket >= 0)
		(void)close(s->socket);
	s->socket = -1;
	dpi_process_end(&s->dpi);
	failed_start = failed_start && s->phase == STARTING;
	if (!s->reopen && (s->told_to_end || s->phase == ENDING || !s->ever_ready)) {
		if (WIFSIGNALED(wait_status))
			tell_end(s, wait_status);
		return true;
	}
	if (s->told_to_end)
		return true;
	tell_end(s, wait_status);
	s->worker = 0;
	s->restarts++;
	if (s->unseen_since_ns == 0)
		s->unseen_since_ns = s->hung ? s->alive_ns : now;
	s->hung = false;
	if (failed_start)
		s->pause_ns = s->pause_ns == 0		       ? PAUSE_NS
			      : s->pause_ns * 2 < PAUSE_MAX_NS ? s->pause_ns * 2
							       : PAUSE_MAX_NS;
	s->start_ns = now + s->pause_ns;
	notify_status(-1, "the worker died and is being replaced");
	return false;
}

static bool reap(struct supervisor *s, int *status)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
		if (dpi_process_ended(&s->dpi, pid, wait_status) || pid != s->worker)
			continue;
		*status = exit_status(wait_status);
		if (worker_ended(s, wait_status))
			return true;
	}
	return false;
}

/* ---- signals and time ------------------------------------------------------------------------ */

/* True when there is nobody left to end. */
static bool forward(struct supervisor *s, int number)
{
	uint64_t now = clock_monotonic();

	if (number == SIGHUP) {
		if (s->worker != 0)
			(void)kill(s->worker, SIGHUP);
		return false;
	}
	if (s->worker == 0)
		return true;
	/* A signal to the process and to its group is one wish; a second wish ends at once. */
	if (s->told_to_end && now - s->told_ns < SAME_WISH_NS)
		return false;
	(void)kill(s->worker, s->told_to_end ? SIGKILL : number);
	s->told_to_end = true;
	s->told_ns = now;
	return false;
}

static bool take_signals(struct supervisor *s, int *status)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		bool ends =
		    info.ssi_signo == SIGCHLD ? reap(s, status) : forward(s, (int)info.ssi_signo);

		if (ends)
			return true;
	}
	return false;
}

static uint64_t limit_ns(const struct supervisor *s)
{
	if (s->worker == 0 || s->hung || (s->phase == ENDING && !s->reopen))
		return NEVER;
	if (s->reopen)
		return s->alive_ns + REOPEN_NS;
	return s->alive_ns + (s->phase == STARTING ? START_NS : HANGS_NS);
}

static uint64_t next_ns(const struct supervisor *s)
{
	uint64_t due = limit_ns(s);

	due = s->start_ns < due ? s->start_ns : due;
	due = dpi_process_due(&s->dpi) < due ? dpi_process_due(&s->dpi) : due;
	return s->watchdog_ns > 0 && s->watchdog_due_ns < due ? s->watchdog_due_ns : due;
}

static int take_time(struct supervisor *s, struct err *err)
{
	uint64_t now = clock_monotonic();

	if (s->watchdog_ns > 0 && now >= s->watchdog_due_ns) {
		notify_watchdog(-1);
		s->watchdog_due_ns = now + s->watchdog_ns;
	}
	dpi_process_look(&s->dpi, &s->before);
	if (now >= limit_ns(s)) {
		log_err("worker %d has not moved for %llu s: killed", (int)s->worker,
			(unsigned long long)((now - s->alive_ns) / NS_PER_SEC));
		s->hung = true;
		(void)kill(s->worker, SIGKILL);
	}
	return now >= s->start_ns ? start_worker(s, err) : 0;
}

static int wait_ms(uint64_t due_ns)
{
	uint64_t now = clock_monotonic();

	if (due_ns == NEVER)
		return -1;
	return due_ns <= now ? 0 : (int)((due_ns - now) / NS_PER_MS) + 1;
}

static int watch_over(struct supervisor *s, int *status, struct err *err)
{
	for (;;) {
		struct pollfd fds[2] = {
		    {.fd = s->signal_fd, .events = POLLIN},
		    {.fd = s->socket, .events = POLLIN},
		};
		int code = take_time(s, err);

		if (code != 0)
			return code;
		fds[1].fd = s->socket;
		if (poll(fds, 2, wait_ms(next_ns(s))) < 0 && errno != EINTR)
			return err_set(err, ERR_RUN, "cannot wait: %s", strerror(errno));
		if (fds[1].revents != 0)
			take_messages(s);
		if (fds[0].revents != 0 && take_signals(s, status))
			return 0;
	}
}

static int prepare(struct supervisor *s, int argc, char **argv, struct err *err)
{
	sigset_t set;

	s->argv = calloc((size_t)argc + 2, sizeof *s->argv);
	if (s->argv == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	s->argv[0] = "bulkhead";
	memcpy(s->argv + 1, argv, (size_t)argc * sizeof *argv);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, &s->before) != 0)
		return err_set(err, ERR_RUN, "cannot block signals: %s", strerror(errno));
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set(err, ERR_RUN, "cannot wait for signals: %s", strerror(errno));
	s->watchdog_ns = notify_watchdog_interval();
	return 0;
}

int supervise(int argc, char **argv, int *status, struct err *err)
{
	struct supervisor s = {.signal_fd = -1, .socket = -1, .start_ns = 0, .dpi = {.memory = -1}};
	int code = prepare(&s, argc, argv, err);

	*status = 0;
	if (code == 0)
		code = watch_over(&s, status, err);
	if (s.signal_fd >= 0)
		(void)close(s.signal_fd);
	if (s.socket >= 0)
		(void)close(s.socket);
	dpi_process_end(&s.dpi);
	free(s.argv);
	return code;
}
