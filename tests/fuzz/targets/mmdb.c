/* SPDX-License-Identifier: Apache-2.0 */
/* mmdb.c - a MaxMind DB file, and questions to it. */
#include "common.h"

#include <unistd.h>

#include "detect/geo.h"

const char *__lsan_default_suppressions(void);

/* libmaxminddb 1.7 forgets some of the metadata when the rest of it is wrong. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb.so";
}

static void check_place(const struct geo *geo, const struct ip_addr *ip)
{
	struct geo_place place = geo_find(geo, ip);

	FUZZ_CHECK(memchr(place.country, 0, sizeof place.country) != NULL);
	for (unsigned i = 0; place.country[i] != '\0'; i++)
		FUZZ_CHECK(place.country[i] >= 'A' && place.country[i] <= 'Z');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct geo *geo = NULL;
	struct err err = {0};
	char path[FUZZ_PATH_SIZE];
	int fd = fuzz_file(data, size, path);
	int rc = geo_open(&geo, path, path, &err);

	FUZZ_CHECK((rc == 0) == (geo != NULL));
	if (rc != 0)
		FUZZ_CHECK((rc == ERR_NOINPUT || rc == ERR_CONFIG) && err.text[0] != '\0');
	for (unsigned i = 0; rc == 0 && i < 256; i += 15) {
		check_place(geo, &(struct ip_addr){.b = {[10] = 0xff, 0xff, (uint8_t)i, 1, 2, 3}});
		check_place(geo, &(struct ip_addr){.b = {(uint8_t)i, [15] = 1}});
	}
	geo_close(geo);
	(void)close(fd);
	return 0;
}
