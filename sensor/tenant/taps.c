/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taps.c - the `taps` section: where frames come from and what they show.
 *
 * A port view is tied to the host registered on that port.  Several hosts of one tenant there are
 * still that tenant's port; hosts of two tenants behind one port need the hypervisor that carries
 * them to be registered on it, or nobody could say whose frames belong there.
 */
#include "tenant/load.h"

static const char *const view_names[] = {"ingress", "both", "port", NULL};

static bool read_view(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		      struct tap *tap)
{
	const char *text = required_text(l, doc, map, "tap", "view");

	if (text == NULL)
		return false;
	for (unsigned i = 0; view_names[i] != NULL; i++) {
		if (strcmp(text, view_names[i]) == 0) {
			tap->view = (enum tap_view)i;
			return true;
		}
	}
	wrong(l, doc, yaml_get(map, "view"), "no view \"%.60s\"; views are ingress, both, port",
	      text);
	return false;
}

static void read_port(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		      struct tap *tap)
{
	const struct yaml_node *node = yaml_get(map, "port");
	const char *text;

	if (tap->view != VIEW_PORT) {
		if (node != NULL)
			wrong(l, doc, node, "\"port\" goes with view: port");
		return;
	}
	text = required_text(l, doc, map, "tap with view: port", "port");
	if (text == NULL)
		return;
	if (*text == '\0' || strlen(text) > INVENTORY_MAX_NAME) {
		wrong(l, doc, node, "name of a switch port: 1 to %u bytes", INVENTORY_MAX_NAME);
		return;
	}
	tap->port = keep(l, text);
	/* Several taps may show one port; the first of them is what the hosts are tied to. */
	(void)names_add(&l->inv->names, SCOPE_TAP_PORT, tap->port, tap->id);
}

static void read_tap(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map)
{
	static const char *const known[] = {"name", "view", "port", NULL};
	struct inventory *inv = l->inv;
	struct tap *tap = &inv->taps[inv->tap_count];
	char there[PLACE_TEXT_SIZE];
	const char *name;
	uint32_t other;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, known, l->problems);
	name = required_name(l, doc, map, "tap");
	if (name == NULL)
		return;
	other = names_add(&inv->names, SCOPE_TAP, name, inv->tap_count);
	if (other != NAME_NONE) {
		wrong(l, doc, yaml_get(map, "name"), "tap \"%s\" is there already, at %s", name,
		      place_text(l->tap_place[other], there, sizeof there));
		return;
	}
	*tap = (struct tap){
	    .name = name, .id = inv->tap_count, .host = HOST_NONE, .tenant = TENANT_UNKNOWN};
	l->tap_place[inv->tap_count++] = (struct place){doc, map};
	if (read_view(l, doc, map, tap))
		read_port(l, doc, map, tap);
}

static bool carries(const struct host *host)
{
	return host->tenant == TENANT_INFRASTRUCTURE && (host->roles & ROLES_CARRY) != 0;
}

static void tie(struct loader *l, struct tap *tap, const struct host *host)
{
	struct inventory *inv = l->inv;
	char one[LABEL_SIZE], two[LABEL_SIZE];

	if (tap->host == HOST_NONE || (carries(host) && !carries(&inv->hosts[tap->host]))) {
		tap->host = host->id;
		tap->tenant = host->tenant;
		return;
	}
	if (carries(&inv->hosts[tap->host]) || tap->tenant == host->tenant ||
	    tap->tenant == TENANT_UNKNOWN)
		return;
	wrong(l, l->tap_place[tap->id].doc, l->tap_place[tap->id].node,
	      "port \"%.60s\" has hosts of two tenants, %s and %s; register the hypervisor or "
	      "switch that carries them on it, under infrastructure",
	      tap->port, label(inv, tap->tenant, tap->host, one, sizeof one),
	      label(inv, host->tenant, host->id, two, sizeof two));
	tap->tenant = TENANT_UNKNOWN; /* said once */
}

/* Infrastructure first: a carrier there settles whose port it is. */
static void tie_hosts(struct loader *l, bool infrastructure)
{
	struct inventory *inv = l->inv;

	for (uint32_t i = 0; i < inv->host_count; i++) {
		const struct host *host = &inv->hosts[i];

		if ((host->tenant == TENANT_INFRASTRUCTURE) != infrastructure)
			continue;
		for (unsigned p = 0; p < host->port_count; p++) {
			uint32_t tap = names_find(&inv->names, SCOPE_TAP_PORT, host->port[p]);

			if (tap != NAME_NONE)
				tie(l, &inv->taps[tap], host);
		}
	}
}

void taps_load(struct loader *l)
{
	struct inventory *inv = l->inv;
	bool ports = false;

	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];
		const struct yaml_node *at = section(l, doc, doc->root, "taps");

		for (; at != NULL && !l->memory; at = at->next)
			read_tap(l, doc, at);
	}
	if (inv->tap_count == 0) {
		taps_default(inv);
		return;
	}
	for (uint16_t i = 0; i < inv->tap_count; i++)
		ports = ports || inv->taps[i].port != NULL;
	if (!ports)
		return;
	tie_hosts(l, true);
	tie_hosts(l, false);
	for (uint16_t i = 0; i < inv->tap_count; i++) {
		struct tap *tap = &inv->taps[i];

		if (tap->port == NULL)
			continue;
		tap->host = inv->taps[names_find(&inv->names, SCOPE_TAP_PORT, tap->port)].host;
		tap->tenant = inv->taps[names_find(&inv->names, SCOPE_TAP_PORT, tap->port)].tenant;
	}
}
