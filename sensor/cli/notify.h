/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - what the service manager is told: sd_notify(3) is one datagram, so no library.
 *
 * A worker tells its supervisor (supervise.h), which tells systemd what it believes of that; so
 * systemd knows one process, which outlives its workers, and listens to no other.  Without
 * NOTIFY_SOCKET in the environment (not started by systemd) nothing leaves.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdint.h>

#define NOTIFY_TEXT_SIZE 512

/* to: the supervisor's socket, or below 0 for systemd's. */
void notify_ready(int to, const char *status);
void notify_reloading(int to);
void notify_stopping(int to);
void notify_watchdog(int to);
void notify_status(int to, const char *status);
/* How often the manager wants to hear from us, ns; 0: not at all. */
uint64_t notify_watchdog_interval(void);

#endif
