/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - how many alerts a tenant may have opened at a time.
 *
 * Whoever is accused can make findings as fast as it sends frames, each with a key of its own.  So
 * what one actor causes under one rule is told at once up to a number, then at a rate; all actors
 * together that are beyond their first ones share another.  Who causes one alert now and then is
 * told at once whatever others do.  What is not told at once is held, counted, and told later.
 */
#ifndef ALERT_BUDGET_H
#define ALERT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget;

struct budget *budget_new(void); /* NULL: memory is short */
void budget_free(struct budget *budget);
/* Whether one more alert of this actor under this rule may be opened now; takes it if so. */
bool budget_take(struct budget *budget, uint32_t actor, uint32_t rule, uint64_t now_ns);
/* Accounts that were forgotten for newer ones, since the start. */
uint64_t budget_forgotten(const struct budget *budget);

#endif
