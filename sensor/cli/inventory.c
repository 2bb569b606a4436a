/* SPDX-License-Identifier: Apache-2.0 */
/* inventory.c - "bulkhead inventory whois": whose MAC or address is it? */
#include <string.h>

#include "bulkhead/addr.h"
#include "bulkhead/tenant.h"
#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/terminal.h"

static const char shorts[] = ":" SETUP_SHORTS "h";
static const struct option longs[] = {SETUP_LONGS, {NULL, 0, NULL, 0}};

static void print_roles(const struct cli *cli, uint32_t roles)
{
	const char *gap = "";
	uint32_t bit;

	for (bit = ROLE_SERVER; bit <= ROLE_HYPERVISOR; bit <<= 1)
		if ((roles & bit) != 0) {
			(void)fprintf(cli->out, "%s%s", gap, role_name(bit));
			gap = " ";
		}
	if (roles == 0)
		(void)fputs("server", cli->out);
}

static void print_host(const struct cli *cli, const struct inventory *inv, uint32_t id)
{
	const struct host *host = inventory_host(inv, id);
	char text[IP_TEXT_SIZE];
	unsigned i;

	if (host == NULL)
		return;
	(void)fputs("  roles  ", cli->out);
	print_roles(cli, host->roles);
	for (i = 0; i < host->mac_count; i++)
		(void)fprintf(cli->out, "%s%s", i == 0 ? "\n  mac    " : " ",
			      mac_format(host->mac[i], text));
	for (i = 0; i < host->ip_count; i++)
		(void)fprintf(cli->out, "%s%s", i == 0 ? "\n  ip     " : " ",
			      ip_format(&host->ip[i], text));
	for (i = 0; i < host->port_count; i++) {
		(void)fputs(i == 0 ? "\n  port   " : " ", cli->out);
		terminal_puts(cli->out, host->port[i]);
	}
	(void)fputc('\n', cli->out);
}

static void print_name(const struct cli *cli, const struct inventory *inv, uint32_t tenant,
		       uint32_t id)
{
	const struct host *host = inventory_host(inv, id);

	terminal_puts(cli->out, inventory_tenant_name(inv, tenant));
	if (host != NULL) {
		(void)fputc('/', cli->out);
		terminal_puts(cli->out, host->name);
	}
}

static int whois_mac(const struct cli *cli, const struct inventory *inv, struct mac_addr mac)
{
	struct carrier carrier = inventory_carrier(inv, mac);
	char text[MAC_TEXT_SIZE];

	(void)fprintf(cli->out, "%s  ", mac_format(mac, text));
	print_name(cli, inv, carrier.tenant, carrier.host);
	(void)fprintf(cli->out, "%s\n", carrier.shared ? "  (shared by several hosts)" : "");
	print_host(cli, inv, carrier.host);
	return 0;
}

static const char *how(const struct owner *owner)
{
	static const char *const word[] = {"in no prefix",
					   "the host's own address",
					   "a shared address",
					   "in the tenant's prefix",
					   "in the segment's prefix, assigned to nobody",
					   "in a dynamic range: the lease tells"};

	return owner->kind < sizeof word / sizeof word[0] ? word[owner->kind] : "";
}

/* Every domain is asked: the same private address may have several owners. */
static int whois_ip(const struct cli *cli, const struct inventory *inv, const struct ip_addr *ip)
{
	uint16_t i, k, count = inventory_segment_count(inv);
	char text[IP_TEXT_SIZE];

	for (i = 0; i < count || i == 0; i++) {
		const struct segment *segment = inventory_segment(inv, i);
		uint16_t domain = segment != NULL ? segment->domain : 0;
		bool told = false;
		struct owner owner;

		for (k = 0; k < i; k++)
			told = told || inventory_segment(inv, k)->domain == domain;
		if (told)
			continue;
		owner = inventory_owner(inv, domain, ip);
		(void)fprintf(cli->out, "%s  ", ip_format(ip, text));
		print_name(cli, inv, owner.tenant, owner.host);
		(void)fprintf(cli->out, "  (%s; domain ", how(&owner));
		terminal_puts(cli->out, segment != NULL ? segment->domain_name : "default");
		(void)fputs(")\n", cli->out);
		print_host(cli, inv, owner.host);
	}
	return 0;
}

static int whois(struct cli *cli, struct setup *setup, const char *word, struct err *err)
{
	struct mac_addr mac;
	struct ip_addr ip;
	bool is_mac = mac_parse(word, &mac);
	int code;

	if (!is_mac && !ip_parse(word, &ip))
		return err_set(err, ERR_USAGE, "inventory whois: \"%s\" is neither MAC nor IP",
			       word);
	if (setup->config == NULL && setup->inventory_count == 0)
		return err_set(err, ERR_USAGE, "inventory whois: give -c FILE or --inventory FILE");
	code = setup_load(setup, err);
	if (code != 0) {
		setup_print_problems(setup, cli, true);
		return code;
	}
	return is_mac ? whois_mac(cli, setup->inventory, mac)
		      : whois_ip(cli, setup->inventory, &ip);
}

static int inventory_run(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct setup setup = {0};
	int option, code = 0;

	while (code == 0 && (option = cli_getopt(argc, argv, shorts, longs, err)) != -1) {
		if (option == 'h')
			return cli_help(cli, &command_inventory);
		code = option == '?' ? ERR_USAGE : setup_option(&setup, option, optarg, err);
	}
	if (code == 0 && (argc - optind != 2 || strcmp(argv[optind], "whois") != 0))
		code = err_set(err, ERR_USAGE, "inventory: say whois MAC or whois IP");
	if (code == 0)
		code = whois(cli, &setup, argv[optind + 1], err);
	setup_free(&setup);
	return code;
}

static const char help[] =
    "inventory whois MAC|IP [OPTION]...\n"
    "\n"
    "Tells whose a MAC or an address is, in every routing domain.\n"
    "\n"
    "  -c, --config FILE       the inventory of this config\n"
    "      --inventory FILE    this inventory; file or folder, may be repeated\n";

const struct command command_inventory = {
    .name = "inventory",
    .summary = "whose is this MAC or address",
    .help = help,
    .run = inventory_run,
};
