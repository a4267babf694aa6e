// Small products of matrices that lie in memory as words, and what brings rows into that form.
#include "words.h"

#include <cstring>

namespace jay {
namespace {

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

template <int rows, int wide>
JAY_INLINE void put(const floats (&sums)[rows][wide], Sums c, int64_t j) {
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < wide; ++w) {
      float *to = c.at + r * c.row + j + w * lanes;
      *reinterpret_cast<floats *>(to) = c.adds ? load(to) + sums[r][w] : sums[r][w];
    }
}

/// c (+)= a · b for up to eight rows and 16 · `wide` columns from `j` on.
template <int rows, int wide>
JAY_INLINE void tile(Left<float> a, Right<float> b, Sums c, int64_t j) {
  floats sums[rows][wide] = {};
  for (int64_t k = 0; k < b.inner; ++k) {
    floats right[wide];
    for (int w = 0; w < wide; ++w) right[w] = load(b.at + k * b.row + j + w * lanes);
    for (int r = 0; r < rows; ++r)
      for (int w = 0; w < wide; ++w) sums[r][w] += a.at[r * a.row + k * a.step] * right[w];
  }
  put(sums, c, j);
}

template <int rows, int wide>
JAY_INLINE void tile(Left<uint32_t> a, Right<uint32_t> b, Sums c, int64_t j) {
  floats sums[rows][wide] = {};
  for (int64_t k = 0; k < b.inner; ++k)
    for (int w = 0; w < wide; ++w) {
      const words right = *reinterpret_cast<const words *>(b.at + k * b.row + j + w * lanes);
      for (int r = 0; r < rows; ++r) {
        const uint32_t left = a.at[r * a.row + k * a.step];
        sums[r][w] += low(left) * low(right) + high(left) * high(right);
      }
    }
  put(sums, c, j);
}

template <int rows, typename W>
JAY_INLINE void band(Left<W> a, Right<W> b, Sums c) {
  int64_t j = 0;
  for (; j + 2 * lanes <= c.columns; j += 2 * lanes) tile<rows, 2>(a, b, c, j);
  if (j < c.columns) tile<rows, 1>(a, b, c, j);
}

JAY_VECTOR void multiply_rows(int64_t rows, Left<float> a, Right<float> b, Sums c) { JAY_BY_ROWS(band, a, b, c) }
JAY_VECTOR void multiply_pairs(int64_t rows, Left<uint32_t> a, Right<uint32_t> b, Sums c) { JAY_BY_ROWS(band, a, b, c) }

#if defined(__x86_64__)
template <int rows, int wide>
JAY_DOT JAY_INLINE void dot_tile(Left<uint32_t> a, Right<uint32_t> b, Sums c, int64_t j) {
  __m512 sums[rows][wide];
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < wide; ++w) sums[r][w] = _mm512_setzero_ps();
  for (int64_t k = 0; k < b.inner; ++k)
    for (int r = 0; r < rows; ++r)
      for (int w = 0; w < wide; ++w)
        sums[r][w] = dot(sums[r][w], a.at[r * a.row + k * a.step], b.at + k * b.row + j + w * lanes);
  for (int r = 0; r < rows; ++r)
    for (int w = 0; w < wide; ++w) {
      float *to = c.at + r * c.row + j + w * lanes;
      _mm512_storeu_ps(to, c.adds ? _mm512_add_ps(_mm512_loadu_ps(to), sums[r][w]) : sums[r][w]);
    }
}

template <int rows>
JAY_DOT JAY_INLINE void dot_band(Left<uint32_t> a, Right<uint32_t> b, Sums c) {
  int64_t j = 0;
  for (; j + 2 * lanes <= c.columns; j += 2 * lanes) dot_tile<rows, 2>(a, b, c, j);
  if (j < c.columns) dot_tile<rows, 1>(a, b, c, j);
}
JAY_DOT void dot_rows(int64_t rows, Left<uint32_t> a, Right<uint32_t> b, Sums c) { JAY_BY_ROWS(dot_band, a, b, c) }
#endif

JAY_VECTOR void transpose_all(const uint32_t *from, int64_t stride, int64_t rows, int64_t count, uint32_t *to, int64_t columns) {
  for (int64_t i = 0; i < columns; i += lanes)
    for (int64_t k = 0; k < count; k += lanes) {
      const int64_t some = std::min(lanes, count - k);
      words block[lanes];
      for (int64_t r = 0; r < lanes; ++r) {
        block[r] = words{};
        if (i + r >= rows) continue;
        const uint32_t *row = from + (i + r) * stride + k;
        if (some == lanes) block[r] = *reinterpret_cast<const words *>(row);
        else std::memcpy(&block[r], row, some * sizeof(uint32_t));
      }
      transpose_block(block);
      for (int64_t r = 0; r < some; ++r) *reinterpret_cast<words *>(to + (k + r) * columns + i) = block[r];
    }
}

JAY_VECTOR void pair_all(const uint16_t *from, int64_t stride, int64_t rows, int64_t width, uint32_t *to, int64_t padded) {
  for (int64_t r = 0; r < rows; r += 2, from += 2 * stride, to += padded) {
    fetch_pair(from, stride, rows - r, width);
    if (r + 1 < rows)
      for (int64_t d = 0; d < width; ++d) to[d] = uint32_t(from[d]) | uint32_t(from[stride + d]) << 16;
    else
      for (int64_t d = 0; d < width; ++d) to[d] = from[d];
    for (int64_t d = width; d < padded; ++d) to[d] = 0;
  }
}

}  // namespace

void multiply_some(int64_t rows, Left<float> a, Right<float> b, Sums c) { multiply_rows(rows, a, b, c); }
void multiply_some(int64_t rows, Left<uint32_t> a, Right<uint32_t> b, Sums c) {
#if defined(__x86_64__)
  if (has_dot) return dot_rows(rows, a, b, c);
#endif
  multiply_pairs(rows, a, b, c);
}

void transpose_words(const uint32_t *from, int64_t stride, int64_t rows, int64_t count, uint32_t *to, int64_t columns) {
  transpose_all(from, stride, rows, count, to, columns);
}
void pair_rows(const uint16_t *from, int64_t stride, int64_t rows, int64_t width, uint32_t *to, int64_t padded) {
  pair_all(from, stride, rows, width, to, padded);
}

}  // namespace jay
