/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_mutate.c - changes a sequence of frames as a network would: repeats, drops, swaps,
 * relays, floods; or changes the bytes of one frame and leaves the others whole.
 *
 * libFuzzer's own mutations know nothing of frames: they cut the first length they touch and with
 * it all that follows.
 */
#include "common.h"
#include "pipeline.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

struct span {
	size_t at, len; /* with its head */
};

struct sequence {
	struct span span[SEQUENCE_MAX_FRAMES];
	unsigned count;
	size_t size;
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void parse(const uint8_t *data, size_t size, struct sequence *s)
{
	size_t at = SEQUENCE_HEAD;

	s->count = 0;
	while (s->count < SEQUENCE_MAX_FRAMES && at + SEQUENCE_FRAME_HEAD < size) {
		size_t len = SEQUENCE_FRAME_HEAD + read_be16(data + at + 2);

		if (len > size - at)
			len = size - at;
		s->span[s->count++] = (struct span){at, len};
		at += len;
	}
	s->size = at;
}

/* Puts len bytes at `to`, moving what is behind. */
static size_t insert(uint8_t *data, size_t size, size_t max, size_t to, const uint8_t *bytes,
		     size_t len)
{
	if (len > max - size)
		return size;
	memmove(data + to + len, data + to, size - to);
	memcpy(data + to, bytes, len);
	return size + len;
}

static size_t cut(uint8_t *data, size_t size, const struct span *span)
{
	memmove(data + span->at, data + span->at + span->len, size - span->at - span->len);
	return size - span->len;
}

static size_t mutate_bytes(uint8_t *data, size_t size, size_t max, const struct span *span,
			   uint32_t *state)
{
	uint8_t frame[4096];
	size_t head = SEQUENCE_FRAME_HEAD, len = span->len;

	if (next_random(state) % 8 == 0)
		(void)LLVMFuzzerMutate(data + span->at, 2, 2); /* step and kind */
	if (len > sizeof frame || len <= head)
		return size;
	memcpy(frame, data + span->at, len);
	len = head + LLVMFuzzerMutate(frame + head, len - head, sizeof frame - head);
	if (len - head > UINT16_MAX || size - span->len + len > max)
		return size;
	frame[2] = (uint8_t)((len - head) >> 8);
	frame[3] = (uint8_t)(len - head);
	size = cut(data, size, span);
	return insert(data, size, max, span->at, frame, len);
}

/* The frame goes on from where it went to, as a router or an attacker would send it. */
static size_t relay(uint8_t *data, size_t size, size_t max, const struct span *span,
		    uint32_t *state)
{
	static const uint8_t mac[][6] = {{0x52, 0x54, 0, 0, 0x0a, 1},
					 {0x52, 0x54, 0, 0, 0x0b, 1},
					 {0x52, 0x54, 0, 0, 0, 1},
					 {0x52, 0x54, 0, 0, 0xcc, 1}};
	uint8_t frame[4096];
	size_t head = SEQUENCE_FRAME_HEAD;

	if (span->len > sizeof frame || span->len < head + 34)
		return size;
	memcpy(frame, data + span->at, span->len);
	frame[0] = (uint8_t)(next_random(state) % 6);
	memcpy(frame + head + 6, frame + head, 6);
	memcpy(frame + head, mac[next_random(state) % 4], 6);
	if (next_random(state) % 2 == 0)
		frame[head + 22]--; /* an untagged IPv4 header's TTL */
	return insert(data, size, max, span->at + span->len, frame, span->len);
}

/* Both addresses, both ports and both MACs change places: an answer. */
static size_t answer(uint8_t *data, size_t size, size_t max, const struct span *span)
{
	static const struct {
		uint8_t a, b, len;
	} pair[] = {{0, 6, 6}, {26, 30, 4}, {34, 36, 2}};
	uint8_t frame[4096], hold[6];
	size_t head = SEQUENCE_FRAME_HEAD;

	if (span->len > sizeof frame || span->len < head + 42)
		return size;
	memcpy(frame, data + span->at, span->len);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(hold, frame + head + pair[i].a, pair[i].len);
		memcpy(frame + head + pair[i].a, frame + head + pair[i].b, pair[i].len);
		memcpy(frame + head + pair[i].b, hold, pair[i].len);
	}
	return insert(data, size, max, span->at + span->len, frame, span->len);
}

static size_t repeat(uint8_t *data, size_t size, size_t max, const struct span *from,
		     const struct span *to)
{
	uint8_t frame[4096];

	if (from->len > sizeof frame)
		return size;
	memcpy(frame, data + from->at, from->len);
	return insert(data, size, max, to->at, frame, from->len);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static struct sequence s;
	uint32_t state = seed;
	const struct span *one, *other;
	unsigned what;

	if (size < SEQUENCE_HEAD + SEQUENCE_FRAME_HEAD + 1)
		return LLVMFuzzerMutate(data, size, max);
	parse(data, size, &s);
	one = &s.span[next_random(&state) % s.count];
	other = &s.span[next_random(&state) % s.count];
	what = next_random(&state) % 16;
	size = s.size; /* no crumbs behind the last frame */
	switch (what) {
	case 0:
		data[next_random(&state) % SEQUENCE_HEAD] = (uint8_t)next_random(&state);
		return size;
	case 1:
		return s.count > 1 ? cut(data, size, one) : size;
	case 2:
		return repeat(data, size, max, one, other);
	case 3:
	case 4:
		return relay(data, size, max, one, &state);
	case 5:
		return answer(data, size, max, one);
	default:
		return mutate_bytes(data, size, max, one, &state);
	}
}
