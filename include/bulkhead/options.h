/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - bulkhead.yaml as values.
 *
 * The rows in base/options.c are the only definition of a setting: parser, range check,
 * default and the manual's table come from them.  Sizes are bytes or counts, times are ns.
 *
 * Ownership: options_load() fills *options; all strings live in options->arena and go with
 * options_free().  Relative paths are resolved against the config file's folder.
 */
#ifndef BULKHEAD_OPTIONS_H
#define BULKHEAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/err.h"

#define OPTIONS_MAX_CAPTURES 16
#define OPTIONS_MAX_PATHS 64
#define OPTIONS_MAX_OUTPUTS 8

struct capture_config {
	const char *interface;
	const char *tap;    /* NULL: the first tap */
	const char *filter; /* "" none */
	uint64_t snaplen;
	uint64_t buffer;
	uint64_t workers;
	unsigned line, col; /* of the entry in the config, 0: not from there */
};

struct output_config {
	const char *file; /* JSON lines; NULL when syslog */
	bool syslog;
};

struct options {
	void *arena;	  /* struct arena; owned */
	const char *path; /* of the config file, or NULL: defaults */
	struct {
		const char *name;
		const char *site;
		const char *user; /* to drop to; "" keeps the current one */
		bool profile;	  /* count cycles by stage */
	} sensor;
	const char *inventory[OPTIONS_MAX_PATHS];
	unsigned inventory_count;
	const char *rules[OPTIONS_MAX_PATHS];
	unsigned rules_count;
	struct capture_config capture[OPTIONS_MAX_CAPTURES];
	unsigned capture_count;
	struct {
		uint64_t flows, dpi_flows, tokens, fragments, bindings, open_alerts, evidence;
	} limits;
	struct {
		uint64_t packets; /* payload packets a flow kept for DPI; 0 turns it off */
		bool own_process; /* live */
	} dpi;
	struct {
		uint64_t relay, token, flow_idle, update, close; /* ns */
	} windows;
	struct {
		const char *directory; /* "" keeps no packets */
		uint64_t snap, packets, quota;
	} evidence;
	struct {
		const char *file; /* "" none */
		uint64_t quota;
	} outbox;
	struct {
		const char *url; /* NULL: no Redis */
		const char *username;
		const char *password_file;
		const char *prefix;
		uint64_t maxlen;
		bool queue;
		uint64_t wait_replicas;
	} redis;
	struct output_config output[OPTIONS_MAX_OUTPUTS];
	unsigned output_count;
	struct {
		const char *country, *asn; /* NULL: none */
	} geoip;
};

/* Defaults for everything; sensor.name is the host name. */
int options_default(struct options *options, struct err *err) __attribute__((warn_unused_result));

/* Defaults, then the file.  All mistakes go to problems; ERR_CONFIG, ERR_NOINPUT or 0. */
int options_load(struct options *options, const char *path, struct problems *problems,
		 struct err *err) __attribute__((warn_unused_result));
void options_free(struct options *options);

/* Calls each(key, type, default, what it is) for every setting, for "list" and the manual. */
void options_describe(void (*each)(void *context, const char *key, const char *type,
				   const char *standard, const char *summary),
		      void *context);

#endif
