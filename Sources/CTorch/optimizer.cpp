// AdamW in one pass: gradient, both moments, float32 master and its bfloat16 copy are read and written once.
#include <ATen/TensorIterator.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load;

namespace {

struct Constants {
  float keep, beta1, beta2, step_size, inverse_bias2_root, epsilon, l2, scale;
};

inline float from_bfloat16(uint16_t bits) { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }

inline float updated(float weight, float gradient, float &first, float &second, const Constants &c) {
  gradient = gradient * c.scale + c.l2 * weight;
  first = c.beta1 * first + (1.0f - c.beta1) * gradient;
  second = c.beta2 * second + (1.0f - c.beta2) * gradient * gradient;
  // Unlike std::sqrt, which may have to set errno, this one does not keep the loops around it from being vectors.
  const float root = __builtin_elementwise_sqrt(second);
  return weight * c.keep - c.step_size * first / (root * c.inverse_bias2_root + c.epsilon);
}

// Rows of an embedding that no text of this experience has touched have zero gradient and moments; without weight
// decay their update is exactly nothing, and reading is all that they cost. What is known of a block of elements spares
// reading the moments, too.
constexpr int64_t block = 256;

template <typename T>
JAY_INLINE uint32_t magnitude_bits(T x) {
  if constexpr (sizeof(T) == 2) return static_cast<uint32_t>(x & 0x7FFFu);
  else return __builtin_bit_cast(uint32_t, x) << 1;
}

template <typename T>
JAY_INLINE bool is_zero(const T *x, int64_t n) {
  uint32_t bits = 0;
  for (int64_t i = 0; i < n; ++i) bits |= magnitude_bits(x[i]);
  return bits == 0;
}

/// Whether the update of a block does nothing. `touched` is false where both moments are known to be zero.
template <typename T>
JAY_INLINE bool is_idle(const T *gradient, const float *first, const float *second, int64_t n, uint8_t *touched) {
  const bool stays = is_zero(gradient, n);
  if (!touched) return stays && is_zero(first, n) && is_zero(second, n);
  if (*touched) *touched = !(stays && is_zero(first, n) && is_zero(second, n));
  else *touched = !stays;
  return !*touched;
}

JAY_VECTOR void step_float(float *weight, const float *gradient, float *first, float *second, int64_t count, uint8_t *touched,
                           const Constants &constants) {
  const Constants c = constants;
  const bool may_skip = c.keep == 1.0f && c.l2 == 0.0f;
  for (int64_t start = 0; start < count; start += block) {
    const int64_t end = std::min(start + block, count);
    uint8_t *known = touched ? touched + start / block : nullptr;
    if (may_skip && is_idle(gradient + start, first + start, second + start, end - start, known)) continue;
    if (known) *known = 1;
    for (int64_t i = start; i < end; ++i) weight[i] = updated(weight[i], gradient[i], first[i], second[i], c);
  }
}

JAY_VECTOR void step_bfloat16(uint16_t *value, float *master, const uint16_t *gradient, float *first, float *second, int64_t count,
                              uint8_t *touched, const Constants &constants) {
  const Constants c = constants;
  const bool may_skip = c.keep == 1.0f && c.l2 == 0.0f;
  for (int64_t start = 0; start < count; start += block) {
    const int64_t end = std::min(start + block, count);
    uint8_t *known = touched ? touched + start / block : nullptr;
    if (may_skip && is_idle(gradient + start, first + start, second + start, end - start, known)) continue;
    if (known) *known = 1;
    for (int64_t i = start; i < end; ++i) {
      float weight = updated(master[i], from_bfloat16(gradient[i]), first[i], second[i], c);
      master[i] = weight;
      value[i] = jay::bfloat16_bits(weight);
    }
  }
}

// The same arithmetic from libtorch's operators, for dtypes without a kernel above.
void step_generic(at::Tensor &value, at::Tensor &master, const at::Tensor &gradient, at::Tensor &first, at::Tensor &second, const Constants &c) {
  auto g = gradient.to(at::kFloat) * c.scale + master * c.l2;
  first.mul_(c.beta1).add_(g, 1.0f - c.beta1);
  second.mul_(c.beta2).addcmul_(g, g, 1.0f - c.beta2);
  master.mul_(c.keep).sub_(c.step_size * first / (second.sqrt() * c.inverse_bias2_root + c.epsilon));
  if (!value.is_same(master)) value.copy_(master);
}

/// What an update reads and writes, contiguous: `value` and `gradient` in bfloat16 or, as one with `master`, float32.
/// `touched` (uint8, a number for each block) may be undefined.
struct State {
  at::Tensor value, master, gradient, first, second, touched;

  bool is_float() const { return value.data_ptr() == master.data_ptr() && gradient.scalar_type() == at::kFloat; }
  bool is_bfloat16() const {
    return value.scalar_type() == at::kBFloat16 && gradient.scalar_type() == at::kBFloat16;
  }
  bool has_kernel() const {
    return value.is_cpu() && value.is_contiguous() && master.is_contiguous() && master.scalar_type() == at::kFloat &&
           (is_float() || is_bfloat16());
  }

  /// Updates `count` elements from `start` on, where a block begins.
  void step(int64_t start, int64_t count, const Constants &c) const {
    uint8_t *known = touched.defined() ? touched.data_ptr<uint8_t>() + start / block : nullptr;
    float *weight = master.data_ptr<float>() + start;
    float *m = first.data_ptr<float>() + start, *v = second.data_ptr<float>() + start;
    if (is_float()) return step_float(weight, jay::read<float>(gradient) + start, m, v, count, known, c);
    step_bfloat16(static_cast<uint16_t *>(value.data_ptr()) + start, weight,
                  static_cast<const uint16_t *>(gradient.const_data_ptr()) + start, m, v, count, known, c);
  }

  /// The same rows of all, copied.
  State taken(const at::Tensor &rows) const {
    auto some = [&](const at::Tensor &x) { return x.index_select(0, rows); };
    return {some(value), some(master), some(gradient), some(first), some(second), at::Tensor()};
  }

  void put(const at::Tensor &rows, const State &from) const {
    const std::pair<at::Tensor, at::Tensor> all[] = {
        {value, from.value}, {master, from.master}, {first, from.first}, {second, from.second}};
    for (auto [to, x] : all) to.index_copy_(0, rows, x);
  }
};

Constants constants_of(const ct_adamw_options &o) {
  const double bias1 = 1.0 - std::pow(o.beta1, static_cast<double>(o.step)), bias2 = 1.0 - std::pow(o.beta2, static_cast<double>(o.step));
  return {static_cast<float>(o.decoupled ? 1.0 - o.rate * o.weight_decay : 1.0),
          static_cast<float>(o.beta1), static_cast<float>(o.beta2), static_cast<float>(o.rate / bias1),
          static_cast<float>(1.0 / std::sqrt(bias2)), static_cast<float>(o.epsilon),
          static_cast<float>(o.decoupled ? 0.0 : o.weight_decay), static_cast<float>(o.gradient_scale)};
}

/// One pass over the memory of all parameters, in whole blocks, as threads come for them.
void step_all(const std::vector<State> &states, const Constants &c) {
  struct Part {
    const State *state;
    int64_t start, count;
  };
  constexpr int64_t longest = 128 * block;
  std::vector<Part> parts;
  for (const State &state : states)
    for (int64_t start = 0; start < state.master.numel(); start += longest)
      parts.push_back({&state, start, std::min(longest, state.master.numel() - start)});
  jay::parallel_shares(parts.size(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) parts[i].state->step(parts[i].start, parts[i].count, c);
  });
}

/// libtorch's fused update for lists, for accelerators: few launches where each parameter by itself takes a dozen.
void step_fused(const std::vector<State> &states, const std::vector<at::Tensor> &counts, const at::Tensor &rate,
                const ct_adamw_options &o) {
  std::vector<at::Tensor> master, gradient, first, second, copies, rounded;
  for (const State &state : states) {
    const auto wide = state.gradient.to(at::kFloat).contiguous();
    gradient.push_back(o.gradient_scale != 1 ? wide * o.gradient_scale : wide);
    master.push_back(state.master);
    first.push_back(state.first);
    second.push_back(state.second);
    if (state.value.data_ptr() == state.master.data_ptr()) continue;
    copies.push_back(state.value);
    rounded.push_back(state.master);
  }
  at::_foreach_add_(counts, 1);
  if (o.decoupled) at::_fused_adamw_(master, gradient, first, second, {}, counts, rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, false, false);
  else at::_fused_adam_(master, gradient, first, second, {}, counts, rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, false, false);
  if (!copies.empty()) at::_foreach_copy_(copies, rounded);
}

template <typename T>
JAY_INLINE float sum_of_squares(const T *x, int64_t count) {
  floats sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes)
    for (int64_t k = 0; k < 4; ++k) sums[k] += load(x + i + k * lanes) * load(x + i + k * lanes);
  float total = jay::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < count; ++i) total += float(x[i]) * float(x[i]);
  return total;
}
JAY_VECTOR float squares_of(const float *x, int64_t count) { return sum_of_squares(x, count); }
JAY_VECTOR float squares_of(const at::BFloat16 *x, int64_t count) { return sum_of_squares(x, count); }

/// Some elements of a gradient, and the sum of their squares.
struct Part {
  static constexpr int64_t longest = 32768;
  const at::Tensor *gradient;
  int64_t start, count;
  float squares;

  void add() {
    squares = gradient->scalar_type() == at::kFloat ? squares_of(jay::read<float>(*gradient) + start, count)
                                                    : squares_of(jay::read<at::BFloat16>(*gradient) + start, count);
  }
};

}  // namespace

extern "C" {

int ct_adamw(const ct_tensor *values, const ct_tensor *masters, const ct_tensor *gradients, const ct_tensor *firsts,
             const ct_tensor *seconds, const ct_tensor *touched, int32_t count, const ct_adamw_options *options) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    const Constants c = constants_of(*options);
    std::vector<State> kernels;
    for (int32_t i = 0; i < count; ++i) {
      State state{get(values[i]).detach(), get(masters[i]).detach(), get(gradients[i]).contiguous(), get(firsts[i]),
                  get(seconds[i]), jay::get_or_undefined(touched[i])};
      if (state.master.numel() == 0) continue;
      if (state.has_kernel()) kernels.push_back(state);
      else step_generic(state.value, state.master, state.gradient, state.first, state.second, c);
    }
    step_all(kernels, c);
    for (int32_t i = 0; i < count; ++i) {
      jay::note_written(get(values[i]));
      jay::note_written(get(masters[i]));
    }
  });
}

int ct_adamw_rows(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor first, ct_tensor second, ct_tensor rows,
                  const ct_adamw_options *options) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    State state{get(value).detach(), get(master).detach(), get(gradient).contiguous(), get(first), get(second), at::Tensor()};
    const Constants c = constants_of(*options);
    const auto chosen = get(rows).contiguous();
    jay::check_rows(chosen, state.master.size(0), true);
    if (state.master.numel() == 0) return;
    if (state.has_kernel()) {
      const int64_t width = state.master.numel() / state.master.size(0);
      const int64_t *row = jay::read<int64_t>(chosen);
      jay::parallel_for(chosen.size(0), std::max<int64_t>(1, 32768 / width), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) state.step(row[i] * width, width, c);
      });
    } else {
      auto some = state.taken(chosen);
      step_generic(some.value, some.master, some.gradient, some.first, some.second, c);
      state.put(chosen, some);
    }
    jay::note_written(get(value));
    jay::note_written(get(master));
  });
}

int ct_adamw_fused(const ct_tensor *values, const ct_tensor *masters, const ct_tensor *gradients, const ct_tensor *firsts,
                   const ct_tensor *seconds, const ct_tensor *counts, int32_t count, ct_tensor rate,
                   const ct_adamw_options *options) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    std::vector<State> states;
    for (int32_t i = 0; i < count; ++i)
      states.push_back({get(values[i]).detach(), get(masters[i]).detach(), get(gradients[i]), get(firsts[i]), get(seconds[i]), {}});
    if (count > 0) step_fused(states, jay::list(counts, count), get(rate), *options);
  });
}

int ct_adamw_fused_rows(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor first, ct_tensor second,
                        ct_tensor count, ct_tensor rows, ct_tensor rate, const ct_adamw_options *options) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    const State state{get(value).detach(), get(master).detach(), get(gradient), get(first), get(second), {}};
    const State some = state.taken(get(rows));
    step_fused({some}, {get(count)}, get(rate), *options);
    state.put(get(rows), some);
  });
}

int ct_device_norm(const ct_tensor *gradients, int32_t count, ct_tensor *out) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    std::vector<at::Tensor> norms;
    for (int32_t i = 0; i < count; ++i)
      norms.push_back(at::linalg_vector_norm(get(gradients[i]), 2, std::nullopt, false, at::kFloat));
    *out = jay::own(at::linalg_vector_norm(at::stack(norms), 2));
  });
}

int ct_mul_together_(const ct_tensor *xs, int32_t count, ct_tensor factor) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    if (count > 0) at::_foreach_mul_(jay::list(xs, count), get(factor));
  });
}

int ct_global_norm(const ct_tensor *gradients, int32_t count, double *out) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    std::vector<at::Tensor> held, norms;
    held.reserve(count);
    std::vector<Part> parts;
    for (int32_t i = 0; i < count; ++i) {
      const auto &gradient = gradients[i]->value;
      const auto type = gradient.scalar_type();
      if (gradient.is_cpu() && (type == at::kFloat || type == at::kBFloat16)) {
        held.push_back(gradient.contiguous());
        for (int64_t start = 0; start < gradient.numel(); start += Part::longest)
          parts.push_back({&held.back(), start, std::min(Part::longest, gradient.numel() - start), 0});
      } else {
        const auto sums = type == at::kDouble ? type : at::kFloat;
        norms.push_back(at::linalg_vector_norm(gradient, 2, std::nullopt, false, sums).to(at::kDouble));
      }
    }
    jay::parallel_for(parts.size(), 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) parts[i].add();
    });
    // A device is waited for once.
    double squares = norms.empty() ? 0 : at::stack(norms).square().sum().item<double>();
    for (const Part &part : parts) squares += part.squares;
    *out = std::sqrt(squares);
  });
}

}  // extern "C"
