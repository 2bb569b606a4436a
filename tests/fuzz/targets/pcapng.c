/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng.c - a pcapng file.  The magic number stands: other targets are for other formats. */
#include "capture/source.h"
#include "common.h"
#include "savefile.h"

static const uint8_t magic[][4] = {{0x0a, 0x0d, 0x0d, 0x0a}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 4)
		return 0;
	copy = fuzz_copy(data, size);
	if (!pcapng_is_magic(copy))
		memcpy(copy, magic[data[0] % (sizeof magic / sizeof magic[0])], 4);
	fuzz_savefile(copy, size, size % 16 == 1 ? "udp port 53 or vlan 100" : NULL);
	free(copy);
	return 0;
}
