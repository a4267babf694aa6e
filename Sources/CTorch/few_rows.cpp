// Products of a few rows with weights: the steps of decoding, which cost what reading the weights costs.
#include <algorithm>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "support.h"
#include "words.h"

using jay::floats, jay::get, jay::high, jay::lanes, jay::load, jay::low, jay::store, jay::tall, jay::Word, jay::words;

namespace {

// A block is 16 outputs. Of float32 weights it holds `[inputs][16]`; of bfloat16 `[inputs / 2][16][2]`, so that one
// load brings two inputs of 16 outputs.

/// How many loads ahead weights are fetched: the processor's own guesses end with each page.
constexpr int64_t ahead = 32;

/// One block of outputs of so many rows `x [rows][inputs]` → `out [rows][16]`, sums in float.
template <int rows>
JAY_INLINE void multiply(const float *x, int64_t inputs, const float *weights, float *out) {
  floats sums[rows] = {};
  for (int64_t k = 0; k < inputs; ++k) {
    __builtin_prefetch(weights + (k + ahead) * lanes);
    const floats weight = load(weights + k * lanes);
    for (int r = 0; r < rows; ++r) sums[r] += x[r * inputs + k] * weight;
  }
  for (int r = 0; r < rows; ++r) *reinterpret_cast<floats *>(out + r * lanes) = sums[r];
}

/// `x` and `weights` hold pairs of bfloat16.
template <int rows>
JAY_INLINE void multiply(const uint32_t *x, int64_t pairs, const uint32_t *weights, float *out) {
  floats sums[rows] = {};
  for (int64_t k = 0; k < pairs; ++k) {
    __builtin_prefetch(weights + (k + ahead) * lanes);
    const words pair = *reinterpret_cast<const words *>(weights + k * lanes);
    const floats even = low(pair), odd = high(pair);
    for (int r = 0; r < rows; ++r) sums[r] += low(x[r * pairs + k]) * even + high(x[r * pairs + k]) * odd;
  }
  for (int r = 0; r < rows; ++r) *reinterpret_cast<floats *>(out + r * lanes) = sums[r];
}

JAY_VECTOR void multiply_floats(int64_t rows, const float *x, int64_t inputs, const float *weights, float *out) {
  JAY_BY_ROWS(multiply, x, inputs, weights, out)
}
JAY_VECTOR void multiply_pairs(int64_t rows, const uint32_t *x, int64_t inputs, const uint32_t *weights, float *out) {
  JAY_BY_ROWS(multiply, x, inputs, weights, out)
}

#if defined(__x86_64__)
/// The processor's own product of pairs.
template <int rows>
JAY_DOT JAY_INLINE void dot(const uint32_t *x, int64_t pairs, const uint32_t *weights, float *out) {
  __m512 sums[rows];
  for (int r = 0; r < rows; ++r) sums[r] = _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k) {
    __builtin_prefetch(weights + (k + ahead) * lanes);
    for (int r = 0; r < rows; ++r) sums[r] = jay::dot(sums[r], x[r * pairs + k], weights + k * lanes);
  }
  for (int r = 0; r < rows; ++r) _mm512_storeu_ps(out + r * lanes, sums[r]);
}

JAY_DOT void dot_pairs(int64_t rows, const uint32_t *x, int64_t inputs, const uint32_t *weights, float *out) {
  JAY_BY_ROWS(dot, x, inputs, weights, out)
}
#endif

void product(int64_t rows, const float *x, int64_t inputs, const float *weights, float *out) {
  multiply_floats(rows, x, inputs, weights, out);
}
void product(int64_t rows, const uint32_t *x, int64_t pairs, const uint32_t *weights, float *out) {
#if defined(__x86_64__)
  if (jay::has_dot) return dot_pairs(rows, x, pairs, weights, out);
#endif
  multiply_pairs(rows, x, pairs, weights, out);
}

/// A packed weight and what becomes of its products.
struct Product {
  const at::Tensor weight, bias;
  at::Tensor out;
  int64_t outputs;
};

/// The sums `[rows][16]` of one block and their biases → `out`.
template <typename T, typename Out>
JAY_INLINE void finish(int64_t rows, const float *sums, const T *bias, int64_t count, int64_t stride, Out *out) {
  for (int64_t r = 0; r < rows; ++r, sums += lanes, out += stride)
    if (count == lanes && !bias) {
      for (int64_t i = 0; i < lanes; ++i) store(sums[i], out + i);
    } else {
      for (int64_t i = 0; i < count; ++i) store(sums[i] + (bias ? float(bias[i]) : 0.f), out + i);
    }
}
JAY_VECTOR void finish_block(int64_t rows, const float *sums, const float *bias, int64_t count, int64_t stride,
                             float *out) {
  finish(rows, sums, bias, count, stride, out);
}
JAY_VECTOR void finish_block(int64_t rows, const float *sums, const at::BFloat16 *bias, int64_t count, int64_t stride,
                             at::BFloat16 *out) {
  finish(rows, sums, bias, count, stride, out);
}
JAY_VECTOR void finish_block(int64_t rows, const float *sums, const at::BFloat16 *bias, int64_t count, int64_t stride,
                             float *out) {
  finish(rows, sums, bias, count, stride, out);
}

/// The blocks of outputs from `begin` to `end` of one weight, for all rows of `x [rows][inputs]`.
template <typename T, typename Out>
void multiply_blocks(const Product &job, const Word<T> *x, int64_t rows, int64_t inputs, int64_t begin, int64_t end) {
  const auto *weights = reinterpret_cast<const Word<T> *>(jay::read<T>(job.weight));
  const T *bias = job.bias.defined() ? jay::read<T>(job.bias) : nullptr;
  Out *out = job.out.data_ptr<Out>();
  float sums[tall * lanes];
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * lanes, count = std::min(lanes, job.outputs - first);
    for (int64_t row = 0; row < rows; row += tall) {
      const int64_t some = std::min(tall, rows - row);
      product(some, x + row * inputs, inputs, weights + block * inputs * lanes, sums);
      finish_block(some, sums, bias ? bias + first : nullptr, count, job.outputs, out + row * job.outputs + first);
    }
  }
}

template <typename T, typename Out>
void multiply_all(const at::Tensor &x, int64_t rows, std::vector<Product> &jobs) {
  // As the weights: with a zero behind an odd number of inputs.
  const int64_t padding = jobs.front().weight.size(1) - x.size(-1);
  const auto even = padding > 0 ? at::constant_pad_nd(x, {0, padding}) : x;
  const auto *from = reinterpret_cast<const Word<T> *>(jay::read<T>(even));
  const int64_t inputs = even.size(-1) / jay::held<T>;
  int64_t blocks = 0;
  for (const auto &job : jobs) blocks += job.weight.size(0);
  // A thread that reads less than this is not worth its waking.
  const int64_t grain = std::max<int64_t>(1, (32 << 10) / (inputs * lanes * 4));
  jay::parallel_shares(blocks, grain, [&](int64_t begin, int64_t end) {
    int64_t start = 0;
    for (const auto &job : jobs) {
      const int64_t count = job.weight.size(0);
      const int64_t low = std::max(begin, start) - start, high = std::min(end, start + count) - start;
      if (low < high) multiply_blocks<T, Out>(job, from, rows, inputs, low, high);
      start += count;
    }
  });
}

/// Asks for large pages below untouched memory: reading weights of tens of megabytes then waits less for addresses.
void ask_for_large_pages(at::Tensor &x) {
#if defined(__linux__)
  constexpr uintptr_t page = 2 << 20;
  const auto start = reinterpret_cast<uintptr_t>(x.data_ptr());
  const uintptr_t begin = (start + page - 1) / page * page, end = (start + x.nbytes()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

template <typename T>
at::Tensor packed(const at::Tensor &weight) {
  const int64_t outputs = weight.size(0), width = weight.size(1), each = jay::held<T>;
  const int64_t blocks = (outputs + lanes - 1) / lanes, inputs = (width + each - 1) / each * each;
  auto result = at::empty({blocks, inputs, lanes}, weight.options());
  ask_for_large_pages(result);
  const T *from = jay::read<T>(weight);
  T *to = result.template data_ptr<T>();
  jay::parallel_for(blocks, 16, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const T *rows = from + block * lanes * width;
      T *out = to + block * inputs * lanes;
      const int64_t count = std::min(lanes, outputs - block * lanes);
      if (count == lanes && inputs == width) {
        const int64_t words_each = width / each;
        jay::transpose_words(reinterpret_cast<const uint32_t *>(rows), words_each, lanes, words_each,
                             reinterpret_cast<uint32_t *>(out), lanes);
        continue;
      }
      std::fill(out, out + inputs * lanes, T(0));
      for (int64_t i = 0; i < count; ++i)
        for (int64_t k = 0; k < width; ++k) out[k / each * each * lanes + i * each + k % each] = rows[i * width + k];
    }
  });
  return result;
}

}  // namespace

extern "C" {

bool ct_can_pack(ct_tensor weight) {
  const auto &x = get(weight);
  return x.device().is_cpu() && x.dim() == 2 && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

int ct_pack_weight(ct_tensor weight, ct_tensor *out) {
  return jay::guarded([&] {
    const auto plain = get(weight).detach().contiguous();
    *out = jay::own(plain.scalar_type() == at::kFloat ? packed<float>(plain) : packed<at::BFloat16>(plain));
  });
}

int ct_linear_few_rows(ct_tensor x, const ct_tensor *weights, const ct_tensor *biases, const int64_t *outputs,
                       int32_t count, bool wide, ct_tensor *out) {
  return jay::guarded([&] {
    const auto plain = get(x).contiguous();
    const int64_t width = plain.size(-1), rows = plain.numel() / width;
    auto shape = plain.sizes().vec();
    std::vector<Product> jobs;
    for (int32_t i = 0; i < count; ++i) {
      const auto &weight = get(weights[i]);
      TORCH_CHECK(weight.scalar_type() == plain.scalar_type() && weight.size(1) - width < 2 && weight.size(1) >= width,
                  "linear: ", plain.scalar_type(), " ", plain.sizes(), " does not fit the packed ",
                  weight.scalar_type(), " ", weight.sizes());
      shape.back() = outputs[i];
      auto bias = biases[i] ? get(biases[i]).contiguous() : at::Tensor();
      jobs.push_back({weight, bias, at::empty(shape, wide ? plain.options().dtype(at::kFloat) : plain.options()), outputs[i]});
    }
    if (plain.scalar_type() == at::kFloat) multiply_all<float, float>(plain, rows, jobs);
    else if (wide) multiply_all<at::BFloat16, float>(plain, rows, jobs);
    else multiply_all<at::BFloat16, at::BFloat16>(plain, rows, jobs);
    for (int32_t i = 0; i < count; ++i) out[i] = jay::own(jobs[i].out);
  });
}

}  // extern "C"
