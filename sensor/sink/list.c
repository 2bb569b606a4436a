/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - every sink compiled in. */
#include "sink/list.h"

#include <stddef.h>

const struct sink *const sinks[] = {&redis_sink, &jsonl_sink, &syslog_sink, NULL};
