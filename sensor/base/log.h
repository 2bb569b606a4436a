/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what the operator reads on stderr (under systemd: the journal).
 *
 * Not for alerts.  Each call site is limited to 10 lines in 10 s of wall time; what was held
 * back is said with the next line.  Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_site {
	unsigned long long window; /* start, ns */
	unsigned count;
	unsigned held;
};

void log_set_level(enum log_level level);
void log_line(struct log_site *site, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define LOG_AT(level, ...)                                                                         \
	do {                                                                                       \
		static struct log_site site_;                                                      \
		log_line(&site_, (level), __VA_ARGS__);                                            \
	} while (0)
#define log_err(...) LOG_AT(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
