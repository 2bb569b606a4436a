/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privs.c - see privs.h.  Landlock and the capability calls are made raw: libc has no wrappers.
 *
 * Order matters: the bounding set needs CAP_SETPCAP, the change of user CAP_SETUID, so both come
 * before the capabilities go; Landlock's paths are opened as the new user; seccomp comes last
 * because all the rest would be refused after it.
 */
#include "base/privs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privs_filter.h"

/* Newer than the oldest kernel headers that this builds with. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)    /* Landlock 3 */
#define ACCESS_NET_BIND_TCP (UINT64_C(1) << 0) /* Landlock 4 */
#define ACCESS_NET_CONNECT_TCP (UINT64_C(1) << 1)

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |             \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_TRUNCATE)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)

struct ruleset {
	uint64_t fs;
	uint64_t net;
};

static int failed(struct err *err, const char *what)
{
	return err_set(err, ERR_RUN, "cannot give up privileges: %s: %s", what, strerror(errno));
}

/* Empties the bounding set; false when we have not the right to (then nobody raised us either). */
static bool empty_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return false;
	return true;
}

static int become(const char *user, struct err *err)
{
	const struct passwd *pw;
	uid_t real, effective, saved;

	if (user[0] == '\0' || geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return err_set(err, ERR_RUN,
			       "there is no user \"%s\" to become; create it (adduser --system "
			       "--group %s) or set sensor.user",
			       user, user);
	if (initgroups(user, pw->pw_gid) != 0)
		return failed(err, "groups");
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
		return failed(err, "group");
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return failed(err, "user");
	if (getresuid(&real, &effective, &saved) != 0 || real != pw->pw_uid ||
	    effective != pw->pw_uid || saved != pw->pw_uid || (pw->pw_uid != 0 && setuid(0) == 0))
		return err_set(err, ERR_RUN, "cannot give up privileges: the user did not change");
	return 0;
}

/* What a worker needs until it has opened its captures. */
static const uint32_t kept_capabilities = (1U << CAP_NET_RAW) | (1U << CAP_SETPCAP);

/* The bounding set shrinks to what is kept, as far as we may. */
static void limit_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap >= 32 || (kept_capabilities & (1U << cap)) == 0)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int privs_keep(const char *user, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	uint32_t kept;
	int rc;

	if (user[0] != '\0' && geteuid() == 0 && getpwnam(user) == NULL)
		return 0;
	limit_bounding_set();
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return failed(err, "capabilities");
	rc = become(user, err);
	if (rc != 0)
		return rc;
	if (syscall(SYS_capget, &header, data) != 0)
		return failed(err, "capabilities");
	kept = data[0].permitted & kept_capabilities;
	data[0] = (struct __user_cap_data_struct){.permitted = kept, .inheritable = kept};
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &header, data) != 0)
		return failed(err, "capabilities");
	for (unsigned cap = 0; cap < 32; cap++)
		if ((kept & (1U << cap)) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
			return failed(err, "ambient capabilities");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return failed(err, "not dumpable");
	return 0;
}

bool privs_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

int privs_fence(struct err *err)
{
	if (privs_sanitized())
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(err, "no_new_privs");
	return filter_set_family() == FILTER_FAILED ? failed(err, "seccomp") : 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* gone with capset too */
	if (syscall(SYS_capset, &header, none) != 0)
		return failed(err, "capabilities");
	return 0;
}

/* Adds a path to the ruleset.  0, or -1 with errno. */
static int allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	int rc = -1;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	rule.parent_fd = fd;
	if (fstat(fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access &= FILE_RIGHTS;
		rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
				  0);
	}
	(void)close(fd);
	return rc;
}

static int allow_paths(int ruleset, const char *const *paths, uint64_t rights, bool must_exist,
		       struct err *err)
{
	for (; paths != NULL && *paths != NULL; paths++) {
		if (allow_path(ruleset, *paths, rights) == 0 || (errno == ENOENT && !must_exist))
			continue;
		return err_set(err, ERR_RUN, "cannot give access to %s: %s", *paths,
			       strerror(errno));
	}
	return 0;
}

/* Restricts files and TCP as far as the kernel can; *version is 0 where it cannot. */
static int set_landlock(const struct privs *want, int *version, struct err *err)
{
	static const char *const resolver[] = {"/etc", "/run/systemd/resolve", NULL};
	struct ruleset attr = {0};
	uint64_t rights;
	int ruleset;
	int rc;

	*version =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (*version <= 0) {
		*version = 0;
		return 0;
	}
	attr.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	if (*version >= 2)
		attr.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (*version >= 3)
		attr.fs |= ACCESS_TRUNCATE;
	if (*version >= 4)
		attr.net = ACCESS_NET_BIND_TCP | (want->network ? 0 : ACCESS_NET_CONNECT_TCP);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
			       *version >= 4 ? sizeof attr : sizeof attr.fs, 0);
	if (ruleset < 0)
		return failed(err, "Landlock");
	rights = attr.fs & READ_RIGHTS;
	rc = allow_paths(ruleset, want->read_paths, rights, false, err);
	if (rc == 0 && want->network)
		rc = allow_paths(ruleset, resolver, rights, false, err);
	if (rc == 0)
		rc = allow_paths(ruleset, want->write_paths, attr.fs & WRITE_RIGHTS, true, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = failed(err, "Landlock");
	(void)close(ruleset);
	return rc;
}

static int set_filter(const struct privs *want, const char **text, struct err *err)
{
	*text = "off";
	if (want->no_seccomp)
		return 0;
	switch (want->bare ? filter_set_bare() : filter_set(want->files, want->network)) {
	case FILTER_SET:
		*text = "yes";
		return 0;
	case FILTER_UNSUPPORTED:
		*text = "unsupported";
		return 0;
	case FILTER_FAILED:
		break;
	}
	return failed(err, "seccomp");
}

/* Pages that the process has mapped; 0 unknown. */
static size_t mapped_pages(void)
{
	char text[64];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoul(text, NULL, 10);
}

/* A second line behind the filter; where a manager forbids to set limits there is the first. */
static void limit(const struct privs *want, size_t pages)
{
	static const __rlimit_resource_t none[] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC,
						   RLIMIT_CORE, RLIMIT_MEMLOCK};
	rlim_t memory = pages * (size_t)sysconf(_SC_PAGESIZE) + want->memory;

	if (privs_sanitized()) /* their shadow is larger than any limit */
		return;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		(void)setrlimit(none[i], &(struct rlimit){0, 0});
	if (want->memory > 0 && pages > 0)
		(void)setrlimit(RLIMIT_AS, &(struct rlimit){memory, memory});
}

/* The user's name, or number, as it is now; asked before the filter forbids it. */
static void user_text(char *out, size_t size)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw != NULL)
		(void)snprintf(out, size, "%s", pw->pw_name);
	else
		(void)snprintf(out, size, "%u", (unsigned)geteuid());
}

int privs_drop(const struct privs *want, char level[static PRIVS_TEXT_SIZE], struct err *err)
{
	char user[33];
	char landlock[16] = "unsupported";
	const char *filter = "off";
	size_t pages = mapped_pages();
	bool bounding;
	int version = 0;
	int rc;

	bounding = empty_bounding_set();
	if (!bounding && geteuid() == 0)
		return failed(err, "bounding set");
	rc = become(want->user, err);
	if (rc == 0)
		rc = drop_capabilities(err);
	if (rc != 0)
		return rc;
	user_text(user, sizeof user);
	/* A leak checker looks at its own process from outside. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, privs_sanitized(), 0, 0, 0) != 0)
		return failed(err, "no_new_privs");
	rc = set_landlock(want, &version, err);
	if (rc == 0 && want->bare)
		limit(want, pages);
	if (rc == 0)
		rc = set_filter(want, &filter, err);
	if (rc != 0)
		return rc;
	if (version > 0)
		(void)snprintf(landlock, sizeof landlock, "%d", version);
	(void)snprintf(level, PRIVS_TEXT_SIZE,
		       "user=%s capabilities=none bounding=%s no_new_privs=yes landlock=%s "
		       "seccomp=%s",
		       user, bounding ? "empty" : "kept", landlock, filter);
	return 0;
}
