/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonl.c - the alert documents as JSON lines, in a file or on stdout.
 *
 * The file is opened once, to append: rotate it with copytruncate.  Live, each batch is synced
 * before it counts as delivered, so that the outbox's note of the position is true; after a crash
 * up to a second of lines may be there twice, (alert_id, seq) tells.  A replay starts the file
 * anew and syncs once.
 *
 * A disk that fills up in the middle of a line is an outage: the rest of the line is written when
 * there is room again.  A line that a crash cut short is ended before the next one starts.
 */
#include "bulkhead/sink.h"
#include "sink/file.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct jsonl_state {
	const char *path; /* for messages */
	int fd;
	bool opened; /* fd is ours to close */
	bool replay;
	size_t partial; /* bytes of the next record's line already written */
	char name[256];
};

/* Ends a line that was cut short when somebody died; only where the file can be read back. */
static int end_torn_line(struct jsonl_state *s)
{
	off_t size = lseek(s->fd, 0, SEEK_END); /* negative: a pipe or a terminal */
	char last = '\n';

	if (size <= 0 || pread(s->fd, &last, 1, size - 1) != 1 || last == '\n')
		return 0;
	return write(s->fd, "\n", 1) == 1 ? 0 : -1;
}

/* 0 also for what cannot be synced: a pipe, /dev/null. */
static int sync_file(struct jsonl_state *s)
{
	if (fdatasync(s->fd) == 0 || errno == EINVAL || errno == EROFS)
		return 0;
	return -1;
}

static int jsonl_open(void *state, const struct sink_setup *setup, struct err *err)
{
	struct jsonl_state *s = state;

	s->replay = setup->replay;
	s->path = s->name;
	(void)strncpy(s->name, setup->target, sizeof s->name - 1);
	if (strcmp(setup->target, "-") == 0) {
		s->fd = STDOUT_FILENO;
		s->path = "stdout";
		return 0;
	}
	s->fd = sink_file_append(setup->target, s->replay);
	if (s->fd < 0)
		return err_set(err, ERR_RUN, "%s: cannot open: %s", setup->target, strerror(errno));
	s->opened = true;
	if (end_torn_line(s) != 0)
		return err_set(err, ERR_RUN, "%s: %s", setup->target, strerror(errno));
	return 0;
}

/* 0 when the whole line is out, else the errno. */
static int write_line(struct jsonl_state *s, const struct alert *alert)
{
	size_t total = alert->json_len + 1;

	while (s->partial < total) {
		size_t at = s->partial;
		struct iovec part[2] = {
		    {(char *)(uintptr_t)alert->json + (at < alert->json_len ? at : alert->json_len),
		     at < alert->json_len ? alert->json_len - at : 0},
		    {(char *)(uintptr_t) "\n", 1},
		};
		ssize_t n = writev(s->fd, part, 2);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		s->partial += (size_t)n;
	}
	s->partial = 0;
	return 0;
}

static enum sink_verdict jsonl_deliver(void *state, const struct sink_record *record,
				       unsigned count, unsigned *done, struct err *err)
{
	struct jsonl_state *s = state;
	int error = 0;

	*done = 0;
	while (*done < count && (error = write_line(s, record[*done].alert)) == 0)
		++*done;
	if (error == 0 && s->opened && !s->replay && sync_file(s) != 0) {
		error = errno;
		*done = 0; /* what is not on the disk is written again, rather twice than never */
	}
	if (error == 0)
		return SINK_OK;
	(void)err_set(err, ERR_RUN, "%s: %s", s->path, strerror(error));
	/* Nobody reads stdout any more: that does not heal. */
	return error == EPIPE || error == EBADF ? SINK_FATAL : SINK_RETRY;
}

static void jsonl_close(void *state)
{
	struct jsonl_state *s = state;

	if (!s->opened)
		return;
	(void)sync_file(s); /* nobody is left to tell */
	(void)close(s->fd);
}

const struct sink jsonl_sink = {
    .name = "jsonl",
    .state_size = sizeof(struct jsonl_state),
    .open = jsonl_open,
    .deliver = jsonl_deliver,
    .close = jsonl_close,
};
