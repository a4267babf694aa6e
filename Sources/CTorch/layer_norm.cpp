// Layer normalisation of a row, or of its sum with another one that dropout thins: one pass over memory either way, in place
// of three of libtorch's operations forward and four backward; statistics in float.
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>
#include <vector>

#include "kernels.h"
#include "support.h"

using jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

struct Moments {
  float mean, inverse;  // 1 / √(variance + epsilon)
};

/// x + dropout(added), rounded where the operations by themselves round; `place` is that of the first element.
template <typename T>
JAY_INLINE void add_dropped(const T *x, const T *added, int64_t width, const jay::DropoutMask &dropout, uint32_t place, T *sum) {
  if (dropout.threshold == 0) {
    for (int64_t d = 0; d < width; ++d) store(float(x[d]) + float(added[d]), sum + d);
    return;
  }
  for (int64_t d = 0; d < width; ++d) {
    T kept;
    store(float(added[d]) * dropout.scale, &kept);
    store(float(x[d]) + (dropout.keeps(place + uint32_t(d)) ? float(kept) : 0.f), sum + d);
  }
}

template <typename T>
JAY_INLINE Moments moments_of(const T *x, int64_t width, float epsilon) {
  floats sums = {}, squares = {};
  int64_t d = 0;
  for (; d + lanes <= width; d += lanes) sums += load(x + d);
  float sum = jay::sum(sums);
  for (; d < width; ++d) sum += float(x[d]);
  const float mean = sum / float(width);
  for (d = 0; d + lanes <= width; d += lanes) {
    const floats centred = load(x + d) - mean;
    squares += centred * centred;
  }
  float square = jay::sum(squares);
  for (; d < width; ++d) square += (float(x[d]) - mean) * (float(x[d]) - mean);
  return {mean, 1 / std::sqrt(square / float(width) + epsilon)};
}

template <typename T>
JAY_INLINE Moments normalise(const T *x, const T *weight, const T *bias, int64_t width, float epsilon, T *out) {
  const Moments m = moments_of(x, width, epsilon);
  if (!bias) {
    for (int64_t d = 0; d < width; ++d) store((float(x[d]) - m.mean) * m.inverse * float(weight[d]), out + d);
    return m;
  }
  for (int64_t d = 0; d < width; ++d)
    store((float(x[d]) - m.mean) * m.inverse * float(weight[d]) + float(bias[d]), out + d);
  return m;
}

/// With n = (x − mean)·r and a = g·w: dx = r·(a − mean(a) − n·mean(a·n)); g·n and g are added to the gradients of weight and
/// bias.
template <typename T>
JAY_INLINE void differentiate(const T *x, const T *weight, const T *above, int64_t width, Moments m, T *dx, float *dweight,
                              float *dbias) {
  floats sums = {}, products = {};
  int64_t d = 0;
  for (; d + lanes <= width; d += lanes) {
    const floats g = load(above + d), n = (load(x + d) - m.mean) * m.inverse, a = g * load(weight + d);
    *reinterpret_cast<floats *>(dweight + d) += g * n;
    *reinterpret_cast<floats *>(dbias + d) += g;
    sums += a;
    products += a * n;
  }
  float sum = jay::sum(sums), product = jay::sum(products);
  for (; d < width; ++d) {
    const float g = float(above[d]), n = (float(x[d]) - m.mean) * m.inverse;
    dweight[d] += g * n;
    dbias[d] += g;
    sum += g * float(weight[d]);
    product += g * float(weight[d]) * n;
  }
  sum /= float(width);
  product /= float(width);
  for (d = 0; d < width; ++d) {
    const float n = (float(x[d]) - m.mean) * m.inverse;
    store(m.inverse * (float(above[d]) * float(weight[d]) - sum - n * product), dx + d);
  }
}

#define JAY_LAYER_NORM(T)                                                                                                   \
  JAY_VECTOR void add_row(const T *x, const T *added, int64_t width, const jay::DropoutMask &p, uint32_t place, T *sum) {       \
    add_dropped(x, added, width, p, place, sum);                                                                            \
  }                                                                                                                         \
  JAY_VECTOR Moments normalise_row(const T *x, const T *w, const T *b, int64_t width, float epsilon, T *out) {              \
    return normalise(x, w, b, width, epsilon, out);                                                                         \
  }                                                                                                                         \
  JAY_VECTOR void differentiate_row(const T *x, const T *w, const T *above, int64_t width, const Moments &m, T *dx,         \
                                    float *dw, float *db) {                                                                 \
    differentiate(x, w, above, width, m, dx, dw, db);                                                                       \
  }
JAY_LAYER_NORM(float)
JAY_LAYER_NORM(at::BFloat16)

/// What is normalised, all contiguous and of one dtype: `x` and `added`, which may be undefined, `[..., width]`; `weight`
/// and `bias`, which may be undefined, `[width]`.
struct Input {
  at::Tensor x, added, weight, bias;
  float epsilon;
  jay::DropoutMask dropout;

  int64_t width() const { return weight.size(0); }
  int64_t rows() const { return x.numel() / width(); }
};

template <typename T>
const T *read_if(const at::Tensor &x) { return x.defined() ? jay::read<T>(x) : nullptr; }

/// What is normalised goes to `sums`, where something is added, and its moments to `moments`, if they are wanted.
template <typename T>
void normalise_rows(const Input &in, const at::Tensor &sums, Moments *moments, const at::Tensor &out) {
  const int64_t width = in.width();
  const T *x = jay::read<T>(in.x), *added = read_if<T>(in.added), *weight = jay::read<T>(in.weight), *bias = read_if<T>(in.bias);
  T *kept = sums.defined() ? sums.data_ptr<T>() : nullptr, *to = out.data_ptr<T>();
  jay::parallel_for(in.rows(), std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
    std::vector<T> row(added && !kept ? width : 0);
    for (int64_t n = begin; n < end; ++n) {
      const T *from = x + n * width;
      if (added) {
        T *sum = kept ? kept + n * width : row.data();
        add_row(from, added + n * width, width, in.dropout, uint32_t(n * width), sum);
        from = sum;
      }
      const Moments m = normalise_row(from, weight, bias, width, in.epsilon, to + n * width);
      if (moments) moments[n] = m;
    }
  });
}

at::Tensor normalised(const Input &in, const at::Tensor &sums, Moments *moments) {
  auto out = at::empty_like(in.x);
  if (in.x.scalar_type() == at::kFloat) normalise_rows<float>(in, sums, moments, out);
  else normalise_rows<at::BFloat16>(in, sums, moments, out);
  return out;
}

/// Gradients of weight and bias are collected over parts of fixed size, so that they do not depend on the number of threads.
template <typename T>
at::Tensor differentiate_rows(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &above, const Moments *moments,
                              const jay::DropoutMask &dropout, const at::Tensor &dx, const at::Tensor &dadded) {
  constexpr int64_t part = 64;
  const int64_t width = weight.size(0), rows = x.numel() / width, parts = (rows + part - 1) / part;
  auto sums = at::zeros({parts, 2, width}, x.options().dtype(at::kFloat));
  const T *from = jay::read<T>(x), *scale = jay::read<T>(weight), *gradient = jay::read<T>(above);
  T *to = dx.data_ptr<T>(), *dropped = dropout.threshold > 0 ? dadded.data_ptr<T>() : nullptr;
  float *collected = sums.data_ptr<float>();
  jay::parallel_for(parts, std::max<int64_t>(1, 16384 / (part * width)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin * part; n < std::min(end * part, rows); ++n) {
      float *dweight = collected + n / part * 2 * width;
      const int64_t at = n * width;
      differentiate_row(from + at, scale, gradient + at, width, moments[n], to + at, dweight, dweight + width);
      if (dropped) jay::drop(to + at, dropped + at, width, dropout, uint32_t(at));
    }
  });
  return sums.sum(0).to(weight.scalar_type());
}

struct LayerNorm : torch::autograd::Function<LayerNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const std::optional<at::Tensor> &added,
                            const at::Tensor &weight, const std::optional<at::Tensor> &bias, double epsilon, double probability,
                            int64_t seed, int64_t offset) {
    const Input in{x, added.value_or(at::Tensor()), weight, bias.value_or(at::Tensor()), float(epsilon),
                   jay::DropoutMask(probability, uint64_t(seed), uint64_t(offset))};
    const auto sums = added ? at::empty_like(x) : at::Tensor();
    auto moments = at::empty({in.rows(), 2}, x.options().dtype(at::kFloat));
    context->save_for_backward({added ? sums : x, weight, moments});
    context->saved_data["adds"] = added.has_value();
    context->saved_data["shifts"] = bias.has_value();
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    context->saved_data["offset"] = offset;
    return normalised(in, sums, reinterpret_cast<Moments *>(moments.data_ptr<float>()));
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const auto above = gradients[0].contiguous();
    const auto *moments = reinterpret_cast<const Moments *>(jay::read<float>(saved[2]));
    const jay::DropoutMask dropout(context->saved_data["probability"].toDouble(), uint64_t(context->saved_data["seed"].toInt()),
                               uint64_t(context->saved_data["offset"].toInt()));
    const auto dx = at::empty_like(x), dadded = dropout.threshold > 0 ? at::empty_like(x) : dx;
    const auto sums = x.scalar_type() == at::kFloat
                          ? differentiate_rows<float>(x, weight, above, moments, dropout, dx, dadded)
                          : differentiate_rows<at::BFloat16>(x, weight, above, moments, dropout, dx, dadded);
    const at::Tensor nothing, dbias = context->saved_data["shifts"].toBool() ? sums[1] : nothing;
    return {dx, context->saved_data["adds"].toBool() ? dadded : nothing, sums[0], dbias, nothing, nothing, nothing, nothing};
  }
};

at::Tensor layer_norm(const at::Tensor &x, const at::Tensor &added, const at::Tensor &weight, const at::Tensor &bias,
                      double epsilon, double probability, uint64_t seed, uint64_t offset) {
  const auto type = x.scalar_type();
  TORCH_CHECK(!added.defined() || added.sizes() == x.sizes(), "layer norm adds ", added.sizes(), " to ", x.sizes());
  TORCH_CHECK(weight.dim() == 1 && x.dim() > 0 && x.size(-1) == weight.size(0), "a weight of ", weight.sizes(),
              " does not fit ", x.sizes());
  auto fits = [&](const at::Tensor &y) { return !y.defined() || (y.is_cpu() && y.scalar_type() == type); };
  const bool has_kernel = (type == at::kFloat || type == at::kBFloat16) && fits(x) && fits(added) && fits(weight) && fits(bias) &&
                          (!bias.defined() || bias.sizes() == weight.sizes()) && x.numel() > 0;
  if (!has_kernel) {
    const auto sum = added.defined() ? x + jay::dropout(added, probability, seed, offset) : x;
    return at::layer_norm(sum, weight.sizes(), weight, bias, epsilon);
  }
  auto dense = [](const at::Tensor &y) { return y.defined() ? y.contiguous() : y; };
  auto trains = [](const at::Tensor &y) { return y.defined() && y.requires_grad(); };
  const Input in{dense(x), dense(added), dense(weight), dense(bias), float(epsilon), jay::DropoutMask(probability, seed, offset)};
  if (!at::GradMode::is_enabled() || !(trains(x) || trains(added) || trains(weight) || trains(bias)))
    return normalised(in, at::Tensor(), nullptr);
  auto optional = [](const at::Tensor &y) { return y.defined() ? std::make_optional(y) : std::nullopt; };
  return LayerNorm::apply(in.x, optional(in.added), in.weight, optional(in.bias), epsilon, probability, int64_t(seed), int64_t(offset));
}

}  // namespace

extern "C" {

int ct_layer_norm(ct_tensor x, ct_tensor added, ct_tensor weight, ct_tensor bias, double epsilon, double dropout, uint64_t seed,
                  uint64_t offset, ct_tensor *out) {
  CT_RETURN(layer_norm(get(x), jay::get_or_undefined(added), get(weight), jay::get_or_undefined(bias), epsilon, dropout, seed, offset));
}

}  // extern "C"
