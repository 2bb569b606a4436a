/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that is built up once and freed whole.
 *
 * For what lives as long as one generation of configuration: inventory, rules, a parsed
 * YAML file.  Never used on the packet path.  One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void); /* NULL when memory is short */
void arena_free(struct arena *arena);
/* Zeroed, aligned for any type; NULL when memory is short. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size); /* checks the product */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_bytes(const struct arena *arena); /* handed out so far */

#endif
