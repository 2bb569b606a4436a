/* SPDX-License-Identifier: Apache-2.0 */
/* test_privs.c - what a process can no longer do, each tried in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/privs.h"

static char folder[] = "/tmp/test_privs_XXXXXX";

/* Runs body in a child that has dropped its privileges; gives wait()'s status.  The child exits
 * with what body returns, or with 99 when dropping failed. */
static int in_child(const struct privs *want, int (*body)(const char *level))
{
	char level[PRIVS_TEXT_SIZE];
	struct err err;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(10);
		if (privs_drop(want, level, &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			_exit(99);
		}
		_exit(body(level));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void expect_exit(const struct privs *want, int (*body)(const char *level), int code)
{
	int status = in_child(want, body);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void expect_killed(const struct privs *want, int (*body)(const char *level))
{
	int status = in_child(want, body);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static bool status_has(const char *text, const char *line)
{
	return strstr(text, line) != NULL;
}

static int check_status(const char *level)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text - 1);

	if (n <= 0)
		return 1;
	text[n] = '\0';
	if (!status_has(text, "CapEff:\t0000000000000000\n") ||
	    !status_has(text, "CapPrm:\t0000000000000000\n") ||
	    !status_has(text, "CapInh:\t0000000000000000\n") ||
	    !status_has(text, "CapAmb:\t0000000000000000\n"))
		return 2;
	if (!status_has(text, "NoNewPrivs:\t1\n") || !status_has(text, "Seccomp:\t2\n"))
		return 3;
	if (strncmp(level, "user=nobody ", 12) == 0 &&
	    (!status_has(text, "CapBnd:\t0000000000000000\n") || geteuid() == 0 || getuid() == 0))
		return 4;
	if (strstr(level, " capabilities=none ") == NULL || strstr(level, " seccomp=yes") == NULL)
		return 5;
	return 0;
}

static void everything_is_given_up(void **state)
{
	static const char *const paths[] = {"/proc", NULL};
	struct privs want = {.user = is_root() ? "nobody" : "", .files = true};

	(void)state;
	want.read_paths = paths;
	expect_exit(&want, check_status, 0);
}

static int try_exec(const char *level)
{
	(void)level;
	(void)execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int try_fork(const char *level)
{
	(void)level;
	return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0) >= 0 ? 1 : 2;
}

static int try_ptrace(const char *level)
{
	(void)level;
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0) == 0 ? 1 : 2;
}

static int try_open(const char *level)
{
	(void)level;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 2;
}

static int try_socket(const char *level)
{
	(void)level;
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 1 : 2;
}

static int try_executable_memory(const char *level)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)level;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED ||
	    errno != EPERM)
		return 3;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? 1 : 2;
}

static void an_intruder_is_killed(void **state)
{
	struct privs all = {.user = "", .files = true, .network = true};
	struct privs none = {.user = ""};

	(void)state;
	expect_killed(&all, try_exec);
	expect_killed(&all, try_fork);
	expect_killed(&all, try_ptrace);
	expect_killed(&all, try_executable_memory);
	expect_killed(&none, try_open);
	expect_killed(&none, try_socket);
}

static int use_sockets(const char *level)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)level;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno != ECONNREFUSED)
		return 1;
	if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 || errno != EAFNOSUPPORT)
		return 2;
	return 0;
}

static void network_means_ip_only(void **state)
{
	struct privs want = {.user = "", .network = true};

	(void)state;
	expect_exit(&want, use_sockets, 0);
}

static int use_files(const char *level)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "%s/new", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || ftruncate(fd, 0) != 0)
		return 1;
	if (rename(path, folder) == 0 || unlink(path) != 0)
		return 2;
	if (strstr(level, "landlock=unsupported") != NULL)
		return 0;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 3;
	if (open("/tmp/test_privs_elsewhere", O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0)
		return 4;
	return 0;
}

static void files_mean_the_named_ones_only(void **state)
{
	const char *const paths[] = {folder, NULL};
	const char *const absent[] = {"/nonexistent/x", NULL};
	struct privs want = {.user = "", .files = true, .write_paths = paths};

	(void)state;
	assert_non_null(mkdtemp(folder));
	want.read_paths = absent;
	expect_exit(&want, use_files, 0);
	assert_int_equal(rmdir(folder), 0);
}

static void *nothing(void *argument)
{
	void *memory = malloc(1 << 22); /* another heap, another stack */

	free(memory);
	return argument;
}

static int use_threads(const char *level)
{
	pthread_t thread;

	(void)level;
	if (pthread_create(&thread, NULL, nothing, NULL) != 0)
		return 1;
	return pthread_join(thread, NULL) == 0 ? 0 : 2;
}

static void threads_can_still_be_made(void **state)
{
	struct privs want = {.user = ""};

	(void)state;
	expect_exit(&want, use_threads, 0);
}

static int fork_and_wait(const char *level)
{
	pid_t child;

	if (strstr(level, " seccomp=off") == NULL)
		return 1;
	child = fork();
	if (child == 0)
		_exit(0);
	return waitpid(child, NULL, 0) == child ? 0 : 2;
}

static void seccomp_can_be_left_out(void **state)
{
	struct privs want = {.user = "", .no_seccomp = true};

	(void)state;
	expect_exit(&want, fork_and_wait, 0);
}

static int try_close_and_open(const char *level)
{
	(void)level;
	(void)close(STDIN_FILENO);
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 2;
}

static int try_thread(const char *level)
{
	pthread_t thread;

	(void)level;
	return pthread_create(&thread, NULL, nothing, NULL) == 0 ? 1 : 2;
}

static int try_any_mprotect(const char *level)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)level;
	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0 ? 1 : 2;
}

/* Memory up to its limit, and the clock. */
static int compute(const char *level)
{
	struct timespec now;
	void *some = malloc(1 << 20);
	void *large = malloc((size_t)1 << 30);

	(void)level;
	if (some == NULL || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 1;
	if (large != NULL || errno != ENOMEM)
		return 2;
	if (write(STDERR_FILENO, "", 0) >= 0 || errno != ENOSYS)
		return 3;
	return dup(STDERR_FILENO) >= 0 || errno != ENOSYS ? 4 : 0;
}

static void bare_means_to_compute(void **state)
{
	struct privs want = {
	    .user = is_root() ? "nobody" : "", .bare = true, .memory = (size_t)64 << 20};

	(void)state;
	if (!privs_sanitized()) /* whose allocator wants more */
		expect_exit(&want, compute, 0);
	expect_killed(&want, try_close_and_open);
	expect_killed(&want, try_thread);
	expect_killed(&want, try_any_mprotect);
	expect_killed(&want, try_fork);
	expect_killed(&want, try_exec);
	expect_killed(&want, try_socket);
}

/* As in_child(), of a supervisor and what it starts. */
static int in_fence(int (*body)(const void *what), const void *what)
{
	struct err err;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(10);
		if (privs_fence(&err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			_exit(99);
		}
		_exit(body(what));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

struct raw_call {
	const char *name;
	long number, argument;
	int error; /* 0: kills */
};

#define KILLS(call)                                                                                \
	{                                                                                          \
#call, SYS_##call, 0, 0                                                            \
	}
#define FAILS(call, argument, error)                                                               \
	{                                                                                          \
#call, SYS_##call, argument, error                                                 \
	}

/* Arguments that would do no harm if a call came through. */
static const struct raw_call fenced[] = {
    KILLS(execveat),
    {"ptrace", SYS_ptrace, 16 /* attach to process 0 */, 0},
    KILLS(process_vm_readv),
    KILLS(process_vm_writev),
    KILLS(pidfd_getfd),
    KILLS(kcmp),
    KILLS(bpf),
    KILLS(perf_event_open),
    KILLS(userfaultfd),
    KILLS(io_uring_setup),
    KILLS(mount),
    KILLS(umount2),
    KILLS(open_tree),
    KILLS(move_mount),
    KILLS(fsopen),
    KILLS(fsmount),
    KILLS(mount_setattr),
    KILLS(pivot_root),
    KILLS(chroot),
    {"setns", SYS_setns, -1, 0},
    KILLS(unshare),
    {"clone into a user name space", SYS_clone, CLONE_NEWUSER, 0},
    {"clone into a network name space", SYS_clone, CLONE_NEWNET, 0},
    {"clone into a mount name space", SYS_clone, CLONE_NEWNS, 0},
    KILLS(init_module),
    {"finit_module", SYS_finit_module, -1, 0},
    KILLS(delete_module),
    KILLS(kexec_load),
    KILLS(keyctl),
    KILLS(add_key),
    KILLS(request_key),
    KILLS(reboot),
    {"clock_settime", SYS_clock_settime, -1, 0},
    KILLS(settimeofday),
    KILLS(adjtimex),
    KILLS(acct),
    KILLS(open_by_handle_at),
    {"personality", SYS_personality, -1, 0},
    KILLS(swapon),
    KILLS(swapoff),
    {"setuid", SYS_setuid, -1, 0},
    {"setresuid", SYS_setresuid, -1, 0},
    {"listen", SYS_listen, -1, 0},
    {"accept", SYS_accept, -1, 0},
    /* What nobody has heard of, and what libc would have hidden from the filter. */
    FAILS(clone3, 0, ENOSYS),
    FAILS(io_uring_enter, -1, ENOSYS),
    FAILS(prctl, PR_GET_TSC, EPERM),
    FAILS(prlimit64, 1, EPERM),
    FAILS(socket, AF_VSOCK, EAFNOSUPPORT),
    FAILS(socket, AF_ALG, EAFNOSUPPORT),
};

static int try_raw(const void *what)
{
	const struct raw_call *call = what;
	long result = syscall(call->number, call->argument, 0L, 0L, 0L, 0L, 0L);

	if (result >= 0)
		return 1;
	return call->error != 0 && errno == call->error ? 0 : 2;
}

static void a_supervisor_is_fenced_in(void **state)
{
	(void)state;
	if (privs_sanitized())
		skip();
	for (size_t i = 0; i < sizeof fenced / sizeof fenced[0]; i++) {
		int status = in_fence(try_raw, &fenced[i]);
		bool good = fenced[i].error != 0
				? status == 0
				: WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

		if (!good)
			print_error("%s: status %#x\n", fenced[i].name, (unsigned)status);
		assert_true(good);
	}
}

static int make_memory_executable(const void *what)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)what;
	if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0)
		return 1;
	return errno == EPERM ? 0 : 2;
}

/* A program starts, and reads that it is fenced in as well. */
static int start_a_program(const void *what)
{
	int status;
	pid_t child = fork();

	(void)what;
	if (child == 0) {
		(void)execl("/bin/sh", "sh", "-c",
			    "while read -r name value; do case $name in Seccomp:) exit $value;; "
			    "esac; done </proc/self/status; exit 99",
			    (char *)NULL);
		_exit(98);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status) == 2 ? 0 : WEXITSTATUS(status);
}

/* What it starts gives up the rest by itself. */
static int give_up_the_rest(const void *what)
{
	const struct privs *want = what;
	char level[PRIVS_TEXT_SIZE];
	struct err err;

	if (privs_drop(want, level, &err) != 0 || strstr(level, " seccomp=yes") == NULL)
		return 1;
	return want->bare ? 0 : check_status(level);
}

static void a_supervisor_can_start_others(void **state)
{
	static const char *const paths[] = {"/proc", NULL};
	const struct privs worker = {
	    .user = "", .files = true, .network = true, .read_paths = paths};
	const struct privs dpi = {.user = "", .bare = true};

	(void)state;
	if (privs_sanitized())
		skip();
	assert_int_equal(in_fence(make_memory_executable, NULL), 0);
	assert_int_equal(in_fence(start_a_program, NULL), 0);
	assert_int_equal(in_fence(give_up_the_rest, &worker), 0);
	assert_int_equal(in_fence(give_up_the_rest, &dpi), 0);
}

static int not_reached(const char *level)
{
	(void)level;
	return 0;
}

static void a_missing_user_is_an_error(void **state)
{
	struct privs want = {.user = "no-such-user-here"};

	(void)state;
	if (!is_root())
		skip();
	expect_exit(&want, not_reached, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_is_given_up),
	    cmocka_unit_test(an_intruder_is_killed),
	    cmocka_unit_test(network_means_ip_only),
	    cmocka_unit_test(files_mean_the_named_ones_only),
	    cmocka_unit_test(threads_can_still_be_made),
	    cmocka_unit_test(seccomp_can_be_left_out),
	    cmocka_unit_test(bare_means_to_compute),
	    cmocka_unit_test(a_supervisor_is_fenced_in),
	    cmocka_unit_test(a_supervisor_can_start_others),
	    cmocka_unit_test(a_missing_user_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
