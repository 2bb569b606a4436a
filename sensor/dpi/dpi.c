/* SPDX-License-Identifier: Apache-2.0 */
/* dpi.c - see bulkhead/app.h: what is asked, done in this process or in one of its own. */
#include <stdlib.h>

#include "bulkhead/app.h"
#include "dpi/desk.h"
#include "dpi/inspection.h"

struct dpi {
	struct inspection *here; /* one of the two */
	struct desk *desk;
	struct dpi_result result; /* of the one here */
	bool has_result;
	uint64_t stat_full;
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

struct dpi *dpi_new(struct err *err)
{
	struct dpi *dpi = calloc(1, sizeof *dpi);

	if (dpi != NULL)
		dpi->here = inspection_new(INSPECTION_HEAP, err);
	return made(dpi, err);
}

struct dpi *dpi_attach(const struct dpi_segment *segment, struct err *err)
{
	struct dpi *dpi = calloc(1, sizeof *dpi);

	if (dpi != NULL)
		dpi->desk = desk_new(segment, err);
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

static bool ask_here(struct dpi *dpi, uint64_t flow, const struct packet packet[],
		     const uint64_t ts_ns[], unsigned count)
{
	if (dpi->has_result)
		return false;
	dpi->result.flow = flow;
	dpi->has_result = inspection_ask(dpi->here, packet, ts_ns, count, &dpi->result.app);
	return dpi->has_result;
}

bool dpi_ask(struct dpi *dpi, uint64_t flow, const struct packet packet[], const uint64_t ts_ns[],
	     unsigned count)
{
	bool asked;

	if (count > DPI_ASK_PACKETS)
		count = DPI_ASK_PACKETS;
	asked = dpi->here != NULL ? ask_here(dpi, flow, packet, ts_ns, count)
				  : desk_ask(dpi->desk, flow, packet, ts_ns, count);
	dpi->stat_full += !asked;
	return asked;
}

bool dpi_is_late(const struct dpi *dpi)
{
	return dpi->desk != NULL;
}

void dpi_turn(struct dpi *dpi)
{
	if (dpi->desk != NULL)
		desk_turn(dpi->desk);
}

bool dpi_suspect(struct dpi *dpi, uint64_t *flow)
{
	return dpi->desk != NULL && desk_suspect(dpi->desk, flow);
}

bool dpi_collect(struct dpi *dpi, struct dpi_result *result)
{
	if (dpi->desk != NULL)
		return desk_collect(dpi->desk, result);
	if (!dpi->has_result)
		return false;
	*result = dpi->result;
	dpi->has_result = false;
	return true;
}

void dpi_stats(struct dpi *dpi, struct stats *stats)
{
	if (dpi->here != NULL)
		inspection_stats(dpi->here, stats);
	else
		desk_stats(dpi->desk, stats);
	stat_add(stats, STAT_DPI_FULL, dpi->stat_full);
	dpi->stat_full = 0;
}
