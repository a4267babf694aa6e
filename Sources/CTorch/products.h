// Products of bfloat16 matrices with float32 sums, on processors that multiply pairs of bfloat16 by an instruction.
#pragma once
#include <ATen/ATen.h>

#include <optional>

namespace jay {

/// Whether the products below take these matrices and are the faster ones here.
bool can_multiply(const at::Tensor &a, const at::Tensor &b);

/// `x [rows, inner]` · `weight [columns, inner]`ᵀ + `bias [columns]` → `[rows, columns]`; inner is even.
at::Tensor multiply_by_transposed(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias);

/// `x [rows, inner]` · `weight [inner, columns]` → `[rows, columns]`; inner is even.
at::Tensor multiply_by(const at::Tensor &x, const at::Tensor &weight);

/// `above [inner, rows]`ᵀ · `x [inner, columns]` → `[rows, columns]`. Where `kept` (int64) names rows, only these are
/// computed and the others are zeros.
at::Tensor multiply_transposed(const at::Tensor &above, const at::Tensor &x, const at::Tensor &kept);

}  // namespace jay
