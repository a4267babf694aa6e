#include <cstring>

#include "support.h"

using jay::get;
using jay::list;

extern "C" {

void ct_free(ct_tensor x) {
  jay::live_handles.fetch_sub(1, std::memory_order_relaxed);
  delete x;
}

int32_t ct_rank(ct_tensor x) { return static_cast<int32_t>(get(x).dim()); }
int64_t ct_size(ct_tensor x, int32_t dim) { return get(x).sizes()[static_cast<size_t>(dim)]; }
int64_t ct_count(ct_tensor x) { return get(x).numel(); }
ct_dtype ct_dtype_of(ct_tensor x) { return jay::dtype_of(get(x).scalar_type()); }

ct_device ct_device_of(ct_tensor x) {
  auto device = get(x).device();
  auto kind = device.is_cuda() ? CT_CUDA : device.is_mps() ? CT_MPS : device.is_privateuseone() ? CT_CUSTOM : CT_CPU;
  return ct_device{kind, kind == CT_CPU ? 0 : static_cast<int32_t>(device.index())};
}

bool ct_requires_gradient(ct_tensor x) { return get(x).requires_grad(); }
bool ct_is_same(ct_tensor x, ct_tensor y) { return get(x).is_same(get(y)); }

int ct_full(const int64_t *shape, int32_t rank, double value, ct_dtype dtype, ct_device device, ct_tensor *out) {
  CT_RETURN(at::full(list(shape, rank), value, jay::options(dtype, device)));
}
int ct_arange(int64_t start, int64_t end, ct_dtype dtype, ct_device device, ct_tensor *out) {
  CT_RETURN(at::arange(start, end, jay::options(dtype, device)));
}
int ct_eye(int64_t n, ct_dtype dtype, ct_device device, ct_tensor *out) {
  CT_RETURN(at::eye(n, jay::options(dtype, device)));
}

int ct_from_bytes(const void *bytes, const int64_t *shape, int32_t rank, ct_dtype dtype, ct_device device, ct_tensor *out) {
  return jay::guarded([&] {
    // From locked memory the copy runs behind the program; libtorch keeps that memory until it is done.
    const bool runs_behind = device.kind == CT_CUDA || device.kind == CT_CUSTOM;
    auto host = at::empty(list(shape, rank), at::TensorOptions().dtype(jay::scalar_type(dtype)).pinned_memory(runs_behind));
    std::memcpy(host.data_ptr(), bytes, host.nbytes());
    *out = jay::own(device.kind == CT_CPU ? host : host.to(jay::device_of(device), /*non_blocking=*/runs_behind));
  });
}

int ct_from_mapped(void *bytes, const int64_t *shape, int32_t rank, ct_dtype dtype, ct_release release, void *context, ct_tensor *out) {
  CT_RETURN(at::from_blob(bytes, list(shape, rank), [release, context](void *) { release(context); },
                          at::TensorOptions().dtype(jay::scalar_type(dtype))));
}

int ct_to_bytes(ct_tensor x, void *bytes, size_t length) {
  return jay::guarded([&] {
    auto host = get(x).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(host.nbytes() == length, "the tensor has ", host.nbytes(), " bytes, the buffer ", length);
    std::memcpy(bytes, host.data_ptr(), length);
  });
}

int ct_host(ct_tensor x, ct_tensor *out) { CT_RETURN(get(x).detach().to(at::kCPU).contiguous()); }
const void *ct_bytes(ct_tensor x) { return get(x).const_data_ptr(); }

int ct_to(ct_tensor x, ct_dtype dtype, ct_device device, ct_tensor *out) {
  CT_RETURN(get(x).to(jay::device_of(device), jay::scalar_type(dtype)));
}

int ct_item(ct_tensor x, double *out) {
  return jay::guarded([&] { *out = get(x).item().toDouble(); });
}

}  // extern "C"
