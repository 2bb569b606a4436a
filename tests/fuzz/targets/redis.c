/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.c - the Redis sink against a server that answers anything.
 *
 *	input: bits | answer ...	answer: length (be16) | bytes
 *
 * There is no server: the linker puts our own send(), recv() and poll() in the sink's way.  Each
 * recv() gives the next answer; when there is no more the connection ends.  What the sink says it
 * delivered must have been answered; nothing it is told may hurt it.
 */
#include "common.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bulkhead/clock.h"
#include "sink/list.h"
#include "sink/redis_url.h"

#define RECORDS 3
#define WORDS 4

static char url[128];
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct cursor answers;

uint64_t __wrap_clock_monotonic(void);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);

/* The sink asks for an echo of it. */
uint64_t __wrap_clock_monotonic(void)
{
	return NS_PER_SEC;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)timeout;
	fds[0].revents = fds[0].events;
	return (int)count;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	(void)fd;
	(void)data;
	(void)flags;
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	size_t next = cursor_be16(&answers);

	(void)fd;
	(void)flags;
	next = next < cursor_left(&answers) ? next : cursor_left(&answers);
	next = next < len ? next : len;
	if (answers.failed || next == 0)
		return 0;
	memcpy(data, cursor_take(&answers, next), next);
	return (ssize_t)next;
}

static void check_words(const struct soc_word *word, unsigned count)
{
	FUZZ_CHECK(count <= WORDS);
	for (unsigned i = 0; i < count; i++) {
		FUZZ_CHECK(memchr(word[i].id, 0, sizeof word[i].id) != NULL && word[i].id[0] != 0);
		FUZZ_CHECK(strcmp(word[i].action, "ack") == 0 ||
			   strcmp(word[i].action, "close") == 0 ||
			   strcmp(word[i].action, "suppress") == 0);
	}
}

static void use_sink(void *state, uint8_t bits)
{
	static struct alert alert = {.seq = 1, .json = "{}", .json_len = 2};
	static struct heartbeat beat = {.sensor = "s", .site = "t", .version = "1"};
	struct sink_record record[RECORDS];
	struct soc_word word[WORDS];
	struct err err = {0};
	uint64_t sequence = 0;
	unsigned done = 0, count = 0;

	for (unsigned i = 0; i < RECORDS; i++)
		record[i] = (struct sink_record){i + 1, &alert};
	memcpy(alert.id, "00112233445566778899aabbccddeeff", ALERT_ID_SIZE);
	if (redis_sink.resume(state, &sequence, &err) != SINK_OK)
		return;
	if (bits & 1) {
		enum sink_verdict v = redis_sink.deliver(state, record, RECORDS, &done, &err);

		FUZZ_CHECK(done <= RECORDS && (v == SINK_OK || v == SINK_RETRY));
		FUZZ_CHECK(v != SINK_OK || done == RECORDS);
		if (v != SINK_OK)
			return;
	}
	if ((bits & 2) && redis_sink.heartbeat(state, &beat, &err) != SINK_OK)
		return;
	if (redis_sink.poll(state, word, WORDS, &count, &err) == SINK_OK)
		check_words(word, count);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/r", fuzz_folder());
	(void)snprintf(url, sizeof url, "unix://%s/r", fuzz_folder());
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options;
	struct sink_setup setup = {
	    .options = &options, .target = url, .cursor_name = "fuzz", .stats = NULL};
	struct stats stats = {0};
	struct err err = {0};
	void *state = calloc(1, redis_sink.state_size);
	int listener;

	if (size < 3) {
		free(state);
		return 0;
	}
	options.redis.maxlen = 100;
	options.redis.queue = (data[0] & 4) != 0;
	options.redis.wait_replicas = (data[0] & 8) != 0;
	setup.replay = (data[0] & 16) != 0;
	setup.stats = &stats;
	answers = cursor_over(data + 1, size - 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(state != NULL && listener >= 0);
	(void)unlink(address.sun_path);
	FUZZ_CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
	FUZZ_CHECK(listen(listener, 8) == 0); /* connections are never taken */
	if (redis_sink.open(state, &setup, &err) == 0)
		use_sink(state, data[0]);
	redis_sink.close(state);
	(void)close(listener);
	free(state);
	return 0;
}
