/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - bulkhead.yaml. */
#include "common.h"

#include <unistd.h>

#include "bulkhead/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = {0};
	struct options options = {0};
	struct err err = {0};
	char path[FUZZ_PATH_SIZE];
	int fd = fuzz_file(data, size, path);
	int rc = options_load(&options, path, &problems, &err);

	FUZZ_CHECK(rc == 0 || (rc == ERR_CONFIG && (problems.errors > 0 || err.text[0] != '\0')));
	if (rc == 0) {
		FUZZ_CHECK(problems.errors == 0);
		FUZZ_CHECK(options.sensor.name != NULL && options.sensor.site != NULL);
		FUZZ_CHECK(options.capture_count <= OPTIONS_MAX_CAPTURES);
		for (unsigned i = 0; i < options.capture_count; i++)
			FUZZ_CHECK(options.capture[i].interface != NULL);
		FUZZ_CHECK(options.limits.flows > 0 && options.limits.open_alerts > 0);
	}
	options_free(&options);
	problems_fini(&problems);
	(void)close(fd);
	return 0;
}
