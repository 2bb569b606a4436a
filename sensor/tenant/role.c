/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.c - the names of roles, in the order of their bits.
 */
#include "tenant/inventory.h"

static const char *const names[] = {"server",	     "router",	   "dhcp", "dns",
				    "load-balancer", "proxy",	   "nat",  "vtep",
				    "monitor",	     "hypervisor", NULL};

#define ROLE_COUNT (sizeof names / sizeof names[0] - 1)

_Static_assert(1u << (ROLE_COUNT - 1) == ROLE_HYPERVISOR, "a name for each bit");
_Static_assert((1u << ROLE_COUNT) - 1 <= MAC_ROLE_BITS, "roles fit into a MAC slot");

const char *const *role_names(void)
{
	return names;
}

const char *role_name(uint32_t one_role_bit)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++) {
		if (one_role_bit == 1u << i)
			return names[i];
	}
	return names[0];
}

uint32_t role_parse(const char *name)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(name, names[i]) == 0)
			return 1u << i;
	}
	return 0;
}
