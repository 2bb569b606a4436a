/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - see terminal.h. */
#include "cli/terminal.h"

#include "bulkhead/clock.h"

const char color_bold[] = "\033[1m";
const char color_end[] = "\033[0m";

void terminal_puts(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t')
			(void)fputc(c, out);
		else
			(void)fprintf(out, "\\x%02x", c);
	}
}

const char *number_grouped(uint64_t n, char buf[static NUMBER_TEXT_SIZE])
{
	char reversed[NUMBER_TEXT_SIZE];
	unsigned len = 0, digits = 0, i;

	do {
		if (digits > 0 && digits % 3 == 0)
			reversed[len++] = ',';
		reversed[len++] = (char)('0' + n % 10);
		digits++;
		n /= 10;
	} while (n > 0);
	for (i = 0; i < len; i++)
		buf[i] = reversed[len - 1 - i];
	buf[len] = '\0';
	return buf;
}

const char *number_bytes(uint64_t n, char buf[static NUMBER_TEXT_SIZE])
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)n;
	unsigned i = 0;

	while (value >= 1000.0 && i + 1 < sizeof unit / sizeof unit[0]) {
		value /= 1000.0;
		i++;
	}
	(void)snprintf(buf, NUMBER_TEXT_SIZE, i == 0 ? "%.0f %s" : "%.1f %s", value, unit[i]);
	return buf;
}

const char *number_duration(uint64_t ns, char buf[static NUMBER_TEXT_SIZE])
{
	uint64_t seconds = ns / NS_PER_SEC;

	if (ns < NS_PER_SEC)
		(void)snprintf(buf, NUMBER_TEXT_SIZE, "%.1f ms", (double)ns / (double)NS_PER_MS);
	else if (seconds < 600)
		(void)snprintf(buf, NUMBER_TEXT_SIZE, "%.1f s", (double)ns / (double)NS_PER_SEC);
	else if (seconds < 3600)
		(void)snprintf(buf, NUMBER_TEXT_SIZE, "%u min", (unsigned)(seconds / 60));
	else
		(void)snprintf(buf, NUMBER_TEXT_SIZE, "%llu h %u min",
			       (unsigned long long)(seconds / 3600),
			       (unsigned)(seconds % 3600 / 60));
	return buf;
}

const char *color_severity(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
		return "\033[1;31m";
	case SEVERITY_HIGH:
		return "\033[31m";
	case SEVERITY_MEDIUM:
		return "\033[33m";
	default:
		return "\033[2m";
	}
}
