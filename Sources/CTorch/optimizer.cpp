// AdamW in one pass: gradient, both moments, float32 master and its bfloat16 copy are read and written once.
#include <ATen/TensorIterator.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "support.h"

namespace {

struct Constants {
  float keep, beta1, beta2, step_size, inverse_bias2_root, epsilon, l2, scale;
};

inline float from_bfloat16(uint16_t bits) { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }

inline float updated(float weight, float gradient, float &first, float &second, const Constants &c) {
  gradient = gradient * c.scale + c.l2 * weight;
  first = c.beta1 * first + (1.0f - c.beta1) * gradient;
  second = c.beta2 * second + (1.0f - c.beta2) * gradient * gradient;
  return weight * c.keep - c.step_size * first / (std::sqrt(second) * c.inverse_bias2_root + c.epsilon);
}

// Rows of an embedding that no text of this experience has touched have zero gradient and moments; without weight
// decay their update is exactly nothing, and reading is all that they cost.
constexpr int64_t block = 256;

template <typename T>
inline bool is_idle(const T *gradient, const float *first, const float *second, int64_t n) {
  uint32_t bits = 0;
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) == 2) bits |= static_cast<uint32_t>(gradient[i] & 0x7FFFu);
    else bits |= __builtin_bit_cast(uint32_t, gradient[i]) << 1;
    bits |= (__builtin_bit_cast(uint32_t, first[i]) | __builtin_bit_cast(uint32_t, second[i])) << 1;
  }
  return bits == 0;
}

JAY_VECTOR void step_float(float *weight, const float *gradient, float *first, float *second, int64_t count, const Constants &constants) {
  const Constants c = constants;
  const bool may_skip = c.keep == 1.0f && c.l2 == 0.0f;
  for (int64_t start = 0; start < count; start += block) {
    const int64_t end = std::min(start + block, count);
    if (may_skip && is_idle(gradient + start, first + start, second + start, end - start)) continue;
    for (int64_t i = start; i < end; ++i) weight[i] = updated(weight[i], gradient[i], first[i], second[i], c);
  }
}

JAY_VECTOR void step_bfloat16(uint16_t *value, float *master, const uint16_t *gradient, float *first, float *second, int64_t count,
                              const Constants &constants) {
  const Constants c = constants;
  const bool may_skip = c.keep == 1.0f && c.l2 == 0.0f;
  for (int64_t start = 0; start < count; start += block) {
    const int64_t end = std::min(start + block, count);
    if (may_skip && is_idle(gradient + start, first + start, second + start, end - start)) continue;
    for (int64_t i = start; i < end; ++i) {
      float weight = updated(master[i], from_bfloat16(gradient[i]), first[i], second[i], c);
      master[i] = weight;
      value[i] = jay::bfloat16_bits(weight);
    }
  }
}

// The same arithmetic from libtorch's operators, for devices and dtypes without a kernel above.
void step_generic(at::Tensor &value, at::Tensor &master, const at::Tensor &gradient, at::Tensor &first, at::Tensor &second, const Constants &c) {
  auto g = gradient.to(at::kFloat) * c.scale + master * c.l2;
  first.mul_(c.beta1).add_(g, 1.0f - c.beta1);
  second.mul_(c.beta2).addcmul_(g, g, 1.0f - c.beta2);
  master.mul_(c.keep).sub_(c.step_size * first / (second.sqrt() * c.inverse_bias2_root + c.epsilon));
  if (!value.is_same(master)) value.copy_(master);
}

}  // namespace

extern "C" {

int ct_adamw(ct_tensor value_handle, ct_tensor master_handle, ct_tensor gradient_handle, ct_tensor first_handle, ct_tensor second_handle,
             const ct_adamw_options *options) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    at::Tensor value = value_handle->value.detach(), master = master_handle->value.detach();
    at::Tensor first = first_handle->value, second = second_handle->value;
    at::Tensor gradient = gradient_handle->value;
    bool same = value.data_ptr() == master.data_ptr();
    double bias1 = 1.0 - std::pow(options->beta1, static_cast<double>(options->step));
    double bias2 = 1.0 - std::pow(options->beta2, static_cast<double>(options->step));
    Constants c{
        static_cast<float>(options->decoupled ? 1.0 - options->rate * options->weight_decay : 1.0),
        static_cast<float>(options->beta1), static_cast<float>(options->beta2), static_cast<float>(options->rate / bias1),
        static_cast<float>(1.0 / std::sqrt(bias2)), static_cast<float>(options->epsilon),
        static_cast<float>(options->decoupled ? 0.0 : options->weight_decay), static_cast<float>(options->gradient_scale)};
    if (!gradient.is_contiguous()) gradient = gradient.contiguous();
    bool dense = value.is_contiguous() && master.is_contiguous();
    if (same && dense && value.is_cpu() && master.scalar_type() == at::kFloat && gradient.scalar_type() == at::kFloat) {
      auto iterator = at::TensorIteratorConfig().add_output(master).add_output(first).add_output(second).add_const_input(gradient)
                          .resize_outputs(false).check_all_same_dtype(false).set_check_mem_overlap(false).build();
      iterator.for_each([c](char **data, const int64_t *, int64_t n) {
        step_float(reinterpret_cast<float *>(data[0]), reinterpret_cast<const float *>(data[3]), reinterpret_cast<float *>(data[1]),
                   reinterpret_cast<float *>(data[2]), n, c);
      });
    } else if (!same && dense && value.is_cpu() && value.scalar_type() == at::kBFloat16 && gradient.scalar_type() == at::kBFloat16) {
      auto iterator = at::TensorIteratorConfig().add_output(value).add_output(master).add_output(first).add_output(second)
                          .add_const_input(gradient).resize_outputs(false).check_all_same_dtype(false).set_check_mem_overlap(false).build();
      iterator.for_each([c](char **data, const int64_t *, int64_t n) {
        step_bfloat16(reinterpret_cast<uint16_t *>(data[0]), reinterpret_cast<float *>(data[1]), reinterpret_cast<const uint16_t *>(data[4]),
                      reinterpret_cast<float *>(data[2]), reinterpret_cast<float *>(data[3]), n, c);
      });
    } else {
      step_generic(value, master, gradient, first, second, c);
    }
  });
}

int ct_global_norm(const ct_tensor *gradients, int32_t count, double *out) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    std::vector<at::Tensor> norms;
    norms.reserve(count);
    for (int32_t i = 0; i < count; ++i)
      norms.push_back(at::linalg_vector_norm(gradients[i]->value, 2, std::nullopt, false, at::kFloat));
    *out = norms.empty() ? 0.0 : at::stack(norms).to(at::kDouble).norm().item<double>();
  });
}

}  // extern "C"
