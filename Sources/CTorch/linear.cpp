// Linear layers: products by the faster library, and for layers whose weights train in some rows only the product that
// makes the weight's gradient done for these rows.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <optional>
#include <vector>

#include "kernels.h"
#include "products.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load;

namespace {

using Product = at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, std::string_view,
                           c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

/// oneDNN's product where it multiplies float32 faster than the library that libtorch takes for it: on processors of AMD, by
/// more than two (Docs/Performance.md). The kind of processor decides, not a clock, so that a run goes on with the same bits.
const c10::TypedOperatorHandle<Product> *faster_product() {
#if defined(__x86_64__)
  static const auto found = []() -> std::optional<c10::TypedOperatorHandle<Product>> {
    const auto schema = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!__builtin_cpu_is("amd") || !schema) return std::nullopt;
    return schema->typed<Product>();
  }();
  return found ? &*found : nullptr;
#else
  return nullptr;
#endif
}

bool is_faster(const at::Tensor &a, const at::Tensor &b) {
  return a.is_cpu() && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat && a.numel() > 0 && b.numel() > 0 &&
         faster_product() != nullptr;
}

/// Whether a product is one of our own: of bfloat16, whose inner dimension comes in pairs.
bool is_own(const at::Tensor &a, const at::Tensor &b, int64_t inner) { return jay::can_multiply(a, b) && inner % 2 == 0; }

/// a·bᵀ + bias, without a graph, by the faster product.
at::Tensor fast_linear(const at::Tensor &a, const at::Tensor &b, const std::optional<at::Tensor> &bias = std::nullopt) {
  auto dense = [](const at::Tensor &x) { return x.is_non_overlapping_and_dense() ? x : x.contiguous(); };
  return faster_product()->call(dense(a), dense(b), bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

/// x·weightᵀ + bias; libtorch records its own product, the others are recorded by `Linear`.
at::Tensor linear_of(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  if (is_own(x, weight, weight.size(1))) {
    TORCH_CHECK(weight.dim() == 2 && x.size(-1) == weight.size(1) && (!bias || bias->numel() == weight.size(0)),
                "linear: ", x.sizes(), " does not fit the weight ", weight.sizes(), bias ? " and its bias" : "");
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return jay::multiply_by_transposed(x.reshape({-1, weight.size(1)}), weight, bias).view(shape);
  }
  return is_faster(x, weight) ? fast_linear(x, weight, bias) : at::linear(x, weight, bias.value_or(at::Tensor()));
}

/// a·b of matrices, without a graph.
at::Tensor product(const at::Tensor &a, const at::Tensor &b) {
  if (is_own(a, b, b.size(0))) return jay::multiply_by(a, b);
  return is_faster(a, b) ? fast_linear(a, b.t()) : a.matmul(b);
}

/// The columns `kept` of x `[n, width]` → `[n, kept]`.
template <typename T>
void gather_columns(const at::Tensor &x, const at::Tensor &kept, const at::Tensor &out) {
  const int64_t width = x.size(1), count = kept.numel(), *columns = jay::read<int64_t>(kept);
  const T *from = jay::read<T>(x);
  T *to = out.data_ptr<T>();
  jay::parallel_for(x.size(0), std::max<int64_t>(1, 16384 / (count + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      for (int64_t j = 0; j < count; ++j) to[n * count + j] = from[n * width + columns[j]];
  });
}

at::Tensor columns(const at::Tensor &x, const at::Tensor &kept) {
  if (!x.is_cpu() || (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16)) return x.index_select(1, kept);
  auto out = at::empty({x.size(0), kept.numel()}, x.options());
  if (x.scalar_type() == at::kFloat) gather_columns<float>(x, kept, out);
  else gather_columns<at::BFloat16>(x, kept, out);
  return out;
}

/// The rows of x `[kept, width]` at the places `kept` of a matrix of so many rows, zeros elsewhere.
at::Tensor spread(const at::Tensor &x, const at::Tensor &kept, int64_t rows) {
  if (!x.is_cpu()) return at::zeros({rows, x.size(1)}, x.options()).index_copy_(0, kept, x);
  auto out = at::empty({rows, x.size(1)}, x.options());
  std::vector<int64_t> places(rows, -1);
  const int64_t *row = jay::read<int64_t>(kept);
  for (int64_t i = 0; i < kept.numel(); ++i) places[row[i]] = i;
  const size_t bytes = x.size(1) * x.element_size();
  const char *from = static_cast<const char *>(x.const_data_ptr());
  char *to = static_cast<char *>(out.data_ptr());
  jay::parallel_for(rows, std::max<int64_t>(1, 65536 / (bytes + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (places[i] < 0) std::memset(to + i * bytes, 0, bytes);
      else std::memcpy(to + i * bytes, from + places[i] * bytes, bytes);
    }
  });
  return out;
}

/// aboveᵀ·x, the gradient of a weight: its kept rows and zeros, or all rows where none are named.
at::Tensor weight_gradient(const at::Tensor &above, const at::Tensor &x, const at::Tensor &kept) {
  if (jay::can_multiply(above, x)) return jay::multiply_transposed(above, x, kept);
  return kept.numel() == 0 ? product(above.t(), x) : spread(product(columns(above, kept).t(), x), kept, above.size(1));
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias, const at::Tensor &kept) {
    context->save_for_backward({x, weight});
    // Not a saved variable: which rows are kept becomes known between the two passes.
    context->saved_data["kept"] = kept;
    return linear_of(x, weight, bias);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], kept = context->saved_data["kept"].toTensor();
    const auto above = gradients[0].reshape({-1, weight.size(0)}).contiguous(), rows = x.reshape({-1, weight.size(1)});
    at::Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0)) dx = product(above, weight).view(x.sizes());
    if (context->needs_input_grad(1)) {
      if (kept.is_cpu()) jay::check_rows(kept, weight.size(0));
      dweight = weight_gradient(above, rows, kept);
    }
    if (context->needs_input_grad(2)) dbias = above.sum(0);
    return {dx, dweight, dbias, at::Tensor()};
  }
};

/// Adds |x| of some rows to the sums of the columns.
template <typename T>
JAY_INLINE void add_magnitudes(const T *x, int64_t rows, int64_t width, float *sums) {
  const int64_t whole = width / lanes * lanes;
  for (int64_t n = 0; n < rows; ++n, x += width) {
    for (int64_t j = 0; j < whole; j += lanes) {
      const floats value = load(x + j);
      *reinterpret_cast<floats *>(sums + j) += value < 0 ? -value : value;
    }
    for (int64_t j = whole; j < width; ++j) sums[j] += std::abs(float(x[j]));
  }
}
JAY_VECTOR void add_rows(const float *x, int64_t rows, int64_t width, float *sums) { add_magnitudes(x, rows, width, sums); }
JAY_VECTOR void add_rows(const at::BFloat16 *x, int64_t rows, int64_t width, float *sums) {
  add_magnitudes(x, rows, width, sums);
}

/// Parts of fixed size, so that the sums do not depend on the number of threads.
template <typename T>
at::Tensor column_sums(const at::Tensor &x) {
  constexpr int64_t part = 64;
  const int64_t rows = x.size(0), width = x.size(1), parts = (rows + part - 1) / part;
  auto sums = at::zeros({parts, width}, x.options().dtype(at::kFloat));
  jay::parallel_for(parts, std::max<int64_t>(1, 65536 / (part * width)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      add_rows(jay::read<T>(x) + p * part * width, std::min(part, rows - p * part), width,
               sums.data_ptr<float>() + p * width);
  });
  return sums.sum(0);
}

}  // namespace

extern "C" {

int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
  return jay::guarded([&] {
    const at::Tensor &a = get(x), &b = get(weight);
    const auto added = bias ? std::make_optional(get(bias)) : std::nullopt;
    const bool is_recorded =
        at::GradMode::is_enabled() && (a.requires_grad() || b.requires_grad() || (added && added->requires_grad()));
    // All rows are kept.
    static const auto all = at::empty({0}, at::kLong);
    *out = jay::own(is_recorded && (is_faster(a, b) || jay::can_multiply(a, b)) ? Linear::apply(a, b, added, all) : linear_of(a, b, added));
  });
}

int ct_linear_kept_rows(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor kept, ct_tensor *out) {
  return jay::guarded([&] {
    const auto added = bias ? std::make_optional(get(bias)) : std::nullopt;
    *out = jay::own(Linear::apply(get(x), get(weight), added, get(kept)));
  });
}

int ct_column_magnitudes(ct_tensor x, ct_tensor *out) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    const auto rows = get(x).detach().contiguous();
    const auto type = rows.scalar_type();
    TORCH_CHECK(rows.dim() == 2, "the magnitudes of columns need a matrix, not ", rows.sizes());
    if (!rows.is_cpu() || (type != at::kFloat && type != at::kBFloat16)) {
      *out = jay::own(at::linalg_vector_norm(rows, 1, at::IntArrayRef{0}, false, at::kFloat));
    } else {
      *out = jay::own(type == at::kFloat ? column_sums<float>(rows) : column_sums<at::BFloat16>(rows));
    }
  });
}

int ct_take(ct_tensor x, ct_tensor y) {
  return jay::guarded([&] {
    x->value.resize_(get(y).sizes());
    x->value.copy_(get(y));
  });
}

}  // extern "C"
