/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c - see input.h.
 *
 * Files are read, not mapped: copied in pieces that stay in the cache, a frame costs half of what
 * the page faults of a mapping do (60 against 115 ns for frames of 371 bytes, Linux 6.18), and a
 * file that another program makes shorter is an end instead of a SIGBUS.
 */
#include "capture/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10) /* at once: fits the second-level cache */
#define LITTLE ((size_t)4 << 10)      /* is moved at once */
#define PACKED_SIZE ((size_t)64 << 10)
#define WAIT_MS 100

/* Packed bytes, behind the struct; used only with an unpacker, and for the first look. */
struct reader {
	struct input input;
	bool held; /* the unpacker filled all the room it got: it may hold more */
	size_t packed_at, packed_end;
	uint8_t packed[PACKED_SIZE];
};

static enum input_state fail(struct input *in, enum err_code code, const char *what)
{
	(void)err_set(&in->err, code, "%s", what);
	in->ended = true;
	return INPUT_BROKEN;
}

static enum input_state broken(struct input *in, const char *what)
{
	return fail(in, ERR_DATA, what);
}

/* Waits only when the caller has nothing else to do. */
static bool readable(struct input *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	int n;

	if (in->regular)
		return true;
	n = poll(&p, 1, in->idle ? WAIT_MS : 0);
	in->interrupted = n < 0 && errno == EINTR;
	return n > 0;
}

/* Bytes of fd into buf; sets ended.  LATER: nothing there now, or a signal came. */
static enum input_state read_fd(struct input *in, uint8_t *buf, size_t room, size_t *got)
{
	ssize_t n;

	*got = 0;
	if (!readable(in))
		return INPUT_LATER;
	n = read(in->fd, buf, room < READ_SIZE ? room : READ_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_LATER;
	if (n < 0)
		return fail(in, ERR_RUN, strerror(errno));
	in->ended = n == 0;
	in->taken += (uint64_t)n;
	*got = (size_t)n;
	return INPUT_READY;
}

static enum input_state more_packed(struct reader *r)
{
	enum input_state state;
	size_t got;

	if (r->packed_at < r->packed_end || r->held || r->input.ended)
		return INPUT_READY;
	state = read_fd(&r->input, r->packed, sizeof r->packed, &got);
	r->packed_at = 0;
	r->packed_end = got;
	return state;
}

static enum input_state unpack_more(struct reader *r, uint8_t *out, size_t room, size_t *got)
{
	struct input *in = &r->input;
	struct unpack_step step = {.out = out, .out_len = room};
	enum input_state state = more_packed(r);

	*got = 0;
	if (state != INPUT_READY)
		return state;
	step.in = r->packed + r->packed_at;
	step.in_len = r->packed_end - r->packed_at;
	if (!unpack(in->unpacker, &step))
		return step.starved ? fail(in, ERR_MEMORY, "out of memory")
				    : broken(in, "the compressed data is corrupt");
	*got = room - step.out_len;
	if (*got == 0 && r->packed_at == r->packed_end && !r->held) /* then fd has ended */
		return unpack_whole(in->unpacker) ? INPUT_END
						  : broken(in, "the compressed data is truncated");
	r->packed_at = r->packed_end - step.in_len;
	r->held = step.out_len == 0;
	return INPUT_READY;
}

static enum input_state more(struct input *in)
{
	struct reader *r = (struct reader *)in;
	uint8_t *end = in->window + (in->end - in->window);
	size_t used = (size_t)(end - in->window), got = 0;
	size_t room = used < in->limit ? in->limit - used : in->idle ? INPUT_WINDOW - used : 0;
	enum input_state state;

	if (room == 0)
		return INPUT_LATER;
	if (in->unpacker != NULL) {
		state = unpack_more(r, end, room, &got);
	} else if (r->packed_at < r->packed_end) { /* the first look's bytes */
		got = r->packed_end - r->packed_at;
		got = got < room ? got : room;
		memcpy(end, r->packed + r->packed_at, got);
		r->packed_at += got;
		state = INPUT_READY;
	} else if (in->ended) {
		return INPUT_END;
	} else {
		state = read_fd(in, end, room, &got);
	}
	in->end += got;
	return state;
}

/* Passes over what is there; at the start of the window again when all was. */
static void pass(struct input *in)
{
	size_t left = input_left(in), n = in->skip < left ? (size_t)in->skip : left;

	in->at += n;
	in->skip -= n;
	if (in->skip != 0 && in->idle)
		in->at = in->end = in->window;
}

enum input_state input_fill(struct input *in, size_t len)
{
	enum input_state state;

	for (;;) {
		pass(in);
		if (in->skip == 0 && input_left(in) >= len)
			return INPUT_READY;
		if (in->err.code != ERR_NONE)
			return INPUT_BROKEN;
		if (in->skip == 0 && len > (size_t)(in->window + INPUT_WINDOW - in->at))
			return INPUT_LATER;
		state = more(in);
		if (state != INPUT_READY)
			return state;
	}
}

void input_recycle(struct input *in)
{
	size_t used;

	if (in->window != in->own)
		return;
	in->idle = true;
	/* What is left of the last piece, when that is little; else when half the window is behind
	 * us: each byte is moved once at most. */
	used = (size_t)(in->at - in->window);
	if (used == 0 || (input_left(in) > LITTLE && used < INPUT_WINDOW - INPUT_MAX_NEED))
		return;
	memmove(in->window, in->at, input_left(in));
	in->end -= used;
	in->at = in->window;
}

void input_move(struct input *in, uint8_t *memory)
{
	size_t left = input_left(in);

	memmove(memory, in->at, left);
	in->at = in->window = memory;
	in->end = memory + left;
	in->limit = INPUT_MOVED;
	in->idle = true;
}

double input_progress(const struct input *in)
{
	if (in->size == 0)
		return -1;
	return in->taken < in->size ? (double)in->taken / (double)in->size : 1;
}

static int open_fd(const char *name, struct err *err)
{
	int fd;

	if (strcmp(name, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		return fd;
	return err_set(err, errno == EACCES || errno == EPERM ? ERR_PERM : ERR_NOINPUT,
		       "cannot open the capture: %s", strerror(errno));
}

/* The first bytes tell whether the input is compressed. */
static int look(struct reader *r, struct err *err)
{
	struct input *in = &r->input;
	enum input_state state;
	size_t got;

	while (r->packed_end < UNPACK_MAGIC && !in->ended) {
		state =
		    read_fd(in, r->packed + r->packed_end, sizeof r->packed - r->packed_end, &got);
		if (state == INPUT_BROKEN)
			return err_set(err, in->err.code, "%s", in->err.text);
		if (in->interrupted)
			return err_set(err, ERR_RUN, "interrupted");
		r->packed_end += got;
	}
	if (r->packed_end < UNPACK_MAGIC || !unpack_wanted(r->packed))
		return 0;
	in->unpacker = unpacker_new(r->packed);
	return in->unpacker == NULL ? err_set(err, ERR_MEMORY, "out of memory") : 0;
}

int input_open(struct input **input, const char *name, struct err *err)
{
	struct reader *r = calloc(1, sizeof *r);
	struct input *in;
	struct stat st;
	int rc;

	if (r == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	in = &r->input;
	in->idle = true;
	rc = in->fd = open_fd(name, err);
	if (rc < 0)
		goto out;
	if (fstat(in->fd, &st) != 0) {
		rc = err_set(err, ERR_RUN, "%s", strerror(errno));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		rc = err_set(err, ERR_NOINPUT, "is a folder, not a capture");
		goto out;
	}
	in->regular = S_ISREG(st.st_mode);
	in->size = in->regular ? (uint64_t)st.st_size : 0;
	in->window = in->own = malloc(INPUT_WINDOW);
	if (in->window == NULL) {
		rc = err_set(err, ERR_MEMORY, "out of memory");
		goto out;
	}
	in->limit = READ_SIZE;
	in->at = in->end = in->window;
	rc = look(r, err);
	if (rc == 0) {
		*input = in;
		return 0;
	}
out:
	input_close(in);
	return rc;
}

void input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->fd >= 0)
		(void)close(in->fd); /* read only: nothing to lose */
	unpacker_free(in->unpacker);
	free(in->own);
	free(in);
}
