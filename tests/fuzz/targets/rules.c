/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - a rules file: load, print, judge, run the tests in it. */
#include "common.h"
#include "rulefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* `times: 100000` in each of many tests is slow, not wrong. */
	if (size < 16384)
		fuzz_rules(data, size);
	return 0;
}
