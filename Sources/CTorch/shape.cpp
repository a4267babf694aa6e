#include "support.h"

using jay::get;
using jay::list;

extern "C" {

int ct_reshape(ct_tensor x, const int64_t *shape, int32_t rank, ct_tensor *out) {
  CT_RETURN(get(x).reshape(list(shape, rank)));
}
int ct_permute(ct_tensor x, const int64_t *dims, int32_t rank, ct_tensor *out) {
  CT_RETURN(get(x).permute(list(dims, rank)));
}
int ct_expand(ct_tensor x, const int64_t *shape, int32_t rank, ct_tensor *out) {
  CT_RETURN(get(x).expand(list(shape, rank)));
}
int ct_transpose(ct_tensor x, int32_t a, int32_t b, ct_tensor *out) { CT_RETURN(get(x).transpose(a, b)); }
int ct_unsqueeze(ct_tensor x, int32_t dim, ct_tensor *out) { CT_RETURN(get(x).unsqueeze(dim)); }
int ct_squeeze(ct_tensor x, int32_t dim, ct_tensor *out) { CT_RETURN(get(x).squeeze(dim)); }
int ct_narrow(ct_tensor x, int32_t dim, int64_t start, int64_t length, ct_tensor *out) {
  CT_RETURN(get(x).narrow(dim, start, length));
}
int ct_select(ct_tensor x, int32_t dim, int64_t index, ct_tensor *out) { CT_RETURN(get(x).select(dim, index)); }
int ct_index_select(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor *out) {
  CT_RETURN(get(x).index_select(dim, get(index)));
}
int ct_gather(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor *out) { CT_RETURN(get(x).gather(dim, get(index))); }
int ct_cat(const ct_tensor *xs, int32_t count, int32_t dim, ct_tensor *out) { CT_RETURN(at::cat(list(xs, count), dim)); }
int ct_stack(const ct_tensor *xs, int32_t count, int32_t dim, ct_tensor *out) { CT_RETURN(at::stack(list(xs, count), dim)); }
int ct_one_hot(ct_tensor x, int64_t classes, ct_tensor *out) { CT_RETURN(at::one_hot(get(x), classes)); }

}  // extern "C"
