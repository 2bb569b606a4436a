/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h - a sequence of frames as bytes: what the pipeline target and its mutator share.
 *
 *	input: head[4] | frame | frame ...
 *	frame: step | kind | length (be16) | bytes
 *
 *	head[0]	which inventory
 *	head[1]	SEQUENCE_ bits
 *	head[2]	the inventory it is reloaded with, half-way
 *	step	low half: how far the clock goes (a table); high half: fewer bytes captured
 *	kind	low half: link type; high half: tap
 */
#ifndef FUZZ_PIPELINE_H
#define FUZZ_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQUENCE_HEAD 4
#define SEQUENCE_FRAME_HEAD 4
#define SEQUENCE_MAX_FRAMES 256

enum sequence_bits {
	SEQUENCE_LIVE = 1u << 0,     /* as a live sensor judges it */
	SEQUENCE_WORKERS = 1u << 1,  /* with three workers: the same alerts must come out */
	SEQUENCE_RELOAD = 1u << 2,   /* another inventory half-way */
	SEQUENCE_EVIDENCE = 1u << 3, /* with an evidence folder */
	SEQUENCE_TIGHT = 1u << 4,    /* tables so small that they overflow */
	SEQUENCE_DPI = 1u << 5,
	SEQUENCE_CORE_RULES = 1u << 6, /* slow to load; else rules that let every finding through */
};

#define PIPELINE_WORKERS 3

/* pipeline_wrap.c: what a table and a ring hold at most; who is drained when a ring is full. */
extern uint32_t pipeline_table_most;
extern size_t pipeline_ring_most;
struct judge;
extern struct judge *pipeline_judge;

#endif
