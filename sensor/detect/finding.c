/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.c - see finding.h: the bounded list detectors write to, and the names of a finding's
 * three scales as rules and alerts write them.
 */
#include "bulkhead/finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bulkhead/tenant.h"

/* What a NUL from the wire becomes: a control byte that every printer escapes, so that
 * "good\0evil" cannot pass for "good". */
#define NUL_STANDIN '\x01'

static const char *const confidence_names[] = {
    [CONFIDENCE_INDICATOR] = "indicator",
    [CONFIDENCE_STRONG] = "strong",
    [CONFIDENCE_PROOF] = "proof",
};

static const char *const attribution_names[] = {
    [ATTRIBUTION_CLAIMED] = "claimed",
    [ATTRIBUTION_CONSISTENT] = "consistent",
    [ATTRIBUTION_ATTESTED] = "attested",
};

static const char *const severity_names[SEVERITY_MAX] = {
    [SEVERITY_INFORMATIONAL] = "informational",
    [SEVERITY_LOW] = "low",
    [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high",
    [SEVERITY_CRITICAL] = "critical",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : "unknown";
}

static int value_of(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0)
			return (int)i;
	}
	return -1;
}

struct finding *findings_add(struct findings *findings)
{
	struct finding *finding;

	if (findings->count == FINDINGS_MAX) {
		findings->dropped++;
		return NULL;
	}
	finding = &findings->finding[findings->count++];
	memset(finding, 0, sizeof *finding);
	finding->count = 1;
	finding->segment = SEGMENT_NONE;
	return finding;
}

void finding_detail(struct finding *finding, const char *name, const void *text, size_t len)
{
	struct detail *detail;

	if (finding->detail_count == FINDING_DETAILS)
		return;
	detail = &finding->detail[finding->detail_count++];
	detail->name = name;
	if (len >= sizeof detail->text)
		len = sizeof detail->text - 1;
	if (len != 0)
		memcpy(detail->text, text, len);
	detail->text[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (detail->text[i] == '\0')
			detail->text[i] = NUL_STANDIN;
	}
}

void finding_detail_text(struct finding *finding, const char *name, const char *text)
{
	finding_detail(finding, name, text, strlen(text));
}

void finding_detail_uint(struct finding *finding, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, value);
	finding_detail_text(finding, name, text);
}

const char *confidence_name(enum confidence c)
{
	return name_of(confidence_names, COUNT(confidence_names), (unsigned)c);
}

const char *attribution_name(enum attribution a)
{
	return name_of(attribution_names, COUNT(attribution_names), (unsigned)a);
}

const char *severity_name(enum severity s)
{
	return name_of(severity_names, COUNT(severity_names), (unsigned)s);
}

int severity_parse(const char *text)
{
	return value_of(severity_names, COUNT(severity_names), text);
}

int confidence_parse(const char *text)
{
	return value_of(confidence_names, COUNT(confidence_names), text);
}

int attribution_parse(const char *text)
{
	return value_of(attribution_names, COUNT(attribution_names), text);
}
