// Our own element-wise kernels: one pass over memory, the same values on every thread count.
#pragma once
#include <ATen/ATen.h>

namespace jay {

/// Zeroes each element with `probability` and scales the rest by 1/(1−probability). Element i is kept or
/// not by a hash of (seed, offset + i), so the backward pass recomputes the mask instead of storing it.
at::Tensor dropout(const at::Tensor &x, double probability, uint64_t seed, uint64_t offset);

/// x / √(mean(x²) + epsilon) · weight over the last dimension, sums in float, without gradients: where
/// `can_normalise` says so, in one pass in place of libtorch's seven operations.
bool can_normalise(const at::Tensor &x, const at::Tensor &weight);
at::Tensor rms_norm(const at::Tensor &x, const at::Tensor &weight, double epsilon);

/// A function that the loops below are compiled for on several instruction sets, chosen at load time.
#if defined(__x86_64__) && defined(__linux__)
#define JAY_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define JAY_VECTOR
#endif

}  // namespace jay
