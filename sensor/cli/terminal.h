/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - text that is safe and pleasant on a terminal.
 *
 * Names come from captures, files and the network; an escape sequence in one must never reach
 * the operator's terminal.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdint.h>
#include <stdio.h>

#include "bulkhead/finding.h"

#define NUMBER_TEXT_SIZE 32

/* Writes text; every byte that is not printable ASCII, a newline or a tab leaves as \xNN. */
void terminal_puts(FILE *out, const char *text);
/* "1,234,567".  Returns buf. */
const char *number_grouped(uint64_t n, char buf[static NUMBER_TEXT_SIZE]);
/* "1.2 GB".  Returns buf. */
const char *number_bytes(uint64_t n, char buf[static NUMBER_TEXT_SIZE]);
/* "58 ms", "12.4 s", "3 h 12 min".  Returns buf. */
const char *number_duration(uint64_t ns, char buf[static NUMBER_TEXT_SIZE]);
/* The escape sequence that starts a severity's colour; the one that ends it. */
const char *color_severity(enum severity severity);
extern const char color_bold[];
extern const char color_end[];

#endif
