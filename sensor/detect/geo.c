/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.c - see geo.h.
 *
 * Two layouts are in use: MaxMind's and DB-IP's (country.iso_code, autonomous_system_number) and
 * the flat one of IPinfo (country_code or country, asn as "AS64500").
 */
#include "detect/geo.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct geo {
	MMDB_s country, asn;
	bool has_country, has_asn;
};

static int open_one(MMDB_s *db, bool *has, const char *path, struct err *err)
{
	int status;

	if (path == NULL)
		return 0;
	status = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (status != MMDB_SUCCESS)
		return err_set(err, status == MMDB_FILE_OPEN_ERROR ? ERR_NOINPUT : ERR_CONFIG,
			       "%s: %s", path,
			       status == MMDB_IO_ERROR ? strerror(errno) : MMDB_strerror(status));
	*has = true;
	return 0;
}

int geo_open(struct geo **out, const char *country, const char *asn, struct err *err)
{
	struct geo *geo = calloc(1, sizeof *geo);
	int rc;

	*out = NULL;
	if (geo == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	rc = open_one(&geo->country, &geo->has_country, country, err);
	if (rc == 0)
		rc = open_one(&geo->asn, &geo->has_asn, asn, err);
	if (rc != 0) {
		geo_close(geo);
		return rc;
	}
	*out = geo;
	return 0;
}

void geo_close(struct geo *geo)
{
	if (geo == NULL)
		return;
	if (geo->has_country)
		MMDB_close(&geo->country);
	if (geo->has_asn)
		MMDB_close(&geo->asn);
	free(geo);
}

static bool entry_of(const MMDB_s *db, const struct ip_addr *ip, MMDB_entry_s *entry)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	MMDB_lookup_result_s found;
	int status = MMDB_SUCCESS;

	if (ip_is_v4(ip)) {
		memcpy(&v4.sin_addr, ip->b + 12, 4);
		found =
		    MMDB_lookup_sockaddr(db, (const struct sockaddr *)(const void *)&v4, &status);
	} else {
		memcpy(&v6.sin6_addr, ip->b, 16);
		found =
		    MMDB_lookup_sockaddr(db, (const struct sockaddr *)(const void *)&v6, &status);
	}
	if (status != MMDB_SUCCESS || !found.found_entry)
		return false;
	*entry = found.entry;
	return true;
}

static bool value_of(MMDB_entry_s *entry, MMDB_entry_data_s *data, uint32_t type,
		     const char *const path[])
{
	return MMDB_aget_value(entry, data, path) == MMDB_SUCCESS && data->has_data &&
	       data->type == type;
}

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static void find_country(MMDB_entry_s *entry, char country[static 3])
{
	static const char *const nested[] = {"country", "iso_code", NULL};
	static const char *const code[] = {"country_code", NULL};
	static const char *const flat[] = {"country", NULL};
	MMDB_entry_data_s data;

	if (!value_of(entry, &data, MMDB_DATA_TYPE_UTF8_STRING, nested) &&
	    !value_of(entry, &data, MMDB_DATA_TYPE_UTF8_STRING, code) &&
	    !value_of(entry, &data, MMDB_DATA_TYPE_UTF8_STRING, flat))
		return;
	if (data.data_size == 2 && is_letter(data.utf8_string[0]) && is_letter(data.utf8_string[1]))
		memcpy(country, data.utf8_string, 2);
}

static uint32_t find_asn(MMDB_entry_s *entry)
{
	static const char *const number[] = {"autonomous_system_number", NULL};
	static const char *const flat[] = {"asn", NULL};
	MMDB_entry_data_s data;
	uint64_t asn = 0;

	if (value_of(entry, &data, MMDB_DATA_TYPE_UINT32, number))
		return data.uint32;
	if (!value_of(entry, &data, MMDB_DATA_TYPE_UTF8_STRING, flat) || data.data_size < 3 ||
	    data.data_size > 12 || memcmp(data.utf8_string, "AS", 2) != 0)
		return 0;
	for (uint32_t i = 2; i < data.data_size; i++) {
		if (data.utf8_string[i] < '0' || data.utf8_string[i] > '9')
			return 0;
		asn = asn * 10 + (uint64_t)(data.utf8_string[i] - '0');
	}
	return asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

struct geo_place geo_find(const struct geo *geo, const struct ip_addr *ip)
{
	struct geo_place place = {0};
	MMDB_entry_s entry;

	if (geo->has_country && entry_of(&geo->country, ip, &entry))
		find_country(&entry, place.country);
	if (geo->has_asn && entry_of(&geo->asn, ip, &entry))
		place.asn = find_asn(&entry);
	return place;
}
