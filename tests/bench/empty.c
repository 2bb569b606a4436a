/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty.c - reads a capture with libpcap and does nothing: what reading alone costs.
 *
 * Every byte counter is kept, so that the compiler cannot leave the loop out.
 */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *frame;
	unsigned long bytes = 0;
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;

	if (pcap == NULL)
		return 1;
	while (pcap_next_ex(pcap, &header, &frame) == 1)
		bytes += header->len;
	(void)printf("%lu\n", bytes);
	pcap_close(pcap);
	return 0;
}
