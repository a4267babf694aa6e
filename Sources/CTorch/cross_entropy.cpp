// −log softmax at the targets, over vocabularies: one pass over bfloat16 or float32 scores forward and one backward, with
// nothing of their size kept between the two but the scores.
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "support.h"

using jay::exponential, jay::floats, jay::get, jay::lanes, jay::load, jay::store;

namespace {

/// Scores that are widened at once; the sums of such parts are added in order, on any number of threads.
constexpr int64_t part = 1024;

/// Scores less `shift` → their exponentials; 0 for a class that is masked out by −∞.
template <typename T>
JAY_INLINE void exponentials(const T *scores, int64_t count, float shift, float *out) {
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) *reinterpret_cast<floats *>(out + j) = load(scores + j) - shift;
  for (; j < count; ++j) out[j] = float(scores[j]) - shift;
  for (j = 0; j < count; ++j) out[j] = out[j] < -87.f ? 0.f : exponential(out[j]);
}

/// log Σ e^score of a row.
template <typename T>
JAY_INLINE float log_sum(const T *scores, int64_t count) {
  floats peaks = floats{} - INFINITY;
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const floats some = load(scores + j);
    peaks = some > peaks ? some : peaks;
  }
  float peak = -INFINITY;
  for (int i = 0; i < lanes; ++i) peak = std::max(peak, peaks[i]);
  for (; j < count; ++j) peak = std::max(peak, float(scores[j]));
  float total = 0, buffer[part];
  for (int64_t start = 0; start < count; start += part) {
    const int64_t length = std::min(part, count - start);
    exponentials(scores + start, length, peak, buffer);
    floats sums = {};
    for (j = 0; j + lanes <= length; j += lanes) sums += load(buffer + j);
    total += jay::sum(sums);
    for (; j < length; ++j) total += buffer[j];
  }
  return peak + std::log(total);
}

/// factor · (softmax(scores) − e_target) of a row, from its log-sum.
template <typename T>
JAY_INLINE void differences(const T *scores, int64_t count, float log_sum, int64_t target, float factor, T *out) {
  float buffer[part];
  for (int64_t start = 0; start < count; start += part) {
    const int64_t length = std::min(part, count - start);
    exponentials(scores + start, length, log_sum, buffer);
    if (target >= start && target < start + length) buffer[target - start] -= 1;
    for (int64_t j = 0; j < length; ++j) store(buffer[j] * factor, out + start + j);
  }
}

JAY_VECTOR float row_log_sum(const float *scores, int64_t count) { return log_sum(scores, count); }
JAY_VECTOR float row_log_sum(const at::BFloat16 *scores, int64_t count) { return log_sum(scores, count); }
JAY_VECTOR void row_differences(const float *scores, int64_t count, float log_sum, int64_t target, float factor, float *out) {
  differences(scores, count, log_sum, target, factor, out);
}
JAY_VECTOR void row_differences(const at::BFloat16 *scores, int64_t count, float log_sum, int64_t target, float factor,
                                at::BFloat16 *out) {
  differences(scores, count, log_sum, target, factor, out);
}

/// The losses of the rows, 0 where the target is ignored, and the rows' log-sums.
template <typename T>
void collect(const at::Tensor &scores, const at::Tensor &targets, int64_t ignored, float *losses, float *logs) {
  const int64_t classes = scores.size(1), *wanted = jay::read<int64_t>(targets);
  const T *values = jay::read<T>(scores);
  jay::parallel_for(scores.size(0), std::max<int64_t>(1, 16384 / classes), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const bool counts = wanted[n] != ignored;
      logs[n] = counts ? row_log_sum(values + n * classes, classes) : 0;
      losses[n] = counts ? logs[n] - float(values[n * classes + wanted[n]]) : 0;
    }
  });
}

template <typename T>
void differentiate(const at::Tensor &scores, const at::Tensor &targets, int64_t ignored, const float *logs,
                   const float *factors, const at::Tensor &out) {
  const int64_t classes = scores.size(1), *wanted = jay::read<int64_t>(targets);
  const T *values = jay::read<T>(scores);
  T *to = out.data_ptr<T>();
  jay::parallel_for(scores.size(0), std::max<int64_t>(1, 16384 / classes), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      T *row = to + n * classes;
      if (wanted[n] == ignored) std::fill(row, row + classes, T(0.f));
      else row_differences(values + n * classes, classes, logs[n], wanted[n], factors[n], row);
    }
  });
}

/// The loss of each row, float32; the last two arguments are not differentiated.
struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &scores,
                            const at::Tensor &targets, int64_t ignored) {
    const auto values = scores.contiguous(), wanted = targets.contiguous();
    auto losses = at::empty({values.size(0)}, values.options().dtype(at::kFloat)), logs = at::empty_like(losses);
    float *to = losses.data_ptr<float>(), *sums = logs.data_ptr<float>();
    if (values.scalar_type() == at::kFloat) collect<float>(values, wanted, ignored, to, sums);
    else collect<at::BFloat16>(values, wanted, ignored, to, sums);
    context->save_for_backward({values, wanted, logs});
    context->saved_data["ignored"] = ignored;
    return losses;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &values = saved[0], &wanted = saved[1];
    const auto factors = gradients[0].contiguous();
    auto out = at::empty_like(values);
    const float *logs = jay::read<float>(saved[2]), *by = jay::read<float>(factors);
    const int64_t ignored = context->saved_data["ignored"].toInt();
    if (values.scalar_type() == at::kFloat) differentiate<float>(values, wanted, ignored, logs, by, out);
    else differentiate<at::BFloat16>(values, wanted, ignored, logs, by, out);
    return {out, at::Tensor(), at::Tensor()};
  }
};

at::Tensor cross_entropy(const at::Tensor &scores, const at::Tensor &targets, int64_t ignored, int32_t reduction) {
  const auto type = scores.scalar_type();
  if (!scores.is_cpu() || (type != at::kFloat && type != at::kBFloat16)) {
    // A sum over a vocabulary is more than sixteen bits hold.
    const auto wide = at::isReducedFloatingType(type) ? scores.to(at::kFloat) : scores;
    return at::cross_entropy_loss(wide, targets, {}, reduction, ignored);
  }
  TORCH_CHECK(scores.dim() == 2 && targets.dim() == 1 && targets.size(0) == scores.size(0) &&
                  targets.scalar_type() == at::kLong && scores.size(1) > 0,
              "scores ", scores.sizes(), " need as many targets of int64, not ", targets.sizes());
  const auto counts = targets.ne(ignored);
  TORCH_CHECK(!(counts & (targets.lt(0) | targets.ge(scores.size(1)))).any().item<bool>(), "a target is none of the ",
              scores.size(1), " classes");
  const auto losses = CrossEntropy::apply(scores, targets, ignored);
  if (reduction == at::Reduction::None) return losses;
  return reduction == at::Reduction::Sum ? losses.sum() : losses.sum() / counts.sum();
}

}  // namespace

extern "C" {

int ct_cross_entropy(ct_tensor logits, ct_tensor targets, int64_t ignore, int32_t reduction, ct_tensor *out) {
  CT_RETURN(cross_entropy(get(logits), get(targets), ignore, reduction));
}

}  // extern "C"
