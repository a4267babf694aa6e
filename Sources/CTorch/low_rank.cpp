// Low-rank updates y + scale·(x·aᵀ)·bᵀ and their gradients. Products with so few ranks are no work for libtorch's kernels,
// each of which wants a plan of its own for every number of rows; here some rows at a time stay in the cache, and sums are float.
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <vector>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

/// Ranks whose sums stay in registers together; factors are filled up with zeros to a multiple of it.
constexpr int64_t group = 8;
/// More are left to libtorch's products.
constexpr int64_t most_ranks = 32;
/// Rows whose gradients of factors are summed together, a fixed number, so that the sums do not depend on threads.
constexpr int64_t part = 128;

/// scale·x·factorᵀ: `x [rows][width]`, `factor [ranks][width]` → `low [rows][ranks]`.
template <typename T>
JAY_INLINE void down(const T *x, const float *factor, int64_t rows, int64_t width, int64_t ranks, float scale, float *low) {
  const int64_t whole = width / lanes * lanes;
  for (int64_t n = 0; n < rows; n += 2) {
    const T *first = x + n * width, *second = n + 1 < rows ? first + width : first;
    for (int64_t r = 0; r < ranks; r += group) {
      const float *block = factor + r * width;
      floats sums[2 * group] = {};
      for (int64_t k = 0; k < whole; k += lanes) {
        const floats a = load(first + k), b = load(second + k);
        for (int64_t i = 0; i < group; ++i) {
          const floats f = load(block + i * width + k);
          sums[i] += a * f;
          sums[group + i] += b * f;
        }
      }
      jay::fold<2 * group>(sums);
      for (int64_t i = 0; i < group; ++i) {
        float a = sums[0][i], b = sums[0][group + i];
        for (int64_t k = whole; k < width; ++k) {
          a += float(first[k]) * block[i * width + k];
          b += float(second[k]) * block[i * width + k];
        }
        low[n * ranks + r + i] = a * scale;
        if (n + 1 < rows) low[(n + 1) * ranks + r + i] = b * scale;
      }
    }
  }
}

/// y + low·factor, y left out where it is null: `low [rows][ranks]`, `factor [ranks][width]` → `out [rows][width]`.
template <int rows, typename T>
JAY_INLINE void up(const float *low, const float *factor, const T *y, int64_t width, int64_t ranks, T *out) {
  const int64_t whole = width / lanes * lanes;
  for (int64_t k = 0; k < whole; k += lanes) {
    floats sums[rows];
    for (int n = 0; n < rows; ++n) sums[n] = y ? load(y + n * width + k) : floats{};
    for (int64_t r = 0; r < ranks; ++r) {
      const floats f = load(factor + r * width + k);
      for (int n = 0; n < rows; ++n) sums[n] += low[n * ranks + r] * f;
    }
    for (int n = 0; n < rows; ++n) store(sums[n], out + n * width + k);
  }
  for (int n = 0; n < rows; ++n)
    for (int64_t k = whole; k < width; ++k) {
      float sum = y ? float(y[n * width + k]) : 0.f;
      for (int64_t r = 0; r < ranks; ++r) sum += low[n * ranks + r] * factor[r * width + k];
      store(sum, out + n * width + k);
    }
}

template <typename T>
JAY_INLINE void up_all(const float *low, const float *factor, const T *y, int64_t rows, int64_t width, int64_t ranks, T *out) {
  constexpr int together = 4;
  int64_t n = 0;
  for (; n + together <= rows; n += together)
    up<together>(low + n * ranks, factor, y ? y + n * width : nullptr, width, ranks, out + n * width);
  for (; n < rows; ++n) up<1>(low + n * ranks, factor, y ? y + n * width : nullptr, width, ranks, out + n * width);
}

/// lowᵀ·x is added to `sums [ranks][width]`: `low [rows][ranks]`, `x [rows][width]`.
template <typename T>
JAY_INLINE void collect(const float *low, const T *x, int64_t rows, int64_t width, int64_t ranks, float *sums) {
  // Two vectors at a time: a line of memory in bfloat16.
  const int64_t whole = width / (2 * lanes) * (2 * lanes);
  for (int64_t r = 0; r < ranks; r += group) {
    for (int64_t k = 0; k < whole; k += 2 * lanes) {
      floats added[2 * group] = {};
      for (int64_t n = 0; n < rows; ++n) {
        const floats a = load(x + n * width + k), b = load(x + n * width + k + lanes);
        for (int64_t i = 0; i < group; ++i) {
          added[i] += low[n * ranks + r + i] * a;
          added[group + i] += low[n * ranks + r + i] * b;
        }
      }
      for (int64_t i = 0; i < group; ++i) {
        float *to = sums + (r + i) * width + k;
        *reinterpret_cast<floats *>(to) += added[i];
        *reinterpret_cast<floats *>(to + lanes) += added[group + i];
      }
    }
    for (int64_t k = whole; k < width; ++k)
      for (int64_t n = 0; n < rows; ++n)
        for (int64_t i = 0; i < group; ++i) sums[(r + i) * width + k] += low[n * ranks + r + i] * float(x[n * width + k]);
  }
}

#define JAY_FOR_BOTH(T)                                                                                                   \
  JAY_VECTOR void down_rows(const T *x, const float *f, int64_t n, int64_t w, int64_t r, float s, float *low) {           \
    down(x, f, n, w, r, s, low);                                                                                          \
  }                                                                                                                       \
  JAY_VECTOR void up_rows(const float *low, const float *f, const T *y, int64_t n, int64_t w, int64_t r, T *out) {        \
    up_all(low, f, y, n, w, r, out);                                                                                      \
  }                                                                                                                       \
  JAY_VECTOR void collect_rows(const float *low, const T *x, int64_t n, int64_t w, int64_t r, float *sums) {              \
    collect(low, x, n, w, r, sums);                                                                                       \
  }
JAY_FOR_BOTH(float)
JAY_FOR_BOTH(at::BFloat16)

int64_t filled_up(int64_t ranks) { return (ranks + group - 1) / group * group; }

/// `[ranks, width]` in float, filled up with zeros.
at::Tensor packed(const at::Tensor &factor) {
  auto out = at::zeros({filled_up(factor.size(0)), factor.size(1)}, factor.options().dtype(at::kFloat));
  out.narrow(0, 0, factor.size(0)).copy_(factor);
  return out;
}

/// Rows that are worth a thread's while.
int64_t grain(int64_t width, int64_t ranks) { return std::max<int64_t>(1, 65536 / (width * ranks)); }

/// `x [rows, inputs]`, `y [rows, outputs]` → the sum, and x·aᵀ `[rows, ranks]` in float, filled up.
template <typename T>
std::tuple<at::Tensor, at::Tensor> add(const at::Tensor &x, const at::Tensor &y, const at::Tensor &a, const at::Tensor &b,
                                       double scale) {
  const auto down_factor = packed(a), up_factor = packed(b.t()).mul_(scale);
  const int64_t inputs = a.size(1), outputs = b.size(0), ranks = down_factor.size(0);
  auto low = at::empty({x.size(0), ranks}, down_factor.options()), out = at::empty_like(y);
  const T *from = jay::read<T>(x), *before = jay::read<T>(y);
  const float *first = jay::read<float>(down_factor), *second = jay::read<float>(up_factor);
  T *to = out.data_ptr<T>();
  float *between = low.data_ptr<float>();
  jay::parallel_for(x.size(0), grain(inputs + outputs, ranks), [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    down_rows(from + begin * inputs, first, rows, inputs, ranks, 1, between + begin * ranks);
    up_rows(between + begin * ranks, second, before + begin * outputs, rows, outputs, ranks, to + begin * outputs);
  });
  return {out, low};
}

/// The gradients of x, a and b, of that of the sum; undefined where they are not asked for.
template <typename T>
std::tuple<at::Tensor, at::Tensor, at::Tensor> differentiate(const at::Tensor &above, const at::Tensor &x, const at::Tensor &a,
                                                             const at::Tensor &b, const at::Tensor &low, double scale,
                                                             bool needs_x, bool needs_factors) {
  const auto down_factor = packed(a), up_factor = packed(b.t());
  const int64_t rows = x.size(0), inputs = a.size(1), outputs = b.size(0), ranks = low.size(1);
  const int64_t parts = (rows + part - 1) / part;
  auto dx = needs_x ? at::empty_like(x) : at::Tensor();
  const int64_t sums = needs_factors ? parts : 0;
  auto da = at::zeros({sums, ranks, inputs}, low.options()), db = at::zeros({sums, ranks, outputs}, low.options());
  const T *gradient = jay::read<T>(above), *from = jay::read<T>(x);
  const float *first = jay::read<float>(down_factor), *second = jay::read<float>(up_factor);
  const float *between = jay::read<float>(low);
  float *to_a = da.data_ptr<float>(), *to_b = db.data_ptr<float>();
  T *to_x = needs_x ? dx.data_ptr<T>() : nullptr;
  jay::parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> dlow(part * ranks);
    for (int64_t p = begin; p < end; ++p) {
      const int64_t n = p * part, count = std::min(part, rows - n);
      down_rows(gradient + n * outputs, second, count, outputs, ranks, float(scale), dlow.data());
      if (needs_factors) {
        collect_rows(between + n * ranks, gradient + n * outputs, count, outputs, ranks, to_b + p * ranks * outputs);
        collect_rows(dlow.data(), from + n * inputs, count, inputs, ranks, to_a + p * ranks * inputs);
      }
      if (to_x) up_rows(dlow.data(), first, static_cast<const T *>(nullptr), count, inputs, ranks, to_x + n * inputs);
    }
  });
  // An adapter that is frozen only passes gradients on.
  if (!needs_factors) return {dx, at::Tensor(), at::Tensor()};
  const auto total = [](const at::Tensor &sums, int64_t count) { return sums.sum(0).narrow(0, 0, count); };
  return {dx, total(da, a.size(0)).to(a.scalar_type()).contiguous(),
          total(db, b.size(1)).mul(scale).t().to(b.scalar_type()).contiguous()};
}

struct LowRank : torch::autograd::Function<LowRank> {
  static torch::autograd::tensor_list forward(torch::autograd::AutogradContext *context, const at::Tensor &x,
                                              const at::Tensor &y, const at::Tensor &a, const at::Tensor &b, double scale) {
    auto [out, low] = x.scalar_type() == at::kFloat ? add<float>(x, y, a, b, scale) : add<at::BFloat16>(x, y, a, b, scale);
    context->save_for_backward({x, a, b, low});
    context->saved_data["scale"] = scale;
    context->mark_non_differentiable({low});
    return {out, low};
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &a = saved[1], &b = saved[2], &low = saved[3];
    const double scale = context->saved_data["scale"].toDouble();
    const bool needs_x = context->needs_input_grad(0);
    const bool needs_factors = context->needs_input_grad(2) || context->needs_input_grad(3);
    const auto above = gradients[0].contiguous();
    const auto made = x.scalar_type() == at::kFloat ? differentiate<float> : differentiate<at::BFloat16>;
    const auto [dx, da, db] = made(above, x, a, b, low, scale, needs_x, needs_factors);
    return {dx, gradients[0], da, db, at::Tensor()};
  }
};

bool has_kernel(const at::Tensor &x, const at::Tensor &y, const at::Tensor &a, const at::Tensor &b) {
  const auto type = x.scalar_type();
  if ((type != at::kFloat && type != at::kBFloat16) || a.size(0) > most_ranks || x.numel() == 0) return false;
  for (const at::Tensor *each : {&x, &y, &a, &b})
    if (!each->is_cpu() || each->scalar_type() != type) return false;
  return true;
}

/// The sum in the shape of y, and x·aᵀ of all rows, without gradients.
std::tuple<at::Tensor, at::Tensor> low_rank(const at::Tensor &x, const at::Tensor &y, const at::Tensor &a, const at::Tensor &b,
                                            double scale) {
  TORCH_CHECK(x.dim() > 0 && y.dim() == x.dim() && a.dim() == 2 && b.dim() == 2 && a.size(0) == b.size(1) &&
                  x.size(-1) == a.size(1) && y.size(-1) == b.size(0) &&
                  x.sizes().slice(0, x.dim() - 1) == y.sizes().slice(0, y.dim() - 1),
              "factors of ", a.sizes(), " and ", b.sizes(), " do not fit ", x.sizes(), " and ", y.sizes());
  if (!has_kernel(x, y, a, b)) {
    const auto low = at::linear(x, a);
    return {y + at::linear(low * scale, b), low.detach().reshape({-1, a.size(0)}).to(at::kFloat)};
  }
  const auto rows = x.reshape({-1, x.size(-1)}).contiguous(), before = y.reshape({-1, y.size(-1)}).contiguous();
  const auto both = LowRank::apply(rows, before, a.contiguous(), b.contiguous(), scale);
  return {both[0].view(y.sizes()), both[1].narrow(1, 0, a.size(0))};
}

}  // namespace

extern "C" {

int ct_low_rank(ct_tensor x, ct_tensor y, ct_tensor a, ct_tensor b, double scale, ct_tensor *sum, ct_tensor *low) {
  return jay::guarded([&] {
    auto [whole, between] = low_rank(get(x), get(y), get(a), get(b), scale);
    *sum = jay::own(std::move(whole));
    *low = jay::own(std::move(between));
  });
}

}  // extern "C"
