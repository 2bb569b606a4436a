/* SPDX-License-Identifier: Apache-2.0 */
/* fit.c - see fit.h. */
#include "dpi/fit.h"

#define TCP_HEADER 20
#define UDP_HEADER 8
/* Of UDP flows that nDPI ever knows, it knows 96 % by the first payload and 99.7 % by the fourth.
 */
#define UDP_PACKETS 4
#define V4_FRAGMENT 0x3f /* more fragments, or an offset: of the high byte; the low one as well */

/* Everything that nDPI assumes without looking is looked at here. */
bool dpi_fits(const struct packet *packet)
{
	const uint32_t refused = PACKET_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_EXT_HEADERS |
				 PACKET_BAD_LENGTH | PACKET_SRH;
	const uint8_t *l3 = packet->l3_data;
	size_t header = packet->l3 == L3_IPV4 ? IPV4_HEADER : IPV6_HEADER;

	if ((packet->l3 != L3_IPV4 && packet->l3 != L3_IPV6) || l3 == NULL || packet->l4 == NULL ||
	    (packet->flags & PACKET_L4) == 0 || (packet->flags & refused) != 0 ||
	    packet->payload_len == 0 || packet->l3_len <= header || packet->l4 != l3 + header)
		return false;
	if (packet->proto == IPPROTO_NUM_TCP) {
		if ((packet->flags & PACKET_TCP_WHOLE) == 0 ||
		    packet->tcp_header_len < TCP_HEADER ||
		    packet->l3_len <= header + packet->tcp_header_len)
			return false;
	} else if (packet->proto != IPPROTO_NUM_UDP || packet->l3_len <= header + UDP_HEADER) {
		return false;
	}
	if (packet->l3 == L3_IPV4)
		return l3[0] == 0x45 && l3[9] == packet->proto;
	return l3[0] >> 4 == 6 && l3[6] == packet->proto;
}

bool dpi_fit_bytes(const uint8_t *data, size_t len, struct packet *packet)
{
	bool v4 = len > 0 && data[0] >> 4 == 4;
	size_t header = v4 ? IPV4_HEADER : IPV6_HEADER;
	size_t l4_header = UDP_HEADER;

	if (len <= header + UDP_HEADER || len > DPI_PACKET_MAX)
		return false;
	*packet = (struct packet){
	    .l3 = v4 ? L3_IPV4 : L3_IPV6,
	    .flags = PACKET_L4,
	    .proto = v4 ? data[9] : data[6],
	    .l3_data = data,
	    .l3_len = (uint32_t)len,
	    .ip_len = (uint32_t)len,
	    .l4 = data + header,
	    .l4_len = (uint32_t)(len - header),
	};
	if (v4 && ((data[6] & V4_FRAGMENT) != 0 || data[7] != 0))
		return false;
	if (packet->proto == IPPROTO_NUM_TCP) {
		if (len <= header + TCP_HEADER)
			return false;
		l4_header = (size_t)(data[header + 12] >> 4) * 4;
		packet->tcp_header_len = (uint8_t)l4_header;
		packet->flags |= PACKET_TCP_WHOLE;
	}
	if (len <= header + l4_header)
		return false;
	packet->payload = data + header + l4_header;
	packet->payload_len = packet->payload_wire = (uint32_t)(len - header - l4_header);
	return dpi_fits(packet);
}

unsigned dpi_packets_of(const struct packet *packet, unsigned packets)
{
	return packet->proto == IPPROTO_NUM_UDP && packets > UDP_PACKETS ? UDP_PACKETS : packets;
}
