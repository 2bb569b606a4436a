/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp.c - bytes of a Redis through the guard and then hiredis: what the guard lets pass must not
 * make hiredis reserve more than it was sent.
 *
 *	input: piece sizes (8 bytes) | bytes
 */
#include "common.h"

#include <hiredis/hiredis.h>
#include <malloc.h>

#include "sink/resp_guard.h"

size_t __sanitizer_get_current_allocated_bytes(void);

/* Of a reply's own structures for each byte on the wire: an element takes at least four. */
#define BYTES_A_BYTE 64
#define BYTES_SPARE (1 << 20)

static void drain(redisReader *reader, bool *good)
{
	void *reply;

	do {
		reply = NULL;
		*good = redisReaderGetReply(reader, &reply) == REDIS_OK;
		if (reply != NULL)
			freeReplyObject(reply);
	} while (*good && reply != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	redisReader *reader;
	struct resp_guard guard;
	size_t at = 8, before = __sanitizer_get_current_allocated_bytes();
	bool good = true;

	if (size < 8)
		return 0;
	reader = redisReaderCreate();
	FUZZ_CHECK(reader != NULL);
	resp_guard_init(&guard);
	for (unsigned n = 0; at < size && good; n++) {
		size_t len = 1 + (size_t)data[n % 8] * 4;

		len = len < size - at ? len : size - at;
		if (n % 8 == 7)
			resp_guard_exchange(&guard);
		if (resp_guard_feed(&guard, (const char *)data + at, len) != NULL)
			break;
		FUZZ_CHECK(redisReaderFeed(reader, (const char *)data + at, len) == REDIS_OK);
		drain(reader, &good);
		at += len;
		FUZZ_CHECK(__sanitizer_get_current_allocated_bytes() - before <
			   BYTES_SPARE + BYTES_A_BYTE * (size_t)RESP_MAX_ELEMENTS +
			       BYTES_A_BYTE * at);
	}
	redisReaderFree(reader);
	return 0;
}
