/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - BPF text over captured frames, by libpcap's compiler and interpreter.
 *
 * A program is made for one link type; a pcapng file may have several, so they are compiled as
 * they occur.  The same text answers differently here and on a live interface when frames have
 * VLAN tags (there the kernel took the tag out): "(F) or (vlan and (F))" is right on both.
 */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"

#define MAX_PROGRAMS 8
#define ANY_SNAPLEN 262144

struct filter {
	char *text;
	unsigned count;
	struct {
		uint16_t linktype;
		struct bpf_program code;
	} program[MAX_PROGRAMS];
};

/* libpcap's own numbers, which for raw IP are not the file's. */
static int dlt_of(uint16_t linktype)
{
	return linktype == LINK_RAW ? DLT_RAW : linktype;
}

static int compile(struct bpf_program *code, const char *text, uint16_t linktype, struct err *err)
{
	pcap_t *dead = pcap_open_dead(dlt_of(linktype), ANY_SNAPLEN);
	int rc = 0;

	if (dead == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (pcap_compile(dead, code, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		rc = err_set(err, ERR_USAGE, "filter \"%s\": %s", text, pcap_geterr(dead));
	pcap_close(dead);
	return rc;
}

static int add_program(struct filter *f, uint16_t linktype, struct err *err)
{
	int rc;

	if (f->count == MAX_PROGRAMS)
		return err_set(err, ERR_DATA, "more than %d link types in one capture",
			       MAX_PROGRAMS);
	rc = compile(&f->program[f->count].code, f->text, linktype, err);
	if (rc == 0)
		f->program[f->count++].linktype = linktype;
	return rc;
}

int filter_new(struct filter **filter, const char *text, struct err *err)
{
	struct filter *f = calloc(1, sizeof *f);
	int rc;

	if (f == NULL || (f->text = strdup(text)) == NULL) {
		filter_free(f);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	rc = add_program(f, LINK_ETHERNET, err);
	if (rc != 0) {
		filter_free(f);
		return rc;
	}
	*filter = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	for (unsigned n = 0; n < f->count; n++)
		pcap_freecode(&f->program[n].code);
	free(f->text);
	free(f);
}

int filter_passes(struct filter *f, const struct frame *frame, struct err *err)
{
	struct pcap_pkthdr header = {.caplen = frame->caplen, .len = frame->len};
	unsigned n = 0;
	int rc;

	while (n < f->count && f->program[n].linktype != frame->linktype)
		n++;
	if (n == f->count) {
		rc = add_program(f, frame->linktype, err);
		if (rc != 0)
			return rc;
	}
	return pcap_offline_filter(&f->program[n].code, &header, frame->data) != 0;
}

int capture_check_filter(const char *text, struct err *err)
{
	struct filter *f = NULL;
	int rc = filter_new(&f, text, err);

	filter_free(f);
	return rc;
}
