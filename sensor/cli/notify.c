/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - see notify.h. */
#include "cli/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bulkhead/clock.h"

/* Best effort: a manager that does not listen is none of our failures. */
static void send_to_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* the abstract name space */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	(void)close(fd);
}

static void tell(int to, const char *state)
{
	if (to < 0)
		send_to_manager(state);
	else
		(void)send(to, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_ready(int to, const char *status)
{
	char text[NOTIFY_TEXT_SIZE];

	(void)snprintf(text, sizeof text, "READY=1\nSTATUS=%s\n", status);
	tell(to, text);
}

void notify_reloading(int to)
{
	char text[96];

	(void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
		       (unsigned long long)(clock_monotonic() / NS_PER_US));
	tell(to, text);
}

void notify_stopping(int to)
{
	tell(to, "STOPPING=1\nSTATUS=draining\n");
}

void notify_watchdog(int to)
{
	tell(to, "WATCHDOG=1\n");
}

void notify_status(int to, const char *status)
{
	char text[NOTIFY_TEXT_SIZE];

	(void)snprintf(text, sizeof text, "STATUS=%s\n", status);
	tell(to, text);
}

uint64_t notify_watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end;
	unsigned long long value;

	if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	value = strtoull(usec, &end, 10);
	if (*end != '\0' || value > UINT64_MAX / NS_PER_US)
		return 0;
	return value * NS_PER_US / 2; /* sd_watchdog_enabled(3): half the time */
}
