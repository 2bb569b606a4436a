/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - base/arena.h with an allocation of its own for each piece.
 *
 * In place of base/arena.c: there pieces lie side by side, and a byte too many falls into the next
 * one unseen.
 */
#include "base/arena.h"

#include <stdarg.h>

#include "common.h"

struct piece {
	struct piece *next;
	size_t size;
	void *bytes;
};

struct arena {
	struct piece *first;
	size_t total;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	while (arena != NULL && arena->first != NULL) {
		struct piece *piece = arena->first;

		arena->first = piece->next;
		free(piece->bytes);
		free(piece);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct piece *piece = calloc(1, sizeof *piece);

	FUZZ_CHECK(piece != NULL);
	piece->bytes = calloc(1, size > 0 ? size : 1);
	if (piece->bytes == NULL) { /* absurdly large */
		free(piece);
		return NULL;
	}
	piece->next = arena->first;
	arena->first = piece;
	arena->total += size;
	return piece->bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text = NULL, *copy;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	FUZZ_CHECK(len >= 0);
	copy = arena_strndup(arena, text, (size_t)len);
	free(text);
	return copy;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->total;
}
