/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - see watch.h. */
#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bulkhead/clock.h"

/* A signal to a process, to its group and by its supervisor is one wish. */
#define SAME_WISH_NS (NS_PER_SEC / 4)
#define LOST_WAKE_MS 1000

static void ending_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

int watch_init(struct watch *watch, bool reload, struct err *err)
{
	sigset_t set;

	watch->running = false;
	watch->wake_fd = -1;
	ending_signals(&set);
	if (reload)
		(void)sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(err, ERR_RUN, "cannot block signals");
	watch->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->signal_fd < 0 || watch->wake_fd < 0)
		return err_set(err, ERR_RUN, "cannot wait for signals: %s", strerror(errno));
	return 0;
}

static void take_signals(struct watch *watch)
{
	struct signalfd_siginfo info;

	while (read(watch->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		int number = (int)info.ssi_signo;

		if (number != SIGINT && number != SIGTERM) {
			watch->on_signal(watch->context, number);
		} else if (watch->told_ns == 0) {
			watch->told_ns = clock_monotonic();
			watch->on_signal(watch->context, number);
		}
	}
}

/* From then on these find one thread that does not block them: the default holds. */
static void let_signals_end(struct watch *watch)
{
	sigset_t ending;

	if (watch->told_ns == 0 || watch->told_ns == UINT64_MAX ||
	    clock_monotonic() - watch->told_ns < SAME_WISH_NS)
		return;
	watch->told_ns = UINT64_MAX;
	ending_signals(&ending);
	(void)pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
}

/* A descriptor whose other end is gone is told of once: it would be ready for ever. */
static void take_input(struct watch *watch, struct pollfd *fd, const struct watch_input *input)
{
	bool gone = (fd->revents & (POLLHUP | POLLNVAL)) != 0;

	input->on_input(watch->context);
	if (gone)
		fd->fd = -1;
}

static int wait_ms(uint64_t due_ns)
{
	uint64_t now = clock_monotonic();

	if (due_ns <= now)
		return 0;
	return (int)((due_ns - now) / NS_PER_MS) + 1;
}

/* Until something is due, but not for ever: a wake-up may get lost. */
static int longest_wait(const struct watch *watch, uint64_t due_ns)
{
	int timeout = watch->on_tick != NULL ? wait_ms(due_ns) : LOST_WAKE_MS;

	if (watch->told_ns != 0 && watch->told_ns != UINT64_MAX)
		timeout = wait_ms(watch->told_ns + SAME_WISH_NS);
	return timeout < LOST_WAKE_MS ? timeout : LOST_WAKE_MS;
}

static void *watch_thread(void *argument)
{
	struct watch *watch = argument;
	struct pollfd fds[2 + WATCH_INPUTS] = {
	    {.fd = watch->signal_fd, .events = POLLIN},
	    {.fd = watch->wake_fd, .events = POLLIN},
	};
	uint64_t due = clock_monotonic() + watch->tick_ns;

	for (unsigned i = 0; i < watch->input_count; i++)
		fds[2 + i] = (struct pollfd){.fd = watch->input[i].fd, .events = POLLIN};

	for (;;) {
		if (poll(fds, 2 + watch->input_count, longest_wait(watch, due)) < 0 &&
		    errno != EINTR)
			return NULL;
		if (atomic_load(&watch->stopping))
			return NULL;
		if (fds[0].revents != 0)
			take_signals(watch);
		let_signals_end(watch);
		for (unsigned i = 0; i < watch->input_count; i++)
			if (fds[2 + i].revents != 0)
				take_input(watch, &fds[2 + i], &watch->input[i]);
		if (watch->on_tick != NULL && clock_monotonic() >= due) {
			watch->on_tick(watch->context);
			due = clock_monotonic() + watch->tick_ns;
		}
	}
}

int watch_start(struct watch *watch, struct err *err)
{
	int code;

	atomic_store(&watch->stopping, false);
	code = pthread_create(&watch->thread, NULL, watch_thread, watch);

	if (code != 0)
		return err_set(err, ERR_RUN, "cannot start a thread: %s", strerror(code));
	watch->running = true;
	return 0;
}

void watch_stop(struct watch *watch)
{
	const uint64_t one = 1;

	if (watch->running) {
		atomic_store(&watch->stopping, true);
		/* Should it fail, the thread looks after LOST_WAKE_MS. */
		(void)!write(watch->wake_fd, &one, sizeof one);
		(void)pthread_join(watch->thread, NULL);
		watch->running = false;
	}
	if (watch->signal_fd >= 0)
		(void)close(watch->signal_fd);
	if (watch->wake_fd >= 0)
		(void)close(watch->wake_fd);
	watch->signal_fd = -1;
	watch->wake_fd = -1;
}
