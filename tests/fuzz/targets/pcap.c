/* SPDX-License-Identifier: Apache-2.0 */
/* pcap.c - a pcap file.  The magic number stands: other targets are for other formats. */
#include "capture/source.h"
#include "common.h"
#include "savefile.h"

static const uint8_t magic[][4] = {{0xa1, 0xb2, 0xc3, 0xd4},
				   {0xd4, 0xc3, 0xb2, 0xa1},
				   {0xa1, 0xb2, 0x3c, 0x4d},
				   {0x4d, 0x3c, 0xb2, 0xa1}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 4)
		return 0;
	copy = fuzz_copy(data, size);
	if (!pcap_is_magic(copy))
		memcpy(copy, magic[data[0] % (sizeof magic / sizeof magic[0])], 4);
	fuzz_savefile(copy, size, size % 16 == 1 ? "udp port 53 or vlan 100" : NULL);
	free(copy);
	return 0;
}
