/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c - see version.h.
 *
 * Asks the dynamic loader and not the libraries: only one file a library may include its header,
 * and what a bug report needs is what is loaded, not what was compiled against.  The files' names
 * end in the versions, once links are followed: libpcap.so.0.8 is libpcap.so.1.10.3.
 */
#include "cli/version.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/app.h"
#include "cli/terminal.h"

static int print_library(struct dl_phdr_info *info, size_t size, void *context)
{
	char *file = info->dlpi_name[0] == '/' ? realpath(info->dlpi_name, NULL) : NULL;
	FILE *out = context;

	(void)size;
	if (file != NULL) {
		const char *name = strrchr(file, '/') + 1;

		(void)fputs("  ", out);
		terminal_puts(out, name);
		(void)fputc('\n', out);
	}
	free(file);
	return 0;
}

void version_print(FILE *out)
{
	(void)fprintf(out, "bulkhead %s\n%s\n", BULKHEAD_VERSION, dpi_version());
	(void)dl_iterate_phdr(print_library, out);
}
