/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.c - the table of fields, and how one is read from a finding.
 */
#include "field.h"

#include <stdio.h>
#include <string.h>

#include "base/yaml_doc.h"
#include "bulkhead/rule.h"
#include "bulkhead/tenant.h"

#define AT(member) offsetof(struct finding, member)
#define ALWAYS FIELD_ALWAYS
#define DETAIL_ROOT "detail."

#define FIELDS_OF_PARTY(who, that)                                                                 \
	{#who ".tenant",                                                                           \
	 FIELD_TEXT,                                                                               \
	 STORE_POINTER,                                                                            \
	 0,                                                                                        \
	 AT(who.tenant),                                                                           \
	 ALWAYS,                                                                                   \
	 "unknown",                                                                                \
	 "acme",                                                                                   \
	 "tenant of " that "; also unknown, infrastructure, external"},                            \
	    {#who ".host",                                                                         \
	     FIELD_HOST,                                                                           \
	     STORE_PARTY,                                                                          \
	     0,                                                                                    \
	     AT(who),                                                                              \
	     ALWAYS,                                                                               \
	     "unknown",                                                                            \
	     "acme/a1",                                                                            \
	     "host of " that ", written tenant/host"},                                             \
	    {#who ".mac", FIELD_MAC,	       STORE_MAC,     0, AT(who.mac), AT(who.has_mac),     \
	     "unknown",	  "02:ac:00:00:00:a1", "MAC of " that},                                    \
	    {#who ".ip", FIELD_IP,     STORE_IP,	  0, AT(who.ip), AT(who.has_ip),           \
	     "unknown",	 "10.20.0.11", "address of " that},                                        \
	    {#who ".port", FIELD_TEXT,	  STORE_POINTER,	 0, AT(who.port), ALWAYS,          \
	     "unknown",	   "leaf12/eth3", "switch port of " that},                                 \
	{                                                                                          \
#who ".role", FIELD_ROLES, STORE_U32, 0, AT(who.roles), ALWAYS, "none", "router",  \
		    "roles of " that "; = holds when it has the role"                              \
	}

/* clang-format off */
static const struct field fields[] = {
	{ "kind", FIELD_KIND, STORE_POINTER, 0, AT(kind), ALWAYS, "unknown", "relay.forward",
	  "kind of finding" },
	{ "confidence", FIELD_CONFIDENCE, STORE_U32, 0, AT(confidence), ALWAYS, "unknown", "proof",
	  "how sure the event is: indicator < strong < proof" },
	{ "attribution", FIELD_ATTRIBUTION, STORE_U32, 0, AT(attribution), ALWAYS, "unknown",
	  "consistent", "how surely the actor is named: claimed < consistent < attested" },
	FIELDS_OF_PARTY(actor, "the one who should not have had the packet"),
	FIELDS_OF_PARTY(victim, "the owner of the traffic"),
	{ "peer.tenant", FIELD_TEXT, STORE_POINTER, 0, AT(peer.tenant), ALWAYS, "unknown",
	  "external", "tenant of the victim's other end" },
	{ "peer.ip", FIELD_IP, STORE_IP, 0, AT(peer.ip), AT(peer.has_ip), "unknown",
	  "198.51.100.7", "address of the victim's other end" },
	{ "next.name", FIELD_TEXT, STORE_POINTER, 0, AT(next.host), ALWAYS, "unknown", "gw",
	  "host the actor sent the packet on to" },
	{ "next.role", FIELD_ROLES, STORE_U32, 0, AT(next.roles), ALWAYS, "none", "router",
	  "roles of that host; = holds when it has the role" },
	{ "next.mac", FIELD_MAC, STORE_MAC, 0, AT(next.mac), AT(next.has_mac), "unknown",
	  "02:00:5e:00:00:01", "MAC of that host" },
	{ "app.proto", FIELD_NAME, STORE_CHARS, APP_NAME_SIZE, AT(app.proto), ALWAYS, "traffic",
	  "TLS", "application protocol by deep packet inspection; \"\" when not known" },
	{ "app.service", FIELD_NAME, STORE_CHARS, APP_NAME_SIZE, AT(app.service), ALWAYS,
	  "unknown", "Google", "service carried by the protocol" },
	{ "app.category", FIELD_NAME, STORE_CHARS, APP_NAME_SIZE, AT(app.category), ALWAYS,
	  "unknown", "Web", "category of the protocol" },
	{ "app.host", FIELD_NAME, STORE_CHARS, APP_HOST_SIZE, AT(app.host), ALWAYS, "unknown",
	  "www.example.com", "server name in TLS, HTTP or DNS" },
	{ "app.risk", FIELD_RISKS, STORE_U64, 0, AT(app.risks), ALWAYS, "none",
	  "\"Clear-Text Credentials\"", "risks nDPI names; = holds when it is among them" },
	{ "app.ja3", FIELD_NAME, STORE_CHARS, 33, AT(app.ja3), ALWAYS, "unknown",
	  "e7d705a3286e19ea42f587b344ee6865", "TLS client fingerprint" },
	{ "app.encrypted", FIELD_BOOL, STORE_FLAG, APP_ENCRYPTED, AT(app.flags), ALWAYS, "no",
	  "yes", "the application encrypts" },
	{ "app.cleartext_credentials", FIELD_BOOL, STORE_FLAG, APP_CLEARTEXT_CREDENTIALS,
	  AT(app.flags), ALWAYS, "no", "yes", "a password or token was readable" },
	{ "app.sure", FIELD_BOOL, STORE_FLAG, APP_SURE, AT(app.flags), ALWAYS, "no", "yes",
	  "the application is known by content, not by port or address" },
	{ "flow.src_ip", FIELD_IP, STORE_IP, 0, AT(tuple.src), AT(has_flow), "unknown",
	  "10.20.0.21", "source of the victim's flow" },
	{ "flow.dst_ip", FIELD_IP, STORE_IP, 0, AT(tuple.dst), AT(has_flow), "unknown",
	  "198.51.100.7", "destination of the victim's flow" },
	{ "flow.src_port", FIELD_NUMBER, STORE_U16, 0, AT(tuple.sport), AT(has_flow), "unknown",
	  "40000", "source port of the victim's flow" },
	{ "flow.dst_port", FIELD_NUMBER, STORE_U16, 0, AT(tuple.dport), AT(has_flow), "unknown",
	  "443", "destination port of the victim's flow" },
	{ "flow.proto", FIELD_PROTO, STORE_U8, 0, AT(tuple.proto), AT(has_flow), "unknown", "TCP",
	  "transport protocol, by name or number" },
	{ "ether.src_mac", FIELD_MAC, STORE_MAC, 0, AT(smac), AT(has_ether), "unknown",
	  "02:ac:00:00:00:a1", "source MAC of the offending frame" },
	{ "ether.dst_mac", FIELD_MAC, STORE_MAC, 0, AT(dmac), AT(has_ether), "unknown",
	  "02:00:5e:00:00:01", "destination MAC of the offending frame" },
	{ "vlan", FIELD_VLAN, STORE_VLANS, 0, AT(vlan), ALWAYS, "untagged", "100",
	  "VLAN tags of the frame; = holds when one of them is it; 0 is untagged" },
	{ "vni", FIELD_NUMBER, STORE_U32, 0, AT(vni), AT(has_vni), "none", "5001",
	  "overlay network identifier" },
	{ "tap", FIELD_NUMBER, STORE_U16, 0, AT(tap), ALWAYS, "unknown", "0",
	  "the tap that saw it, counted from 0 in the inventory's order" },
	{ "count", FIELD_NUMBER, STORE_U64, 0, AT(count), ALWAYS, "0", "7",
	  "packets or events the finding stands for" },
	{ "bytes", FIELD_SIZE, STORE_U64, 0, AT(bytes), ALWAYS, "0", "4KiB",
	  "bytes of the victim that the actor could read" },
	{ "ttl_delta", FIELD_NUMBER, STORE_I32, 0, AT(ttl_delta), AT(has_ttl_delta), "unknown",
	  "-1", "TTL when sent on, minus TTL when received" },
	{ "delay", FIELD_DURATION, STORE_U64, 0, AT(delay_us), AT(has_delay), "unknown", "400us",
	  "time the actor held the packet" },
	{ "detail.NAME", FIELD_DETAIL, STORE_DETAIL, 0, 0, ALWAYS, "unknown", "10.0.0.66",
	  "a fact of its own that a kind of finding carries, by its name" },
};
/* clang-format on */

#define FIELD_COUNT (sizeof fields / sizeof fields[0])
#define FIELD_DETAIL_ROW (&fields[FIELD_COUNT - 1])

static const struct {
	const char *name;
	uint8_t klass;
	bool ordered;
} types[FIELD_TYPES] = {
    [FIELD_TEXT] = {"text", CLASS_TEXT, false},
    [FIELD_NAME] = {"name", CLASS_TEXT, false},
    [FIELD_HOST] = {"tenant/host", CLASS_TEXT, false},
    [FIELD_KIND] = {"kind", CLASS_TEXT, false},
    [FIELD_CONFIDENCE] = {"confidence", CLASS_NUMBER, true},
    [FIELD_ATTRIBUTION] = {"attribution", CLASS_NUMBER, true},
    [FIELD_NUMBER] = {"number", CLASS_NUMBER, true},
    [FIELD_SIZE] = {"size", CLASS_NUMBER, true},
    [FIELD_DURATION] = {"duration", CLASS_NUMBER, true},
    [FIELD_BOOL] = {"yes/no", CLASS_NUMBER, false},
    [FIELD_IP] = {"IP", CLASS_IP, false},
    [FIELD_MAC] = {"MAC", CLASS_NUMBER, false},
    [FIELD_ROLES] = {"role", CLASS_BITS, false},
    [FIELD_RISKS] = {"risk", CLASS_BITS, false},
    [FIELD_PROTO] = {"protocol", CLASS_NUMBER, false},
    [FIELD_VLAN] = {"VLAN", CLASS_NUMBER, false},
    [FIELD_DETAIL] = {"text or number", CLASS_TEXT, true},
};

enum value_class field_class(enum field_type type)
{
	return types[type].klass;
}

bool field_ordered(enum field_type type)
{
	return types[type].ordered;
}

const char *field_type_name(enum field_type type)
{
	return types[type].name;
}

void rule_fields(void (*each)(void *context, const char *name, const char *type,
			      const char *example, const char *summary),
		 void *context)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		each(context, fields[i].name, types[fields[i].type].name, fields[i].example,
		     fields[i].summary);
}

static bool is_detail_name(const char *name)
{
	if (*name == '\0')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

bool field_find(const char *name, struct arena *arena, struct field_ref *out)
{
	size_t root = strlen(DETAIL_ROOT);

	*out = (struct field_ref){0};
	if (strncmp(name, DETAIL_ROOT, root) == 0) {
		if (!is_detail_name(name + root))
			return false;
		out->field = FIELD_DETAIL_ROW;
		out->detail = arena_strdup(arena, name + root);
		return out->detail != NULL;
	}
	for (size_t i = 0; i < FIELD_COUNT - 1; i++) {
		if (strcmp(fields[i].name, name) == 0) {
			out->field = &fields[i];
			return true;
		}
	}
	return false;
}

bool field_rooted(const char *word)
{
	const char *dot = strchr(word, '.');
	size_t len;

	if (dot == NULL)
		return false;
	len = (size_t)(dot - word) + 1;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (strncmp(fields[i].name, word, len) == 0)
			return true;
	}
	return false;
}

const char *field_nearest(const char *name)
{
	const char *names[FIELD_COUNT + 1];

	for (size_t i = 0; i < FIELD_COUNT; i++)
		names[i] = fields[i].name;
	names[FIELD_COUNT] = NULL;
	return nearest_name(name, names);
}

static const struct detail *find_detail(const struct finding *finding, const char *name)
{
	for (unsigned i = 0; i < finding->detail_count; i++) {
		if (strcmp(finding->detail[i].name, name) == 0)
			return &finding->detail[i];
	}
	return NULL;
}

static int64_t clamp(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void set_text(struct field_value *value, const char *text, size_t max)
{
	value->text = text == NULL ? "" : text;
	value->len = strnlen(value->text, max);
}

static void get_host(const struct party *party, struct field_value *value)
{
	(void)snprintf(value->scratch, sizeof value->scratch, "%s/%s",
		       party->tenant == NULL ? "unknown" : party->tenant,
		       party->host == NULL ? "unknown" : party->host);
	set_text(value, value->scratch, sizeof value->scratch);
}

/* Integers of any width, as numbers and as bits. */
static void get_integer(const struct field *field, const void *at, struct field_value *value)
{
	uint64_t n = 0;

	switch (field->store) {
	case STORE_U8:
		n = *(const uint8_t *)at;
		break;
	case STORE_U16:
		n = *(const uint16_t *)at;
		break;
	case STORE_FLAG:
		n = (*(const uint16_t *)at & field->size) != 0;
		break;
	case STORE_U32:
		n = *(const uint32_t *)at;
		break;
	case STORE_U64:
		n = *(const uint64_t *)at;
		break;
	default: /* STORE_I32 */
		value->number = *(const int32_t *)at;
		return;
	}
	value->bits = n;
	if (field->type == FIELD_DURATION) /* kept in us */
		n = n > UINT64_MAX / 1000 ? UINT64_MAX : n * 1000;
	value->number = clamp(n);
}

void field_get(const struct field_ref *ref, const struct finding *finding,
	       struct field_value *value)
{
	const struct field *field = ref->field;
	const char *at = (const char *)finding + field->offset;
	const struct detail *detail;

	value->text = "";
	value->len = 0;
	value->number = 0;
	value->bits = 0;
	value->present = field->present == FIELD_ALWAYS ||
			 *(const bool *)((const char *)finding + field->present);
	switch (field->store) {
	case STORE_POINTER:
		set_text(value, *(const char *const *)(const void *)at, SIZE_MAX / 2);
		break;
	case STORE_CHARS:
		set_text(value, at, field->size);
		break;
	case STORE_MAC:
		value->number = (int64_t)mac_to_u64(*(const struct mac_addr *)(const void *)at);
		break;
	case STORE_IP:
		value->ip = *(const struct ip_addr *)(const void *)at;
		break;
	case STORE_PARTY:
		get_host((const struct party *)(const void *)at, value);
		break;
	case STORE_VLANS:
		break; /* several values: whoever compares looks at the finding */
	case STORE_DETAIL:
		detail = find_detail(finding, ref->detail);
		value->present = detail != NULL;
		if (detail != NULL)
			set_text(value, detail->text, sizeof detail->text);
		break;
	default:
		get_integer(field, at, value);
		break;
	}
}
