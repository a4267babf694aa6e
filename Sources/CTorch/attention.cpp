// Attention over texts that stand behind one another without padding, on the CPU: each sees itself only, so nothing is
// spent on padding or on other texts, and no matrix of scores is kept for the backward pass (as in FlashAttention, Dao et
// al. 2022, arXiv 2205.14135, §3.1). bfloat16 is multiplied in pairs; sums, scores and what a softmax needs are float.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "support.h"
#include "words.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::mix32, jay::multiply, jay::paired, jay::rows_of, jay::store, jay::tall;
using jay::transposed, jay::Word, jay::words, jay::words_of;

namespace {

int64_t whole(int64_t count) { return (count + lanes - 1) / lanes * lanes; }

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
  /// Dropout's factors of keys for queries: of their hashes plus the keys' places.
  JAY_INLINE floats factors(words places) const { return mix32(places) >> 8 >= threshold ? floats{} + kept : floats{}; }
  JAY_INLINE uint32_t row(int64_t head, int64_t query) const {
    return mix32(uint32_t(query) * 0x9E3779B9u + uint32_t(head) * 0x85EBCA6Bu + key) ^ key;
  }
};

typedef int32_t places __attribute__((vector_size(64)));
constexpr places sixteen = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Which of sixteen places from `i` on are in `[first, last)`.
JAY_INLINE places inside(int64_t i, int64_t first, int64_t last) {
  return (sixteen >= int32_t(first - i)) & (sixteen < int32_t(last - i));
}
/// The first ones of sixteen, zeros behind them.
JAY_INLINE floats load_some(const float *x, int64_t count) {
  if (count >= lanes) return load(x);
  floats some = {};
  std::memcpy(&some, x, count * sizeof(float));
  return some;
}

/// Zeroes what is not in `[begin, end)`.
template <typename T>
JAY_INLINE void clear(T *x, int64_t begin, int64_t end, int64_t count) {
  std::memset(x, 0, begin * sizeof(T));
  std::memset(x + end, 0, (count - end) * sizeof(T));
}

/// Products of one query → its probabilities with dropout; gives log Σ e^score. `count` is a multiple of 16.
template <typename T>
JAY_INLINE float normalised(float *scores, const float *bias, int64_t first, int64_t last, int64_t count,
                            const Settings &settings, uint32_t row, T *shares) {
  const int64_t begin = first / lanes * lanes, end = (last + lanes - 1) / lanes * lanes;
  clear(shares, begin, end, count);
  const floats none = floats{} - INFINITY;
  floats peaks = none, sums = {};
  for (int64_t j = begin; j < end; j += lanes) {
    floats x = load(scores + j) * settings.scale;
    if (bias) x += load_some(bias + j, last - j);
    x = inside(j, first, last) ? x : none;
    store(x, scores + j);
    peaks = x > peaks ? x : peaks;
  }
  float peak = -INFINITY;
  for (int i = 0; i < lanes; ++i) peak = std::max(peak, peaks[i]);
  for (int64_t j = begin; j < end; j += lanes) {
    const floats x = inside(j, first, last) ? jay::exponential(load(scores + j) - peak) : floats{};
    store(x, scores + j);
    sums += x;
  }
  const float total = jay::sum(sums), share = 1 / total;
  for (int64_t j = begin; j < end; j += lanes) {
    floats x = load(scores + j) * share;
    if (settings.threshold > 0) x *= settings.factors(words(sixteen) + (row + uint32_t(j)));
    store(x, shares + j);
  }
  return peak + std::log(total);
}
JAY_VECTOR float normalise(float *scores, const float *bias, int64_t first, int64_t last, int64_t count,
                           const Settings &settings, uint32_t row, float *shares) {
  return normalised(scores, bias, first, last, count, settings, row, shares);
}
JAY_VECTOR float normalise(float *scores, const float *bias, int64_t first, int64_t last, int64_t count,
                           const Settings &settings, uint32_t row, at::BFloat16 *shares) {
  return normalised(scores, bias, first, last, count, settings, row, shares);
}

/// Σ x·y of rows of one head, `[rows][stride]`.
template <typename T>
JAY_INLINE void row_products(const T *x, const T *y, int64_t stride, int64_t rows, int64_t width, float *out) {
  for (int64_t i = 0; i < rows; ++i, x += stride, y += stride) {
    floats sums = {};
    int64_t d = 0;
    for (; d + lanes <= width; d += lanes) sums += load(x + d) * load(y + d);
    out[i] = jay::sum(sums);
    for (; d < width; ++d) out[i] += float(x[d]) * float(y[d]);
  }
}
JAY_VECTOR void multiply_each(const float *x, const float *y, int64_t stride, int64_t rows, int64_t width, float *out) {
  row_products(x, y, stride, rows, width, out);
}
JAY_VECTOR void multiply_each(const at::BFloat16 *x, const at::BFloat16 *y, int64_t stride, int64_t rows, int64_t width, float *out) {
  row_products(x, y, stride, rows, width, out);
}

/// What the scores of one head have in common, of its queries: log Σ e^score, Σ out · gradient, and dropout's hashes.
struct Queries {
  float *logs, *dots;
  uint32_t *hashes;
};

/// The transposed products of one key, in the backward pass → its probabilities with dropout, and the gradients of its
/// scores, which are added to the bias's.
template <typename T>
JAY_INLINE void differentiated(const float *scores, const float *gradients, const float *bias, float *bias_gradient,
                               const Queries &queries, int64_t key_place, int64_t first, int64_t last, int64_t count,
                               const Settings &settings, T *shares, T *slopes) {
  const int64_t begin = first / lanes * lanes, end = std::max(begin, (last + lanes - 1) / lanes * lanes);
  clear(shares, begin, end, count);
  clear(slopes, begin, end, count);
  for (int64_t i = begin; i < end; i += lanes) {
    floats x = load(scores + i) * settings.scale, above = load(gradients + i);
    if (bias) x += load_some(bias + i, last - i);
    const floats share = jay::exponential(x - load(queries.logs + i));
    floats factors = floats{} + 1.f;
    if (settings.threshold > 0)
      factors = settings.factors(*reinterpret_cast<const words *>(queries.hashes + i) + uint32_t(key_place));
    const places seen = inside(i, first, last);
    const floats slope = seen ? share * (above * factors - load(queries.dots + i)) : floats{};
    store(seen ? share * factors : floats{}, shares + i);
    store(slope, slopes + i);
    if (bias_gradient)
      for (int64_t l = 0; l < std::min(lanes, last - i); ++l) bias_gradient[i + l] += slope[l];
  }
}
JAY_VECTOR void differentiate(const float *scores, const float *gradients, const float *bias, float *bias_gradient,
                              const Queries &queries, int64_t key_place, int64_t first, int64_t last, int64_t count,
                              const Settings &settings, float *shares, float *slopes) {
  differentiated(scores, gradients, bias, bias_gradient, queries, key_place, first, last, count, settings, shares, slopes);
}
JAY_VECTOR void differentiate(const float *scores, const float *gradients, const float *bias, float *bias_gradient,
                              const Queries &queries, int64_t key_place, int64_t first, int64_t last, int64_t count,
                              const Settings &settings, at::BFloat16 *shares, at::BFloat16 *slopes) {
  differentiated(scores, gradients, bias, bias_gradient, queries, key_place, first, last, count, settings, shares, slopes);
}

/// Sums of one head `[rows][padded]`, times `scale` → its elements.
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
  template <typename T = float>
  T *take(int64_t count) {
    return reinterpret_cast<T *>(memory.data() + std::exchange(used, used + words_of<T>(count) * int64_t(sizeof(Word<T>)) / 4));
  }

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
    Scratch scratch(2 * most * padded + tall * (padded + 2 * most));
    auto *values = scratch.take<Word<T>>(most * padded), *keys = scratch.take<Word<T>>(padded * most);
    float *mixed = scratch.take(tall * padded), *scores = scratch.take(tall * most);
    T *shares = scratch.take<T>(tall * most);
    for (int64_t job = begin; job < end; ++job) {
      const int64_t text = job / s.heads, head = job % s.heads, stored = head / (s.heads / s.stored);
      const int64_t q0 = texts.queries[text], k0 = texts.keys[text];
      const int64_t q_count = texts.queries[text + 1] - q0, k_count = texts.keys[text + 1] - k0, columns = whole(k_count);
      const int64_t shift = k_count - q_count, k_from = k0 * k_stride + stored * s.width;
      const auto key = transposed(jay::read<T>(texts.k) + k_from, k_stride, k_count, s.width, keys, columns);
      const auto value = paired(jay::read<T>(texts.v) + k_from, k_stride, k_count, s.width, values, padded);
      for (int64_t i = 0; i < q_count; i += tall) {
        const int64_t some = std::min(tall, q_count - i), from = (q0 + i) * q_stride + head * s.width;
        multiply(some, rows_of(jay::read<T>(texts.q) + from, q_stride), key, {scores, columns, columns});
        for (int64_t r = 0; r < some; ++r) {
          const float *bias = texts.bias.defined()
              ? jay::read<float>(texts.bias) + (head * texts.bias.size(1) + i + r) * texts.bias.size(2) : nullptr;
          const float log = normalise(scores + r * columns, bias, s.first(i + r, shift), s.last(i + r, shift, k_count),
                                      columns, s, s.row(head, q0 + i + r), shares + r * columns);
          if (logs.defined()) logs.data_ptr<float>()[head * total + q0 + i + r] = log;
        }
        multiply(some, rows_of(shares, columns), value, {mixed, padded, padded});
        narrow_rows(mixed, padded, some, s.width, 1, out.data_ptr<T>() + from, q_stride);
      }
    }
  });
}

/// `texts.bias` and `dbias` are `[heads, keys, queries]` here.
template <typename T>
void attend_backward(const Texts &texts, const at::Tensor &out, const at::Tensor &logs, const at::Tensor &gradient,
                     const at::Tensor &dq, const at::Tensor &dk, const at::Tensor &dv, const at::Tensor &dbias) {
  const Settings &s = texts.settings;
  const int64_t padded = whole(s.width), most_k = whole(texts.longest(texts.keys));
  const int64_t most_q = whole(texts.longest(texts.queries));
  const int64_t total = texts.q.size(0), group = s.heads / s.stored;
  const int64_t q_stride = s.heads * s.width, k_stride = s.stored * s.width;
  const at::Tensor &bias = texts.bias;
  auto run = [&](int64_t stored, int64_t text) {
    const int64_t q0 = texts.queries[text], k0 = texts.keys[text];
    const int64_t q_count = texts.queries[text + 1] - q0, k_count = texts.keys[text + 1] - k0;
    const int64_t rows = whole(q_count), shift = k_count - q_count;
    Scratch scratch(3 * most_k * padded + 5 * padded * most_q + 5 * most_k * most_q + 3 * most_q);
    auto *keys = scratch.take<Word<T>>(k_count * padded);
    float *key_sum = scratch.take(k_count * padded), *value_sum = scratch.take(k_count * padded);
    auto *queries = scratch.take<Word<T>>(q_count * padded), *queries_t = scratch.take<Word<T>>(padded * rows);
    auto *aboves = scratch.take<Word<T>>(q_count * padded), *aboves_t = scratch.take<Word<T>>(padded * rows);
    float *query_sum = scratch.take(q_count * padded);
    float *scores = scratch.take(k_count * rows), *gradients = scratch.take(k_count * rows);
    T *shares = scratch.take<T>(k_count * rows), *slopes = scratch.take<T>(k_count * rows);
    auto *slope_pairs = scratch.take<Word<T>>(k_count * rows);
    const Queries shared{scratch.take(rows), scratch.take(rows), scratch.take<uint32_t>(rows)};
    const int64_t k_from = k0 * k_stride + stored * s.width;
    const T *k = jay::read<T>(texts.k) + k_from, *v = jay::read<T>(texts.v) + k_from;
    const auto key = paired(k, k_stride, k_count, s.width, keys, padded);
    for (int64_t head = stored * group; head < (stored + 1) * group; ++head) {
      const bool adds = head > stored * group;
      const int64_t q_from = q0 * q_stride + head * s.width;
      const T *q = jay::read<T>(texts.q) + q_from, *above = jay::read<T>(gradient) + q_from;
      std::copy_n(jay::read<float>(logs) + head * total + q0, q_count, shared.logs);
      multiply_each(above, jay::read<T>(out) + q_from, q_stride, q_count, s.width, shared.dots);
      for (int64_t i = 0; i < q_count; ++i) shared.hashes[i] = s.row(head, q0 + i);
      multiply(k_count, rows_of(k, k_stride), transposed(q, q_stride, q_count, s.width, queries_t, rows), {scores, rows, rows});
      multiply(k_count, rows_of(v, k_stride), transposed(above, q_stride, q_count, s.width, aboves_t, rows), {gradients, rows, rows});
      for (int64_t j = 0; j < k_count; ++j) {
        // The queries that see this key.
        const int64_t first = s.is_causal ? std::max<int64_t>(0, j - shift) : 0;
        const int64_t last = s.window > 0 ? std::min(q_count, std::max<int64_t>(0, j - shift + s.window)) : q_count;
        const int64_t place = bias.defined() ? (head * bias.size(1) + j) * bias.size(2) : 0;
        differentiate(scores + j * rows, gradients + j * rows,
                      bias.defined() ? jay::read<float>(bias) + place : nullptr,
                      dbias.defined() ? dbias.data_ptr<float>() + place : nullptr, shared, j, std::min(first, last), last,
                      rows, s, shares + j * rows, slopes + j * rows);
      }
      multiply(k_count, rows_of(shares, rows), paired(above, q_stride, q_count, s.width, aboves, padded), {value_sum, padded, padded, adds});
      multiply(k_count, rows_of(slopes, rows), paired(q, q_stride, q_count, s.width, queries, padded), {key_sum, padded, padded, adds});
      multiply(q_count, {paired(slopes, rows, k_count, rows, slope_pairs, rows).at, 1, rows}, key, {query_sum, padded, padded});
      narrow_rows(query_sum, padded, q_count, s.width, s.scale, dq.data_ptr<T>() + q_from, q_stride);
    }
    narrow_rows(key_sum, padded, k_count, s.width, s.scale, dk.data_ptr<T>() + k_from, k_stride);
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
    // Transposed, as the backward pass goes by keys.
    if (texts.bias.defined()) texts.bias = texts.bias.transpose(1, 2).contiguous();
    auto dbias = texts.bias.defined() && context->needs_input_grad(3) ? at::zeros_like(texts.bias) : at::Tensor();
    const auto gradient = gradients[0].contiguous();
    by_dtype(texts.q, [&](auto type) {
      attend_backward<decltype(type)>(texts, saved[4], saved[5], gradient, dq, dk, dv, dbias);
    });
    return {dq, dk, dv, dbias.defined() ? dbias.transpose(1, 2) : dbias, at::Tensor()};
  }
};

}  // namespace

extern "C" {

int ct_attention_spans(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor bias, const ct_spans *spans, double scale,
                       double dropout, uint64_t seed, uint64_t offset, ct_tensor *out) {
  return jay::guarded([&] {
    // Pairs of bfloat16 need an even width.
    const int64_t width = get(q).size(-1), padding = get(q).scalar_type() == at::kBFloat16 ? width % 2 : 0;
    auto even = [&](const at::Tensor &x) { return padding > 0 ? at::constant_pad_nd(x, {0, padding}) : x.contiguous(); };
    const auto query = even(get(q)), key = even(get(k)), value = even(get(v));
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
    at::Tensor result;
    if (at::GradMode::is_enabled()) {
      result = SpanAttention::apply(query, key, value, bias ? std::make_optional(added) : std::nullopt, &texts);
    } else {
      result = at::empty_like(query);
      by_dtype(query, [&](auto value_type) { attend<decltype(value_type)>(texts, result, at::Tensor()); });
    }
    *out = jay::own(padding > 0 ? result.narrow(-1, 0, width).contiguous() : result);
  });
}

}  // extern "C"
