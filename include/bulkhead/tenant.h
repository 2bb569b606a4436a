/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.h - the inventory is who owns which address and which NIC.
 *
 *	capture > decode > TENANT > flow > dpi > detect > rule > alert > sink
 *
 * inventory.yaml (one file or several, merged) is compiled into one immutable snapshot that
 * any number of threads read without a lock.  A reload makes a new snapshot with a higher
 * generation; the old one is freed when its last user has let go (inventory_ref/_unref).
 *
 * What the wire teaches (DHCP leases) is kept apart, in struct bindings, owned by the judge.
 *
 * Errors: inventory_load() reports every mistake with file:line:column into problems.
 */
#ifndef BULKHEAD_TENANT_H
#define BULKHEAD_TENANT_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/addr.h"
#include "bulkhead/err.h"

/* Tenant ids: three that are nobody's name, then the inventory's in file order. */
#define TENANT_UNKNOWN 0u	 /* a MAC nobody registered */
#define TENANT_EXTERNAL 1u	 /* an address outside every prefix */
#define TENANT_INFRASTRUCTURE 2u /* the provider's own */
#define TENANT_FIRST 3u

#define HOST_NONE UINT32_MAX
#define SEGMENT_NONE UINT16_MAX
#define TENANT_MAX_HOST_PORTS 8

enum host_role {
	ROLE_SERVER = 1u << 0,
	ROLE_ROUTER = 1u << 1,
	ROLE_DHCP = 1u << 2,
	ROLE_DNS = 1u << 3,
	ROLE_LOAD_BALANCER = 1u << 4,
	ROLE_PROXY = 1u << 5,
	ROLE_NAT = 1u << 6,
	ROLE_VTEP = 1u << 7,
	ROLE_MONITOR = 1u << 8,
	ROLE_HYPERVISOR = 1u << 9,
	/* Roles with which infrastructure may carry other people's packets. */
	ROLES_CARRY =
	    ROLE_ROUTER | ROLE_LOAD_BALANCER | ROLE_PROXY | ROLE_NAT | ROLE_VTEP | ROLE_HYPERVISOR,
};

enum tap_view {
	VIEW_INGRESS, /* each frame once, as it enters the switch */
	VIEW_BOTH,    /* once entering, once for each port it leaves by */
	VIEW_PORT,    /* what leaves one port: what that host receives */
};

struct tenant {
	const char *name;
	uint32_t id;
	const char *const *residency; /* ISO 3166 alpha-2 codes or "ASnnn", or NULL */
	unsigned residency_count;
};

struct host {
	const char *name;
	uint32_t id;				 /* index into inventory hosts */
	uint32_t tenant;			 /* TENANT_INFRASTRUCTURE or a tenant's id */
	uint32_t roles;				 /* enum host_role bits; 0 counts as server */
	const char *port[TENANT_MAX_HOST_PORTS]; /* "leaf12/eth7" */
	unsigned port_count;
	const struct mac_addr *mac;
	unsigned mac_count;
	const struct ip_addr *ip;
	unsigned ip_count;
};

struct segment {
	const char *name;
	uint16_t id;
	uint16_t vlan; /* 0 untagged; meaningless when is_vni */
	bool is_vni;
	uint32_t vni;
	uint16_t domain; /* routing domain number */
	const char *domain_name;
};

struct tap {
	const char *name;
	uint16_t id;
	enum tap_view view;
	const char *port; /* VIEW_PORT: switch port */
	uint32_t host;	 /* VIEW_PORT: host registered on that port, or HOST_NONE (a canary port) */
	uint32_t tenant; /* that host's tenant, or TENANT_UNKNOWN */
};

struct decoy {
	const char *name;
	const char *secret; /* plain; never printed */
	uint32_t tenant;
};

enum owner_kind {
	OWNER_NONE,    /* in no prefix: external */
	OWNER_HOST,    /* a host's declared address */
	OWNER_SHARED,  /* a shared address (VIP) of a tenant or of infrastructure */
	OWNER_PREFIX,  /* inside a tenant's prefix, no host */
	OWNER_SEGMENT, /* inside a segment's prefix, assigned to nobody */
	OWNER_DYNAMIC, /* inside a dynamic range: ask the bindings */
};

/* Whose an address is.  tenant is TENANT_EXTERNAL for OWNER_NONE, TENANT_UNKNOWN for
 * OWNER_SEGMENT and OWNER_DYNAMIC, else a tenant or TENANT_INFRASTRUCTURE. */
struct owner {
	uint32_t tenant;
	uint32_t host;	  /* HOST_NONE unless one host alone has it */
	uint16_t segment; /* SEGMENT_NONE unless OWNER_SEGMENT or OWNER_DYNAMIC, or the segment
			     whose prefix holds it */
	uint8_t kind;	  /* enum owner_kind */
};

/* Which NIC it is.  A MAC of several infrastructure hosts (a virtual router MAC) names the first
 * and sets shared. */
struct carrier {
	uint32_t tenant; /* TENANT_UNKNOWN when the MAC is in no inventory */
	uint32_t host;
	uint32_t roles;
	bool shared;
};

struct inventory;

/*
 * Reads files and folders (*.yaml, *.yml; every file named) into *inv, merged.  All errors go
 * to problems; returns 0, or ERR_CONFIG / ERR_NOINPUT / ERR_MEMORY with *inv NULL.  now_ns:
 * wall time, for warnings about allow entries that end within 14 days.
 */
int inventory_load(const char *const *paths, unsigned count, uint64_t now_ns,
		   struct inventory **inv, struct problems *problems, struct err *err)
    __attribute__((warn_unused_result));

/* An empty inventory with the default tap: everything is unknown or external. */
struct inventory *inventory_empty(void);

struct inventory *inventory_ref(struct inventory *inv); /* atomic */
void inventory_unref(struct inventory *inv);		/* NULL is fine */

/* 16 hex digits over the merged content: what alerts call inventory_rev. */
const char *inventory_revision(const struct inventory *inv);
uint32_t inventory_generation(const struct inventory *inv);

const struct tenant *inventory_tenant(const struct inventory *inv, uint32_t id);
uint32_t inventory_tenant_count(const struct inventory *inv); /* ids run below this */
const char *inventory_tenant_name(const struct inventory *inv, uint32_t id); /* never NULL */
/* Id of a tenant by name, or TENANT_UNKNOWN. */
uint32_t inventory_find_tenant(const struct inventory *inv, const char *name);
const struct host *inventory_host(const struct inventory *inv, uint32_t id); /* NULL: HOST_NONE */
uint32_t inventory_host_count(const struct inventory *inv);
const struct segment *inventory_segment(const struct inventory *inv, uint16_t id);
uint16_t inventory_segment_count(const struct inventory *inv);
const struct tap *inventory_tap(const struct inventory *inv, uint16_t id);
uint16_t inventory_tap_count(const struct inventory *inv); /* at least 1 */
/* Index of a tap by name, or -1. */
int inventory_find_tap(const struct inventory *inv, const char *name);
const struct decoy *inventory_decoys(const struct inventory *inv, unsigned *count);
/* Host by its full name, "globex/b1" or "infrastructure/gw"; HOST_NONE when there is none. */
uint32_t inventory_find_host(const struct inventory *inv, const char *full_name);

/*
 * The segment of a frame: by VNI when vni_set, else by VLAN (0: the untagged one, or the only
 * one: mirrors may take tags off).
 * SEGMENT_NONE when the inventory has none.  An inventory without any segment answers 0 for
 * everything (one implicit segment in domain 0).
 */
uint16_t inventory_segment_of(const struct inventory *inv, uint16_t vlan, bool vni_set,
			      uint32_t vni);

/*
 * The routing domain of a frame that is in no segment.  A VLAN that no inventory knows is one of
 * its own, from DOMAIN_UNKNOWN up.  Untagged frames, where the inventory has VLANs only, come from
 * a mirror that took their tags off: where all VLANs are of one domain, so are they.
 */
#define DOMAIN_UNKNOWN 0x8000u
uint16_t inventory_domain_outside(const struct inventory *inv, uint16_t vlan);

/* Does the tenant live in the segment (its `segments` list, or no list at all)? */
bool inventory_tenant_in_segment(const struct inventory *inv, uint32_t tenant, uint16_t segment);
/* Is ip on-link in the segment, inside one of its prefixes? */
bool inventory_segment_prefix(const struct inventory *inv, uint16_t segment,
			      const struct ip_addr *ip);
/* The tenants that list the segment or have an address inside its prefixes, ascending.  Writes
 * at most max of them, returns how many there are. */
uint32_t inventory_segment_tenants(const struct inventory *inv, uint16_t segment, uint32_t *out,
				   uint32_t max);

/*
 * Longest match in a domain: declared and shared addresses, then tenant prefixes and dynamic
 * ranges, then segment prefixes: a segment prefix, however long, never hides the tenant whose
 * prefix it lies in.  Link-local, multicast, broadcast and unspecified addresses answer OWNER_NONE
 * unless declared.  An address that nobody declared, on-link, with an interface identifier made
 * from a registered MAC (RFC 4291 appendix A) is that NIC's.  In a domain that no segment has, only
 * what is owned everywhere counts, and with a single domain in the inventory nothing is.
 */
struct owner inventory_owner(const struct inventory *inv, uint16_t domain,
			     const struct ip_addr *ip);

struct carrier inventory_carrier(const struct inventory *inv, struct mac_addr mac);

/* May this host hold this (shared) address: it is in the list of hosts, or of the same tenant? */
bool inventory_shares(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip,
		      uint32_t host);
/* May this host speak for a shared address declared with this protocol ("vrrp", "carp" ...)? */
bool inventory_host_speaks(const struct inventory *inv, uint32_t host, const char *protocol);
/* Are these declared for the host itself?  (Shared addresses: inventory_shares.) */
bool inventory_host_has_ip(const struct inventory *inv, uint32_t host, const struct ip_addr *ip);
bool inventory_host_has_mac(const struct inventory *inv, uint32_t host, struct mac_addr mac);
/* Is ip an address of infrastructure with ROLE_ROUTER? */
bool inventory_is_gateway_ip(const struct inventory *inv, uint16_t domain,
			     const struct ip_addr *ip);

/*
 * Was the address (domain: a number of now) or the NIC given to another tenant between two
 * snapshots?  Tenants and domains are compared by name: their numbers may have changed.
 */
bool inventory_moved(const struct inventory *old, const struct inventory *now, uint16_t domain,
		     const struct ip_addr *ip);
bool inventory_mac_moved(const struct inventory *old, const struct inventory *now,
			 struct mac_addr mac);

/*
 * Does an allow entry cover actor > victim for this kind at this time?  *index (may be NULL)
 * numbers the entry, for counting.
 */
bool inventory_allowed(const struct inventory *inv, uint32_t actor_tenant, uint32_t actor_host,
		       uint32_t victim_tenant, uint32_t victim_host, const char *kind,
		       uint64_t now_ns, unsigned *index);

/* An allow entry, for reports and so that the kinds it names can be checked by who knows them. */
struct allow {
	const char *actor, *victim; /* as written */
	const char *const *kinds;   /* "relay.proxy", "relay.*" or "*" */
	unsigned kind_count;
	const char *reason; /* "" when none was given */
	uint64_t until_ns;  /* UINT64_MAX: for good */
	const char *file;
	uint32_t line, col; /* of the entry */
};
unsigned inventory_allow_count(const struct inventory *inv);
const struct allow *inventory_allow(const struct inventory *inv, unsigned index); /* or NULL */

/* Starts loading the lines an exact look-up will touch; call some packets ahead. */
void inventory_prefetch_mac(const struct inventory *inv, struct mac_addr mac);
void inventory_prefetch_ip(const struct inventory *inv, uint16_t domain, const struct ip_addr *ip);

/* ---- what the wire taught: leases of dynamic ranges ---------------------------------------- */

struct bindings;

/* A fixed table of at most capacity leases; seed keys its hash. */
struct bindings *bindings_new(uint32_t capacity, uint64_t seed);
void bindings_free(struct bindings *b);

/* A legitimate server leased ip to mac until expires_ns.  Replaces an older lease; evicts the
 * one that expires first when full, and counts it.  For a minute after an address has gone from one
 * NIC to another, neighbours may know either: nobody owns it. */
void bindings_lease(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		    struct mac_addr mac, uint64_t now_ns, uint64_t expires_ns);
/* The lease ends now. */
void bindings_release(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		      uint64_t now_ns);

/* Somebody else asked a server for the address by its offer, so the lease may have ended: nobody
 * owns it until a server says whose it is, or its NIC is seen to use it. */
void bindings_doubt(struct bindings *b, uint16_t domain, const struct ip_addr *ip, uint64_t now_ns);
/* The NIC uses the address. */
void bindings_trust(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		    struct mac_addr mac);

/* Who was handed another's address by a server that is none takes it in good faith: at this NIC it
 * is nobody's.  The table is small; the oldest goes and is counted. */
void bindings_mislead(struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		      struct mac_addr mac, uint64_t expires_ns);
bool bindings_misled(const struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		     struct mac_addr mac, uint64_t now_ns);

/* The owner with leases applied: OWNER_DYNAMIC becomes the tenant and host of the leased MAC, as
 * OWNER_HOST (OWNER_SHARED for a shared MAC); it stays as it is without a lease or when the leased
 * MAC is in no inventory. */
struct owner bindings_owner(const struct bindings *b, const struct inventory *inv, uint16_t domain,
			    const struct ip_addr *ip, uint64_t now_ns);
/* The leased MAC, or false. */
bool bindings_mac(const struct bindings *b, uint16_t domain, const struct ip_addr *ip,
		  uint64_t now_ns, struct mac_addr *mac);
uint64_t bindings_evicted(const struct bindings *b);
uint32_t bindings_used(const struct bindings *b);

const char *role_name(uint32_t one_role_bit);
/* The role bit of a name, or 0. */
uint32_t role_parse(const char *name);

#endif
