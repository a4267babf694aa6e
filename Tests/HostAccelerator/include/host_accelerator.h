// A device of libtorch's for tests: its memory is the host's and its arithmetic the CPU's, but tensors on it are none of the
// CPU's. What mixes the two fails as it would on a real accelerator, and what waits for it is counted. It can record
// what it is asked to do, with libtorch 2.12 and later: nothing is done meanwhile, a replay reads and writes the memory that
// was recorded, and what had been freed before is broken.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Registers the device in this process, for whose libtorch it then is the accelerator of the machine.
void host_accelerator_register(void);
/// How often the program waited so far: for a value that it read, or for a copy of memory that it may have freed.
int64_t host_accelerator_waits(void);

#ifdef __cplusplus
}
#endif
