/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndpi_compat.h - one spelling for what nDPI's API calls differently from release to release.
 *
 * Debian 12, 13 and sid carry 4.2.  Compiled against the headers of 4.2 to
 * 4.12; what says 500 is from the change log alone.  Only ndpi.c includes this.
 */
#ifndef DPI_NDPI_COMPAT_H
#define DPI_NDPI_COMPAT_H

#include <ndpi_api.h>
#include <stdbool.h>
#include <stdint.h>

#define NDPI_RELEASE (NDPI_MAJOR * 100 + NDPI_MINOR)

static inline struct ndpi_detection_module_struct *compat_new(void)
{
#if NDPI_RELEASE >= 410
	return ndpi_init_detection_module(NULL);
#else
	return ndpi_init_detection_module(ndpi_no_prefs);
#endif
}

#if NDPI_RELEASE < 500
/* Dissectors that stay off. */
static const uint16_t compat_excluded[] = {
#if NDPI_RELEASE < 408
    NDPI_PROTOCOL_DTLS, /* follows NULL on a legal certificate */
    NDPI_PROTOCOL_TINC, /* reads behind its packet */
#endif
    /* These look at ports alone and call it inspection. */
    NDPI_PROTOCOL_LISP,
    NDPI_PROTOCOL_TARGUS_GETDATA,
    NDPI_PROTOCOL_TEREDO,
#if NDPI_RELEASE < 410
    NDPI_PROTOCOL_HANGOUT_DUO,
#endif
};
#endif

/* Turns every dissector on that is fit to be, and makes the module ready. */
static inline bool compat_start(struct ndpi_detection_module_struct *module)
{
#if NDPI_RELEASE < 500
	NDPI_PROTOCOL_BITMASK wanted;

	NDPI_BITMASK_SET_ALL(wanted);
	/* Not NDPI_BITMASK_DEL(): it narrows a long without saying so. */
	for (size_t i = 0; i < sizeof compat_excluded / sizeof compat_excluded[0]; i++)
		wanted.fds_bits[compat_excluded[i] / NDPI_BITS] &=
		    ~(1u << compat_excluded[i] % NDPI_BITS);
	(void)ndpi_set_protocol_detection_bitmask2(module, &wanted);
#endif
#if NDPI_RELEASE >= 410
	return ndpi_finalize_initialization(module) == 0;
#else
	ndpi_finalize_initialization(module);
	return true;
#endif
}

static inline ndpi_protocol compat_process(struct ndpi_detection_module_struct *module,
					   struct ndpi_flow_struct *flow, const uint8_t *l3,
					   uint16_t len, uint64_t ms)
{
#if NDPI_RELEASE >= 406
	return ndpi_detection_process_packet(module, flow, l3, len, ms, NULL);
#else
	return ndpi_detection_process_packet(module, flow, l3, len, ms);
#endif
}

/* The last word on a flow, without guessing by port or address. */
static inline ndpi_protocol compat_settle(struct ndpi_detection_module_struct *module,
					  struct ndpi_flow_struct *flow)
{
#if NDPI_RELEASE >= 500
	return ndpi_detection_giveup(module, flow);
#elif NDPI_RELEASE >= 410
	u_int8_t guessed = 0;

	return ndpi_detection_giveup(module, flow, &guessed);
#else
	u_int8_t guessed = 0;

	return ndpi_detection_giveup(module, flow, 0, &guessed);
#endif
}

#if NDPI_RELEASE >= 411
#define compat_master(p) ((p)->proto.master_protocol)
#define compat_app(p) ((p)->proto.app_protocol)
#else
#define compat_master(p) ((p)->master_protocol)
#define compat_app(p) ((p)->app_protocol)
#endif

/* Whether further packets can add to what is known. */
static inline bool compat_complete(struct ndpi_detection_module_struct *module,
				   struct ndpi_flow_struct *flow, const ndpi_protocol *protocol)
{
#if NDPI_RELEASE >= 500
	(void)module;
	(void)flow;
	return protocol->state == NDPI_STATE_CLASSIFIED || protocol->state == NDPI_STATE_MONITORING;
#else
	return (compat_app(protocol) != NDPI_PROTOCOL_UNKNOWN ||
		compat_master(protocol) != NDPI_PROTOCOL_UNKNOWN) &&
	       ndpi_extra_dissection_possible(module, flow) == 0;
#endif
}

static inline const char *compat_ja3_client(const struct ndpi_flow_struct *flow)
{
#if NDPI_RELEASE >= 411
	(void)flow;
	return "";
#else
	return flow->protos.tls_quic.ja3_client;
#endif
}

#endif
