/* SPDX-License-Identifier: Apache-2.0 */
/* confine.c - see confine.h. */
#include "cli/confine.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define DEFAULT_USER "bulkhead" /* as in base/options.c */
#define READ_PATHS (4 * OPTIONS_MAX_PATHS)
#define WRITE_PATHS (OPTIONS_MAX_OUTPUTS + 4)
#define REDIS_URL_ENVIRONMENT "BULKHEAD_REDIS_URL"

/* Lists that end with NULL; what does not fit cannot be: the config's own limits are lower. */
struct paths {
	char *read[READ_PATHS + 1], *write[WRITE_PATHS + 1];
	unsigned reads, writes;
	bool short_of_memory;
};

static void add(struct paths *paths, bool write, char *path)
{
	if (path == NULL)
		paths->short_of_memory = true;
	else if (write && paths->writes < WRITE_PATHS)
		paths->write[paths->writes++] = path;
	else if (!write && paths->reads < READ_PATHS)
		paths->read[paths->reads++] = path;
	else
		free(path);
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool is_folder(const char *path)
{
	DIR *dir = opendir(path);

	if (dir != NULL)
		(void)closedir(dir);
	return dir != NULL;
}

static void may_read(struct paths *paths, const char *path)
{
	char *real;

	if (path == NULL || path[0] == '\0')
		return;
	add(paths, false, is_folder(path) ? strdup(path) : folder_of(path));
	real = realpath(path, NULL); /* a link is followed where it leads today */
	if (real != NULL && !is_folder(real))
		add(paths, false, folder_of(real));
	free(real);
}

static void may_write_beside(struct paths *paths, const char *file)
{
	if (file != NULL && file[0] != '\0' && strcmp(file, "-") != 0)
		add(paths, true, folder_of(file));
}

static void collect_reads(struct paths *paths, const struct setup *setup)
{
	const struct options *o = &setup->options;
	unsigned i;

	may_read(paths, setup->config);
	for (i = 0; i < o->inventory_count; i++)
		may_read(paths, o->inventory[i]);
	for (i = 0; i < o->rules_count; i++)
		may_read(paths, o->rules[i]);
	for (i = 0; i < setup->inventory_count; i++)
		may_read(paths, setup->inventory_path[i]);
	for (i = 0; i < setup->rules_count; i++)
		may_read(paths, setup->rules_path[i]);
	may_read(paths, o->redis.password_file);
	may_read(paths, o->geoip.country);
	may_read(paths, o->geoip.asn);
	add(paths, false, strdup("/dev/urandom")); /* SQLite */
	if (privs_sanitized())
		add(paths, false, strdup("/proc"));
}

static bool uses_redis(const struct confine *confine)
{
	const char *environment = getenv(REDIS_URL_ENVIRONMENT);

	return confine->redis || confine->setup->options.redis.url != NULL ||
	       (environment != NULL && environment[0] != '\0');
}

/* SQLite keeps what does not fit into memory beside the outbox; a private outbox (none is named,
 * Redis is used) has no place but the one for temporary files. */
static void place_temporary_files(struct paths *paths, const char *outbox, bool redis)
{
	const char *folder = getenv("TMPDIR");
	char *beside;

	if (outbox[0] != '\0') {
		beside = folder_of(outbox);
		if (beside == NULL || setenv("SQLITE_TMPDIR", beside, 1) != 0)
			paths->short_of_memory = true;
		free(beside);
		return;
	}
	if (!redis)
		return;
	if (folder == NULL || !is_folder(folder))
		folder = is_folder("/var/tmp") ? "/var/tmp" : "/tmp";
	add(paths, true, strdup(folder));
}

static void collect_writes(struct paths *paths, const struct confine *confine)
{
	const struct options *o = &confine->setup->options;

	may_write_beside(paths, o->outbox.file);
	if (o->evidence.directory[0] != '\0')
		add(paths, true, strdup(o->evidence.directory));
	may_write_beside(paths, confine->output);
	for (unsigned i = 0; i < o->output_count; i++)
		if (!o->output[i].syslog)
			may_write_beside(paths, o->output[i].file);
	place_temporary_files(paths, o->outbox.file, uses_redis(confine));
}

static bool wants_network(const struct confine *confine)
{
	const struct options *o = &confine->setup->options;

	for (unsigned i = 0; i < o->output_count; i++)
		if (o->output[i].syslog)
			return true;
	return uses_redis(confine);
}

static void warn_unreadable(const char *path)
{
	if (path != NULL && access(path, R_OK) != 0)
		log_warn("%s: %s; a reload (SIGHUP) or a restart of the worker will be refused "
			 "until its user may read it",
			 path, strerror(errno));
}

/* What was read with more rights than are left is told now, not at the reload that fails. */
static void check_reload(const struct setup *setup)
{
	const struct options *o = &setup->options;
	unsigned i;

	warn_unreadable(setup->config);
	for (i = 0; i < setup->inventory_count; i++)
		warn_unreadable(setup->inventory_path[i]);
	for (i = 0; i < o->inventory_count && setup->inventory_count == 0; i++)
		warn_unreadable(o->inventory[i]);
	for (i = 0; i < setup->rules_count; i++)
		warn_unreadable(setup->rules_path[i]);
	for (i = 0; i < o->rules_count && setup->rules_count == 0; i++)
		warn_unreadable(o->rules[i]);
}

static int check_evidence(const struct options *o, struct err *err)
{
	const char *folder = o->evidence.directory;

	if (folder[0] == '\0' || access(folder, R_OK | W_OK | X_OK) == 0)
		return 0;
	return err_set(err, ERR_RUN,
		       "evidence.directory %s: %s as user \"%s\"; chown it, or set sensor.user",
		       folder, strerror(errno), o->sensor.user);
}

static void paths_free(struct paths *paths)
{
	for (unsigned i = 0; i < paths->reads; i++)
		free(paths->read[i]);
	for (unsigned i = 0; i < paths->writes; i++)
		free(paths->write[i]);
}

const char *confine_user(const struct options *o)
{
	if (strcmp(o->sensor.user, DEFAULT_USER) != 0 || geteuid() != 0 ||
	    getpwnam(DEFAULT_USER) != NULL)
		return o->sensor.user;
	log_warn("user=root reason=\"there is no user " DEFAULT_USER
		 "\" hint=\"adduser --system --group " DEFAULT_USER "\"");
	return "";
}

int confine(const struct confine *confine, char level[static PRIVS_TEXT_SIZE], struct err *err)
{
	const struct options *o = &confine->setup->options;
	struct paths paths = {.short_of_memory = false};
	struct privs want = {
	    .user = confine_user(o),
	    .files = true,
	    .network = wants_network(confine),
	    .read_paths = (const char *const *)paths.read,
	    .write_paths = (const char *const *)paths.write,
	    .no_seccomp = privs_sanitized(),
	};
	int code;

	collect_reads(&paths, confine->setup);
	collect_writes(&paths, confine);
	code = paths.short_of_memory ? err_set(err, ERR_MEMORY, "out of memory")
				     : privs_drop(&want, level, err);
	paths_free(&paths);
	if (code == 0)
		code = check_evidence(o, err);
	if (code == 0)
		check_reload(confine->setup);
	return code;
}
