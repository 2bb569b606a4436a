/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c - a network interface as a source of frames, by libpcap.
 *
 * libpcap uses the kernel's ring (TPACKET_V3) as long as it is asked for a time-out above 0 and
 * not for immediate mode, which falls back to a wake-up a frame.  It hands a block of the ring
 * back to the kernel as soon as its last frame was shown, so the frames of a batch are copied.
 *
 * Drops are asked of the kernel itself: the answer resets its counters, which are 32 bits wide,
 * so they are added up here.  pcap_stats() would open a file in /sys on each call, which a
 * confined process may not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead/clock.h"
#include "capture/source.h"

#define BLOCK_TIMEOUT_MS 20 /* a block that does not fill is given out after this */
#define WAIT_MS 100
#define MIN_SNAPLEN 64
#define TAG_ROOM                                                                                   \
	64 /* libpcap puts a VLAN tag back in front of what the snap length let through            \
	    */
#define SYSFS_COUNTERS 2

struct capture {
	pcap_t *pcap;
	struct pollfd poll;
	char *name;
	uint8_t *bytes; /* the frames of a batch, one behind the other */
	uint32_t slot;	/* most bytes one of them takes */
	size_t used;
	struct frame_batch *batch; /* being filled */
	uint16_t linktype;
	uint16_t tap;
	bool failed;	    /* libpcap tells an error once: it is kept */
	uint64_t joined_ns; /* frames before were seen by other members of the fanout group too */
	struct capture_stats stats;
	int sysfs[SYSFS_COUNTERS]; /* the interface's own drop counters; -1: has none */
	uint64_t sysfs_start[SYSFS_COUNTERS];
};

static uint64_t read_counter(int fd)
{
	char text[32];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

static void open_counters(struct capture *c)
{
	static const char *const names[SYSFS_COUNTERS] = {"rx_missed_errors", "rx_fifo_errors"};
	char path[128];

	for (unsigned n = 0; n < SYSFS_COUNTERS; n++) {
		(void)snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", c->name,
			       names[n]); /* a name cut off is no interface's: open fails */
		c->sysfs[n] = open(path, O_RDONLY | O_CLOEXEC);
		c->sysfs_start[n] = read_counter(c->sysfs[n]);
	}
}

static int activate_error(pcap_t *pcap, const char *name, int rc, struct err *err)
{
	switch (rc) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(err, ERR_NOINPUT, "%s: there is no such interface", name);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(err, ERR_PERM,
			       "%s: capturing needs CAP_NET_RAW: run as root or under the "
			       "service unit, or grant it with setcap cap_net_raw+ep",
			       name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(err, ERR_RUN, "%s: the interface is down", name);
	default:
		return err_set(err, ERR_RUN, "%s: %s: %s", name, pcap_statustostr(rc),
			       pcap_geterr(pcap));
	}
}

/* Settings a handle takes before it is activated only. */
static int activate(struct capture *c, const struct capture_options *options, struct err *err)
{
	uint64_t buffer = options->buffer < INT_MAX ? options->buffer : INT_MAX;
	uint32_t snaplen = options->snaplen;
	int rc;

	snaplen = snaplen < MIN_SNAPLEN ? MIN_SNAPLEN : snaplen;
	snaplen = snaplen > CAPTURE_MAX_FRAME ? CAPTURE_MAX_FRAME : snaplen;
	c->slot = snaplen + TAG_ROOM;
	/* These fail only on a handle that is active already. */
	(void)pcap_set_snaplen(c->pcap, (int)snaplen);
	(void)pcap_set_promisc(c->pcap, 1);
	(void)pcap_set_timeout(c->pcap, BLOCK_TIMEOUT_MS);
	(void)pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (buffer != 0)
		(void)pcap_set_buffer_size(c->pcap, (int)buffer);
	rc = pcap_activate(c->pcap);
	if (rc < 0)
		return activate_error(c->pcap, options->name, rc, err);
	return 0; /* above 0: a warning, as "no promiscuous mode on any" */
}

static int set_filter(struct capture *c, const char *text, struct err *err)
{
	struct bpf_program code;
	int rc = 0;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (pcap_compile(c->pcap, &code, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(err, ERR_USAGE, "filter \"%s\": %s", text, pcap_geterr(c->pcap));
	if (pcap_setfilter(c->pcap, &code) != 0)
		rc = err_set(err, ERR_RUN, "filter \"%s\": %s", text, pcap_geterr(c->pcap));
	pcap_freecode(&code);
	return rc;
}

static int set_linktype(struct capture *c, struct err *err)
{
	int dlt = pcap_datalink(c->pcap);

	/* Of the two cooked formats for the device "any", this one tells the interface. */
	if (dlt == DLT_LINUX_SLL && pcap_set_datalink(c->pcap, DLT_LINUX_SLL2) == 0)
		dlt = DLT_LINUX_SLL2;
	if (dlt < 0 || dlt > UINT16_MAX)
		return err_set(err, ERR_RUN, "%s: unknown link type", c->name);
	c->linktype = (uint16_t)dlt;
	return 0;
}

static void live_close(struct capture *c)
{
	if (c == NULL)
		return;
	for (unsigned n = 0; n < SYSFS_COUNTERS; n++)
		if (c->sysfs[n] >= 0)
			(void)close(c->sysfs[n]); /* read only */
	if (c->pcap != NULL)
		pcap_close(c->pcap);
	free(c->bytes);
	free(c->name);
	free(c);
}

static int start(struct capture *c, const struct capture_options *options, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	int rc = activate(c, options, err);

	if (rc != 0)
		return rc;
	rc = set_linktype(c, err);
	if (rc == 0)
		rc = set_filter(c, options->filter, err);
	if (rc != 0)
		return rc;
	if (pcap_setnonblock(c->pcap, 1, text) != 0)
		return err_set(err, ERR_RUN, "%s: %s", c->name, text);
	c->poll = (struct pollfd){.fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN};
	if (options->fanout_members > 1) {
		rc = fanout_join(pcap_fileno(c->pcap), (uint16_t)options->fanout_group, err);
		c->joined_ns = clock_wall();
	}
	return rc;
}

static int live_open(struct capture **capture, const struct capture_options *options,
		     struct err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	struct capture *c = calloc(1, sizeof *c);
	int rc;

	if (c == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (unsigned n = 0; n < SYSFS_COUNTERS; n++)
		c->sysfs[n] = -1;
	c->tap = options->tap;
	if (options->tap_of != NULL)
		c->tap = options->tap_of(options->tap_context, options->name);
	c->name = strdup(options->name);
	c->pcap = pcap_create(options->name, text);
	if (c->name == NULL || c->pcap == NULL) {
		rc = err_set(err, ERR_MEMORY, "%s: out of memory", options->name);
		goto out;
	}
	rc = start(c, options, err);
	if (rc != 0)
		goto out;
	c->bytes = malloc((size_t)c->slot * FRAME_BATCH);
	if (c->bytes == NULL) {
		rc = err_set(err, ERR_MEMORY, "%s: out of memory", options->name);
		goto out;
	}
	open_counters(c);
	*capture = c;
	return 0;
out:
	live_close(c);
	return rc;
}

static void keep_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
	struct capture *c = (struct capture *)user;
	struct frame *frame = &c->batch->frame[c->batch->count];
	/* With nanosecond precision tv_usec counts nanoseconds. */
	uint64_t ts = (uint64_t)header->ts.tv_sec * NS_PER_SEC + (uint64_t)header->ts.tv_usec;

	if (ts < c->joined_ns)
		return;
	*frame = (struct frame){
	    .data = c->bytes + c->used,
	    .caplen = header->caplen < c->slot ? header->caplen : c->slot,
	    .len = header->len,
	    .ts_ns = ts,
	    .number = ++c->stats.numbered,
	    .linktype = c->linktype,
	    .tap = c->tap,
	};
	memcpy(c->bytes + c->used, data, frame->caplen);
	c->used += frame->caplen;
	c->batch->count++;
	c->stats.received++;
	c->stats.bytes += frame->len;
	c->stats.truncated += frame->caplen < frame->len;
}

static enum capture_verdict live_next(struct capture *c, struct frame_batch *batch, struct err *err)
{
	int n = 0;

	batch->count = 0;
	c->batch = batch;
	c->used = 0;
	if (!c->failed)
		n = pcap_dispatch(c->pcap, FRAME_BATCH, keep_frame, (u_char *)c);
	if (n == 0 && !c->failed) {
		(void)poll(&c->poll, 1, WAIT_MS); /* whatever it says, the ring is looked at */
		n = pcap_dispatch(c->pcap, FRAME_BATCH, keep_frame, (u_char *)c);
	}
	c->failed |= n < 0;
	if (!c->failed || batch->count != 0)
		return CAPTURE_OK;
	(void)err_set(err, ERR_RUN, "%s: %s", c->name, pcap_geterr(c->pcap));
	return CAPTURE_ERROR;
}

static void live_stats(struct capture *c, struct capture_stats *out)
{
	struct tpacket_stats_v3 kernel;
	socklen_t len = sizeof kernel;

	memset(&kernel, 0, sizeof kernel);
	if (getsockopt(pcap_fileno(c->pcap), SOL_PACKET, PACKET_STATISTICS, &kernel, &len) == 0)
		c->stats.dropped += kernel.tp_drops;
	c->stats.ifdropped = 0;
	for (unsigned n = 0; n < SYSFS_COUNTERS; n++) {
		uint64_t now = read_counter(c->sysfs[n]);

		if (now > c->sysfs_start[n])
			c->stats.ifdropped += now - c->sysfs_start[n];
	}
	*out = c->stats;
}

static double live_progress(struct capture *c)
{
	(void)c; /* an interface has no end */
	return -1;
}

const struct capture_source capture_live = {
    .name = "live",
    .open = live_open,
    .next = live_next,
    .stats = live_stats,
    .progress = live_progress,
    .close = live_close,
};

int capture_interfaces(void (*each)(void *context, const char *name, const char *description,
				    bool up),
		       void *context, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_if_t *all = NULL;

	if (pcap_findalldevs(&all, text) != 0)
		return err_set(err, ERR_RUN, "cannot list the interfaces: %s", text);
	for (const pcap_if_t *i = all; i != NULL; i = i->next)
		each(context, i->name, i->description == NULL ? "" : i->description,
		     (i->flags & PCAP_IF_UP) != 0);
	pcap_freealldevs(all);
	return 0;
}
