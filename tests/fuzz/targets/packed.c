/* SPDX-License-Identifier: Apache-2.0 */
/* packed.c - a capture file as it came: gzip, zstd, or anything else. */
#include "common.h"
#include "savefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_savefile(data, size, NULL);
	return 0;
}
