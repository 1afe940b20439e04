// SPDX-License-Identifier: GPL-2.0-only
/* Registers, and the whole of a vCPU's state: read, written, kept and put back. */
#include "bench.h"

static int state(struct vm *vm, unsigned int rounds, enum state_part part, bool put, double *cost)
{
	uint64_t began;
	int err;

	err = vm->hv->start(vm, PROGRAM_USER_EXIT, 0, 0);
	if (!err)
		err = vm_run_to_exit(vm);
	/* What is put is what was got. */
	if (!err)
		err = vm->hv->state(vm, part, false);
	began = now();
	for (unsigned int i = 0; i < rounds && !err; i++)
		err = vm->hv->state(vm, part, put);
	*cost = (double)(now() - began) / rounds;
	/* The guest goes on as if nothing had been. */
	return err ?: vm_run_to_exit(vm);
}

#define MEASURE(name, part, put)						\
int measure_##name(struct vm *vm, unsigned int rounds, double *cost)		\
{										\
	return state(vm, rounds, part, put, cost);				\
}

MEASURE(get_one, STATE_ONE, false)
MEASURE(set_one, STATE_ONE, true)
MEASURE(get_some, STATE_SOME, false)
MEASURE(set_some, STATE_SOME, true)
MEASURE(get_all, STATE_ALL, false)
MEASURE(set_all, STATE_ALL, true)
MEASURE(keep_state, STATE_WHOLE, false)
MEASURE(restore_state, STATE_WHOLE, true)
