// Counter-based random values: element i of a fill depends on (seed, offset + i) alone.
#include <ATen/TensorIterator.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <numbers>

#include "kernels.h"
#include "support.h"

using jay::mix32;

namespace {

/// SplitMix64's finaliser (Steele et al. 2014): a bijection with good avalanche.
inline uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

inline double unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

template <typename Value>
void fill(at::Tensor &x, uint64_t seed, uint64_t offset, Value value) {
  auto host = at::empty(x.sizes(), at::TensorOptions().dtype(at::kDouble));
  double *values = host.data_ptr<double>();
  uint64_t key = mix(seed);
  for (int64_t i = 0; i < host.numel(); ++i) values[i] = value(key, offset + static_cast<uint64_t>(i));
  x.copy_(host);
}

JAY_VECTOR void drop_all(const float *x, float *y, int64_t n, const jay::DropoutMask &p, uint32_t first) {
  for (int64_t i = 0; i < n; ++i) y[i] = p.keeps(first + static_cast<uint32_t>(i)) ? x[i] * p.scale : 0.0f;
}

// bfloat16 goes through its bits, so that the loop stays in integer and float registers.
JAY_VECTOR void drop_all(const at::BFloat16 *x, at::BFloat16 *y, int64_t n, const jay::DropoutMask &p, uint32_t first) {
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits = static_cast<uint32_t>(x[i].x) << 16;
    float value = __builtin_bit_cast(float, bits) * p.scale;
    y[i].x = p.keeps(first + static_cast<uint32_t>(i)) ? jay::bfloat16_bits(value) : uint16_t(0);
  }
}

template <typename T>
void mask_into(const at::Tensor &x, at::Tensor &y, const jay::DropoutMask &dropout) {
  auto iterator = at::TensorIteratorConfig().add_output(y).add_const_input(x).resize_outputs(false).build();
  const char *start = static_cast<const char *>(x.const_data_ptr());
  iterator.for_each([=](char **data, const int64_t *, int64_t n) {
    auto index = static_cast<uint32_t>((data[1] - start) / static_cast<int64_t>(sizeof(T)));
    drop_all(reinterpret_cast<const T *>(data[1]), reinterpret_cast<T *>(data[0]), n, dropout, index);
  });
}

at::Tensor masked(const at::Tensor &input, double probability, uint64_t seed, uint64_t offset) {
  auto x = input.contiguous();
  auto y = at::empty_like(x);
  const jay::DropoutMask dropout(probability, seed, offset);
  switch (x.scalar_type()) {
    case at::kFloat: mask_into<float>(x, y, dropout); break;
    case at::kBFloat16: mask_into<at::BFloat16>(x, y, dropout); break;
    default: TORCH_CHECK(false, "dropout takes float32 or bfloat16, not ", x.scalar_type());
  }
  return y;
}

struct Dropout : torch::autograd::Function<Dropout> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, double probability, int64_t seed, int64_t offset) {
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    context->saved_data["offset"] = offset;
    return masked(x, probability, static_cast<uint64_t>(seed), static_cast<uint64_t>(offset));
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context, torch::autograd::tensor_list gradients) {
    auto gradient = masked(gradients[0], context->saved_data["probability"].toDouble(),
                           static_cast<uint64_t>(context->saved_data["seed"].toInt()),
                           static_cast<uint64_t>(context->saved_data["offset"].toInt()));
    return {gradient, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

namespace jay {

DropoutMask::DropoutMask(double probability, uint64_t seed, uint64_t offset) {
  TORCH_CHECK(probability >= 0 && probability < 1, "dropout probability ", probability, " is not in [0, 1)");
  const uint64_t mixed = mix(seed ^ mix(offset));
  key = static_cast<uint32_t>(mixed);
  shift = static_cast<uint32_t>(mixed >> 32);
  threshold = static_cast<uint32_t>(std::lround(probability * (1 << 24)));
  scale = static_cast<float>(1.0 / (1.0 - probability));
}

void drop(const float *x, float *y, int64_t n, const DropoutMask &dropout, uint32_t first) { drop_all(x, y, n, dropout, first); }
void drop(const at::BFloat16 *x, at::BFloat16 *y, int64_t n, const DropoutMask &dropout, uint32_t first) {
  drop_all(x, y, n, dropout, first);
}

static thread_local bool draws_on = false;

void seed_generators(uint64_t seed, uint64_t offset) {
  if (!draws_on) at::manual_seed(mix(seed ^ mix(offset)));
}

at::Tensor dropout(const at::Tensor &x, double probability, uint64_t seed, uint64_t offset) {
  TORCH_CHECK(probability >= 0 && probability < 1, "dropout probability ", probability, " is not in [0, 1)");
  if (probability == 0) return x;
  // On other devices libtorch's own kernel; its generator is seeded from the same numbers.
  if (!x.is_cpu()) {
    seed_generators(seed, offset);
    return at::dropout(x, probability, true);
  }
  return Dropout::apply(x, probability, static_cast<int64_t>(seed), static_cast<int64_t>(offset));
}

}  // namespace jay

extern "C" {

int ct_draw_on(uint64_t seed, uint64_t offset) {
  return jay::guarded([&] {
    jay::draws_on = false;
    jay::seed_generators(seed, offset);
    jay::draws_on = true;
  });
}

void ct_draw_apart(void) { jay::draws_on = false; }

int ct_fill_uniform(ct_tensor x, double low, double high, uint64_t seed, uint64_t offset) {
  return jay::guarded([&] {
    fill(x->value, seed, offset, [=](uint64_t key, uint64_t i) { return low + (high - low) * unit(mix(key + i)); });
  });
}

int ct_fill_normal(ct_tensor x, double mean, double deviation, uint64_t seed, uint64_t offset) {
  return jay::guarded([&] {
    fill(x->value, seed, offset, [=](uint64_t key, uint64_t i) {
      // Box–Muller; 1 − u keeps the logarithm finite.
      double radius = std::sqrt(-2.0 * std::log(1.0 - unit(mix(key + 2 * i))));
      return mean + deviation * radius * std::cos(2.0 * std::numbers::pi * unit(mix(key + 2 * i + 1)));
    });
  });
}

}  // extern "C"
