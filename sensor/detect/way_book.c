/* SPDX-License-Identifier: Apache-2.0 */
/* way_book.c - see way_book.h. */
#include "detect/way_book.h"

#include <stdlib.h>

#include "base/table.h"
#include "bulkhead/clock.h"

#define WAYS 4096
#define SERIES_NS (600 * NS_PER_SEC)
/* An exchange takes a millisecond and comes every second: by chance one in a thousand falls into
 * another, two in a row one in a million. */
#define NEEDED 2
/* None that is out of order to each four that are not: mirrors lose frames. */
#define SHARE 4

struct way_key {
	struct ip_addr client, server;
	uint32_t host, kind;
};

struct way {
	uint64_t since_ns;
	uint32_t passed, crossed;
};

struct way_book {
	struct table *ways;
};

struct way_book *way_book_new(uint64_t seed)
{
	struct way_book *book = calloc(1, sizeof *book);

	if (book == NULL)
		return NULL;
	book->ways = table_new(WAYS, sizeof(struct way_key), sizeof(struct way), seed);
	if (book->ways == NULL) {
		free(book);
		return NULL;
	}
	return book;
}

void way_book_free(struct way_book *book)
{
	if (book == NULL)
		return;
	table_free(book->ways);
	free(book);
}

uint64_t way_book_evicted(const struct way_book *book)
{
	return table_evicted(book->ways);
}

bool way_book_note(struct way_book *book, enum way_kind kind, const struct ip_addr *client,
		   const struct ip_addr *server, uint32_t host, bool in_order, uint64_t ts_ns)
{
	struct way_key key = {.client = *client, .server = *server, .host = host, .kind = kind};
	struct way *way = table_put(book->ways, &key, NULL);

	if (way->since_ns == 0 || ts_ns - way->since_ns > SERIES_NS)
		*way = (struct way){.since_ns = ts_ns};
	way->passed += in_order;
	way->crossed += !in_order;
	return way->passed >= NEEDED && way->passed >= SHARE * way->crossed;
}
