#include <torch/csrc/autograd/autograd.h>

#include "support.h"

using jay::get;

extern "C" {

int ct_set_requires_gradient(ct_tensor x, bool enabled) {
  return jay::guarded([&] { x->value.set_requires_grad(enabled); });
}

int ct_backward(ct_tensor loss) {
  return jay::guarded([&] { get(loss).backward(); });
}

int ct_gradient(ct_tensor x, ct_tensor *out) {
  return jay::guarded([&] {
    const auto &gradient = get(x).grad();
    *out = gradient.defined() ? jay::own(gradient) : nullptr;
  });
}

int ct_set_gradient(ct_tensor x, ct_tensor gradient) {
  return jay::guarded([&] { x->value.mutable_grad() = gradient ? get(gradient) : at::Tensor(); });
}

int ct_gradients_of(ct_tensor loss, const ct_tensor *inputs, int32_t count, bool retain, ct_tensor *out) {
  return jay::guarded([&] {
    auto gradients = torch::autograd::grad({get(loss)}, jay::list(inputs, count), {}, retain, false, /*allow_unused=*/true);
    for (int32_t i = 0; i < count; ++i) out[i] = gradients[i].defined() ? jay::own(gradients[i]) : nullptr;
  });
}

}  // extern "C"
