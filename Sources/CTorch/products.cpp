// Products of bfloat16 matrices. The texts of a batch bring a new number of rows with every step: libtorch's products need a
// plan for each, and lose a part of their speed where it is no round number. These need no plan and lose nothing.
#include "products.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "words.h"

namespace jay {

#if defined(__x86_64__)
namespace {

#define JAY_TILE __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

/// A tile is six rows of four vectors, whose sums stay in registers; a panel is the columns of a tile.
constexpr int tile_rows = 6, tile_vectors = 4;
constexpr int64_t panel_width = tile_vectors * lanes;
/// Rows of a block of a packed left side.
constexpr int64_t block = 2 * tile_rows;
/// Pairs of the inner dimension whose panel stays in the second cache; more are summed in several turns.
constexpr int64_t deep = 2048;
/// The least rows that are multiplied with a packed panel at a time.
constexpr int64_t chunk = 96;

/// Where a tile's sums go: to floats that later turns add to, or, with the bias, to the rows of the result.
struct Target {
  float *sums;
  bool adds, ends;
  const at::BFloat16 *bias;
  at::BFloat16 *const *rows;
  int64_t column, width;
};

JAY_TILE JAY_INLINE __m512 floats_of(__m256i halves) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

template <int rows, int vectors>
JAY_TILE JAY_INLINE void tile(Left<uint32_t> a, const uint32_t *b, int64_t pairs, const Target &to) {
  __m512 sums[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sums[r][v] = _mm512_setzero_ps();
  // The lines that will be written come while the sums are made.
  for (int r = 0; r < rows && to.ends; ++r)
    for (int v = 0; v < vectors; v += 2) __builtin_prefetch(to.rows[r] + to.column + v * lanes, 1);
  for (int64_t k = 0; k < pairs; ++k, b += vectors * lanes) {
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) sums[r][v] = dot(sums[r][v], a.at[r * a.row + k * a.step], b + v * lanes);
  }
  if (to.adds)
#pragma clang loop unroll(full)
    for (int i = 0; i < rows * vectors; ++i) {
      const int r = i / vectors, v = i % vectors;
      sums[r][v] = _mm512_add_ps(sums[r][v], _mm512_loadu_ps(to.sums + r * panel_width + v * lanes));
    }
  if (!to.ends) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows * vectors; ++i)
      _mm512_storeu_ps(to.sums + i / vectors * panel_width + i % vectors * lanes, sums[i / vectors][i % vectors]);
    return;
  }
  // Two vectors at a time: a line of memory.
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v += 2) {
    const bool is_pair = v + 1 < vectors;
    const int64_t column = to.column + v * lanes, left = to.width - v * lanes;
    const __mmask32 some = left < 2 * lanes ? (1u << left) - 1 : ~0u;
    const __m512i bias = to.bias ? _mm512_maskz_loadu_epi16(some, to.bias + column) : _mm512_setzero_si512();
    const __m512 first = floats_of(_mm512_castsi512_si256(bias)), second = floats_of(_mm512_extracti64x4_epi64(bias, 1));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; ++r) {
      const __m512 upper = is_pair ? _mm512_add_ps(sums[r][v + is_pair], second) : _mm512_setzero_ps();
      const auto out = (__m512i)_mm512_cvtne2ps_pbh(upper, _mm512_add_ps(sums[r][v], first));
      if (left >= 2 * lanes) _mm512_storeu_si512(to.rows[r] + column, out);
      else _mm512_mask_storeu_epi16(to.rows[r] + column, some, out);
    }
  }
}

template <int vectors>
JAY_TILE JAY_INLINE void tile_of(int64_t rows, Left<uint32_t> a, const uint32_t *b, int64_t pairs, const Target &to) {
  switch (rows) {
    case 1: return tile<1, vectors>(a, b, pairs, to);
    case 2: return tile<2, vectors>(a, b, pairs, to);
    case 3: return tile<3, vectors>(a, b, pairs, to);
    case 4: return tile<4, vectors>(a, b, pairs, to);
    case 5: return tile<5, vectors>(a, b, pairs, to);
    default: return tile<6, vectors>(a, b, pairs, to);
  }
}

JAY_TILE void multiply_tile(int64_t rows, Left<uint32_t> a, const uint32_t *b, int64_t pairs, const Target &to) {
  switch ((to.width + lanes - 1) / lanes) {
    case 1: return tile_of<1>(rows, a, b, pairs, to);
    case 2: return tile_of<2>(rows, a, b, pairs, to);
    case 3: return tile_of<3>(rows, a, b, pairs, to);
    default: return tile_of<4>(rows, a, b, pairs, to);
  }
}

/// What a product writes: row i of it is row `places[i]`, or i, of a matrix with so many columns.
struct Result {
  at::BFloat16 *out;
  int64_t columns;
  const int64_t *places = nullptr;
  const at::BFloat16 *bias = nullptr;
};

/// The rows from `first` up to `last` of one panel, from pair `k` on; `left(i)` is the left side from row i on. Sums of rows
/// that are not their last turn's stand behind one another in `sums`.
template <typename LeftOf>
void multiply_panel(int64_t first, int64_t last, const LeftOf &left, const uint32_t *panel, int64_t pairs, int64_t column,
                    const Result &result, float *sums = nullptr, int64_t k = 0, bool ends = true) {
  const int64_t width = std::min(panel_width, result.columns - column);
  for (int64_t i = first; i < last; i += tile_rows) {
    const int64_t some = std::min<int64_t>(tile_rows, last - i);
    Left<uint32_t> a = left(i);
    a.at += k * a.step;
    at::BFloat16 *to[tile_rows];
    for (int64_t r = 0; r < some; ++r) to[r] = result.out + (result.places ? result.places[i + r] : i + r) * result.columns;
    multiply_tile(some, a, panel, pairs, {sums + (i - first) * panel_width, k > 0, ends, result.bias, to, column, width});
  }
}

/// result = left · right + bias. `left(i)` is the left side from row i on, i a multiple of `tile_rows`;
/// `right(first, count, begin, pairs, to, padded)` packs some columns of so many pairs. An element's sum has the same order
/// whatever the threads are.
template <typename LeftOf, typename Pack>
void multiply_all(int64_t rows, int64_t inner, const LeftOf &left, const Pack &right, const Result &result) {
  const int64_t columns = result.columns, panels = (columns + panel_width - 1) / panel_width;
  // A panel is packed anew for every chunk of rows: no more of them than threads can share.
  const int64_t wanted = std::max<int64_t>(1, std::min((6 * at::get_num_threads() + panels - 1) / panels, rows / chunk));
  const int64_t each = ((rows + wanted - 1) / wanted + block - 1) / block * block, chunks = (rows + each - 1) / each;
  const bool in_turns = inner > deep;
  parallel_shares(panels * chunks, 1, [&](int64_t begin, int64_t end) {
    thread_local std::vector<uint32_t> panel;
    thread_local std::vector<float> sums;
    panel.resize(std::max<size_t>(panel.size(), std::min(inner, deep) * panel_width));
    if (in_turns) sums.resize(std::max<size_t>(sums.size(), each * panel_width));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t column = task / chunks * panel_width, width = std::min(panel_width, columns - column);
      const int64_t padded = (width + lanes - 1) / lanes * lanes, row = task % chunks * each;
      for (int64_t k = 0; k < inner; k += deep) {
        const int64_t pairs = std::min(deep, inner - k);
        // The chunk before has left this panel here.
        if (in_turns || task == begin || task % chunks == 0) right(column, width, k, pairs, panel.data(), padded);
        multiply_panel(row, std::min(rows, row + each), left, panel.data(), pairs, column, result, sums.data(), k,
                       k + pairs >= inner);
      }
    }
  });
}

const uint16_t *halves(const at::Tensor &x) { return reinterpret_cast<const uint16_t *>(read<at::BFloat16>(x)); }
const uint32_t *pairs(const at::Tensor &x) { return reinterpret_cast<const uint32_t *>(read<at::BFloat16>(x)); }

/// The first `count`, at most 16, halves of two rows → as many pairs, zeros in place of a second row that is not there. What
/// `overflows` may write sixteen.
JAY_TILE JAY_INLINE void pair(const uint16_t *upper, const uint16_t *lower, int64_t count, uint32_t *to, bool overflows = false) {
  const __mmask16 some = count < lanes ? (1u << count) - 1 : 0xFFFF;
  const __m512i first = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, upper));
  const __m512i second = lower ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, lower)) : _mm512_setzero_si512();
  const __m512i words = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
  if (overflows || count >= lanes) _mm512_storeu_si512(to, words);
  else _mm512_mask_storeu_epi32(to, some, words);
}

/// `[inner, rows]`, the rows that `places` names or all, from `begin` to `end` → blocks `[inner / 2][block]` of pairs. The
/// blocks grow side by side, so that each line of memory is read once.
JAY_TILE void pack_blocks(const at::Tensor &x, const int64_t *places, int64_t begin, int64_t end, uint32_t *to) {
  const int64_t inner = x.size(0), stride = x.size(1), size = words_of<at::BFloat16>(inner) * block;
  const uint16_t *upper = halves(x);
  for (int64_t k = 0; k < inner; k += 2, upper += 2 * stride, to += block) {
    const uint16_t *lower = k + 1 < inner ? upper + stride : nullptr;
    uint32_t *out = to;
    if (!places) fetch_pair(upper + begin, stride, inner - k, end - begin);
    for (int64_t row = begin; row < end; row += block, out += size) {
      const int64_t count = std::min(block, end - row);
      if (!places) pair(upper + row, lower ? lower + row : nullptr, count, out, k + 2 < inner);
      else
        for (int64_t i = 0; i < count; ++i)
          out[i] = upper[places[row + i]] | (lower ? uint32_t(lower[places[row + i]]) << 16 : 0);
    }
  }
}

/// Rows whose packed left side is made, and lies in the cache, at a time: at most eight blocks, for all threads alike.
int64_t group_of(int64_t rows) {
  const int64_t threads = at::get_num_threads(), turns = (rows + 8 * block * threads - 1) / (8 * block * threads);
  return ((rows + turns * threads - 1) / (turns * threads) + block - 1) / block * block;
}

/// aᵀ·b as below, where the left side is the smaller one: it is packed whole, the right side panel by panel.
void multiply_few(const at::Tensor &a, const at::Tensor &b, const int64_t *places, int64_t rows, at::BFloat16 *out) {
  const int64_t height = b.size(0), columns = b.size(1), inner = words_of<at::BFloat16>(height);
  const auto packed = at::empty({(rows + block - 1) / block, inner, block}, a.options().dtype(at::kInt));
  auto *left = reinterpret_cast<uint32_t *>(packed.data_ptr<int32_t>());
  const uint16_t *right = halves(b);
  const int64_t group = group_of(rows);
  parallel_shares((rows + group - 1) / group, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * group; row < std::min(rows, end * group); row += group)
      pack_blocks(a, places, row, std::min(rows, row + group), left + row * inner);
  });
  multiply_all(
      rows, inner,
      [=](int64_t row) { return Left<uint32_t>{left + row / block * inner * block + row % block, 1, block}; },
      [=](int64_t first, int64_t count, int64_t k, int64_t some, uint32_t *to, int64_t padded) {
        pair_rows(right + 2 * k * columns + first, columns, std::min(2 * some, height - 2 * k), count, to, padded);
      },
      {out, columns, places});
}

/// The same where the right side is the smaller one: it is packed whole, the left side group by group.
void multiply_many(const at::Tensor &a, const at::Tensor &b, const int64_t *places, int64_t rows, at::BFloat16 *out) {
  const int64_t height = b.size(0), columns = b.size(1), inner = words_of<at::BFloat16>(height);
  const int64_t panels = (columns + panel_width - 1) / panel_width;
  const auto packed = at::empty({panels, inner, panel_width}, a.options().dtype(at::kInt));
  auto *right = reinterpret_cast<uint32_t *>(packed.data_ptr<int32_t>());
  parallel_shares(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t column = begin * panel_width; column < std::min(columns, end * panel_width); column += panel_width) {
      const int64_t width = std::min(panel_width, columns - column), padded = (width + lanes - 1) / lanes * lanes;
      pair_rows(halves(b) + column, columns, height, width, right + column * inner, padded);
    }
  });
  const int64_t group = group_of(rows);
  parallel_shares((rows + group - 1) / group, 1, [&](int64_t begin, int64_t end) {
    thread_local std::vector<uint32_t> left;
    left.resize(std::max<size_t>(left.size(), group * inner));
    for (int64_t first = begin * group; first < std::min(rows, end * group); first += group) {
      const int64_t last = std::min(rows, first + group);
      pack_blocks(a, places, first, last, left.data());
      const auto from = [&](int64_t row) {
        const int64_t i = row - first;
        return Left<uint32_t>{left.data() + i / block * inner * block + i % block, 1, block};
      };
      for (int64_t column = 0; column < columns; column += panel_width)
        multiply_panel(first, last, from, right + column * inner, inner, column, {out, columns, places});
    }
  });
}

}  // namespace

bool can_multiply(const at::Tensor &a, const at::Tensor &b) {
  // Where the processor multiplies tiles, libtorch's products do, too.
  static const bool is_faster = has_dot && !__builtin_cpu_supports("amx-bf16");
  return is_faster && a.is_cpu() && b.is_cpu() && a.scalar_type() == at::kBFloat16 && b.scalar_type() == at::kBFloat16 &&
         a.numel() > 0 && b.numel() > 0;
}

at::Tensor multiply_by_transposed(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  const int64_t rows = x.size(0), width = x.size(1), columns = weight.size(0), inner = width / 2;
  const at::Tensor a = x.contiguous(), b = weight.contiguous(), added = bias ? bias->contiguous() : at::Tensor();
  const uint32_t *left = pairs(a), *right = pairs(b);
  auto out = at::empty({rows, columns}, a.options());
  multiply_all(
      rows, inner, [=](int64_t row) { return Left<uint32_t>{left + row * inner, inner}; },
      [=](int64_t first, int64_t count, int64_t k, int64_t some, uint32_t *to, int64_t padded) {
        transpose_words(right + first * inner + k, inner, count, some, to, padded);
      },
      {out.data_ptr<at::BFloat16>(), columns, nullptr, bias ? read<at::BFloat16>(added) : nullptr});
  return out;
}

at::Tensor multiply_by(const at::Tensor &x, const at::Tensor &weight) {
  const int64_t rows = x.size(0), inner = x.size(1) / 2, columns = weight.size(1);
  const at::Tensor a = x.contiguous(), b = weight.contiguous();
  const uint32_t *left = pairs(a);
  const uint16_t *right = halves(b);
  auto out = at::empty({rows, columns}, a.options());
  multiply_all(
      rows, inner, [=](int64_t row) { return Left<uint32_t>{left + row * inner, inner}; },
      [=](int64_t first, int64_t count, int64_t k, int64_t some, uint32_t *to, int64_t padded) {
        pair_rows(right + 2 * k * columns + first, columns, 2 * some, count, to, padded);
      },
      {out.data_ptr<at::BFloat16>(), columns});
  return out;
}

at::Tensor multiply_transposed(const at::Tensor &above, const at::Tensor &x, const at::Tensor &kept) {
  const at::Tensor a = above.contiguous(), b = x.contiguous();
  const int64_t all = a.size(1), rows = kept.numel() > 0 ? kept.numel() : all, columns = b.size(1);
  const int64_t *places = kept.numel() > 0 ? read<int64_t>(kept) : nullptr;
  auto out = at::empty({all, columns}, a.options());
  auto *to = out.data_ptr<at::BFloat16>();
  if (places) {
    const size_t bytes = columns * sizeof(at::BFloat16);
    std::vector<bool> is_kept(all, false);
    for (int64_t i = 0; i < rows; ++i) is_kept[places[i]] = true;
    parallel_for(all, std::max<int64_t>(1, 65536 / bytes), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        if (!is_kept[row]) std::memset(static_cast<void *>(to + row * columns), 0, bytes);
    });
  }
  (rows > columns ? multiply_many : multiply_few)(a, b, places, rows, to);
  return out;
}

#else

// Never asked for where they cannot multiply.
bool can_multiply(const at::Tensor &, const at::Tensor &) { return false; }
at::Tensor multiply_by_transposed(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &) { std::abort(); }
at::Tensor multiply_by(const at::Tensor &, const at::Tensor &) { std::abort(); }
at::Tensor multiply_transposed(const at::Tensor &, const at::Tensor &, const at::Tensor &) { std::abort(); }

#endif

}  // namespace jay
