#include <cmath>
#include <limits>

#include "kernels.h"
#include "support.h"

using jay::get;

extern "C" {

int ct_softmax(ct_tensor x, int32_t dim, ct_tensor *out) { CT_RETURN(at::softmax(get(x), dim)); }
int ct_log_softmax(ct_tensor x, int32_t dim, ct_tensor *out) { CT_RETURN(at::log_softmax(get(x), dim)); }

// Batched products: on the CPU libtorch's fused kernel costs more in its backward pass than the products it saves
// at the lengths of short texts (see Docs/Performance.md).
int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, bool fused, double scale, double dropout,
                 uint64_t seed, uint64_t offset, ct_tensor *out) {
  return jay::guarded([&] {
    TORCH_CHECK(!(mask && causal), "attention is causal or has a mask, not both");
    if (fused) {
      if (dropout > 0) jay::seed_generators(seed, offset);
      const auto bias = mask ? std::optional(get(mask).to(get(q).scalar_type())) : std::nullopt;
      *out = jay::own(at::scaled_dot_product_attention(get(q), get(k), get(v), bias, dropout, causal, scale));
      return;
    }
    auto scores = at::matmul(get(q) * scale, get(k).transpose(-2, -1));
    if (mask) scores = scores + get(mask);
    if (causal) {
      const auto later = at::ones({scores.size(-2), scores.size(-1)}, scores.options().dtype(at::kBool)).triu(1);
      scores = scores.masked_fill(later, -std::numeric_limits<double>::infinity());
    }
    auto weights = at::softmax(scores, -1);
    if (dropout > 0) weights = jay::dropout(weights, dropout, seed, offset);
    *out = jay::own(at::matmul(weights, get(v)));
  });
}

int ct_dropout(ct_tensor x, double probability, uint64_t seed, uint64_t offset, ct_tensor *out) {
  CT_RETURN(jay::dropout(get(x), probability, seed, offset));
}

}  // extern "C"
