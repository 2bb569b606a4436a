/* SPDX-License-Identifier: Apache-2.0 */
/* version.h - "bulkhead --version": ours, and the library files that are loaded with us. */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#include <stdio.h>

void version_print(FILE *out);

#endif
