/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - the sinks by name, for the front that attaches them. */
#ifndef SINK_LIST_H
#define SINK_LIST_H

#include "bulkhead/sink.h"

extern const struct sink redis_sink, jsonl_sink, syslog_sink;

#endif
