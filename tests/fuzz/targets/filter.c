/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c - a BPF filter's text: checked, and run over a frame of each link type. */
#include "common.h"

#include <netdb.h>

#include "capture/source.h"

/* libpcap looks host names up; no input may ask the network.  Exported in place of libc's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **res)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)res;
	return EAI_FAIL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = {LINK_ETHERNET, LINK_RAW, LINK_LINUX_SLL, LINK_IPV6};
	static const uint8_t bytes[64] = {[12] = 8, [14] = 0x45, [23] = 17};
	struct filter *filter = NULL;
	struct err err = {0};
	char *text;

	text = fuzz_text(data, size);
	if (size < 512 && capture_check_filter(text, &err) == 0) {
		FUZZ_CHECK(filter_new(&filter, text, &err) == 0);
		for (unsigned i = 0; i < 4; i++) {
			struct frame frame = {.data = bytes,
					      .caplen = sizeof bytes,
					      .len = sizeof bytes,
					      .linktype = links[i]};
			int rc = filter_passes(filter, &frame, &err);

			FUZZ_CHECK(rc <= 1 && (rc >= 0 || err.text[0] != '\0'));
		}
	}
	filter_free(filter);
	free(text);
	return 0;
}
