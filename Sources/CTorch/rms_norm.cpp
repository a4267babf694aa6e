// Normalisation by the root mean square: one pass over each row either way, in place of libtorch's seven operations forward
// and a dozen backward; sums in float.
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

/// 1 / √(mean(x²) + epsilon).
template <typename T>
JAY_INLINE float inverse_root(const T *x, int64_t width, float epsilon) {
  floats squares = {};
  int64_t d = 0;
  for (; d + lanes <= width; d += lanes) squares += load(x + d) * load(x + d);
  float sum = jay::sum(squares);
  for (; d < width; ++d) sum += float(x[d]) * float(x[d]);
  return 1 / std::sqrt(sum / float(width) + epsilon);
}

template <typename T>
JAY_INLINE float normalise(const T *x, const T *weight, int64_t width, float epsilon, T *out) {
  const float inverse = inverse_root(x, width, epsilon);
  for (int64_t d = 0; d < width; ++d) store(float(x[d]) * inverse * float(weight[d]), out + d);
  return inverse;
}

/// With y = x·r·w and r the inverse root: dx = r·(g·w − x·r²·mean(g·w·x)), and g·x·r is added to the weight's gradient.
template <typename T>
JAY_INLINE void differentiate(const T *x, const T *weight, const T *above, int64_t width, float inverse, T *dx, float *dweight) {
  floats products = {};
  int64_t d = 0;
  for (; d + lanes <= width; d += lanes) {
    const floats scaled = load(above + d) * load(x + d);
    *reinterpret_cast<floats *>(dweight + d) += scaled * inverse;
    products += scaled * load(weight + d);
  }
  float product = jay::sum(products);
  for (; d < width; ++d) {
    const float scaled = float(above[d]) * float(x[d]);
    dweight[d] += scaled * inverse;
    product += scaled * float(weight[d]);
  }
  const float shift = inverse * inverse * product / float(width);
  for (d = 0; d < width; ++d) store(inverse * (float(above[d]) * float(weight[d]) - float(x[d]) * shift), dx + d);
}

JAY_VECTOR float normalise_row(const float *x, const float *w, int64_t n, float e, float *out) {
  return normalise(x, w, n, e, out);
}
JAY_VECTOR float normalise_row(const at::BFloat16 *x, const at::BFloat16 *w, int64_t n, float e, at::BFloat16 *out) {
  return normalise(x, w, n, e, out);
}
JAY_VECTOR void differentiate_row(const float *x, const float *w, const float *g, int64_t n, float r, float *dx, float *dw) {
  differentiate(x, w, g, n, r, dx, dw);
}
JAY_VECTOR void differentiate_row(const at::BFloat16 *x, const at::BFloat16 *w, const at::BFloat16 *g, int64_t n, float r,
                                  at::BFloat16 *dx, float *dw) {
  differentiate(x, w, g, n, r, dx, dw);
}

/// x `[rows, width]` → the same, and the inverse root of each row where there is room for them.
template <typename T>
void normalise_rows(const at::Tensor &x, const at::Tensor &weight, double epsilon, const at::Tensor &out, float *inverses) {
  const int64_t width = weight.size(0);
  const T *from = jay::read<T>(x), *scale = jay::read<T>(weight);
  T *to = out.data_ptr<T>();
  jay::parallel_for(x.numel() / width, std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float inverse = normalise_row(from + n * width, scale, width, float(epsilon), to + n * width);
      if (inverses) inverses[n] = inverse;
    }
  });
}

at::Tensor normalised(const at::Tensor &rows, const at::Tensor &weight, double epsilon, float *inverses) {
  auto out = at::empty_like(rows);
  if (rows.scalar_type() == at::kFloat) normalise_rows<float>(rows, weight, epsilon, out, inverses);
  else normalise_rows<at::BFloat16>(rows, weight, epsilon, out, inverses);
  return out;
}

/// The weight's gradient is collected over parts of fixed size, so that it does not depend on the number of threads.
template <typename T>
at::Tensor differentiate_rows(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &above, const float *inverses,
                              const at::Tensor &dx) {
  constexpr int64_t part = 64;
  const int64_t width = weight.size(0), rows = x.numel() / width, parts = (rows + part - 1) / part;
  auto sums = at::zeros({parts, width}, x.options().dtype(at::kFloat));
  const T *from = jay::read<T>(x), *scale = jay::read<T>(weight), *gradient = jay::read<T>(above);
  T *to = dx.data_ptr<T>();
  float *collected = sums.data_ptr<float>();
  jay::parallel_for(parts, std::max<int64_t>(1, 16384 / (part * width)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin * part; n < std::min(end * part, rows); ++n)
      differentiate_row(from + n * width, scale, gradient + n * width, width, inverses[n], to + n * width,
                        collected + n / part * width);
  });
  return sums.sum(0).to(weight.scalar_type());
}

struct RMSNorm : torch::autograd::Function<RMSNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            double epsilon) {
    const auto rows = x.contiguous();
    auto inverses = at::empty({rows.numel() / weight.size(0)}, rows.options().dtype(at::kFloat));
    context->save_for_backward({rows, weight, inverses});
    return normalised(rows, weight, epsilon, inverses.data_ptr<float>());
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const auto above = gradients[0].contiguous();
    const float *inverses = jay::read<float>(saved[2]);
    auto dx = at::empty_like(x);
    const auto dweight = x.scalar_type() == at::kFloat
                             ? differentiate_rows<float>(x, weight, above, inverses, dx)
                             : differentiate_rows<at::BFloat16>(x, weight, above, inverses, dx);
    return {dx, dweight, at::Tensor()};
  }
};

at::Tensor rms_norm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
  const auto type = x.scalar_type();
  TORCH_CHECK(weight.dim() == 1 && x.dim() > 0 && x.size(-1) == weight.size(0), "a weight of ", weight.sizes(),
              " does not fit ", x.sizes());
  const bool has_kernel = x.is_cpu() && weight.is_cpu() && type == weight.scalar_type() && (type == at::kFloat || type == at::kBFloat16);
  if (!has_kernel || x.numel() == 0) return at::rms_norm(x, weight.sizes(), weight, epsilon);
  const auto scale = weight.contiguous();
  if (at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad())) return RMSNorm::apply(x, scale, epsilon);
  return normalised(x.contiguous(), scale, epsilon, nullptr);
}

}  // namespace

extern "C" {

int ct_rms_norm(ct_tensor x, ct_tensor weight, double epsilon, ct_tensor *out) {
  CT_RETURN(rms_norm(get(x), get(weight), epsilon));
}

}  // extern "C"
