/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armour.h - a capture stream written as text: hexadecimal (xxd -p) or base64.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_ARMOUR_H
#define DETECT_ARMOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum armour_coding { ARMOUR_NONE, ARMOUR_HEX, ARMOUR_BASE64 };

struct armour {
	uint8_t coding; /* enum armour_coding */
	uint8_t bits;	/* of the next byte that are known */
	bool lost;	/* bytes are missing: where the next line begins is known again */
	uint32_t value; /* these bits */
};

/* Does a capture file begin here as text?  At the begin of the payload, or of an HTTP body in it:
 * *at says where. */
bool armour_begins(struct armour *a, const uint8_t *data, size_t len, size_t *at);

/* Decodes from *data on, which it moves forward, until out is full or data ends; returns how many
 * bytes came out. */
size_t armour_strip(struct armour *a, const uint8_t **data, size_t *len, uint8_t *out, size_t room);

/* Some of the text was not seen. */
void armour_gap(struct armour *a);

#endif
