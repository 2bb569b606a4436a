/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_evidence.c - the frames behind an alert: files that Wireshark's tools read at any time,
 * within their memory and disk, whatever stands in the folder (needs tshark).
 */
#include "unit/alert/sample.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct world {
	char folder[64];
	struct incidents_config config;
	struct incidents *in;
	struct stats stats;
	char id[ALERT_ID_SIZE];
	char json[ALERT_JSON_SIZE];
	unsigned told;
};

static void keep(void *context, const struct alert *alert)
{
	struct world *w = context;

	memcpy(w->id, alert->id, sizeof w->id);
	memcpy(w->json, alert->json, alert->json_len + 1);
	w->told++;
}

static void world_start(struct world *w)
{
	struct err err = {0};

	w->config.evidence_directory = w->folder;
	w->in = incidents_new(&w->config, keep, w, &w->stats, &err);
	if (w->in == NULL)
		fail_msg("%s", err.text);
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->config = sample_config();
	(void)snprintf(w->folder, sizeof w->folder, "/tmp/bulkhead-evidence-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
}

/* (<sys/stat.h> has a struct stat, our counters an enum stat.) */
static long size_of(const char *path)
{
	FILE *file = fopen(path, "r");
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	(void)fclose(file);
	return size;
}

/* Every entry of the folder; count of files, total of their bytes. */
static unsigned folder_list(const char *folder, uint64_t *bytes, bool remove_all)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned count = 0;

	*bytes = 0;
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		char path[400];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		*bytes += (uint64_t)size_of(path);
		count++;
		if (remove_all)
			(void)unlink(path);
	}
	(void)closedir(dir);
	return count;
}

static void world_close(struct world *w)
{
	uint64_t bytes;

	incidents_free(w->in);
	(void)folder_list(w->folder, &bytes, true);
	(void)rmdir(w->folder);
}

/* What a command prints, spaces and newlines as they are; it must succeed. */
static void output_of(char *out, size_t size, const char *fmt, const char *folder, const char *id)
{
	char command[512];
	FILE *pipe;
	size_t len;

	(void)snprintf(command, sizeof command, fmt, folder, id);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(out, 1, size - 1, pipe);
	out[len] = '\0';
	if (pclose(pipe) != 0)
		fail_msg("failed: %s", command);
}

static unsigned packets_in(const struct world *w, const char *id)
{
	char out[256];

	output_of(out, sizeof out, "capinfos -TrcM %s/%s.pcapng | cut -f2", w->folder, id);
	return (unsigned)strtoul(out, NULL, 10);
}

static void raise_numbered(struct world *w, uint64_t group, uint64_t number, uint64_t ts_ns)
{
	struct verdict verdict = sample_verdict(group);
	struct finding finding;

	sample_finding(&finding);
	finding.ts_ns = ts_ns;
	for (unsigned i = 0; i < 2; i++) {
		finding.frame[i].number = number + i;
		finding.frame[i].ts_ns = ts_ns + i;
	}
	incidents_raise(w->in, &finding, &verdict, "r", "s");
}

static void test_readable_from_the_open_on(void **state)
{
	struct world w;
	char out[1024];

	(void)state;
	world_open(&w);
	world_start(&w);
	raise_numbered(&w, 1, 6, START + 400123);
	(void)snprintf(out, sizeof out, "\"pcap\":\"%s.pcapng\"", w.id);
	assert_non_null(strstr(w.json, out));
	output_of(out, sizeof out,
		  "tshark -r %s/%s.pcapng -T fields -e frame.time_epoch -e frame.len "
		  "-e frame.cap_len -e eth.src -e eth.dst -e frame.comment 2>/dev/null",
		  w.folder, w.id);
	assert_string_equal(out,
			    "1767260880.000400123\t1514\t64\t02:61:00:00:00:b1\t02:ac:00:00:00:a1\t"
			    "in-leg: delivered to the actor\n"
			    "1767260880.000400124\t1514\t64\t02:ac:00:00:00:a1\t02:00:5e:00:00:01\t"
			    "out-leg: sent by the actor\n");
	output_of(out, sizeof out, "capinfos -Fk %s/%s.pcapng", w.folder, w.id);
	assert_non_null(strstr(out, "acme/a1 relays TLS of globex/b1 to gw"));
	assert_non_null(strstr(out, "bulkhead " BULKHEAD_VERSION));
	/* Frames between state changes wait in memory; each state change writes them. */
	raise_numbered(&w, 1, 8, START + SEC);
	assert_int_equal(packets_in(&w, w.id), 2);
	incidents_tick(w.in, START + 61 * SEC);
	assert_int_equal(w.told, 2);
	assert_int_equal(packets_in(&w, w.id), 4);
	raise_numbered(&w, 1, 10, START + 62 * SEC);
	incidents_finish(w.in, START + 63 * SEC, "end of capture");
	assert_int_equal(packets_in(&w, w.id), 6);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	world_close(&w);
}

static void test_no_more_frames_than_asked_for(void **state)
{
	struct rule rule = sample_rule;
	struct verdict verdict = sample_verdict(2);
	struct finding finding;
	struct world w;
	char first[ALERT_ID_SIZE];

	(void)state;
	world_open(&w);
	w.config.evidence_packets = 7;
	w.config.evidence_snap = 20;
	world_start(&w);
	for (unsigned i = 0; i < 20; i++)
		raise_numbered(&w, 1, 1 + 2 * i, START + i);
	memcpy(first, w.id, sizeof first);
	rule.evidence_packets = 3; /* a rule may ask for fewer or more */
	verdict.rule = &rule;
	for (unsigned i = 0; i < 20; i++) {
		sample_finding(&finding);
		finding.frame[0].number = 100 + 2 * i;
		finding.frame[1].number = 101 + 2 * i;
		incidents_raise(w.in, &finding, &verdict, "r", "s");
	}
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(packets_in(&w, first), 7);
	assert_int_equal(packets_in(&w, w.id), 3);
	world_close(&w);
}

static void test_link_types(void **state)
{
	static const uint16_t types[] = {LINK_ETHERNET,	  LINK_RAW_OLD, LINK_LINUX_SLL,
					 LINK_LINUX_SLL2, LINK_NULL,	LINK_RAW};
	struct verdict verdict = sample_verdict(1);
	struct finding finding;
	struct world w;
	char out[512];

	(void)state;
	world_open(&w);
	world_start(&w);
	for (unsigned i = 0; i < 12; i++) {
		sample_finding(&finding);
		finding.frame_count = 1;
		finding.frame[0].number = i + 1;
		finding.frame[0].linktype = types[i % 6];
		incidents_raise(w.in, &finding, &verdict, "r", "s");
	}
	incidents_finish(w.in, START + SEC, "end of capture");
	/* Raw IP has two numbers and is one; a fifth type (NULL) has no place. */
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 2);
	output_of(
	    out, sizeof out,
	    "tshark -r %s/%s.pcapng -T fields -e frame.interface_id 2>/dev/null | tr '\\n' ' '",
	    w.folder, w.id);
	assert_string_equal(out, "0 1 2 3 1 0 1 2 3 1 ");
	world_close(&w);
}

static void test_disk_quota_removes_the_oldest_closed(void **state)
{
	struct world w;
	char first[ALERT_ID_SIZE];
	char path[160], ours[160];
	uint64_t bytes;

	(void)state;
	world_open(&w);
	w.config.evidence_quota = 20000;
	(void)snprintf(path, sizeof path, "%s/not-ours.pcapng", w.folder);
	assert_int_equal(fclose(fopen(path, "w")), 0);
	world_start(&w);
	raise_numbered(&w, 1, 1, START); /* stays open throughout */
	memcpy(first, w.id, sizeof first);
	for (unsigned i = 0; i < 100; i++) {
		raise_numbered(&w, 1, 1000 + 2 * i, START + i);
		raise_numbered(&w, 2 + i, 10 + 2 * i, START + i);
		assert_int_equal(packets_in(&w, w.id), 2);
		incidents_acknowledge(w.in, w.id, true, START + i);
		(void)folder_list(w.folder, &bytes, false);
		assert_true(bytes <= 20000);
	}
	assert_true(stat_get(&w.stats, STAT_EVIDENCE_DROPPED) > 50);
	assert_int_equal(packets_in(&w, first), 2);
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(packets_in(&w, first), 64);
	assert_int_equal(access(path, F_OK), 0);

	/* Closed now, it goes as any other. */
	for (unsigned i = 0; i < 100; i++) {
		raise_numbered(&w, 200 + i, 10 + 2 * i, START + SEC);
		incidents_acknowledge(w.in, w.id, true, START + SEC);
	}
	(void)snprintf(ours, sizeof ours, "%s/%s.pcapng", w.folder, first);
	assert_int_equal(access(ours, F_OK), -1);
	assert_int_equal(packets_in(&w, w.id), 2);

	/* A restart finds what is there and goes on within the quota. */
	incidents_free(w.in);
	w.config.evidence_quota = 3000;
	world_start(&w);
	(void)folder_list(w.folder, &bytes, false);
	assert_true(bytes <= 3000);
	assert_int_equal(access(path, F_OK), 0);
	world_close(&w);
}

static void test_a_quota_full_of_open_alerts(void **state)
{
	struct world w;
	uint64_t bytes;

	(void)state;
	world_open(&w);
	w.config.evidence_quota = 2000;
	world_start(&w);
	for (unsigned i = 0; i < 16; i++)
		raise_numbered(&w, i, 1 + 2 * i, START + i);
	assert_null(strstr(w.json, "\"pcap\""));
	assert_true(folder_list(w.folder, &bytes, false) >= 3);
	assert_true(bytes <= 2000);
	/* As alerts close their files may go, so that the later ones get theirs after all. */
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED),
			 16 - folder_list(w.folder, &bytes, false));
	assert_true(bytes <= 2000);
	world_close(&w);
}

static void slurp(const char *folder, const char *id, char *out, size_t size, size_t *len)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s.pcapng", folder, id);
	file = fopen(path, "r");
	assert_non_null(file);
	*len = fread(out, 1, size, file);
	(void)fclose(file);
}

static void test_a_second_run_replaces_and_never_follows(void **state)
{
	static char one[4096], two[4096];
	size_t len_one, len_two;
	struct world w;
	char path[160], target[160];
	long size;

	(void)state;
	world_open(&w);
	world_start(&w);
	raise_numbered(&w, 1, 6, START);
	slurp(w.folder, w.id, one, sizeof one, &len_one);
	incidents_free(w.in);

	world_start(&w);
	raise_numbered(&w, 1, 6, START);
	slurp(w.folder, w.id, two, sizeof two, &len_two);
	assert_int_equal(len_one, len_two);
	assert_memory_equal(one, two, len_one);
	incidents_free(w.in);

	/* Somebody put a link where our file will be. */
	(void)snprintf(path, sizeof path, "%s/%s.pcapng", w.folder, w.id);
	(void)snprintf(target, sizeof target, "%s/precious", w.folder);
	assert_int_equal(fclose(fopen(target, "w")), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("precious", path), 0);
	world_start(&w);
	raise_numbered(&w, 1, 6, START);
	assert_int_equal(size_of(target), 0);
	output_of(one, sizeof one, "stat -c '%%F %%a' %s/%s.pcapng", w.folder, w.id);
	assert_non_null(strstr(one, "regular file"));
	assert_int_equal(strtol(strrchr(one, ' '), NULL, 8) & 0137, 0);
	/* ... or puts one there later, to a file that looks like ours: it is not written through.
	 */
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink("precious", path), 0);
	size = size_of(target);
	raise_numbered(&w, 1, 8, START + 1);
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(size_of(target), size);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 2);
	world_close(&w);
}

/* The files of an earlier run are counted once, though made anew. */
static void test_a_second_run_stays_within_the_quota(void **state)
{
	struct world w;
	char first[ALERT_ID_SIZE];
	uint64_t bytes;

	(void)state;
	world_open(&w);
	w.config.evidence_quota = 1500; /* three files and not four */
	world_start(&w);
	raise_numbered(&w, 1, 1, START);
	memcpy(first, w.id, sizeof first);
	incidents_free(w.in);
	world_start(&w);
	for (unsigned i = 1; i <= 3; i++) {
		raise_numbered(&w, i, 1, START);
		assert_non_null(strstr(w.json, "\"pcap\""));
	}
	assert_int_equal(packets_in(&w, first), 2);
	assert_int_equal(folder_list(w.folder, &bytes, false), 3);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	raise_numbered(&w, 4, 1, START);
	assert_null(strstr(w.json, "\"pcap\""));
	world_close(&w);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full in the middle of a block, then has room again. */
static void test_a_write_that_comes_short(void **state)
{
	struct rlimit before;
	struct world w;
	char path[160];

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	world_open(&w);
	world_start(&w);

	limit_file_size(100);
	raise_numbered(&w, 1, 6, START);
	limit_file_size(before.rlim_cur);
	assert_null(strstr(w.json, "\"pcap\""));
	(void)snprintf(path, sizeof path, "%s/%s.pcapng", w.folder, w.id);
	assert_int_equal(access(path, F_OK), -1);

	incidents_acknowledge(w.in, w.id, false, START); /* a state change: tried again */
	assert_non_null(strstr(w.json, "\"pcap\""));
	assert_int_equal(packets_in(&w, w.id), 2);

	raise_numbered(&w, 1, 8, START);
	limit_file_size((rlim_t)size_of(path) + 100);
	incidents_tick(w.in, START + 60 * SEC);
	limit_file_size(before.rlim_cur);
	assert_int_equal(packets_in(&w, w.id), 2); /* whole blocks only */
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	incidents_finish(w.in, START + 61 * SEC, "end of capture");
	assert_int_equal(packets_in(&w, w.id), 4);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	world_close(&w);
}

static void test_a_folder_that_vanishes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	assert_int_equal(rmdir(w.folder), 0);
	for (unsigned i = 0; i < 40; i++)
		raise_numbered(&w, i, 1 + 2 * i, START + i);
	assert_null(strstr(w.json, "\"pcap\""));
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 80);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_CLOSED), 40);
	world_close(&w);
}

/* Memory for four frames, held by many alerts: written early rather than lost. */
static void test_memory_is_bounded(void **state)
{
	struct world w;
	uint64_t bytes;

	(void)state;
	world_open(&w);
	w.config.evidence_memory = 4 * 168;
	world_start(&w);
	for (unsigned i = 0; i < 10; i++)
		raise_numbered(&w, i, 1 + 2 * i, START + i);
	for (unsigned i = 0; i < 200; i++)
		raise_numbered(&w, i % 10, 100 + 2 * i, START + SEC + i);
	incidents_finish(w.in, START + 2 * SEC, "end of capture");
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	assert_int_equal(folder_list(w.folder, &bytes, false), 10);
	assert_int_equal(packets_in(&w, w.id), 42);
	world_close(&w);

	/* None at all: everything is dropped and said. */
	world_open(&w);
	w.config.evidence_memory = 0;
	world_start(&w);
	raise_numbered(&w, 1, 1, START);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 2);
	assert_int_equal(folder_list(w.folder, &bytes, false), 0);
	world_close(&w);
}

/* The disk refuses and memory is full: what waits longest gives way to what is new. */
static void test_new_frames_before_old_ones(void **state)
{
	struct rlimit before;
	struct world w;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	world_open(&w);
	w.config.evidence_memory = 2 * 168;
	world_start(&w);
	limit_file_size(100);
	raise_numbered(&w, 1, 1, START);
	raise_numbered(&w, 2, 3, START);
	limit_file_size(before.rlim_cur);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 2);
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(packets_in(&w, w.id), 2);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 2);
	world_close(&w);
}

/* More than one write's worth, jumbo frames included. */
static void test_large_frames(void **state)
{
	static uint8_t big[70000];
	struct verdict verdict = sample_verdict(1);
	struct finding finding;
	struct world w;

	(void)state;
	world_open(&w);
	w.config.evidence_snap = sizeof big;
	w.config.evidence_memory = 16 << 20;
	w.config.evidence_quota = 64 << 20;
	world_start(&w);
	for (unsigned i = 0; i < 64; i++) {
		sample_finding(&finding);
		finding.frame_count = 1;
		finding.frame[0] = (struct finding_frame){.number = i + 1,
							  .ts_ns = START,
							  .data = big,
							  .caplen = sizeof big,
							  .len = sizeof big,
							  .linktype = LINK_ETHERNET};
		incidents_raise(w.in, &finding, &verdict, "r", "s");
	}
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(packets_in(&w, w.id), 64);
	assert_int_equal(stat_get(&w.stats, STAT_EVIDENCE_DROPPED), 0);
	world_close(&w);
}

static void test_a_folder_that_cannot_be(void **state)
{
	struct incidents_config config = sample_config();
	struct stats stats = {0};
	struct err err = {0};

	(void)state;
	config.evidence_directory = "/dev/null";
	assert_null(incidents_new(&config, keep, NULL, &stats, &err));
	assert_int_equal(err.code, ERR_RUN);
	assert_non_null(strstr(err.text, "/dev/null"));
	config.evidence_directory = "/nowhere/at/all";
	assert_null(incidents_new(&config, keep, NULL, &stats, &err));
	assert_int_equal(err.code, ERR_RUN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_readable_from_the_open_on),
	    cmocka_unit_test(test_no_more_frames_than_asked_for),
	    cmocka_unit_test(test_link_types),
	    cmocka_unit_test(test_disk_quota_removes_the_oldest_closed),
	    cmocka_unit_test(test_a_quota_full_of_open_alerts),
	    cmocka_unit_test(test_a_second_run_replaces_and_never_follows),
	    cmocka_unit_test(test_a_second_run_stays_within_the_quota),
	    cmocka_unit_test(test_a_write_that_comes_short),
	    cmocka_unit_test(test_a_folder_that_vanishes),
	    cmocka_unit_test(test_memory_is_bounded),
	    cmocka_unit_test(test_new_frames_before_old_ones),
	    cmocka_unit_test(test_large_frames),
	    cmocka_unit_test(test_a_folder_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
