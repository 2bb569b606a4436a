/* SPDX-License-Identifier: Apache-2.0 */
/* rulefile.h - loads rules from bytes and has them judge findings of all shapes. */
#ifndef FUZZ_RULEFILE_H
#define FUZZ_RULEFILE_H

#include <stddef.h>

void fuzz_rules(const void *text, size_t len);

#endif
