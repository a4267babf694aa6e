// Attention over texts that stand behind one another without padding, on the CPU: each sees itself only, so nothing is
// spent on padding or on other texts, and no matrix of scores is kept for the backward pass (as in FlashAttention, Dao et
// al. 2022, arXiv 2205.14135, §3.1). Sums are float.
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

#include "kernels.h"
#include "support.h"

using jay::exponential, jay::floats, jay::get, jay::lanes, jay::load, jay::mix32, jay::store;

namespace {

constexpr int64_t tall = 8;

int64_t whole(int64_t count) { return (count + lanes - 1) / lanes * lanes; }

/// c `[rows][columns]` = a `[rows][inner]` · b `[inner][columns]` for up to eight rows and 16 · `wide` columns.
template <int rows, int wide>
JAY_INLINE void tile(const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t inner, float *c,
                     int64_t c_stride, bool adds) {
  floats sums[rows][wide] = {};
  for (int64_t k = 0; k < inner; ++k) {
    floats right[wide];
    for (int w = 0; w < wide; ++w) right[w] = load(b + k * b_stride + w * lanes);
    for (int r = 0; r < rows; ++r)
      for (int w = 0; w < wide; ++w) sums[r][w] += a[r * a_stride + k] * right[w];
  }
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < wide; ++w) {
      float *to = c + r * c_stride + w * lanes;
      *reinterpret_cast<floats *>(to) = adds ? load(to) + sums[r][w] : sums[r][w];
    }
}

template <int rows>
JAY_INLINE void band(const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t inner, float *c,
                     int64_t c_stride, int64_t columns, bool adds) {
  int64_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) tile<rows, 2>(a, a_stride, b + j, b_stride, inner, c + j, c_stride, adds);
  if (j < columns) tile<rows, 1>(a, a_stride, b + j, b_stride, inner, c + j, c_stride, adds);
}

/// c (+)= a · b; `columns` is a multiple of 16.
JAY_VECTOR void multiply(int64_t rows, int64_t inner, int64_t columns, const float *a, int64_t a_stride, const float *b,
                         int64_t b_stride, float *c, int64_t c_stride, bool adds) {
  int64_t i = 0;
  for (; i + tall <= rows; i += tall)
    band<tall>(a + i * a_stride, a_stride, b, b_stride, inner, c + i * c_stride, c_stride, columns, adds);
  a += i * a_stride, c += i * c_stride;
  switch (rows - i) {
    case 1: return band<1>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 2: return band<2>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 3: return band<3>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 4: return band<4>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 5: return band<5>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 6: return band<6>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    case 7: return band<7>(a, a_stride, b, b_stride, inner, c, c_stride, columns, adds);
    default: return;
  }
}

/// What all texts and heads share.
struct Settings {
  int64_t heads, stored, width, window;
  bool is_causal;
  float scale, kept;  // 1 / (1 − probability of dropout)
  uint32_t threshold, key;

  /// The keys `[first, last)` that a query sees, where `shift` more keys than queries stand before it.
  JAY_INLINE int64_t first(int64_t query, int64_t shift) const {
    return window > 0 ? std::max<int64_t>(0, query + shift - window + 1) : 0;
  }
  JAY_INLINE int64_t last(int64_t query, int64_t shift, int64_t keys) const {
    return is_causal ? std::min(keys, query + shift + 1) : keys;
  }
  /// Dropout's factor of a key for a query whose hash is `row`.
  JAY_INLINE float factor(uint32_t row, int64_t key_place) const {
    return mix32(row + uint32_t(key_place)) >> 8 >= threshold ? kept : 0.f;
  }
  JAY_INLINE uint32_t row(int64_t head, int64_t query) const {
    return mix32(uint32_t(query) * 0x9E3779B9u + uint32_t(head) * 0x85EBCA6Bu + key) ^ key;
  }
};

/// Scores of one query → probabilities with dropout; gives log Σ e^score.
JAY_INLINE float normalised(float *scores, const float *bias, int64_t first, int64_t last, int64_t count,
                           const Settings &settings, uint32_t row) {
  for (int64_t j = 0; j < first; ++j) scores[j] = 0;
  for (int64_t j = last; j < count; ++j) scores[j] = 0;
  if (bias)
    for (int64_t j = first; j < last; ++j) scores[j] += bias[j];
  floats peaks = floats{} - INFINITY;
  int64_t j = first;
  for (; j + lanes <= last; j += lanes) {
    const floats some = load(scores + j);
    peaks = some > peaks ? some : peaks;
  }
  float peak = -INFINITY;
  for (int i = 0; i < lanes; ++i) peak = std::max(peak, peaks[i]);
  for (; j < last; ++j) peak = std::max(peak, scores[j]);
  for (j = first; j < last; ++j) scores[j] = exponential(scores[j] - peak);
  floats sums = {};
  for (j = first; j + lanes <= last; j += lanes) sums += load(scores + j);
  float total = jay::sum(sums);
  for (; j < last; ++j) total += scores[j];
  const float share = 1 / total;
  if (settings.threshold == 0)
    for (j = first; j < last; ++j) scores[j] *= share;
  else
    for (j = first; j < last; ++j) scores[j] *= share * settings.factor(row, j);
  return peak + std::log(total);
}
JAY_VECTOR float normalise(float *scores, const float *bias, int64_t first, int64_t last, int64_t count,
                           const Settings &settings, uint32_t row) {
  return normalised(scores, bias, first, last, count, settings, row);
}

/// The products of the rows of x and y `[rows][padded]`.
JAY_INLINE void row_products(const float *x, const float *y, int64_t rows, int64_t padded, float *out) {
  for (int64_t i = 0; i < rows; ++i) {
    floats sums = {};
    for (int64_t d = 0; d < padded; d += lanes) sums += load(x + i * padded + d) * load(y + i * padded + d);
    out[i] = jay::sum(sums);
  }
}
JAY_VECTOR void dot_rows(const float *x, const float *y, int64_t rows, int64_t padded, float *out) {
  row_products(x, y, rows, padded, out);
}

/// Rows of one key, in the backward pass: transposed scores → probabilities with dropout, and the scores' gradients.
JAY_VECTOR void differentiate(float *scores, float *gradients, const float *bias, const float *logs, const float *dots,
                              const uint32_t *rows, int64_t key_place, int64_t begin, int64_t end, int64_t count,
                              const Settings &settings) {
  for (int64_t i = 0; i < begin; ++i) scores[i] = gradients[i] = 0;
  for (int64_t i = end; i < count; ++i) scores[i] = gradients[i] = 0;
  if (bias)
    for (int64_t i = begin; i < end; ++i) scores[i] += bias[i];
  if (settings.threshold == 0) {
    for (int64_t i = begin; i < end; ++i) {
      const float share = exponential(scores[i] - logs[i]);
      gradients[i] = share * (gradients[i] - dots[i]);
      scores[i] = share;
    }
  } else {
    for (int64_t i = begin; i < end; ++i) {
      const float share = exponential(scores[i] - logs[i]), factor = settings.factor(rows[i], key_place);
      gradients[i] = share * (gradients[i] * factor - dots[i]);
      scores[i] = share * factor;
    }
  }
}

/// Rows of one head → float `[rows][padded]`, times `scale`, zeros behind `width`.
template <typename T>
JAY_INLINE void widen(const T *from, int64_t stride, int64_t rows, int64_t width, int64_t padded, float scale, float *to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t d = 0; d < width; ++d) to[r * padded + d] = float(from[r * stride + d]) * scale;
    for (int64_t d = width; d < padded; ++d) to[r * padded + d] = 0;
  }
}
JAY_VECTOR void widen_rows(const float *from, int64_t stride, int64_t rows, int64_t width, int64_t padded, float scale, float *to) {
  widen(from, stride, rows, width, padded, scale, to);
}
JAY_VECTOR void widen_rows(const at::BFloat16 *from, int64_t stride, int64_t rows, int64_t width, int64_t padded, float scale, float *to) {
  widen(from, stride, rows, width, padded, scale, to);
}

/// `[rows][from_stride]` → `[columns][to_stride]`, zeros behind `rows`.
JAY_VECTOR void transpose(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; i += lanes)
    for (int64_t j = 0; j < columns; j += lanes)
      for (int64_t jj = j; jj < std::min(columns, j + lanes); ++jj)
        for (int64_t ii = i; ii < std::min(rows, i + lanes); ++ii) to[jj * to_stride + ii] = from[ii * from_stride + jj];
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = rows; i < to_stride; ++i) to[j * to_stride + i] = 0;
}

template <typename T>
JAY_INLINE void narrow(const float *from, int64_t padded, int64_t rows, int64_t width, float scale, T *to, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t d = 0; d < width; ++d) store(from[r * padded + d] * scale, to + r * stride + d);
}
JAY_VECTOR void narrow_rows(const float *from, int64_t padded, int64_t rows, int64_t width, float scale, float *to, int64_t stride) {
  narrow(from, padded, rows, width, scale, to, stride);
}
JAY_VECTOR void narrow_rows(const float *from, int64_t padded, int64_t rows, int64_t width, float scale, at::BFloat16 *to, int64_t stride) {
  narrow(from, padded, rows, width, scale, to, stride);
}

/// Memory of a thread, kept between its jobs.
class Scratch {
 public:
  explicit Scratch(int64_t count) : memory(kept()) {
    if (memory.size() < size_t(count)) memory.resize(count);
  }
  float *take(int64_t count) { return memory.data() + std::exchange(used, used + count); }

 private:
  static std::vector<float> &kept() {
    static thread_local std::vector<float> memory;
    return memory;
  }
  std::vector<float> &memory;
  int64_t used = 0;
};

/// The tensors of one call.
struct Texts {
  at::Tensor q, k, v, bias;  // bias: float `[heads, queries, keys]`, or undefined.
  std::vector<int64_t> queries, keys;  // Where each text begins, and where the last one ends.
  Settings settings;
  int64_t count() const { return int64_t(queries.size()) - 1; }
  int64_t longest(const std::vector<int64_t> &starts) const {
    int64_t most = 0;
    for (size_t i = 1; i < starts.size(); ++i) most = std::max(most, starts[i] - starts[i - 1]);
    return most;
  }
};

template <typename T>
void attend(const Texts &texts, const at::Tensor &out, const at::Tensor &logs) {
  const Settings &s = texts.settings;
  const int64_t padded = whole(s.width), most = whole(texts.longest(texts.keys)), total = texts.q.size(0);
  const int64_t q_stride = s.heads * s.width, k_stride = s.stored * s.width;
  jay::parallel_for(texts.count() * s.heads, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch(2 * most * padded + padded * most + tall * (2 * padded + most));
    float *rows = scratch.take(most * padded), *values = scratch.take(most * padded), *keys = scratch.take(padded * most);
    float *query = scratch.take(tall * padded), *mixed = scratch.take(tall * padded), *scores = scratch.take(tall * most);
    for (int64_t job = begin; job < end; ++job) {
      const int64_t text = job / s.heads, head = job % s.heads, stored = head / (s.heads / s.stored);
      const int64_t q0 = texts.queries[text], k0 = texts.keys[text];
      const int64_t q_count = texts.queries[text + 1] - q0, k_count = texts.keys[text + 1] - k0, columns = whole(k_count);
      const int64_t shift = k_count - q_count;
      widen_rows(texts.k.const_data_ptr<T>() + k0 * k_stride + stored * s.width, k_stride, k_count, s.width, padded, 1, rows);
      widen_rows(texts.v.const_data_ptr<T>() + k0 * k_stride + stored * s.width, k_stride, k_count, s.width, padded, 1, values);
      transpose(rows, padded, k_count, s.width, keys, columns);
      for (int64_t i = 0; i < q_count; i += tall) {
        const int64_t some = std::min(tall, q_count - i), from = (q0 + i) * q_stride + head * s.width;
        widen_rows(texts.q.const_data_ptr<T>() + from, q_stride, some, s.width, padded, s.scale, query);
        multiply(some, s.width, columns, query, padded, keys, columns, scores, columns, false);
        for (int64_t r = 0; r < some; ++r) {
          const float *bias = texts.bias.defined()
              ? texts.bias.const_data_ptr<float>() + (head * texts.bias.size(1) + i + r) * texts.bias.size(2) : nullptr;
          const float log = normalise(scores + r * columns, bias, s.first(i + r, shift), s.last(i + r, shift, k_count),
                                      columns, s, s.row(head, q0 + i + r));
          if (logs.defined()) logs.data_ptr<float>()[head * total + q0 + i + r] = log;
        }
        multiply(some, k_count, padded, scores, columns, values, padded, mixed, padded, false);
        narrow_rows(mixed, padded, some, s.width, 1, out.data_ptr<T>() + from, q_stride);
      }
    }
  });
}

template <typename T>
void attend_backward(const Texts &texts, const at::Tensor &out, const at::Tensor &logs, const at::Tensor &gradient,
                     const at::Tensor &dq, const at::Tensor &dk, const at::Tensor &dv, const at::Tensor &dbias) {
  const Settings &s = texts.settings;
  const int64_t padded = whole(s.width), most_k = whole(texts.longest(texts.keys));
  const int64_t most_q = whole(texts.longest(texts.queries));
  const int64_t total = texts.q.size(0), group = s.heads / s.stored;
  const int64_t q_stride = s.heads * s.width, k_stride = s.stored * s.width;
  const auto bias = texts.bias.defined() ? texts.bias.transpose(1, 2).contiguous() : at::Tensor();
  auto run = [&](int64_t stored, int64_t text) {
    const int64_t q0 = texts.queries[text], k0 = texts.keys[text];
    const int64_t q_count = texts.queries[text + 1] - q0, k_count = texts.keys[text + 1] - k0;
    const int64_t rows = whole(q_count), columns = whole(k_count), shift = k_count - q_count;
    Scratch scratch(4 * most_k * padded + 6 * padded * most_q + 3 * most_k * most_q + 3 * most_q);
    float *key = scratch.take(k_count * padded), *value = scratch.take(k_count * padded);
    float *key_sum = scratch.take(k_count * padded), *value_sum = scratch.take(k_count * padded);
    float *query = scratch.take(q_count * padded), *query_t = scratch.take(padded * rows);
    float *above = scratch.take(q_count * padded), *above_t = scratch.take(padded * rows);
    float *mixed = scratch.take(q_count * padded);
    float *shares = scratch.take(k_count * rows), *slopes = scratch.take(k_count * rows);
    float *slopes_t = scratch.take(q_count * columns), *dots = scratch.take(rows);
    auto *hashes = reinterpret_cast<uint32_t *>(scratch.take(rows));
    const int64_t k_from = k0 * k_stride + stored * s.width;
    widen_rows(texts.k.const_data_ptr<T>() + k_from, k_stride, k_count, s.width, padded, 1, key);
    widen_rows(texts.v.const_data_ptr<T>() + k_from, k_stride, k_count, s.width, padded, 1, value);
    for (int64_t head = stored * group; head < (stored + 1) * group; ++head) {
      const bool adds = head > stored * group;
      const int64_t q_from = q0 * q_stride + head * s.width;
      widen_rows(texts.q.const_data_ptr<T>() + q_from, q_stride, q_count, s.width, padded, s.scale, query);
      widen_rows(gradient.const_data_ptr<T>() + q_from, q_stride, q_count, s.width, padded, 1, above);
      widen_rows(out.const_data_ptr<T>() + q_from, q_stride, q_count, s.width, padded, 1, mixed);
      transpose(query, padded, q_count, s.width, query_t, rows);
      transpose(above, padded, q_count, s.width, above_t, rows);
      const float *log = logs.const_data_ptr<float>() + head * total + q0;
      dot_rows(above, mixed, q_count, padded, dots);
      for (int64_t i = 0; i < q_count; ++i) hashes[i] = s.row(head, q0 + i);
      multiply(k_count, s.width, rows, key, padded, query_t, rows, shares, rows, false);
      multiply(k_count, s.width, rows, value, padded, above_t, rows, slopes, rows, false);
      for (int64_t j = 0; j < k_count; ++j) {
        // The queries that see this key.
        const int64_t first = s.is_causal ? std::max<int64_t>(0, j - shift) : 0;
        const int64_t last = s.window > 0 ? std::min(q_count, std::max<int64_t>(0, j - shift + s.window)) : q_count;
        const float *row = bias.defined() ? bias.const_data_ptr<float>() + (head * bias.size(1) + j) * bias.size(2) : nullptr;
        differentiate(shares + j * rows, slopes + j * rows, row, log, dots, hashes, j, std::min(first, last), last, rows, s);
      }
      multiply(k_count, q_count, padded, shares, rows, above, padded, value_sum, padded, adds);
      multiply(k_count, q_count, padded, slopes, rows, query, padded, key_sum, padded, adds);
      transpose(slopes, rows, k_count, q_count, slopes_t, columns);
      multiply(q_count, k_count, padded, slopes_t, columns, key, padded, mixed, padded, false);
      narrow_rows(mixed, padded, q_count, s.width, s.scale, dq.data_ptr<T>() + q_from, q_stride);
      if (dbias.defined())
        for (int64_t i = 0; i < q_count; ++i) {
          float *to = dbias.data_ptr<float>() + (head * dbias.size(1) + i) * dbias.size(2);
          for (int64_t j = 0; j < k_count; ++j) to[j] += slopes_t[i * columns + j];
        }
    }
    narrow_rows(key_sum, padded, k_count, s.width, 1, dk.data_ptr<T>() + k_from, k_stride);
    narrow_rows(value_sum, padded, k_count, s.width, 1, dv.data_ptr<T>() + k_from, k_stride);
  };
  // Texts add to one gradient of the bias, so a head's texts stay on one thread then.
  const int64_t texts_each = dbias.defined() ? texts.count() : 1;
  jay::parallel_for(s.stored * texts.count() / texts_each, 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin * texts_each; job < end * texts_each; ++job) run(job / texts.count(), job % texts.count());
  });
}

template <typename Body>
void by_dtype(const at::Tensor &x, Body body) {
  if (x.scalar_type() == at::kFloat) body(float());
  else body(at::BFloat16());
}

struct SpanAttention : torch::autograd::Function<SpanAttention> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &q, const at::Tensor &k,
                            const at::Tensor &v, const std::optional<at::Tensor> &bias, const Texts *texts) {
    auto out = at::empty_like(q), logs = at::empty({q.size(1), q.size(0)}, q.options().dtype(at::kFloat));
    by_dtype(q, [&](auto type) { attend<decltype(type)>(*texts, out, logs); });
    context->save_for_backward({q, k, v, bias.value_or(at::Tensor()), out, logs});
    context->saved_data["queries"] = texts->queries;
    context->saved_data["keys"] = texts->keys;
    context->saved_data["settings"] = std::string(reinterpret_cast<const char *>(&texts->settings), sizeof(Settings));
    return out;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    Texts texts{saved[0], saved[1], saved[2], saved[3], context->saved_data["queries"].toIntVector(),
                context->saved_data["keys"].toIntVector(), {}};
    memcpy(&texts.settings, context->saved_data["settings"].toStringRef().data(), sizeof(Settings));
    auto dq = at::empty_like(texts.q), dk = at::empty_like(texts.k), dv = at::empty_like(texts.v);
    auto dbias = texts.bias.defined() && context->needs_input_grad(3) ? at::zeros_like(texts.bias) : at::Tensor();
    const auto gradient = gradients[0].contiguous();
    by_dtype(texts.q, [&](auto type) {
      attend_backward<decltype(type)>(texts, saved[4], saved[5], gradient, dq, dk, dv, dbias);
    });
    return {dq, dk, dv, dbias, at::Tensor()};
  }
};

}  // namespace

extern "C" {

int ct_attention_spans(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor bias, const ct_spans *spans, double scale,
                       double dropout, uint64_t seed, uint64_t offset, ct_tensor *out) {
  return jay::guarded([&] {
    const auto query = get(q).contiguous(), key = get(k).contiguous(), value = get(v).contiguous();
    const auto type = query.scalar_type();
    TORCH_CHECK(query.is_cpu() && (type == at::kFloat || type == at::kBFloat16), "attention over spans runs on the CPU in ",
                "float32 or bfloat16, not on ", query.device(), " in ", type);
    TORCH_CHECK(query.dim() == 3 && key.dim() == 3 && key.sizes() == value.sizes() && key.size(2) == query.size(2) &&
                    key.size(1) > 0 && query.size(1) % key.size(1) == 0,
                "queries ", query.sizes(), ", keys ", key.sizes(), " and values ", value.sizes(), " do not fit");
    const int64_t *starts = spans->queries, *key_starts = spans->keys;
    const auto added = bias ? get(bias).to(at::kFloat).contiguous() : at::Tensor();
    const uint64_t mixed = seed * 0x9E3779B97F4A7C15ull + offset * 0xBF58476D1CE4E5B9ull;
    Texts texts{query, key, value, added, {starts, starts + spans->count + 1}, {key_starts, key_starts + spans->count + 1},
                Settings{query.size(1), key.size(1), query.size(2), spans->window, spans->is_causal, float(scale),
                         float(1 / (1 - dropout)), uint32_t(std::lround(dropout * (1 << 24))),
                         mix32(uint32_t(mixed ^ (mixed >> 32)))}};
    TORCH_CHECK(texts.queries.front() == 0 && texts.keys.front() == 0 && texts.queries.back() == query.size(0) &&
                    texts.keys.back() == key.size(0) && query.size(0) > 0,
                "spans end at ", texts.queries.back(), " and ", texts.keys.back());
    for (size_t i = 1; i < texts.queries.size(); ++i) {
      const int64_t some = texts.queries[i] - texts.queries[i - 1], seen = texts.keys[i] - texts.keys[i - 1];
      TORCH_CHECK(some >= 0 && seen >= (spans->is_causal ? some : 0), "text ", i - 1, " has ", some, " queries and ", seen,
                  " keys");
    }
    TORCH_CHECK(!bias || (added.dim() == 3 && added.size(0) == query.size(1) &&
                          added.size(1) >= texts.longest(texts.queries) && added.size(2) >= texts.longest(texts.keys)),
                "the bias ", added.sizes(), " does not cover the longest text");
    if (at::GradMode::is_enabled()) {
      *out = jay::own(SpanAttention::apply(query, key, value, bias ? std::make_optional(added) : std::nullopt, &texts));
    } else {
      auto result = at::empty_like(query);
      by_dtype(query, [&](auto value_type) { attend<decltype(value_type)>(texts, result, at::Tensor()); });
      *out = jay::own(result);
    }
  });
}

}  // extern "C"
