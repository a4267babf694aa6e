// Rows of a table. Their gradients are added up in float, each row's in one go: libtorch adds one token after the other to
// the bfloat16 of the gradient, which keeps little of the hundreds that meet at a frequent token.
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <vector>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

constexpr int64_t none = -1;

/// The sum of the rows of `from` that the list names, which begins at `first` and goes on at `next`.
template <typename T>
JAY_INLINE void add_up(const T *from, const int64_t *next, int64_t first, int64_t width, float *sums, T *to) {
  for (int64_t d = 0; d < width; ++d) sums[d] = float(from[first * width + d]);
  for (int64_t i = next[first]; i != none; i = next[i]) {
    const T *row = from + i * width;
    int64_t d = 0;
    for (; d + lanes <= width; d += lanes) *reinterpret_cast<floats *>(sums + d) += load(row + d);
    for (; d < width; ++d) sums[d] += float(row[d]);
  }
  for (int64_t d = 0; d < width; ++d) store(sums[d], to + d);
}
JAY_VECTOR void sum_rows(const float *from, const int64_t *next, int64_t first, int64_t width, float *sums, float *to) {
  add_up(from, next, first, width, sums, to);
}
JAY_VECTOR void sum_rows(const at::BFloat16 *from, const int64_t *next, int64_t first, int64_t width, float *sums,
                         at::BFloat16 *to) {
  add_up(from, next, first, width, sums, to);
}

/// `[tokens, width]` → the sums of the rows with equal index, at that row of `[entries, width]`, and zeros elsewhere.
template <typename T>
at::Tensor gradient_of(const at::Tensor &above, const at::Tensor &index, int64_t entries) {
  const int64_t tokens = index.numel(), width = above.size(1), *entry = jay::read<int64_t>(index);
  auto out = at::empty({entries, width}, above.options());
  // The tokens of each entry as a list, in their order.
  std::vector<int64_t> first(entries, none), next(tokens);
  for (int64_t i = tokens - 1; i >= 0; --i) {
    next[i] = first[entry[i]];
    first[entry[i]] = i;
  }
  const T *from = jay::read<T>(above);
  T *to = out.data_ptr<T>();
  jay::parallel_shares(entries, std::max<int64_t>(1, 65536 / width), [&](int64_t begin, int64_t end) {
    std::vector<float> sums(width);
    for (int64_t row = begin; row < end; ++row) {
      if (first[row] == none) std::memset(static_cast<void *>(to + row * width), 0, width * sizeof(T));
      else sum_rows(from, next.data(), first[row], width, sums.data(), to + row * width);
    }
  });
  return out;
}

struct Embedding : torch::autograd::Function<Embedding> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &weight, const at::Tensor &index) {
    context->save_for_backward({index.contiguous()});
    context->saved_data["entries"] = weight.size(0);
    return at::embedding(weight, index);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto index = context->get_saved_variables()[0];
    const int64_t entries = context->saved_data["entries"].toInt();
    const auto above = gradients[0].reshape({index.numel(), gradients[0].size(-1)}).contiguous();
    return {above.scalar_type() == at::kFloat ? gradient_of<float>(above, index, entries)
                                              : gradient_of<at::BFloat16>(above, index, entries),
            at::Tensor()};
  }
};

at::Tensor rows_at(const at::Tensor &weight, const at::Tensor &index) {
  const auto type = weight.scalar_type();
  const bool has_kernel = weight.is_cpu() && index.scalar_type() == at::kLong && weight.dim() == 2 && weight.numel() > 0 &&
                          index.numel() > 0 && (type == at::kFloat || type == at::kBFloat16);
  const bool is_recorded = at::GradMode::is_enabled() && weight.requires_grad();
  return has_kernel && is_recorded ? Embedding::apply(weight, index) : at::embedding(weight, index);
}

}  // namespace

extern "C" {

int ct_embedding(ct_tensor weight, ct_tensor index, ct_tensor *out) {
  CT_RETURN(rows_at(get(weight), get(index)));
}

}  // extern "C"
