// Rotary positions: the halves of each head's vector rotated against each other, in one pass in place of six operations.
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "support.h"

using jay::get, jay::store;

namespace {

/// Rotates each head's vector, or does what its gradient needs: the other way round.
template <typename T>
JAY_INLINE void rotate(const T *x, const T *cos, const T *sin, int64_t heads, int64_t width, bool is_backward, T *out) {
  const int64_t half = width / 2;
  for (int64_t h = 0; h < heads; ++h, x += width, out += width) {
    const T *high = x + half;
    if (is_backward) {
      for (int64_t d = 0; d < half; ++d) {
        store(float(x[d]) * float(cos[d]) + float(high[d]) * float(sin[d + half]), out + d);
        store(float(high[d]) * float(cos[d + half]) - float(x[d]) * float(sin[d]), out + d + half);
      }
    } else {
      for (int64_t d = 0; d < half; ++d) {
        store(float(x[d]) * float(cos[d]) - float(high[d]) * float(sin[d]), out + d);
        store(float(high[d]) * float(cos[d + half]) + float(x[d]) * float(sin[d + half]), out + d + half);
      }
    }
  }
}

JAY_VECTOR void rotate_token(const float *x, const float *c, const float *s, int64_t heads, int64_t width, bool back, float *out) {
  rotate(x, c, s, heads, width, back, out);
}
JAY_VECTOR void rotate_token(const at::BFloat16 *x, const at::BFloat16 *c, const at::BFloat16 *s, int64_t heads, int64_t width,
                             bool back, at::BFloat16 *out) {
  rotate(x, c, s, heads, width, back, out);
}

/// x `[rows, length, heads, width]`, angles `[rows or 1, length, 1, width]`, all contiguous.
template <typename T>
void rotate_tokens(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, bool is_backward, const at::Tensor &out) {
  const int64_t length = x.size(1), heads = x.size(2), width = x.size(3), size = heads * width;
  const bool shares = cos.size(0) == 1;
  const T *from = jay::read<T>(x), *cosines = jay::read<T>(cos), *sines = jay::read<T>(sin);
  T *to = out.data_ptr<T>();
  jay::parallel_for(x.size(0) * length, std::max<int64_t>(1, 16384 / size), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const int64_t angle = (shares ? n % length : n) * width;
      rotate_token(from + n * size, cosines + angle, sines + angle, heads, width, is_backward, to + n * size);
    }
  });
}

at::Tensor rotated(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin, bool is_backward) {
  const auto tokens = x.contiguous();
  auto out = at::empty_like(tokens);
  if (tokens.scalar_type() == at::kFloat) rotate_tokens<float>(tokens, cos, sin, is_backward, out);
  else rotate_tokens<at::BFloat16>(tokens, cos, sin, is_backward, out);
  return out;
}

/// The angles are not differentiated.
struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &cos,
                            const at::Tensor &sin) {
    context->save_for_backward({cos, sin});
    return rotated(x, cos, sin, false);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext *context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    return {rotated(gradients[0], saved[0], saved[1], true), at::Tensor(), at::Tensor()};
  }
};

bool has_kernel(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin) {
  const auto type = x.scalar_type();
  return x.is_cpu() && cos.is_cpu() && sin.is_cpu() && (type == at::kFloat || type == at::kBFloat16) && cos.scalar_type() == type &&
         sin.scalar_type() == type && x.dim() == 4 && x.size(3) % 2 == 0 && cos.dim() == 4 && cos.sizes() == sin.sizes() &&
         (cos.size(0) == 1 || cos.size(0) == x.size(0)) && cos.size(1) == x.size(1) && cos.size(2) == 1 &&
         cos.size(3) == x.size(3);
}

at::Tensor rotation(const at::Tensor &x, const at::Tensor &cos, const at::Tensor &sin) {
  if (has_kernel(x, cos, sin)) return Rotation::apply(x, cos.contiguous(), sin.contiguous());
  const auto halves = x.chunk(2, -1);
  return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

}  // namespace

extern "C" {

int ct_rotate(ct_tensor x, ct_tensor cos, ct_tensor sin, ct_tensor *out) {
  CT_RETURN(rotation(get(x), get(cos), get(sin)));
}

}  // extern "C"
