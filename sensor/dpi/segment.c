/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c - see segment.h. */
#include "dpi/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bulkhead/clock.h"

#define PAGE ((size_t)4096) /* or a multiple of what the kernel maps by; see page() */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

_Static_assert(sizeof(struct segment_control) <= PAGE, "a page");
_Static_assert(sizeof(struct segment_pulse) <= PAGE, "a page");

/* Kernels map by 4, 16 or 64 KiB. */
static size_t page(void)
{
	long size = sysconf(_SC_PAGESIZE);

	return size > (long)PAGE ? (size_t)size : PAGE;
}

static size_t post_head(void)
{
	return (sizeof(struct segment_post) + page() - 1) & ~(page() - 1);
}

static size_t post_size(void)
{
	return post_head() + SEGMENT_JOBS + SEGMENT_ANSWERS;
}

static size_t segment_size(void)
{
	return 2 * page() + post_size();
}

static int failed(struct err *err, const char *what)
{
	return err_set(err, ERR_RUN, "cannot %s the memory shared with DPI: %s", what,
		       strerror(errno));
}

static void *map(int fd, size_t at, size_t size, int rights)
{
	void *p = mmap(NULL, size, rights, MAP_SHARED, fd, (off_t)at);

	return p == MAP_FAILED ? NULL : p;
}

/* Whom it is mapped for. */
enum side { SUPERVISOR, WORKER, DPI };

static int map_pages(struct dpi_segment *segment, int fd, enum side side, struct err *err)
{
	const int both = PROT_READ | PROT_WRITE;

	segment->control = map(fd, 0, page(), side == DPI ? PROT_READ : both);
	segment->pulse = map(fd, page(), page(), side == SUPERVISOR ? PROT_READ : both);
	return segment->control == NULL || segment->pulse == NULL ? failed(err, "map") : 0;
}

static int make(struct dpi_segment *segment, int fd, struct err *err)
{
	int rc;

	if (fd < 0 || ftruncate(fd, (off_t)segment_size()) != 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		return failed(err, "make");
	rc = map_pages(segment, fd, SUPERVISOR, err);
	if (rc != 0)
		return rc;
	atomic_store(&segment->control->epoch, 1);
	return 0;
}

int dpi_segment_new(struct dpi_segment **out, int *fd, struct err *err)
{
	struct dpi_segment *segment = calloc(1, sizeof *segment);
	int rc;

	*fd = -1;
	if (segment == NULL)
		return err_set(err, ERR_MEMORY, "no memory for DPI");
	*fd = memfd_create("bulkhead-dpi", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	rc = make(segment, *fd, err);
	if (rc == 0) {
		*out = segment;
		return 0;
	}
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	dpi_segment_free(segment);
	return rc;
}

static int take(struct dpi_segment *segment, int fd, enum side side, struct err *err)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	int rc;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0)
		return failed(err, "take");
	if ((size_t)st.st_size != segment_size())
		return err_set(err, ERR_RUN, "the memory shared with DPI is not as it was made");
	rc = map_pages(segment, fd, side, err);
	if (rc != 0)
		return rc;
	segment->post = map(fd, 2 * page(), post_size(), PROT_READ | PROT_WRITE);
	return segment->post == NULL ? failed(err, "map") : 0;
}

static int take_for(struct dpi_segment **out, int fd, enum side side, struct err *err)
{
	struct dpi_segment *segment = calloc(1, sizeof *segment);
	int rc = segment == NULL ? err_set(err, ERR_MEMORY, "no memory for DPI")
				 : take(segment, fd, side, err);

	if (rc == 0)
		*out = segment;
	else
		dpi_segment_free(segment);
	return rc;
}

int dpi_segment_map(struct dpi_segment **segment, int fd, struct err *err)
{
	return take_for(segment, fd, WORKER, err);
}

int segment_map_to_serve(struct dpi_segment **segment, int fd, struct err *err)
{
	return take_for(segment, fd, DPI, err);
}

void dpi_segment_free(struct dpi_segment *segment)
{
	if (segment == NULL)
		return;
	if (segment->control != NULL)
		(void)munmap(segment->control, page());
	if (segment->pulse != NULL)
		(void)munmap(segment->pulse, page());
	if (segment->post != NULL)
		(void)munmap(segment->post, post_size());
	free(segment);
}

uint64_t dpi_segment_beats(const struct dpi_segment *segment)
{
	return atomic_load(&segment->pulse->beats);
}

bool dpi_segment_is_broken(const struct dpi_segment *segment)
{
	return atomic_load(&segment->control->broken) == atomic_load(&segment->control->epoch);
}

void dpi_segment_begin_epoch(struct dpi_segment *segment)
{
	(void)atomic_fetch_add(&segment->control->epoch, 1);
}

void segment_lanes(const struct dpi_segment *segment, struct lane *jobs, struct lane *answers)
{
	struct segment_post *post = segment->post;
	uint8_t *bytes = (uint8_t *)post + post_head();

	lane_open(jobs, &post->jobs, bytes, SEGMENT_JOBS);
	lane_open(answers, &post->answers, bytes + SEGMENT_JOBS, SEGMENT_ANSWERS);
}

/* ---- waking ---------------------------------------------------------------------------------- */

void segment_ring(const struct dpi_segment *segment)
{
	struct segment_pulse *pulse = segment->pulse;

	/* Our jobs before its sleep, or its sleep before our jobs: one of us sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&pulse->asleep, memory_order_relaxed) == 0)
		return;
	(void)atomic_fetch_add(&pulse->bell, 1);
	(void)syscall(SYS_futex, &pulse->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void segment_sleep(const struct dpi_segment *segment, bool (*waits)(void *context), void *context,
		   uint64_t ns)
{
	struct segment_pulse *pulse = segment->pulse;
	struct timespec time = {.tv_sec = (time_t)(ns / NS_PER_SEC),
				.tv_nsec = (long)(ns % NS_PER_SEC)};
	uint32_t bell = atomic_load(&pulse->bell);

	atomic_store_explicit(&pulse->asleep, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (!waits(context))
		(void)syscall(SYS_futex, &pulse->bell, FUTEX_WAIT, bell, &time, NULL, 0);
	atomic_store_explicit(&pulse->asleep, 0, memory_order_relaxed);
}
