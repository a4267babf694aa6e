// Products of our own, over words: what one step of them reads of a row, a float32 or a pair of bfloat16.
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
/// How many words hold so many elements.
template <typename T>
int64_t words_of(int64_t count) { return (count + held<T> - 1) / held<T>; }

/// Sixteen words of any kind.
typedef uint32_t words __attribute__((vector_size(64), aligned(4)));

JAY_INLINE float low(uint32_t pair) { return __builtin_bit_cast(float, pair << 16); }
JAY_INLINE float high(uint32_t pair) { return __builtin_bit_cast(float, pair & 0xFFFF0000u); }
JAY_INLINE floats low(words pairs) { return reinterpret_cast<floats>(pairs << 16); }
JAY_INLINE floats high(words pairs) { return reinterpret_cast<floats>(pairs & 0xFFFF0000u); }

#if defined(__x86_64__)
/// A function that uses the processor's own products of pairs; called where `has_dot`.
#define JAY_DOT __attribute__((target("avx512f,avx512bf16")))
inline const bool has_dot = __builtin_cpu_supports("avx512bf16");

/// sums + a.low · b.low + a.high · b.high.
JAY_DOT JAY_INLINE __m512 dot(__m512 sums, uint32_t a, const uint32_t *b) {
  return _mm512_dpbf16_ps(sums, (__m512bh)_mm512_loadu_si512(b), (__m512bh)_mm512_set1_epi32(int(a)));
}
#endif

/// The rows of one tile: their sums stay in registers.
constexpr int64_t tall = 8;
/// Calls `function<rows>`, the number of rows, 1 to `tall`, as a constant.
#define JAY_BY_ROWS(function, ...)               \
  switch (rows) {                                \
    case 1: return function<1>(__VA_ARGS__);     \
    case 2: return function<2>(__VA_ARGS__);     \
    case 3: return function<3>(__VA_ARGS__);     \
    case 4: return function<4>(__VA_ARGS__);     \
    case 5: return function<5>(__VA_ARGS__);     \
    case 6: return function<6>(__VA_ARGS__);     \
    case 7: return function<7>(__VA_ARGS__);     \
    default: return function<8>(__VA_ARGS__);    \
  }

/// Asks for the pair of rows of halves that is to come in a while: where rows lie on pages of their own, the processor's own
/// guesses end with each.
JAY_INLINE void fetch_pair(const uint16_t *from, int64_t stride, int64_t rows, int64_t width) {
  constexpr int64_t ahead = 16;
  if (rows < ahead + 2) return;
  for (int64_t j = 0; j < width; j += 2 * lanes) {
    __builtin_prefetch(from + ahead * stride + j);
    __builtin_prefetch(from + (ahead + 1) * stride + j);
  }
}

/// `[rows][stride]` words → `[count][columns]`, zeros behind `rows`; `columns` is a multiple of 16.
void transpose_words(const uint32_t *from, int64_t stride, int64_t rows, int64_t count, uint32_t *to, int64_t columns);
/// Rows `[rows][stride]` of halves → `[rows / 2][padded]` pairs of neighbouring rows, zeros behind `width`.
void pair_rows(const uint16_t *from, int64_t stride, int64_t rows, int64_t width, uint32_t *to, int64_t padded);

/// A matrix of words, read row by row or, where `step` is not 1, as its transpose.
template <typename W>
struct Left {
  const W *at;
  int64_t row, step = 1;
};
/// `[inner][columns]` words: pairs are of one column.
template <typename W>
struct Right {
  const W *at;
  int64_t row, inner;
};
/// What a product gives; `columns` is a multiple of 16.
struct Sums {
  float *at;
  int64_t row, columns;
  bool adds = false;
};

/// c (+)= a · b of up to `tall` rows.
void multiply_some(int64_t rows, Left<float> a, Right<float> b, Sums c);
void multiply_some(int64_t rows, Left<uint32_t> a, Right<uint32_t> b, Sums c);

/// c (+)= a · b.
template <typename W>
void multiply(int64_t rows, Left<W> a, Right<W> b, Sums c) {
  for (int64_t i = 0; i < rows; i += tall, a.at += tall * a.row, c.at += tall * c.row)
    multiply_some(std::min(tall, rows - i), a, b, c);
}

/// Elements in rows of `stride` as the left side of a product.
template <typename T>
Left<Word<T>> rows_of(const T *from, int64_t stride) { return {reinterpret_cast<const Word<T> *>(from), stride / held<T>}; }

/// Rows `[rows][stride]` of `width` elements → the right side of a product over these elements.
template <typename T>
Right<Word<T>> transposed(const T *from, int64_t stride, int64_t rows, int64_t width, Word<T> *to, int64_t columns) {
  transpose_words(reinterpret_cast<const uint32_t *>(from), stride / held<T>, rows, width / held<T>,
                  reinterpret_cast<uint32_t *>(to), columns);
  return {to, columns, width / held<T>};
}

/// Rows `[rows][stride]` of `width` elements → the right side of a product over the rows, zeros behind `width`.
inline Right<float> paired(const float *from, int64_t stride, int64_t rows, int64_t width, float *to, int64_t padded) {
  if (width == padded) return {from, stride, rows};
  for (int64_t r = 0; r < rows; ++r) std::fill(std::copy_n(from + r * stride, width, to + r * padded), to + (r + 1) * padded, 0.f);
  return {to, padded, rows};
}
inline Right<uint32_t> paired(const at::BFloat16 *from, int64_t stride, int64_t rows, int64_t width, uint32_t *to, int64_t padded) {
  pair_rows(reinterpret_cast<const uint16_t *>(from), stride, rows, width, to, padded);
  return {to, padded, words_of<at::BFloat16>(rows)};
}

}  // namespace jay
