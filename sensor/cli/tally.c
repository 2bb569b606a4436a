/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - see tally.h. */
#include "cli/tally.h"

#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"

#define GAP 2
#define CELL_SIZE 640

enum column { C_SEVERITY, C_RULE, C_PARTIES, C_APP, C_VLAN, C_COUNT, C_FRAMES, C_ID, COLUMNS };

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
	row->open = alert->op != ALERT_CLOSE;
	row->first_ns = alert->first_ns;
	row->last_ns = alert->last_ns;
	row->count = alert->count;
	row->bytes = alert->bytes;
	memcpy(row->rule, alert->rule, sizeof row->rule);
	memcpy(row->kind, alert->kind, sizeof row->kind);
	memcpy(row->app, alert->app, sizeof row->app);
	memcpy(row->vlan, alert->vlan, sizeof row->vlan);
	memcpy(row->message, alert->message, sizeof row->message);
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

static void cell(const struct tally_row *row, int column, char *out, size_t size)
{
	switch (column) {
	case C_SEVERITY:
		(void)snprintf(out, size, "%s", severity_name(row->severity));
		break;
	case C_RULE:
		(void)snprintf(out, size, "%s %s", row->rule, row->kind);
		break;
	case C_PARTIES:
		(void)snprintf(out, size, "%s -> %s", row->actor, row->victim);
		break;
	case C_APP:
		(void)snprintf(out, size, "%s", row->app[0] != '\0' ? row->app : "-");
		break;
	case C_VLAN:
		(void)snprintf(out, size, "%s", row->vlan[0] != '\0' ? row->vlan : "-");
		break;
	case C_COUNT:
		(void)snprintf(out, size, "%llu", (unsigned long long)row->count);
		break;
	case C_FRAMES:
		(void)snprintf(out, size, "%s", row->frames[0] != '\0' ? row->frames : "-");
		break;
	default:
		(void)snprintf(out, size, "%s", row->id);
		break;
	}
}

void tally_sort(struct tally *tally, bool open_only)
{
	unsigned i, kept = 0;

	qsort(tally->row, tally->rows, sizeof tally->row[0], by_gravity);
	memset(tally->slot, 0, sizeof tally->slot); /* the rows have moved: no more look-ups */
	for (i = 0; i < tally->rows; i++)
		if (tally->row[i].open || !open_only)
			tally->row[kept++] = tally->row[i];
	tally->rows = kept;
}

static void print_row(const struct tally_row *row, const struct tally_view *view,
		      const size_t *width, int last)
{
	char text[CELL_SIZE];
	int c;

	for (c = 0; c <= last; c++) {
		int pad = c < last ? (int)width[c] + GAP : 0;

		cell(row, c, text, sizeof text);
		if (c == C_SEVERITY && view->color)
			(void)fputs(color_severity(row->severity), view->out);
		terminal_puts(view->out, text);
		if (c == C_SEVERITY && view->color)
			(void)fputs(color_end, view->out);
		(void)fprintf(view->out, "%*s", pad > 0 ? pad - (int)strlen(text) : 0, "");
	}
	(void)fputc('\n', view->out);
}

void tally_print(struct tally *tally, const struct tally_view *view)
{
	static const char *const head[COLUMNS] = {"SEVERITY", "RULE",  "ACTOR -> VICTIM", "APP",
						  "VLAN",     "COUNT", "FIRST FRAMES",	  "ID"};
	unsigned i, shown;
	int c, last = view->ids ? C_ID : C_FRAMES;
	uint64_t all;
	size_t width[COLUMNS];
	char text[CELL_SIZE];

	tally_sort(tally, view->open_only);
	shown = tally->rows < view->most ? tally->rows : view->most;
	all = view->open_only ? tally->rows : tally->incidents;
	for (c = 0; c < COLUMNS; c++) {
		width[c] = strlen(head[c]);
		for (i = 0; i < shown; i++) {
			cell(&tally->row[i], c, text, sizeof text);
			if (strlen(text) > width[c])
				width[c] = strlen(text);
		}
	}
	(void)fputs(view->color ? color_bold : "", view->out);
	for (c = 0; c <= last; c++)
		(void)fprintf(view->out, "%-*s", c < last ? (int)width[c] + GAP : 0, head[c]);
	(void)fprintf(view->out, "%s\n", view->color ? color_end : "");
	for (i = 0; i < shown; i++)
		print_row(&tally->row[i], view, width, last);
	if (all > shown)
		(void)fprintf(view->out, "... and %llu more\n", (unsigned long long)(all - shown));
}
