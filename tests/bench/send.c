/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send.c - sends a capture's frames over an interface, a given number at a given rate.
 *
 *	send INTERFACE CAPTURE NUMBER RATE      (RATE 0: as fast as it goes)
 *
 * From the start again where the capture ends.  Prints how many frames the kernel took, and the
 * frames a second.  tcpreplay reaches its limit at a few hundred thousand a second, this not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16
#define FILE_HEADER 24
#define RECORD_HEADER 16

struct capture {
	const uint8_t *bytes;
	size_t len, at;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Our own generator's files: native byte order, whole records. */
static struct iovec next_frame(struct capture *c)
{
	struct iovec frame;
	uint32_t len;

	if (c->at + RECORD_HEADER > c->len)
		c->at = FILE_HEADER;
	memcpy(&len, c->bytes + c->at + 8, sizeof len);
	frame.iov_base = (void *)(uintptr_t)(c->bytes + c->at + RECORD_HEADER);
	frame.iov_len = len;
	c->at += RECORD_HEADER + len;
	return frame;
}

static int open_capture(struct capture *c, const char *name)
{
	struct stat info;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &info) != 0 || info.st_size <= FILE_HEADER + RECORD_HEADER)
		return -1;
	c->len = (size_t)info.st_size;
	c->at = FILE_HEADER;
	c->bytes = mmap(NULL, c->len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	(void)close(fd);
	return c->bytes == MAP_FAILED ? -1 : 0;
}

static int open_link(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0: receives nothing */

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		return -1;
	return fd;
}

/* Sends up to BATCH frames; how many the kernel took. */
static uint64_t send_batch(int fd, struct capture *c, unsigned want)
{
	struct mmsghdr message[BATCH];
	struct iovec frame[BATCH];
	unsigned sent = 0;

	memset(message, 0, sizeof message);
	for (unsigned i = 0; i < want; i++) {
		frame[i] = next_frame(c);
		message[i].msg_hdr.msg_iov = &frame[i];
		message[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < want) {
		int n = sendmmsg(fd, message + sent, want - sent, 0);

		if (n > 0)
			sent += (unsigned)n;
		else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return sent;
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct capture capture;
	uint64_t number, rate, start, spent, sent = 0;
	int fd;

	if (argc != 5)
		return 2;
	fd = open_link(argv[1]);
	if (fd < 0 || open_capture(&capture, argv[2]) != 0) {
		perror("send");
		return 1;
	}
	number = strtoull(argv[3], NULL, 10);
	rate = strtoull(argv[4], NULL, 10);
	start = now_ns();
	while (sent < number) {
		unsigned want = number - sent < BATCH ? (unsigned)(number - sent) : BATCH;
		uint64_t done = send_batch(fd, &capture, want);

		sent += done;
		if (done < want)
			break;
		while (rate != 0 && (now_ns() - start) * (double)rate < (double)sent * 1e9)
			continue;
	}
	spent = now_ns() - start;
	(void)printf("%llu %.0f\n", (unsigned long long)sent, (double)sent * 1e9 / (double)spent);
	return sent == number ? 0 : 1;
}
