// Adafactor's update of a matrix in three passes over its gradient, in place of a dozen over float32 copies of it.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

/// Rows of a part. Sums over a part are added in order, so that they do not depend on the number of threads.
constexpr int64_t part = 32;
/// What the paper adds to each square.
constexpr float epsilon = 1e-30f;

/// Adds the squares of a row to the sums of the columns, and gives their sum.
template <typename T>
JAY_INLINE float add_squares(const T *gradient, int64_t width, float scale, float *columns) {
  floats sums = {};
  int64_t j = 0;
  for (; j + lanes <= width; j += lanes) {
    const floats g = load(gradient + j) * scale, square = g * g + epsilon;
    *reinterpret_cast<floats *>(columns + j) += square;
    sums += square;
  }
  float total = jay::sum(sums);
  for (; j < width; ++j) {
    const float g = float(gradient[j]) * scale, square = g * g + epsilon;
    columns[j] += square;
    total += square;
  }
  return total;
}

/// Σ (g·column)² of a row.
template <typename T>
JAY_INLINE float scaled_squares(const T *gradient, const float *columns, int64_t width, float scale) {
  floats sums = {};
  int64_t j = 0;
  for (; j + lanes <= width; j += lanes) {
    const floats u = load(gradient + j) * scale * load(columns + j);
    sums += u * u;
  }
  float total = jay::sum(sums);
  for (; j < width; ++j) {
    const float u = float(gradient[j]) * scale * columns[j];
    total += u * u;
  }
  return total;
}

/// Σ θ² of a row.
JAY_INLINE float squares(const float *x, int64_t width) {
  floats sums = {};
  int64_t j = 0;
  for (; j + lanes <= width; j += lanes) sums += load(x + j) * load(x + j);
  float total = jay::sum(sums);
  for (; j < width; ++j) total += x[j] * x[j];
  return total;
}

/// θ ← keep·θ − factor·g·column of a row, and the copy that layers read.
template <typename T>
JAY_INLINE void move(const T *gradient, const float *columns, int64_t width, float factor, float keep, float *master, T *value) {
  for (int64_t j = 0; j < width; ++j) {
    master[j] = master[j] * keep - factor * float(gradient[j]) * columns[j];
    if constexpr (sizeof(T) == 2) store(master[j], value + j);
  }
}

JAY_VECTOR float row_norm(const float *x, int64_t width) { return squares(x, width); }
#define JAY_ROWS(T)                                                                                              \
  JAY_VECTOR float row_squares(const T *g, int64_t width, float scale, float *columns) {                         \
    return add_squares(g, width, scale, columns);                                                                \
  }                                                                                                              \
  JAY_VECTOR float row_scaled_squares(const T *g, const float *columns, int64_t width, float scale) {            \
    return scaled_squares(g, columns, width, scale);                                                             \
  }                                                                                                              \
  JAY_VECTOR void move_row(const T *g, const float *columns, int64_t width, float factor, float keep, float *w, T *value) { \
    move(g, columns, width, factor, keep, w, value);                                                             \
  }
JAY_ROWS(float)
JAY_ROWS(at::BFloat16)
#undef JAY_ROWS

/// Runs `body(part, first row, last row)` on the parts of `rows`.
template <typename Body>
void over_parts(int64_t rows, int64_t width, const Body &body) {
  jay::parallel_for((rows + part - 1) / part, std::max<int64_t>(1, 32768 / (part * width)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) body(p, p * part, std::min(rows, (p + 1) * part));
  });
}

template <typename T>
void update(const at::Tensor &value, const at::Tensor &master, const at::Tensor &gradient, const at::Tensor &row_averages,
            const at::Tensor &column_averages, const ct_adafactor_options &options) {
  const int64_t rows = master.size(0), width = master.size(1), parts = (rows + part - 1) / part;
  const T *g = jay::read<T>(gradient);
  float *w = master.data_ptr<float>(), *r = row_averages.data_ptr<float>(), *c = column_averages.data_ptr<float>();
  const float scale = float(options.gradient_scale), old = float(options.decay), fresh = float(1 - options.decay);

  std::vector<float> sums(parts * width, 0.f), row_factors(rows), column_factors(width);
  over_parts(rows, width, [&](int64_t p, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      r[i] = old * r[i] + fresh * (row_squares(g + i * width, width, scale, sums.data() + p * width) / float(width));
  });
  for (int64_t p = 1; p < parts; ++p)
    for (int64_t j = 0; j < width; ++j) sums[j] += sums[p * width + j];
  for (int64_t j = 0; j < width; ++j) {
    c[j] = old * c[j] + fresh * (sums[j] / float(rows));
    column_factors[j] = 1 / std::sqrt(c[j]);
  }
  double mean = 0;
  for (int64_t i = 0; i < rows; ++i) mean += r[i];
  mean /= double(rows);
  for (int64_t i = 0; i < rows; ++i) row_factors[i] = float(1 / std::sqrt(r[i] / mean));

  std::vector<double> moves(parts, 0), weights(parts, 0);
  over_parts(rows, width, [&](int64_t p, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const double some = row_scaled_squares(g + i * width, column_factors.data(), width, scale);
      moves[p] += some * row_factors[i] * row_factors[i];
      if (options.scales_by_parameter) weights[p] += row_norm(w + i * width, width);
    }
  });
  double square = 0, weight = 0;
  for (int64_t p = 0; p < parts; ++p) (square += moves[p], weight += weights[p]);
  const double count = double(rows) * double(width);
  double rate = options.rate;
  if (options.scales_by_parameter) rate *= std::max(1e-3, std::sqrt(weight / count));
  const double shrink = rate * double(scale) / std::max(1.0, std::sqrt(square / count));
  const float keep = float(1 - rate * options.weight_decay);
  T *copy = value.data_ptr<T>();
  over_parts(rows, width, [&](int64_t, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      move_row(g + i * width, column_factors.data(), width, float(shrink * row_factors[i]), keep, w + i * width, copy + i * width);
  });
}

}  // namespace

extern "C" {

int ct_adafactor(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor rows, ct_tensor columns,
                 const ct_adafactor_options *options, bool *done) {
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    const auto copy = get(value).detach(), weight = get(master).detach(), slope = get(gradient).contiguous();
    const auto type = copy.scalar_type();
    *done = weight.is_cpu() && weight.dim() == 2 && weight.numel() > 0 && weight.scalar_type() == at::kFloat &&
            slope.scalar_type() == type && copy.is_contiguous() && weight.is_contiguous() &&
            (type == at::kBFloat16 || copy.data_ptr() == weight.data_ptr());
    if (!*done) return;
    TORCH_CHECK(get(rows).numel() == weight.size(0) && get(columns).numel() == weight.size(1), "averages ",
                get(rows).sizes(), " and ", get(columns).sizes(), " of a matrix ", weight.sizes());
    if (type == at::kBFloat16) update<at::BFloat16>(copy, weight, slope, get(rows), get(columns), *options);
    else update<float>(copy, weight, slope, get(rows), get(columns), *options);
    jay::note_written(get(value));
    jay::note_written(get(master));
  });
}

}  // extern "C"
