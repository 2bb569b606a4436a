/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way_book.h - how often what a host is asked, and what it asks, hang together.
 *
 * Where all machines of a place serve and fetch the same files, one exchange falls into another by
 * chance now and then; through a proxy each does.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_WAY_BOOK_H
#define DETECT_WAY_BOOK_H

#include "bulkhead/detector.h"

/* Counted apart: answers of HTTP, and pairs of connections in step. */
enum way_kind { WAY_ANSWERS, WAY_STEPS };

struct way_book;

struct way_book *way_book_new(uint64_t seed);
void way_book_free(struct way_book *book);
uint64_t way_book_evicted(const struct way_book *book);

/* Once more one end got what the other gave, by that host; in a proxy's order, or not.  True when
 * it is as proxies do. */
bool way_book_note(struct way_book *book, enum way_kind kind, const struct ip_addr *client,
		   const struct ip_addr *server, uint32_t host, bool in_order, uint64_t ts_ns);

#endif
