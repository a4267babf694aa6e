#include <cstring>

#include "kernels.h"
#include "support.h"

using jay::get;
using jay::list;

#undef CT_UNARY
#undef CT_BINARY
#define CT_UNARY(name, expression) \
  int ct_##name(ct_tensor handle, ct_tensor *out) { const at::Tensor &x = get(handle); CT_RETURN(expression); }
#define CT_BINARY(name, expression)                                        \
  int ct_##name(ct_tensor left, ct_tensor right, ct_tensor *out) {         \
    const at::Tensor &x = get(left), &y = get(right); CT_RETURN(expression); \
  }

extern "C" {

CT_UNARY(neg, -x)
CT_UNARY(abs, x.abs())
CT_UNARY(exp, x.exp())
CT_UNARY(log, x.log())
CT_UNARY(sqrt, x.sqrt())
CT_UNARY(rsqrt, x.rsqrt())
CT_UNARY(square, x.square())
CT_UNARY(reciprocal, x.reciprocal())
CT_UNARY(tanh, x.tanh())
CT_UNARY(sigmoid, x.sigmoid())
CT_UNARY(relu, x.relu())
CT_UNARY(silu, at::silu(x))
CT_UNARY(softplus, at::softplus(x))
CT_UNARY(sign, x.sign())
CT_UNARY(sin, x.sin())
CT_UNARY(cos, x.cos())
CT_UNARY(isfinite, at::isfinite(x))
CT_UNARY(logical_not, x.logical_not())
CT_UNARY(floor, x.floor())
CT_UNARY(clone, x.clone())
CT_UNARY(detach, x.detach())
CT_UNARY(contiguous, x.contiguous())

int ct_gelu(ct_tensor x, bool tanh_approximation, ct_tensor *out) {
  CT_RETURN(at::gelu(get(x), tanh_approximation ? "tanh" : "none"));
}
int ct_clamp(ct_tensor x, double low, double high, ct_tensor *out) { CT_RETURN(get(x).clamp(low, high)); }
int ct_pow_scalar(ct_tensor x, double exponent, ct_tensor *out) { CT_RETURN(get(x).pow(exponent)); }
int ct_add_scalar(ct_tensor x, double y, ct_tensor *out) { CT_RETURN(get(x).add(y)); }
int ct_mul_scalar(ct_tensor x, double y, ct_tensor *out) { CT_RETURN(get(x).mul(y)); }

CT_BINARY(add, x + y)
CT_BINARY(sub, x - y)
CT_BINARY(mul, x * y)
CT_BINARY(div, x / y)
CT_BINARY(maximum, at::maximum(x, y))
CT_BINARY(minimum, at::minimum(x, y))
CT_BINARY(eq, x == y)
CT_BINARY(ne, x != y)
CT_BINARY(lt, x < y)
CT_BINARY(le, x <= y)
CT_BINARY(gt, x > y)
CT_BINARY(ge, x >= y)
CT_BINARY(logical_and, x.logical_and(y))
CT_BINARY(logical_or, x.logical_or(y))
CT_BINARY(matmul, x.matmul(y))

int ct_where(ct_tensor condition, ct_tensor x, ct_tensor y, ct_tensor *out) {
  CT_RETURN(at::where(get(condition), get(x), get(y)));
}
int ct_masked_fill(ct_tensor x, ct_tensor mask, double value, ct_tensor *out) {
  CT_RETURN(get(x).masked_fill(get(mask), value));
}

int ct_add_(ct_tensor x, ct_tensor y, double alpha) {
  return jay::guarded([&] { x->value.add_(get(y), alpha); });
}
int ct_addcmul_(ct_tensor x, ct_tensor y, ct_tensor z, double alpha) {
  return jay::guarded([&] { x->value.addcmul_(get(y), get(z), alpha); });
}
int ct_mul_(ct_tensor x, ct_tensor y) {
  return jay::guarded([&] { x->value.mul_(get(y)); });
}
int ct_mul_scalar_(ct_tensor x, double y) {
  return jay::guarded([&] { x->value.mul_(y); });
}
int ct_copy_(ct_tensor x, ct_tensor y) {
  return jay::guarded([&] { x->value.copy_(get(y)); });
}
int ct_fill_(ct_tensor x, double value) {
  return jay::guarded([&] { x->value.fill_(value); });
}
int ct_index_copy_(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor y) {
  return jay::guarded([&] { x->value.index_copy_(dim, get(index), get(y)); });
}
int ct_index_fill_(ct_tensor x, int32_t dim, ct_tensor index, double value) {
  return jay::guarded([&] {
    const at::Tensor &rows = x->value, &chosen = get(index);
    // libtorch walks the rows element by element.
    if (value != 0 || dim != 0 || !rows.is_cpu() || !chosen.is_cpu() || rows.requires_grad() ||
        !rows.is_contiguous() || !chosen.is_contiguous() ||
        chosen.scalar_type() != at::kLong || rows.numel() == 0)
      return void(x->value.index_fill_(dim, chosen, value));
    const int64_t count = rows.size(0), *row = jay::read<int64_t>(chosen);
    jay::check_rows(chosen, count);
    const size_t bytes = rows.numel() / count * rows.element_size();
    char *to = static_cast<char *>(x->value.data_ptr());
    jay::parallel_for(chosen.numel(), std::max<int64_t>(1, 65536 / bytes), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) std::memset(to + row[i] * bytes, 0, bytes);
    });
    jay::note_written(rows);
  });
}

int ct_sum(ct_tensor x, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out) {
  CT_RETURN(rank == 0 ? get(x).sum() : get(x).sum(list(dims, rank), keep));
}
int ct_mean(ct_tensor x, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out) {
  CT_RETURN(rank == 0 ? get(x).mean() : get(x).mean(list(dims, rank), keep));
}
int ct_norm(ct_tensor x, double p, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out) {
  auto type = get(x).scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  CT_RETURN(rank == 0 ? at::linalg_vector_norm(get(x), p, std::nullopt, false, type)
                      : at::linalg_vector_norm(get(x), p, list(dims, rank), keep, type));
}
int ct_amax(ct_tensor x, int32_t dim, bool keep, ct_tensor *out) { CT_RETURN(get(x).amax(dim, keep)); }
int ct_amin(ct_tensor x, int32_t dim, bool keep, ct_tensor *out) { CT_RETURN(get(x).amin(dim, keep)); }
int ct_argmax(ct_tensor x, int32_t dim, ct_tensor *out) {
  CT_RETURN(jay::can_find_largest(get(x), dim) ? jay::largest_places(get(x)) : get(x).argmax(dim));
}
int ct_logsumexp(ct_tensor x, int32_t dim, bool keep, ct_tensor *out) { CT_RETURN(get(x).logsumexp(dim, keep)); }
int ct_cumsum(ct_tensor x, int32_t dim, ct_tensor *out) { CT_RETURN(get(x).cumsum(dim)); }
int ct_all(ct_tensor x, ct_tensor *out) { CT_RETURN(get(x).all()); }

int ct_sort(ct_tensor x, int32_t dim, bool descending, ct_tensor *values, ct_tensor *indices) {
  return jay::guarded([&] {
    auto [sorted, order] = get(x).sort(/*stable=*/std::optional<bool>(true), dim, descending);
    *values = jay::own(sorted);
    *indices = jay::own(order);
  });
}
int ct_topk(ct_tensor x, int64_t k, int32_t dim, ct_tensor *values, ct_tensor *indices) {
  return jay::guarded([&] {
    auto [top, order] = get(x).topk(k, dim);
    *values = jay::own(top);
    *indices = jay::own(order);
  });
}

int ct_svd(ct_tensor x, ct_tensor *u, ct_tensor *s, ct_tensor *vh) {
  return jay::guarded([&] {
    auto [left, singular, right] = at::linalg_svd(get(x), /*full_matrices=*/false);
    *u = jay::own(left);
    *s = jay::own(singular);
    *vh = jay::own(right);
  });
}
int ct_qr(ct_tensor x, ct_tensor *q, ct_tensor *r) {
  return jay::guarded([&] {
    auto [orthogonal, triangular] = at::linalg_qr(get(x));
    *q = jay::own(orthogonal);
    *r = jay::own(triangular);
  });
}
int ct_solve(ct_tensor a, ct_tensor b, ct_tensor *out) { CT_RETURN(at::linalg_solve(get(a), get(b))); }

}  // extern "C"
