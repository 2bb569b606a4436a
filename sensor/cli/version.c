/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c - see version.h.
 *
 * Asks the kernel what is mapped and not the libraries: only one file a library may include its
 * header, and what a bug report needs is what is loaded, not what was compiled against.  The
 * files' names end in the versions: libpcap.so.0.8 is a link to libpcap.so.1.10.3.
 */
#include "cli/version.h"

#include <string.h>

#include "bulkhead/app.h"
#include "cli/terminal.h"

#define LINE_SIZE 4352

void version_print(FILE *out)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[LINE_SIZE], last[LINE_SIZE] = "";

	(void)fprintf(out, "bulkhead %s\n%s\n", BULKHEAD_VERSION, dpi_version());
	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		char *name = strrchr(line, '/');

		if (name == NULL || strstr(name, ".so") == NULL || strcmp(name, last) == 0)
			continue;
		memcpy(last, name, strlen(name) + 1);
		(void)fputs("  ", out);
		terminal_puts(out, name + 1);
	}
	if (maps != NULL)
		(void)fclose(maps);
}
