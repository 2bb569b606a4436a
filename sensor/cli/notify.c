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
static void send_state(const char *state)
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

void notify_ready(const char *status)
{
	char text[512];

	(void)snprintf(text, sizeof text, "READY=1\nSTATUS=%s\n", status);
	send_state(text);
}

void notify_reloading(void)
{
	char text[96];

	(void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
		       (unsigned long long)(clock_monotonic() / NS_PER_US));
	send_state(text);
}

void notify_stopping(void)
{
	send_state("STOPPING=1\nSTATUS=draining\n");
}

void notify_watchdog(void)
{
	send_state("WATCHDOG=1\n");
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
