// Our own element-wise kernels: one pass over memory, the same values on every thread count.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace jay {

/// The values of a tensor of this type. Not `const_data_ptr<T>`: up to libtorch 2.11 clang spells its symbol otherwise than
/// the compiler that libtorch was built with.
template <typename T>
const T *read(const at::Tensor &x) {
  TORCH_INTERNAL_ASSERT(x.scalar_type() == c10::CppTypeToScalarType<T>::value);
  return static_cast<const T *>(x.const_data_ptr());
}

/// Zeroes each element with `probability` and scales the rest by 1/(1−probability). Element i is kept or
/// not by a hash of (seed, offset + i), so the backward pass recomputes the mask instead of storing it.
at::Tensor dropout(const at::Tensor &x, double probability, uint64_t seed, uint64_t offset);

/// The numbers behind `dropout`, for kernels that do it on their way.
struct DropoutMask {
  uint32_t key, shift, threshold;
  float scale;

  DropoutMask(double probability, uint64_t seed, uint64_t offset);
  /// Whether element i stays.
  bool keeps(uint32_t i) const;
};
/// Dropout of n elements, the first of which has the place `first`.
void drop(const float *x, float *y, int64_t n, const DropoutMask &dropout, uint32_t first);
void drop(const at::BFloat16 *x, at::BFloat16 *y, int64_t n, const DropoutMask &dropout, uint32_t first);

/// Lets libtorch's own kernels draw by these numbers from here on.
void seed_generators(uint64_t seed, uint64_t offset);

/// The place of the first largest value of each row of a contiguous float32 matrix on the CPU; ATen's takes five times
/// as long. Rows with a NaN are ATen's.
bool can_find_largest(const at::Tensor &x, int64_t dim);
at::Tensor largest_places(const at::Tensor &x);

/// Runs `body(begin, end)` on parts of `0..<count` of at least `grain`, on libtorch's threads. ATen's own `parallel_for`
/// is compiled into its caller and needs OpenMP there, or it runs on one thread; the iterator's is compiled in libtorch.
template <typename Body>
void parallel_for(int64_t count, int64_t grain, const Body &body) {
  if (count <= grain) return count > 0 ? body(0, count) : void();
  auto places = at::empty({count}, at::kByte);
  const char *first = static_cast<const char *>(places.data_ptr());
  auto iterator = at::TensorIteratorConfig().add_output(places).resize_outputs(false).check_all_same_dtype(false).build();
  iterator.for_each([&](char **data, const int64_t *, int64_t n) { body(data[0] - first, data[0] - first + n); }, grain);
}

/// Runs `body(begin, end)` on parts of `0..<count` of at least `grain`, as threads come for them: one that wakes late does
/// less. Which part is done where changes, so a part's result must not depend on where it ends.
template <typename Body>
void parallel_shares(int64_t count, int64_t grain, const Body &body) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), (count + grain - 1) / grain);
  if (threads < 2) return count > 0 ? body(0, count) : void();
  const int64_t share = std::max(grain, count / (threads * 8));
  std::atomic<int64_t> next = 0;
  parallel_for(threads, 1, [&](int64_t, int64_t) {
    for (int64_t begin = next.fetch_add(share); begin < count; begin = next.fetch_add(share))
      body(begin, std::min(begin + share, count));
  });
}

/// Refuses rows (int64) that are not of the `count` there are, and rows that do not rise where none may come twice.
inline void check_rows(const at::Tensor &rows, int64_t count, bool rise = false) {
  const int64_t *row = jay::read<int64_t>(rows);
  for (int64_t i = 0; i < rows.numel(); ++i) {
    TORCH_CHECK_INDEX(row[i] >= 0 && row[i] < count, "row ", row[i], " of ", count);
    TORCH_CHECK_INDEX(!rise || i == 0 || row[i] > row[i - 1], "row ", row[i], " stands behind row ", row[i - 1]);
  }
}

/// Tells libtorch that a kernel of ours has written into a tensor: a backward pass that wants what stood there refuses then.
inline void note_written(const at::Tensor &x) {
  if (!x.is_inference()) x.unsafeGetTensorImpl()->bump_version();
}

/// A function whose loops are compiled for several instruction sets, chosen at load time.
#if defined(__x86_64__) && defined(__linux__)
#define JAY_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define JAY_VECTOR
#endif

#define JAY_INLINE inline __attribute__((always_inline))

// Vectors of `floats` go between functions that are always inlined only, so no calling convention matters.
#pragma clang diagnostic ignored "-Wpsabi"
/// Sixteen floats, in as many registers as the instruction set needs.
typedef float floats __attribute__((vector_size(64), aligned(4)));
constexpr int64_t lanes = 16;

JAY_INLINE floats load(const float *x) { return *reinterpret_cast<const floats *>(x); }
JAY_INLINE floats load(const at::BFloat16 *x) {
  typedef uint16_t halves __attribute__((vector_size(32), aligned(2)));
  typedef uint32_t words __attribute__((vector_size(64)));
  return reinterpret_cast<floats>(__builtin_convertvector(*reinterpret_cast<const halves *>(x), words) << 16);
}
/// Rounds to the nearest bfloat16, ties to even; a NaN stays one.
JAY_INLINE uint16_t bfloat16_bits(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value), rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return value != value ? uint16_t(0x7FC0) : uint16_t(rounded);
}
JAY_INLINE void store(float value, float *to) { *to = value; }
JAY_INLINE void store(float value, at::BFloat16 *to) { to->x = bfloat16_bits(value); }
/// Sixteen at once, rounded in the same way.
JAY_INLINE void store(floats values, float *to) { *reinterpret_cast<floats *>(to) = values; }
JAY_INLINE void store(floats values, at::BFloat16 *to) {
  typedef uint16_t halves __attribute__((vector_size(32), aligned(2)));
  typedef uint32_t words __attribute__((vector_size(64)));
  const words bits = reinterpret_cast<words>(values), rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const words kept = values != values ? words{} + 0x7FC0u : rounded;
  *reinterpret_cast<halves *>(to) = __builtin_convertvector(kept, halves);
}
/// So many vectors, a power of two, → one in the first place: sums of neighbours, until the vectors' sums stand behind one
/// another.
template <int count>
JAY_INLINE void fold(floats *x) {
  for (int n = count; n > 1; n /= 2)
    for (int i = 0; i < n / 2; ++i) {
      const floats a = x[2 * i], b = x[2 * i + 1];
      x[i] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
             __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    }
}
JAY_INLINE float sum(floats x) {
  x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return x[0] + x[1];
}


/// e^x for x ≤ 0, of a float or of sixteen, to 2 units in the last place: e^x = 2^n · e^r with |r| ≤ ln 2 / 2, and a
/// polynomial for e^r. Below −87 it is e^−87.
template <typename F>
JAY_INLINE F exponential(F x) {
  typedef int32_t integers __attribute__((vector_size(64)));
  x = x < -87.f ? F{} - 87.f : x;
  const F n = __builtin_elementwise_rint(x * 1.44269504f);
  const F r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  F y = F{} + 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.f;
  if constexpr (sizeof(F) == sizeof(float)) return y * __builtin_bit_cast(F, int32_t(n) * (1 << 23) + (127 << 23));
  else return y * reinterpret_cast<F>(__builtin_convertvector(n, integers) * (1 << 23) + (127 << 23));
}

/// A 32-bit finaliser (C. Wellons' "lowbias32"), of one word or of several; cheap in vector registers.
template <typename W>
JAY_INLINE W mix32(W x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

// The upper 24 bits of a word for each element reach the threshold, or not.
JAY_INLINE bool DropoutMask::keeps(uint32_t i) const { return mix32((shift + i) ^ key) >> 8 >= threshold; }

}  // namespace jay
