#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "support.h"

using jay::get;

namespace {

struct Notice final : torch::autograd::PostAccumulateGradHook {
  void (*ready)(void *);
  void *context;
  ct_release release;

  Notice(void (*ready)(void *), void *context, ct_release release) : ready(ready), context(context), release(release) {}
  ~Notice() override { release(context); }
  void operator()(const torch::autograd::Variable &) override { ready(context); }
};

}  // namespace

extern "C" {

int ct_on_gradient(ct_tensor leaf, void (*ready)(void *context), void *context, ct_release release) {
  return jay::guarded([&] {
    torch::autograd::impl::set_post_acc_grad_hooks(
        get(leaf), ready ? std::make_unique<Notice>(ready, context, release) : nullptr);
  });
}

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
