/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privs_filter.c - see privs_filter.h: a classic BPF program over struct seccomp_data.
 *
 *	architecture > calls decided by an argument > allowed > killed > ENOSYS
 *
 * ENOSYS, because libc tries newer calls and falls back to older ones on it; EPERM would break
 * pthread_create (clone3), whose flags lie in memory where no filter can see them.  The kernel
 * remembers which calls are allowed whatever their arguments, so the length of the list costs
 * nothing on the packet path.
 */
#include "base/privs_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define FIRST_FOREIGN_CALL 0x40000000U /* x32 calls share the architecture */
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define FIRST_FOREIGN_CALL UINT32_MAX
#else
#define NATIVE_ARCH 0
#define FIRST_FOREIGN_CALL UINT32_MAX
#endif

#define MAX_PROGRAM 1024
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What threads, libpcap, SQLite on open files, hiredis on open sockets, libc and stdio need. */
static const int always[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_close,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_flock,
    SYS_fcntl,
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_fchmod,
    SYS_fchown,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_msync,
    SYS_brk,
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_signalfd4,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_membarrier,
    SYS_getcpu,
    SYS_exit,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_tgkill,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_uname,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef __x86_64__
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_stat,
    SYS_lstat,
    SYS_time,
    SYS_dup2,
    SYS_pipe,
#endif
};

/* malloc, the clock where the kernel does not map it, waiting, random numbers of libgcrypt. */
static const int bare[] = {
    SYS_close,	     SYS_munmap,	  SYS_mremap,	    SYS_madvise,	SYS_brk,
    SYS_futex,	     SYS_clock_gettime,	  SYS_gettimeofday, SYS_nanosleep,	SYS_clock_nanosleep,
    SYS_getrandom,   SYS_getpid,	  SYS_gettid,	    SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_sched_yield, SYS_restart_syscall, SYS_exit,	    SYS_exit_group,
#ifdef __x86_64__
    SYS_time,
#endif
};

static const int with_files[] = {
    SYS_openat,	    SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_mkdirat,
    SYS_unlinkat,   SYS_renameat2, SYS_truncate,   SYS_getcwd,	   SYS_statfs,
    SYS_fstatfs,    SYS_umask,	   SYS_utimensat,  SYS_renameat,   SYS_fchmodat,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef __x86_64__
    SYS_open,	    SYS_access,	   SYS_readlink,   SYS_mkdir,	   SYS_unlink,
    SYS_rmdir,	    SYS_rename,	   SYS_chmod,
#endif
};

/* socket() itself is looked at more closely. */
static const int with_network[] = {SYS_connect, SYS_bind, SYS_socketpair};

/* Other processes' memory, the kernel's own, its name spaces, keys and clocks: nothing of ours
 * calls these, at any time. */
static const int killed[] = {
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_mount,
    SYS_umount2,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_reboot,
    SYS_clock_settime,
    SYS_settimeofday,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_acct,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_personality,
    SYS_swapon,
    SYS_swapoff,
    SYS_setuid,
    SYS_setresuid,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef __x86_64__
    SYS_fork,
    SYS_vfork,
    SYS_modify_ldt,
    SYS_iopl,
    SYS_ioperm,
#endif
};

/* What a start takes; after it nothing of ours calls them. */
static const int killed_after_start[] = {SYS_execve, SYS_capset};

/* A supervisor's work, a program's start, and what a worker and the DPI process do until they have
 * a filter of their own. */
static const int starting[] = {
    SYS_execve,
    SYS_mmap,
    SYS_capset,
    SYS_capget,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_setpgid,
    SYS_setpriority,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_memfd_create,
    SYS_close_range,
    SYS_seccomp,
    SYS_landlock_create_ruleset,
    SYS_landlock_add_rule,
    SYS_landlock_restrict_self,
#ifdef __x86_64__
    SYS_arch_prctl,
#endif
};

static const int starting_prctl[] = {
    PR_SET_NAME,     PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_READ,
    PR_CAPBSET_DROP, PR_CAP_AMBIENT,   PR_GET_SECCOMP,	PR_SET_NO_NEW_PRIVS,
};

struct program {
	struct sock_filter code[MAX_PROGRAM];
	unsigned short len;
};

static void emit(struct program *p, struct sock_filter instruction)
{
	assert(p->len < MAX_PROGRAM);
	p->code[p->len++] = instruction;
}

static void load(struct program *p, size_t offset)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void verdict(struct program *p, uint32_t action)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Unless the accumulator equals value, the next count instructions are skipped. */
static void when_equal(struct program *p, uint32_t value, uint8_t count)
{
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
}

/* The same unless it has one of the bits. */
static void when_any_bit(struct program *p, uint32_t bits, uint8_t count)
{
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, count));
}

static void decide_all(struct program *p, const int *calls, size_t count, uint32_t action)
{
	for (size_t i = 0; i < count; i++) {
		when_equal(p, (uint32_t)calls[i], 1);
		verdict(p, action);
	}
}

/* The low word of an argument: all that is looked at here are ints. */
static size_t argument(unsigned index)
{
	return offsetof(struct seccomp_data, args) + 8U * index;
}

/* call: with any of bits in the argument it gets set, otherwise clear. */
static void decide_by_bits(struct program *p, int call, unsigned index, uint32_t bits, uint32_t set,
			   uint32_t clear)
{
	when_equal(p, (uint32_t)call, 4);
	load(p, argument(index));
	when_any_bit(p, bits, 1);
	verdict(p, set);
	verdict(p, clear);
}

/* A name service module that libc would load is refused, libc then does without. */
static void decide_mmap(struct program *p)
{
	decide_by_bits(p, SYS_mmap, 2, PROT_EXEC, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
}

/* call: allowed with one of values as the argument, otherwise it fails with number. */
static void decide_by_values(struct program *p, int call, unsigned index, const int *values,
			     size_t count, uint32_t number)
{
	when_equal(p, (uint32_t)call, (uint8_t)(1 + 2 * count + 1));
	load(p, argument(index));
	decide_all(p, values, count, SECCOMP_RET_ALLOW);
	verdict(p, SECCOMP_RET_ERRNO | number);
}

static void decide_by_arguments(struct program *p, bool network)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
	static const int name[] = {PR_SET_NAME};
	static const int nothing[] = {0};

	decide_mmap(p);
	decide_by_bits(p, SYS_mprotect, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	decide_by_bits(p, SYS_clone, 0, CLONE_THREAD, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
	decide_by_values(p, SYS_prctl, 0, name, 1, EPERM);
	/* prlimit64 of ourselves, read only: sysconf() and pthread ask for the stack's size. */
	decide_by_values(p, SYS_prlimit64, 2, nothing, 1, EPERM);
	if (network)
		decide_by_values(p, SYS_socket, 0, families, COUNT(families), EAFNOSUPPORT);
}

static void begin(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	verdict(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_FOREIGN_CALL, 0, 1));
	verdict(p, SECCOMP_RET_KILL_PROCESS);
}

static void end(struct program *p)
{
	decide_all(p, killed_after_start, COUNT(killed_after_start), SECCOMP_RET_KILL_PROCESS);
	decide_all(p, killed, COUNT(killed), SECCOMP_RET_KILL_PROCESS);
	verdict(p, SECCOMP_RET_ERRNO | ENOSYS);
}

static void build(struct program *p, bool files, bool network)
{
	begin(p);
	decide_all(p, always, COUNT(always), SECCOMP_RET_ALLOW);
	decide_by_arguments(p, network);
	decide_all(p, with_files, COUNT(with_files),
		   files ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
	decide_all(p, with_network, COUNT(with_network),
		   network ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
	if (!network)
		decide_all(p, (const int[]){SYS_socket}, 1, SECCOMP_RET_KILL_PROCESS);
	end(p);
}

static void build_bare(struct program *p)
{
	begin(p);
	decide_all(p, bare, COUNT(bare), SECCOMP_RET_ALLOW);
	decide_mmap(p);
	/* mprotect: what is shared with others is mapped already, and keeps the rights it has. */
	decide_all(p, (const int[]){SYS_mprotect, SYS_socket, SYS_clone, SYS_clone3}, 4,
		   SECCOMP_RET_KILL_PROCESS);
	decide_all(p, with_files, COUNT(with_files), SECCOMP_RET_KILL_PROCESS);
	decide_all(p, with_network, COUNT(with_network), SECCOMP_RET_KILL_PROCESS);
	end(p);
}

/* The loader maps programs; nobody makes memory executable afterwards.  No new name space. */
static void build_family(struct program *p)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET};
	static const int ourselves[] = {0};
	const uint32_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

	begin(p);
	decide_all(p, always, COUNT(always), SECCOMP_RET_ALLOW);
	decide_all(p, with_files, COUNT(with_files), SECCOMP_RET_ALLOW);
	decide_all(p, with_network, COUNT(with_network), SECCOMP_RET_ALLOW);
	decide_all(p, starting, COUNT(starting), SECCOMP_RET_ALLOW);
	decide_by_bits(p, SYS_mprotect, 2, PROT_EXEC, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
	decide_by_bits(p, SYS_clone, 0, spaces, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	decide_by_values(p, SYS_prctl, 0, starting_prctl, COUNT(starting_prctl), EPERM);
	decide_by_values(p, SYS_prlimit64, 0, ourselves, 1, EPERM);
	decide_by_values(p, SYS_socket, 0, families, COUNT(families), EAFNOSUPPORT);
	decide_all(p, killed, COUNT(killed), SECCOMP_RET_KILL_PROCESS);
	verdict(p, SECCOMP_RET_ERRNO | ENOSYS);
}

static enum filter_result install(struct program *program)
{
	struct sock_fprog fprog = {.len = program->len, .filter = program->code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &fprog) != 0)
		return FILTER_FAILED;
	return FILTER_SET;
}

static bool has_filters(void)
{
	return NATIVE_ARCH != 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

enum filter_result filter_set(bool files, bool network)
{
	struct program program = {.len = 0};

	if (!has_filters())
		return FILTER_UNSUPPORTED;
	build(&program, files, network);
	return install(&program);
}

enum filter_result filter_set_bare(void)
{
	struct program program = {.len = 0};

	if (!has_filters())
		return FILTER_UNSUPPORTED;
	build_bare(&program);
	return install(&program);
}

enum filter_result filter_set_family(void)
{
	struct program program = {.len = 0};

	if (!has_filters())
		return FILTER_UNSUPPORTED;
	build_family(&program);
	return install(&program);
}
