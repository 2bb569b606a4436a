/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp_guard.h - looks at every byte a Redis sends before hiredis does.
 *
 * hiredis 0.14 believes a length it is told: thirteen bytes make it reserve 8 GiB.  The guard
 * walks the framing of RESP2 (simple lines, bulk strings, arrays) and refuses what no reply to our
 * commands can hold; a refusal ends the connection like any other garbage.
 *
 * It is strict where hiredis is lenient (CR LF, plain decimal lengths), so that both always
 * agree on where a length stands.
 */
#ifndef SINK_RESP_GUARD_H
#define SINK_RESP_GUARD_H

#include <stddef.h>
#include <stdint.h>

#define RESP_MAX_LINE 4096	     /* an error text, a status */
#define RESP_MAX_BULK (1u << 20)     /* one string */
#define RESP_MAX_ELEMENTS (1u << 16) /* of all arrays of one exchange together */
#define RESP_MAX_BYTES (8u << 20)    /* of one exchange */

struct resp_guard {
	uint64_t body;	   /* bytes of a bulk string, with its CR LF, still to pass */
	uint64_t bytes;	   /* seen in this exchange */
	uint32_t elements; /* announced in this exchange */
	uint32_t line_len;
	char type;
	char digits[12]; /* the length's text */
};

/* A new connection. */
void resp_guard_init(struct resp_guard *guard);
/* A new exchange: the budgets start again; the place in the framing stays. */
void resp_guard_exchange(struct resp_guard *guard);
/* NULL, or what is wrong with the bytes. */
const char *resp_guard_feed(struct resp_guard *guard, const char *data, size_t len);

#endif
