/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - see report.h. */
#include "cli/report.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json.h"
#include "bulkhead/clock.h"
#include "cli/terminal.h"

#define STATS_JSON_SIZE 16384
#define FEW_MAPPED 0.5 /* below this share the inventory is the first thing to look at */
#define BAR_WIDTH 30
#define ROWS_SHOWN 40

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0.0;
}

static double per_second(uint64_t n, uint64_t ns)
{
	return ns > 0 ? (double)n * (double)NS_PER_SEC / (double)ns : 0.0;
}

static uint64_t traffic_ns(const struct report *report)
{
	return report->last_ns > report->first_ns ? report->last_ns - report->first_ns : 0;
}

static void line(const struct cli *cli, const char *label, const char *text)
{
	(void)fprintf(cli->err, "  %-9s %s\n", label, text);
}

static void print_counts(const struct report *report, const struct cli *cli)
{
	const struct stats *s = &report->stats;
	uint64_t frames = stat_get(s, STAT_FRAMES), cut = stat_get(s, STAT_TRUNCATED_FRAMES);
	uint64_t kernel = stat_get(s, STAT_DROP_KERNEL), nic = stat_get(s, STAT_DROP_INTERFACE);
	char a[NUMBER_TEXT_SIZE], b[NUMBER_TEXT_SIZE], c[NUMBER_TEXT_SIZE];
	char text[256];

	(void)snprintf(text, sizeof text, "%s, %s, %s of traffic", number_grouped(frames, a),
		       number_bytes(stat_get(s, STAT_BYTES), b),
		       number_duration(traffic_ns(report), c));
	line(cli, "frames", text);
	(void)snprintf(text, sizeof text, "%s frames/s, in %s",
		       number_grouped((uint64_t)per_second(frames, report->wall_ns), a),
		       number_duration(report->wall_ns, b));
	line(cli, "speed", text);
	(void)snprintf(text, sizeof text, "%.1f %% of frames belong to someone in the inventory",
		       100.0 * share(stat_get(s, STAT_ATTRIBUTED), frames));
	line(cli, "mapped", text);
	(void)snprintf(text, sizeof text, "%s by the kernel, %s by the interface%s%s%s",
		       number_grouped(kernel, a), number_grouped(nic, b), cut > 0 ? "; " : "",
		       cut > 0 ? number_grouped(cut, c) : "", cut > 0 ? " frames cut short" : "");
	line(cli, "drops", text);
}

static void print_ledger(const struct report *report, const struct cli *cli)
{
	int i;

	for (i = STAT_UNATTRIBUTED_TRUNCATED; i <= STAT_UNATTRIBUTED_UNMAPPED; i++) {
		uint64_t n = stat_get(&report->stats, (enum stat)i);
		char a[NUMBER_TEXT_SIZE];

		if (n > 0)
			(void)fprintf(cli->err, "            %s %s\n", number_grouped(n, a),
				      stat_name((enum stat)i));
	}
}

static void print_next(const struct report *report, const struct tally *tally,
		       const struct cli *cli)
{
	const struct stats *s = &report->stats;
	uint64_t frames = stat_get(s, STAT_FRAMES);

	(void)fputc('\n', cli->err);
	if (!report->inventory)
		(void)fputs("Next: without an inventory every machine is a stranger; name tenants "
			    "and hosts with --inventory FILE.\n",
			    cli->err);
	else if (frames > 0 && share(stat_get(s, STAT_ATTRIBUTED), frames) < FEW_MAPPED)
		(void)fputs("Next: most frames belong to nobody known; is this the inventory of "
			    "this network, and are its VLANs in it?\n",
			    cli->err);
	if (tally->incidents == 0)
		return;
	if (report->evidence != NULL) {
		(void)fputs("Next: open the evidence in Wireshark, ", cli->err);
		terminal_puts(cli->err, report->evidence);
		(void)fputs("/ALERT_ID.pcapng\n", cli->err);
	} else {
		(void)fputs("Next: look at the first frames in Wireshark (frame.number in {...}); "
			    "--evidence DIR keeps each alert's packets.\n",
			    cli->err);
	}
	if (report->output == NULL && !report->redis)
		(void)fputs("      -o FILE writes the alerts as JSON lines; \"bulkhead rules show "
			    "ID\" explains a rule.\n",
			    cli->err);
}

void report_print(const struct report *report, struct tally *tally, const struct cli *cli)
{
	uint64_t worst = tally_at_least(tally, SEVERITY_HIGH);
	char a[NUMBER_TEXT_SIZE], b[NUMBER_TEXT_SIZE];

	print_counts(report, cli);
	print_ledger(report, cli);
	if (tally->incidents == 0) {
		line(cli, "alerts", "none");
	} else {
		(void)fprintf(cli->err, "  %-9s %s, %s of them high or critical\n\n", "alerts",
			      number_grouped(tally->incidents, a), number_grouped(worst, b));
		tally_print(tally, &(struct tally_view){
				       .out = cli->err, .color = cli->color, .most = ROWS_SHOWN});
	}
	print_next(report, tally, cli);
}

static uint64_t ledger_sum(const struct stats *s)
{
	uint64_t sum = 0;
	int i;

	for (i = STAT_ATTRIBUTED; i <= STAT_UNATTRIBUTED_UNMAPPED; i++)
		sum += stat_get(s, (enum stat)i);
	return sum;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void write_json(struct json *j, const struct report *report)
{
	const struct stats *s = &report->stats;
	uint64_t frames = stat_get(s, STAT_FRAMES), bytes = stat_get(s, STAT_BYTES);
	struct rusage usage;
	int i;

	json_open_object(j, NULL);
	json_string(j, "version", BULKHEAD_VERSION);
	for (i = 0; i < STAT_MAX; i++)
		json_uint(j, stat_name((enum stat)i), stat_get(s, (enum stat)i));
	json_uint(j, "ledger_sum", ledger_sum(s));
	json_double(j, "mapped_share", share(stat_get(s, STAT_ATTRIBUTED), frames));
	json_double(j, "traffic_seconds", (double)traffic_ns(report) / (double)NS_PER_SEC);
	json_double(j, "elapsed_seconds", (double)report->wall_ns / (double)NS_PER_SEC);
	json_double(j, "frames_per_second", per_second(frames, report->wall_ns));
	json_double(j, "bytes_per_second", per_second(bytes, report->wall_ns));
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		json_double(j, "cpu_seconds", seconds(usage.ru_utime) + seconds(usage.ru_stime));
		json_uint(j, "max_rss_bytes", (uint64_t)usage.ru_maxrss * 1024);
	}
	json_close_object(j);
}

int report_write_stats(const struct report *report, const char *path, const struct cli *cli,
		       struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	char text[STATS_JSON_SIZE];
	struct json j;
	FILE *out;
	bool failed;

	json_init(&j, text, sizeof text);
	write_json(&j, report);
	if (j.overflow)
		return err_set(err, ERR_RUN, "--stats: the counters do not fit");
	out = standard ? cli->out : fopen(path, "we");
	if (out == NULL)
		return err_set(err, ERR_RUN, "--stats %s: %s", path, strerror(errno));
	(void)fwrite(text, 1, j.len, out);
	(void)fputc('\n', out);
	failed = ferror(out) != 0;
	if (!standard && fclose(out) != 0)
		failed = true;
	if (failed)
		return err_set(err, ERR_RUN, "--stats %s: cannot write", path);
	return 0;
}

void report_progress(const struct engine_progress *progress, uint64_t started_ns,
		     const struct cli *cli)
{
	uint64_t elapsed = clock_monotonic() - started_ns;
	char a[NUMBER_TEXT_SIZE], b[NUMBER_TEXT_SIZE];
	char bar[BAR_WIDTH + 1];
	int full, i;

	if (progress->done < 0.0) {
		(void)fprintf(cli->err, "\r  %s frames, %s frames/s\033[K",
			      number_grouped(progress->frames, a),
			      number_grouped((uint64_t)per_second(progress->frames, elapsed), b));
	} else {
		full = progress->done < 1.0 ? (int)(progress->done * BAR_WIDTH) : BAR_WIDTH;
		for (i = 0; i < BAR_WIDTH; i++)
			bar[i] = i < full ? '#' : '.';
		bar[BAR_WIDTH] = '\0';
		(void)fprintf(cli->err, "\r  [%s] %3.0f %%  %s frames, %s frames/s\033[K", bar,
			      100.0 * progress->done, number_grouped(progress->frames, a),
			      number_grouped((uint64_t)per_second(progress->frames, elapsed), b));
	}
	(void)fflush(cli->err);
}

void report_progress_end(const struct cli *cli)
{
	(void)fputs("\r\033[K", cli->err);
	(void)fflush(cli->err);
}
