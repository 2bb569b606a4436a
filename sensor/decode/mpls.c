/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mpls.c - a stack of labels, and a guess at what is under it.
 *
 * MPLS does not say what it carries (RFC 4928 tells what everybody guesses by): the first nibble
 * 4 or 6 is IP, 0 a pseudowire's control word (RFC 4385) in front of an Ethernet frame, 1 its
 * associated channel.  A pseudowire without control word starts with a MAC address, which may
 * look like any of these: what follows must fit.
 */
#include "decode/decode.h"

#define LABEL_SIZE 4
#define LABEL_BOTTOM 0x01
#define CONTROL_WORD 4

static bool decode_labels(struct decode *d)
{
	for (unsigned n = 0; n < MPLS_MAX_LABELS; n++) {
		const uint8_t *h = decode_take(d, LABEL_SIZE);

		if (h == NULL)
			return false;
		if (h[2] & LABEL_BOTTOM)
			return true;
	}
	decode_fail(d, DECODE_DEPTH);
	return false;
}

static bool carries_ethernet(struct decode *d)
{
	struct left behind = d->left;
	const uint8_t *word = left_take(&behind, CONTROL_WORD);

	if (word != NULL && word[0] >> 4 == 0 && carry_ethernet(d, ENCAP_MPLS_ETH, &behind))
		return true;
	return carry_ethernet(d, ENCAP_MPLS_ETH, &d->left);
}

void decode_mpls(struct decode *d)
{
	struct packet *p = d->packet;

	p->flags |= PACKET_MPLS;
	if (!decode_labels(d))
		return;
	if (ip_plausible(&d->left, ETHERTYPE_IPV4)) {
		p->ethertype = ETHERTYPE_IPV4;
		decode_ipv4(d);
		return;
	}
	if (ip_plausible(&d->left, ETHERTYPE_IPV6)) {
		p->ethertype = ETHERTYPE_IPV6;
		decode_ipv6(d);
		return;
	}
	p->l3 = L3_OTHER;
	p->l3_data = d->left.c.at;
	p->l3_len = left_captured(&d->left);
	(void)carries_ethernet(d); /* false: something we do not know, and cannot be told */
}
