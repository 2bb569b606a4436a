/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit.h - which packets nDPI may be shown, wherever it runs.
 *
 * It takes for granted, and does not check: whole, unfragmented TCP or UDP packets without options
 * or extension headers of IP, with a payload.
 */
#ifndef DPI_FIT_H
#define DPI_FIT_H

#include "bulkhead/packet.h"

#define DPI_PACKET_MAX 4096 /* bytes of a packet that are shown */
#define IPV4_HEADER 20
#define IPV6_HEADER 40

bool dpi_fits(const struct packet *packet);

/* The same asked of bytes that were a packet which fits when they were sent: what a stranger may
 * have made of them meanwhile is no packet.  *packet borrows the bytes, and is fit. */
bool dpi_fit_bytes(const uint8_t *data, size_t len, struct packet *packet);

/* How many packets of its flow are shown, at most `packets`: UDP says it all in the first few. */
unsigned dpi_packets_of(const struct packet *packet, unsigned packets);

#endif
