// What a decoder does for one new token a row on the CPU, where many small operations cost more than their arithmetic.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels.h"
#include "support.h"

using jay::exponential, jay::floats, jay::get, jay::lanes, jay::load;

namespace {

constexpr int64_t widest = 512;

/// The attention of one query head; `T` is float or bfloat16, sums are float.
template <typename T>
struct Head {
  const T *query, *keys, *values, *mask;  // `mask` may be NULL.
  int64_t width, length, key_stride, value_stride, mask_stride;
  float scale;
  float *scores;  // Room for `length`.
  float *out;     // `width` values.
};

/// How well the query matches up to sixteen keys.
template <typename T>
JAY_INLINE void match(const Head<T> &head, const float *query, int64_t begin, int64_t count, float *scores) {
  const int64_t whole = head.width / lanes * lanes;
  floats sums[lanes] = {};
  for (int64_t i = 0; i < count; ++i) {
    const T *key = head.keys + (begin + i) * head.key_stride;
    const T *value = head.values + (begin + i) * head.value_stride;
    for (int64_t d = 0; d < whole; d += lanes) {
      // The values come from memory while the keys are read, and the next head's keys too.
      __builtin_prefetch(value + d);
      __builtin_prefetch(reinterpret_cast<const char *>(key + d) + 4096);
      sums[i] += load(query + d) * load(key + d);
    }
  }
  jay::fold<lanes>(sums);
  const floats found = sums[0];
  for (int64_t i = 0; i < count; ++i) {
    const T *key = head.keys + (begin + i) * head.key_stride;
    float score = found[i] + (head.mask ? float(head.mask[(begin + i) * head.mask_stride]) : 0);
    for (int64_t d = whole; d < head.width; ++d) score += query[d] * float(key[d]);
    scores[i] = score;
  }
}

/// The values from `d` on, `count` vectors of them, by the weights `scores`.
template <int count, typename T>
JAY_INLINE void mix(const Head<T> &head, int64_t d, float total) {
  floats mixed[count] = {};
  for (int64_t t = 0; t < head.length; ++t)
    for (int i = 0; i < count; ++i) mixed[i] += head.scores[t] * load(head.values + t * head.value_stride + d + i * lanes);
  for (int i = 0; i < count; ++i) *reinterpret_cast<floats *>(head.out + d + i * lanes) = mixed[i] / total;
}

template <typename T>
JAY_INLINE void attend(const Head<T> &head) {
  float query[widest];
  for (int64_t d = 0; d < head.width; ++d) query[d] = float(head.query[d]) * head.scale;
  for (int64_t t = 0; t < head.length; t += lanes)
    match(head, query, t, std::min(lanes, head.length - t), head.scores + t);
  float largest = -INFINITY, total = 0;
  for (int64_t t = 0; t < head.length; ++t) largest = std::max(largest, head.scores[t]);
  for (int64_t t = 0; t < head.length; ++t) head.scores[t] = exponential(head.scores[t] - largest);
  for (int64_t t = 0; t < head.length; ++t) total += head.scores[t];
  int64_t d = 0;
  for (; d + 4 * lanes <= head.width; d += 4 * lanes) mix<4>(head, d, total);
  for (; d + lanes <= head.width; d += lanes) mix<1>(head, d, total);
  for (; d < head.width; ++d) {
    float mixed = 0;
    for (int64_t t = 0; t < head.length; ++t) mixed += head.scores[t] * float(head.values[t * head.value_stride + d]);
    head.out[d] = mixed / total;
  }
}

JAY_VECTOR void attend_float(const Head<float> &head) { attend(head); }
JAY_VECTOR void attend_bfloat16(const Head<at::BFloat16> &head) { attend(head); }
void attend_one(const Head<float> &head) { attend_float(head); }
void attend_one(const Head<at::BFloat16> &head) { attend_bfloat16(head); }

/// `x`, its halves rotated against each other where there are angles.
template <typename T>
void rotate(const T *x, const T *cos, const T *sin, int64_t width, T *out) {
  if (!cos) return void(std::copy(x, x + width, out));
  const int64_t half = width / 2;
  for (int64_t d = 0; d < width; ++d) {
    const float turned = d < half ? -float(x[d + half]) : float(x[d - half]);
    out[d] = T(float(x[d]) * float(cos[d]) + turned * float(sin[d]));
  }
}

/// The keys up to the last that a mask leaves: those behind weigh exactly nothing beside it.
template <typename T>
int64_t read_length(const T *mask, int64_t stride, int64_t length) {
  int64_t last = length;
  while (mask && last > 0 && float(mask[(last - 1) * stride]) < -1e29f) --last;
  return last > 0 ? last : length;
}

template <typename T>
void attention_step(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const at::Tensor &cos,
                    const at::Tensor &sin, const at::Tensor &keys, const at::Tensor &values, int64_t length,
                    const at::Tensor &mask, double scale, const at::Tensor &out) {
  const int64_t rows = q.size(0), heads = q.size(1), width = q.size(2), stored = keys.size(1), times = heads / stored;
  auto angle = [&](const at::Tensor &x, int64_t row) -> const T * {
    return x.defined() ? jay::read<T>(x) + (x.size(0) == 1 ? 0 : row * width) : nullptr;
  };
  jay::parallel_shares(rows * stored, 8, [&](int64_t begin, int64_t end) {
    std::vector<float> scores(length);
    T rotated[widest];
    float mixed[widest];
    for (int64_t index = begin; index < end; ++index) {
      const int64_t row = index / stored, head = index % stored;
      const T *cosines = angle(cos, row), *sines = angle(sin, row);
      T *row_keys = keys.data_ptr<T>() + row * keys.stride(0) + head * keys.stride(1);
      T *row_values = values.data_ptr<T>() + row * values.stride(0) + head * values.stride(1);
      if (k.defined()) {
        const int64_t place = length - 1, from = (row * stored + head) * width;
        rotate(jay::read<T>(k) + from, cosines, sines, width, row_keys + place * keys.stride(2));
        std::copy_n(jay::read<T>(v) + from, width, row_values + place * values.stride(2));
      }
      for (int64_t query = head * times; query < (head + 1) * times; ++query) {
        const int64_t from = (row * heads + query) * width;
        rotate(jay::read<T>(q) + from, cosines, sines, width, rotated);
        const T *seen =
            mask.defined() ? jay::read<T>(mask) + row * mask.stride(0) + query * mask.stride(1) : nullptr;
        const int64_t step = mask.defined() ? mask.stride(3) : 0;
        attend_one(Head<T>{rotated, row_keys, row_values, seen, width, read_length(seen, step, length), keys.stride(2),
                           values.stride(2), step, float(scale), scores.data(), mixed});
        std::copy(mixed, mixed + width, out.data_ptr<T>() + from);
      }
    }
  });
}

/// The largest value and whether there is a NaN.
JAY_VECTOR void find_largest(const float *x, int64_t count, float *largest, bool *has_nan) {
  float part[lanes];
  int32_t odd[lanes] = {};
  std::fill(part, part + lanes, -INFINITY);
  const int64_t whole = count / lanes * lanes;
  for (int64_t k = 0; k < whole; k += lanes)
    for (int64_t i = 0; i < lanes; ++i) {
      part[i] = x[k + i] > part[i] ? x[k + i] : part[i];
      odd[i] |= x[k + i] != x[k + i];
    }
  *largest = -INFINITY, *has_nan = false;
  for (int64_t i = 0; i < lanes; ++i) *largest = std::max(*largest, part[i]), *has_nan |= odd[i] != 0;
  for (int64_t k = whole; k < count; ++k) *largest = std::max(*largest, x[k]), *has_nan |= std::isnan(x[k]);
}

}  // namespace

bool jay::can_find_largest(const at::Tensor &x, int64_t dim) {
  return x.device().is_cpu() && x.dim() == 2 && dim == 1 && x.scalar_type() == at::kFloat && x.is_contiguous() &&
         x.size(1) > 0;
}

at::Tensor jay::largest_places(const at::Tensor &x) {
  const int64_t width = x.size(1);
  auto out = at::empty({x.size(0)}, x.options().dtype(at::kLong));
  int64_t *places = out.data_ptr<int64_t>();
  const float *rows = jay::read<float>(x);
  std::atomic<bool> any_nan = false;
  jay::parallel_for(x.size(0), std::max<int64_t>(1, 32768 / width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float *values = rows + row * width;
      float largest;
      bool has_nan;
      find_largest(values, width, &largest, &has_nan);
      if (has_nan) any_nan = true;
      places[row] = std::find(values, values + width, largest) - values;
    }
  });
  return any_nan ? x.argmax(1) : out;
}

extern "C" {

int ct_attention_step(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor cos, ct_tensor sin, ct_tensor keys,
                      ct_tensor values, int64_t length, ct_tensor mask, double scale, ct_tensor *out) {
  return jay::guarded([&] {
    auto plain = [](ct_tensor x) { return x ? get(x).contiguous() : at::Tensor(); };
    const auto query = get(q).contiguous();
    const int64_t rows = query.size(0), heads = query.size(1);
    TORCH_CHECK(query.size(2) <= widest && get(keys).stride(3) == 1 && get(values).stride(3) == 1,
                "attention_step: heads wider than ", widest, " or a cache that is not contiguous");
    const auto seen = mask ? get(mask).expand({rows, heads, 1, length}) : at::Tensor();
    auto result = at::empty_like(query);
    auto run = [&](auto step) {
      step(query, plain(k), plain(v), plain(cos), plain(sin), get(keys), get(values), length, seen, scale, result);
    };
    if (query.scalar_type() == at::kFloat) run(attention_step<float>);
    else run(attention_step<at::BFloat16>);
    *out = jay::own(result);
  });
}

}  // extern "C"
