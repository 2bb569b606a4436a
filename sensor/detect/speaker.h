/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speaker.h - which tenant said what a packet holds.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_SPEAKER_H
#define DETECT_SPEAKER_H

#include "bulkhead/detector.h"

/*
 * The owner of the packet's source; of an address that is nobody's in particular, the NIC's.  A
 * packet that another tenant's NIC passes on is not that one's word: TENANT_EXTERNAL, as for the
 * outside and the provider.  TENANT_UNKNOWN: a device that nobody registered.
 */
uint32_t speaker_of(const struct event *ev, struct party *party);

#endif
