/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - what the service manager is told: sd_notify(3) is one datagram, so no library.
 *
 * Without NOTIFY_SOCKET in the environment (not started by systemd) nothing happens.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
/* How often the manager wants to hear from us, ns; 0: not at all. */
uint64_t notify_watchdog_interval(void);

#endif
