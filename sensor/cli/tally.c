/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - see tally.h. */
#include "cli/tally.h"

#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"

#define ROWS_SHOWN 40
#define COLUMNS 7
#define GAP 2

struct tally *tally_new(struct err *err)
{
	struct tally *tally = calloc(1, sizeof *tally);

	if (tally == NULL)
		(void)err_set(err, ERR_MEMORY, "out of memory");
	return tally;
}

void tally_free(struct tally *tally)
{
	free(tally);
}

/* The row of an alert, new or not; NULL when it has none and none is free.  Ids are hashes
 * already: their first digits choose the slot. */
static struct tally_row *find_row(struct tally *tally, const char *id)
{
	char head[9] = "";
	uint32_t at;

	memcpy(head, id, strnlen(id, 8));
	at = (uint32_t)strtoul(head, NULL, 16) & (TALLY_SLOTS - 1);
	while (tally->slot[at] != 0) {
		struct tally_row *row = &tally->row[tally->slot[at] - 1];

		if (strcmp(row->id, id) == 0)
			return row;
		at = (at + 1) & (TALLY_SLOTS - 1);
	}
	if (tally->rows == TALLY_ROWS)
		return NULL;
	tally->slot[at] = (uint16_t)++tally->rows;
	(void)snprintf(tally->row[tally->rows - 1].id, ALERT_ID_SIZE, "%s", id);
	return &tally->row[tally->rows - 1];
}

static void join_party(char *out, size_t size, const char *tenant, const char *host)
{
	if (host[0] == '\0' || strcmp(host, tenant) == 0)
		(void)snprintf(out, size, "%s", tenant);
	else
		(void)snprintf(out, size, "%s/%s", tenant, host);
}

/* "6, 7" out of the document: "frames":[ cannot stand inside a JSON string, whose quotes are
 * escaped. */
static void copy_frames(char *out, size_t size, const char *json)
{
	static const char key[] = "\"frames\":[";
	const char *at = json != NULL ? strstr(json, key) : NULL;
	size_t len = 0;

	out[0] = '\0';
	if (at == NULL)
		return;
	for (at += sizeof key - 1; *at != ']' && *at != '\0' && len + 3 < size; at++) {
		out[len++] = *at;
		if (*at == ',')
			out[len++] = ' ';
	}
	out[len] = '\0';
}

void tally_alert(struct tally *tally, const struct alert *alert)
{
	struct tally_row *row = find_row(tally, alert->id);
	bool first = alert->op == ALERT_OPEN;

	if (first)
		tally->incidents++;
	if (row == NULL) {
		if (first)
			tally->by_severity[alert->severity]++;
		return;
	}
	if (row->kind[0] == '\0')
		tally->by_severity[alert->severity]++;
	else if (alert->severity > row->severity) {
		tally->by_severity[row->severity]--;
		tally->by_severity[alert->severity]++;
	}
	if (row->kind[0] == '\0' || alert->severity > row->severity)
		row->severity = alert->severity;
	row->first_ns = alert->first_ns;
	row->count = alert->count;
	row->bytes = alert->bytes;
	memcpy(row->rule, alert->rule, sizeof row->rule);
	memcpy(row->kind, alert->kind, sizeof row->kind);
	memcpy(row->app, alert->app, sizeof row->app);
	memcpy(row->vlan, alert->vlan, sizeof row->vlan);
	join_party(row->actor, sizeof row->actor, alert->actor, alert->actor_host);
	join_party(row->victim, sizeof row->victim, alert->victim, alert->victim_host);
	if (row->frames[0] == '\0')
		copy_frames(row->frames, sizeof row->frames, alert->json);
}

uint64_t tally_at_least(const struct tally *tally, enum severity severity)
{
	uint64_t n = 0;
	int s;

	for (s = (int)severity; s < SEVERITY_MAX; s++)
		n += tally->by_severity[s];
	return n;
}

static int by_gravity(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* One cell of the table, by column. */
static void cell(const struct tally_row *row, int column, char *out, size_t size)
{
	switch (column) {
	case 0:
		(void)snprintf(out, size, "%s", severity_name(row->severity));
		break;
	case 1:
		(void)snprintf(out, size, "%s %s", row->rule, row->kind);
		break;
	case 2:
		(void)snprintf(out, size, "%s -> %s", row->actor, row->victim);
		break;
	case 3:
		(void)snprintf(out, size, "%s", row->app[0] != '\0' ? row->app : "-");
		break;
	case 4:
		(void)snprintf(out, size, "%s", row->vlan[0] != '\0' ? row->vlan : "-");
		break;
	case 5:
		(void)snprintf(out, size, "%llu", (unsigned long long)row->count);
		break;
	default:
		(void)snprintf(out, size, "%s", row->frames[0] != '\0' ? row->frames : "-");
		break;
	}
}

#define CELL_SIZE 640

void tally_print(struct tally *tally, const struct cli *cli)
{
	static const char *const head[COLUMNS] = {"SEVERITY", "RULE",  "ACTOR -> VICTIM", "APP",
						  "VLAN",     "COUNT", "FIRST FRAMES"};
	unsigned shown = tally->rows < ROWS_SHOWN ? tally->rows : ROWS_SHOWN;
	size_t width[COLUMNS];
	char text[CELL_SIZE];
	unsigned i;
	int c;

	qsort(tally->row, tally->rows, sizeof tally->row[0], by_gravity);
	for (c = 0; c < COLUMNS; c++) {
		width[c] = strlen(head[c]);
		for (i = 0; i < shown; i++) {
			cell(&tally->row[i], c, text, sizeof text);
			if (strlen(text) > width[c])
				width[c] = strlen(text);
		}
	}
	(void)fputs(cli->color ? color_bold : "", cli->err);
	for (c = 0; c < COLUMNS; c++)
		(void)fprintf(cli->err, "%-*s", c + 1 < COLUMNS ? (int)width[c] + GAP : 0, head[c]);
	(void)fprintf(cli->err, "%s\n", cli->color ? color_end : "");
	for (i = 0; i < shown; i++) {
		for (c = 0; c < COLUMNS; c++) {
			int pad = c + 1 < COLUMNS ? (int)width[c] + GAP : 0;

			cell(&tally->row[i], c, text, sizeof text);
			if (c == 0 && cli->color)
				(void)fputs(color_severity(tally->row[i].severity), cli->err);
			terminal_puts(cli->err, text);
			if (c == 0 && cli->color)
				(void)fputs(color_end, cli->err);
			(void)fprintf(cli->err, "%*s", pad > 0 ? pad - (int)strlen(text) : 0, "");
		}
		(void)fputc('\n', cli->err);
	}
	if (tally->incidents > shown)
		(void)fprintf(cli->err, "... and %llu more: -o FILE holds them all\n",
			      (unsigned long long)(tally->incidents - shown));
}
