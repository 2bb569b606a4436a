/* SPDX-License-Identifier: Apache-2.0 */
/* dpi.c - see bulkhead/app.h: what a worker asks, done in this process or in one of its own. */
#include <stdlib.h>

#include "bulkhead/app.h"
#include "dpi/desk.h"
#include "dpi/inspection.h"

#define MAX_FLOWS (1u << 24)

struct dpi {
	struct inspection *here; /* one of the two */
	struct desk *desk;
};

static struct dpi *made(struct dpi *dpi, struct err *err)
{
	if (dpi != NULL && (dpi->here != NULL || dpi->desk != NULL))
		return dpi;
	if (dpi == NULL)
		(void)err_set(err, ERR_MEMORY, "no memory for DPI");
	free(dpi);
	return NULL;
}

struct dpi *dpi_new(uint32_t flows, unsigned packets, struct err *err)
{
	struct dpi *dpi;

	if (flows == 0 || flows >= MAX_FLOWS) {
		(void)err_set(err, ERR_CONFIG, "DPI needs 1 to %u flows", MAX_FLOWS - 1);
		return NULL;
	}
	dpi = calloc(1, sizeof *dpi);
	if (dpi != NULL)
		dpi->here = inspection_new(flows, packets, err);
	return made(dpi, err);
}

struct dpi *dpi_attach(const struct dpi_segment *segment, unsigned worker, struct err *err)
{
	struct dpi *dpi = calloc(1, sizeof *dpi);

	if (dpi != NULL)
		dpi->desk = desk_new(segment, worker, err);
	return made(dpi, err);
}

void dpi_free(struct dpi *dpi)
{
	if (dpi == NULL)
		return;
	inspection_free(dpi->here);
	desk_free(dpi->desk);
	free(dpi);
}

enum dpi_verdict dpi_submit(struct dpi *dpi, uint64_t flow, uint32_t *handle,
			    const struct packet *packet, uint64_t now_ns)
{
	return dpi->here != NULL ? inspection_submit(dpi->here, flow, handle, packet, now_ns)
				 : desk_submit(dpi->desk, flow, handle, packet, now_ns);
}

void dpi_finish(struct dpi *dpi, uint32_t *handle)
{
	if (dpi->here != NULL)
		inspection_finish(dpi->here, handle);
	else
		desk_finish(dpi->desk, handle);
}

bool dpi_is_late(const struct dpi *dpi)
{
	return dpi->desk != NULL;
}

void dpi_turn(struct dpi *dpi, uint64_t now_ns)
{
	if (dpi->desk != NULL)
		desk_turn(dpi->desk, now_ns);
}

bool dpi_suspect(struct dpi *dpi, uint64_t *flow)
{
	return dpi->desk != NULL && desk_suspect(dpi->desk, flow);
}

bool dpi_collect(struct dpi *dpi, struct dpi_result *result)
{
	return dpi->here != NULL ? inspection_collect(dpi->here, result)
				 : desk_collect(dpi->desk, result);
}

void dpi_stats(struct dpi *dpi, struct stats *stats)
{
	if (dpi->here != NULL)
		inspection_stats(dpi->here, stats);
	else
		desk_stats(dpi->desk, stats);
}
