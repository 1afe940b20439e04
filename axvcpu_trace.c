// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints' definitions. */
#include "axvcpu_vcpu.h"

#define CREATE_TRACE_POINTS
#include "axvcpu_trace.h"
