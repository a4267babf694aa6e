// The device's memory, and recordings of what it is asked to do.
#pragma once
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/Allocator.h>

namespace host_accelerator {

/// Memory of the device. What is given back while there are recordings is broken and not used again, as a recording may
/// still name it; what is allocated within one belongs to it.
void *allocate(size_t bytes);
void release(void *memory);
/// Bytes that are allocated.
c10::CachingAllocator::Stat &held();

/// The same memory as a tensor of the CPU's.
at::Tensor on_host(const at::Tensor &x);

bool is_recording();
/// Notes an operator with what it reads and the memory that its results went to.
void record(const c10::OperatorHandle &op, const torch::jit::Stack &inputs, const torch::jit::Stack &outputs);
void record_copy(const at::Tensor &from, const at::Tensor &to);

}  // namespace host_accelerator
