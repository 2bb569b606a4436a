/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.c - see fingerprint.h. */
#include "cli/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "cli/files.h"

/* Chains the hash of one more piece onto the sum, so that order and borders count. */
static void mix(struct hash128 *sum, const void *data, size_t len)
{
	struct hash128 pair[2] = {*sum, hash128_plain(data, len)};

	*sum = hash128_plain(pair, sizeof pair);
}

static void mix_text(struct hash128 *sum, const char *text)
{
	mix(sum, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

int fingerprint(const struct setup *setup, const struct words *words, const char *tap,
		char out[static FINGERPRINT_SIZE], struct err *err)
{
	struct hash128 sum = {0, 0};
	unsigned i;

	for (i = 0; i < words->count; i++) {
		uint64_t once = hash_random_seed();
		struct hash128 content = hash128_plain(&once, sizeof once);

		if (strcmp(words->file[i], "-") != 0) {
			int code = file_hash(words->file[i], &content, err);

			if (code != 0)
				return code;
		}
		mix(&sum, &content, sizeof content);
	}
	mix_text(&sum, inventory_revision(setup->inventory));
	mix_text(&sum, rules_revision(setup->rules));
	mix_text(&sum, words->filter);
	mix_text(&sum, tap);
	mix_text(&sum, setup->options.sensor.name);
	mix_text(&sum, setup->options.sensor.site);
	mix(&sum, &setup->options.windows, sizeof setup->options.windows);
	mix(&sum, &setup->options.dpi, sizeof setup->options.dpi);
	mix_text(&sum, BULKHEAD_VERSION);
	(void)snprintf(out, FINGERPRINT_SIZE, "replay-%016llx%016llx", (unsigned long long)sum.hi,
		       (unsigned long long)sum.lo);
	return 0;
}
