/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h - how texts are compared: by byte, or with ASCII letters folded.
 *
 * Not strcasecmp(): a sensor's locale must not decide whether a rule matches.
 */
#ifndef RULE_ORDER_H
#define RULE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "field.h"

static inline bool order_folds(enum field_type type)
{
	return type == FIELD_NAME;
}

static inline unsigned char order_byte(char c, bool fold)
{
	return (unsigned char)(fold && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline int order_bytes(const char *a, const char *b, size_t len, bool fold)
{
	for (size_t i = 0; i < len; i++) {
		int order = order_byte(a[i], fold) - order_byte(b[i], fold);

		if (order != 0)
			return order;
	}
	return 0;
}

/* literal is terminated, text is len bytes without a NUL among them. */
static inline int order_text(const char *literal, const char *text, size_t len, bool fold)
{
	for (size_t i = 0; i < len; i++) {
		int order = order_byte(literal[i], fold) - order_byte(text[i], fold);

		if (order != 0) /* also where the literal ends first */
			return order;
	}
	return literal[len] == '\0' ? 0 : 1;
}

#endif
