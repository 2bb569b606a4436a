/* SPDX-License-Identifier: Apache-2.0 */
/* ndpi_speed.h - what takes the place of libraries' functions; for the compiler and the test. */
#ifndef DPI_NDPI_SPEED_H
#define DPI_NDPI_SPEED_H

#include <stdarg.h>
#include <stddef.h>

int __snprintf_chk(char *s, size_t size, int flag, size_t room, const char *format, ...);
int __vsnprintf_chk(char *s, size_t size, int flag, size_t room, const char *format, va_list args);

#endif
