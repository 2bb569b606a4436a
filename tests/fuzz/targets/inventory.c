/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - an inventory file, and questions to what it became. */
#include "common.h"

#include <unistd.h>

#include "bulkhead/err.h"

static void ask_address(const struct inventory *inv, const struct ip_addr *ip)
{
	for (uint16_t domain = 0; domain < 4; domain++) {
		struct owner owner = inventory_owner(inv, domain, ip);

		FUZZ_CHECK(owner.tenant < inventory_tenant_count(inv));
		FUZZ_CHECK(owner.host == HOST_NONE || owner.host < inventory_host_count(inv));
		FUZZ_CHECK(owner.segment == SEGMENT_NONE ||
			   owner.segment < inventory_segment_count(inv));
		FUZZ_CHECK((owner.kind == OWNER_HOST) <= (owner.host != HOST_NONE));
		FUZZ_CHECK(!inventory_moved(inv, inv, domain, ip));
		(void)inventory_shares(inv, domain, ip, owner.host);
		(void)inventory_is_gateway_ip(inv, domain, ip);
	}
}

static void ask_host(const struct inventory *inv, const struct host *host)
{
	FUZZ_CHECK(host != NULL && host->name != NULL);
	FUZZ_CHECK(host->tenant < inventory_tenant_count(inv));
	for (unsigned i = 0; i < host->mac_count; i++) {
		struct carrier c = inventory_carrier(inv, host->mac[i]);

		FUZZ_CHECK(c.tenant == host->tenant && (c.host == host->id || c.shared));
		FUZZ_CHECK(inventory_host_has_mac(inv, host->id, host->mac[i]));
	}
	for (unsigned i = 0; i < host->ip_count; i++) {
		FUZZ_CHECK(inventory_host_has_ip(inv, host->id, &host->ip[i]));
		ask_address(inv, &host->ip[i]);
	}
}

static void ask(const struct inventory *inv)
{
	uint32_t tenant[8];
	unsigned decoys, index;

	FUZZ_CHECK(inventory_tap_count(inv) >= 1);
	for (uint32_t i = 0; i < inventory_host_count(inv); i++)
		ask_host(inv, inventory_host(inv, i));
	for (uint32_t i = 0; i < inventory_tenant_count(inv); i++)
		FUZZ_CHECK(inventory_tenant_name(inv, i) != NULL);
	for (uint16_t i = 0; i < inventory_segment_count(inv); i++) {
		const struct segment *s = inventory_segment(inv, i);
		uint16_t found = inventory_segment_of(inv, s->vlan, s->is_vni, s->vni);

		FUZZ_CHECK(found != SEGMENT_NONE && found < inventory_segment_count(inv));
		(void)inventory_segment_tenants(inv, i, tenant, 8);
	}
	for (uint16_t i = 0; i < inventory_tap_count(inv); i++) {
		const struct tap *tap = inventory_tap(inv, i);

		FUZZ_CHECK(tap->host == HOST_NONE || tap->host < inventory_host_count(inv));
	}
	(void)inventory_decoys(inv, &decoys);
	for (unsigned i = 0; i < inventory_allow_count(inv); i++)
		FUZZ_CHECK(inventory_allow(inv, i) != NULL);
	(void)inventory_allowed(inv, TENANT_FIRST, 0, TENANT_FIRST + 1, 1, "relay.proxy", 1,
				&index);
	ask_address(inv, &(struct ip_addr){.b = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 21}});
	ask_address(inv, &(struct ip_addr){.b = {0xfd, [15] = 1}});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = {0};
	struct inventory *inv = NULL;
	struct err err = {0};
	char path[FUZZ_PATH_SIZE];
	const char *paths = path;
	int fd = fuzz_file(data, size, path);
	int rc = inventory_load(&paths, 1, 1, &inv, &problems, &err);

	FUZZ_CHECK(rc == 0 || (rc == ERR_CONFIG && problems.errors > 0));
	FUZZ_CHECK((rc == 0) == (inv != NULL));
	if (rc == 0) {
		FUZZ_CHECK(problems.errors == 0);
		ask(inv);
	}
	inventory_unref(inv);
	problems_fini(&problems);
	(void)close(fd);
	return 0;
}
