/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_step.h - two connections of a host that say the same, each way in its order.
 *
 *	client ---- a ----> [relay] ---- a ----> server
 *	client <--- b ----- [relay] <--- b ----- server
 *
 * Of protocols without nonces.  What one way says may be chance (everybody's greeting, a feed that
 * is handed on); that the answer comes from behind before it is given in front, twice, is not.
 *
 * Private to sensor/detect/.
 */
#ifndef DETECT_IN_STEP_H
#define DETECT_IN_STEP_H

#include "bulkhead/detector.h"

struct steps;

struct steps *steps_new(uint64_t seed);
void steps_free(struct steps *steps);
uint64_t steps_evicted(const struct steps *steps);

enum steps_verdict { STEPS_APART, STEPS_BEGUN, STEPS_GO_ON };

/* A payload came in and went out, in this order.  STEPS_BEGUN once, when the two are in step. */
enum steps_verdict steps_note(struct steps *steps, const struct token *token,
			      const struct flow_tuple *in, const struct flow_tuple *out,
			      uint64_t ts_ns);

#endif
