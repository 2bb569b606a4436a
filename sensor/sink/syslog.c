/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syslog.c - the alert documents to the system's logger, one message each.
 *
 * Not syslog(3): that function tells nobody when the message was lost.  The message is RFC 3164
 * as local loggers expect it, facility daemon, with the document behind the "@cee:" cookie that
 * rsyslog and syslog-ng parse as JSON.  A logger that is away or slow is an outage.
 */
#include "bulkhead/sink.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bulkhead/clock.h"

#define DEFAULT_SOCKET "/dev/log"
#define FACILITY_DAEMON (3 << 3)
#define MESSAGE_SIZE (ALERT_JSON_SIZE + 128)

struct syslog_state {
	struct sockaddr_un where;
	int fd;
	bool opened;
};

static int syslog_open(void *state, const struct sink_setup *setup, struct err *err)
{
	struct syslog_state *s = state;
	const char *path = setup->target == NULL ? DEFAULT_SOCKET : setup->target;

	if (strlen(path) >= sizeof s->where.sun_path)
		return err_set(err, ERR_CONFIG, "syslog: the socket's path is too long: %s", path);
	s->where.sun_family = AF_UNIX;
	(void)strncpy(s->where.sun_path, path, sizeof s->where.sun_path - 1);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return err_set(err, ERR_RUN, "syslog: %s", strerror(errno));
	s->opened = true;
	return 0;
}

static int level_of(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
		return 2; /* crit */
	case SEVERITY_HIGH:
		return 3; /* err */
	case SEVERITY_MEDIUM:
		return 4; /* warning */
	case SEVERITY_LOW:
		return 5; /* notice */
	default:
		return 6; /* info */
	}
}

static int send_one(struct syslog_state *s, const struct alert *alert)
{
	char message[MESSAGE_SIZE], stamp[32];
	time_t now = (time_t)(clock_wall() / NS_PER_SEC);
	struct tm tm;
	ssize_t sent;
	int len;

	(void)localtime_r(&now, &tm); /* local loggers expect local time */
	(void)strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &tm);
	len = snprintf(message, sizeof message, "<%d>%s bulkhead[%d]: @cee: %.*s",
		       FACILITY_DAEMON | level_of(alert->severity), stamp, (int)getpid(),
		       (int)alert->json_len, alert->json);
	assert(len > 0 && (size_t)len < sizeof message); /* it has room for any document */
	sent = sendto(s->fd, message, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
		      (const struct sockaddr *)&s->where, sizeof s->where);
	return sent < 0 ? errno : 0;
}

static enum sink_verdict syslog_deliver(void *state, const struct sink_record *record,
					unsigned count, unsigned *done, struct err *err)
{
	struct syslog_state *s = state;
	int error = 0;

	for (*done = 0; *done < count; ++*done) {
		error = send_one(s, record[*done].alert);
		if (error != 0)
			break;
	}
	if (error == 0)
		return SINK_OK;
	(void)err_set(err, ERR_RUN, "syslog %s: %s", s->where.sun_path, strerror(error));
	return SINK_RETRY;
}

static void syslog_close(void *state)
{
	struct syslog_state *s = state;

	if (s->opened)
		(void)close(s->fd);
}

const struct sink syslog_sink = {
    .name = "syslog",
    .state_size = sizeof(struct syslog_state),
    .open = syslog_open,
    .deliver = syslog_deliver,
    .close = syslog_close,
};
