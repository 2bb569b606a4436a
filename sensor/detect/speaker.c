/* SPDX-License-Identifier: Apache-2.0 */
/* speaker.c - see speaker.h. */
#include "detect/speaker.h"

#include "detect/build.h"

uint32_t speaker_of(const struct event *ev, struct party *party)
{
	bool tenants_nic = ev->has_mac && is_tenant(ev->from.tenant);
	bool anybodys = ev->src.kind == OWNER_SEGMENT || ev->src.kind == OWNER_DYNAMIC ||
			ip_is_private(&ev->tuple.src) || ip_is_link_local(&ev->tuple.src);

	if (is_tenant(ev->src.tenant)) {
		if (tenants_nic && ev->from.tenant != ev->src.tenant)
			return TENANT_EXTERNAL;
		*party = party_of_owner(&ev->src, &ev->tuple.src);
		if (tenants_nic) {
			party->mac = ev->smac;
			party->has_mac = true;
		}
		return ev->src.tenant;
	}
	if (ev->src.tenant == TENANT_INFRASTRUCTURE || !anybodys || !ev->has_mac ||
	    ev->from.tenant == TENANT_INFRASTRUCTURE)
		return TENANT_EXTERNAL;
	*party = party_of_carrier(&ev->from, ev->smac);
	return ev->from.tenant;
}
