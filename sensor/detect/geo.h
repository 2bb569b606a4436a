/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.h - in which country and network an address is, by MMDB files.
 *
 * The only file that sees libmaxminddb is geo.c.  Private to sensor/detect/.
 */
#ifndef DETECT_GEO_H
#define DETECT_GEO_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/err.h"

struct geo;

struct geo_place {
	char country[3]; /* ISO 3166 alpha-2, "" unknown */
	uint32_t asn;	 /* 0 unknown */
};

/* Either path may be NULL, not both.  ERR_NOINPUT or ERR_CONFIG when one cannot be read. */
int geo_open(struct geo **out, const char *country, const char *asn, struct err *err)
    __attribute__((warn_unused_result));
void geo_close(struct geo *geo); /* NULL is fine */

/* Allocates nothing. */
struct geo_place geo_find(const struct geo *geo, const struct ip_addr *ip);

#endif
