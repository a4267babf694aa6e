// What a step of our own products reads of a row: a float32, or a pair of bfloat16 that stand behind one another.
#pragma once
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels.h"

namespace jay {

template <typename T>
using Word = std::conditional_t<sizeof(T) == 2, uint32_t, float>;
/// How many elements a word holds.
template <typename T>
constexpr int64_t held = int64_t(sizeof(Word<T>) / sizeof(T));

/// Sixteen words of any kind.
typedef uint32_t words __attribute__((vector_size(64), aligned(4)));

JAY_INLINE float low(uint32_t pair) { return __builtin_bit_cast(float, pair << 16); }
JAY_INLINE float high(uint32_t pair) { return __builtin_bit_cast(float, pair & 0xFFFF0000u); }
JAY_INLINE floats low(words pairs) { return reinterpret_cast<floats>(pairs << 16); }
JAY_INLINE floats high(words pairs) { return reinterpret_cast<floats>(pairs & 0xFFFF0000u); }

/// A block of sixteen rows of sixteen words → its transpose.
JAY_INLINE void transpose_block(words *x) {
  words y[lanes];
  // Four rounds: each puts rows half the block apart beside one another.
  for (int round = 0; round < 4; ++round) {
    for (int64_t i = 0; i < lanes / 2; ++i) {
      y[2 * i] = __builtin_shufflevector(x[i], x[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      y[2 * i + 1] =
          __builtin_shufflevector(x[i], x[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int64_t i = 0; i < lanes; ++i) x[i] = y[i];
  }
}

#if defined(__x86_64__)
/// A function that uses the processor's own products of pairs; called where `has_dot`.
#define JAY_DOT __attribute__((target("avx512f,avx512bf16")))
inline const bool has_dot = __builtin_cpu_supports("avx512bf16");

/// sums + a.low · b.low + a.high · b.high.
JAY_DOT JAY_INLINE __m512 dot(__m512 sums, uint32_t a, const uint32_t *b) {
  return _mm512_dpbf16_ps(sums, (__m512bh)_mm512_loadu_si512(b), (__m512bh)_mm512_set1_epi32(int(a)));
}
#endif

}  // namespace jay
