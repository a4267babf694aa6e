// Shared by the files of this target only: handles, status, conversions between Jay's numbers and libtorch's.
#pragma once
#include <ATen/ATen.h>
#include <atomic>
#include <string>
#include <vector>

#include "ctorch.h"

/// Whether the headers of CUDA's toolkit are at hand, which libtorch's own headers of CUDA include.
#if __has_include(<cuda_runtime.h>) && __has_include(<crt/host_config.h>) && __has_include(<nv/target>)
#define JAY_CUDA 1
#endif

struct ct_tensor_impl {
  at::Tensor value;
};

namespace jay {

extern std::atomic<int64_t> live_handles;
void set_error(const char *message);

inline const at::Tensor &get(ct_tensor x) { return x->value; }
inline at::Tensor get_or_undefined(ct_tensor x) { return x ? x->value : at::Tensor(); }

inline ct_tensor own(at::Tensor value) {
  live_handles.fetch_add(1, std::memory_order_relaxed);
  return new ct_tensor_impl{std::move(value)};
}

inline at::IntArrayRef list(const int64_t *values, int32_t count) {
  return at::IntArrayRef(values, static_cast<size_t>(count));
}

inline std::vector<at::Tensor> list(const ct_tensor *xs, int32_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (int32_t i = 0; i < count; ++i) result.push_back(xs[i]->value);
  return result;
}

at::ScalarType scalar_type(ct_dtype dtype);
ct_dtype dtype_of(at::ScalarType type);
at::Device device_of(ct_device device);

inline at::TensorOptions options(ct_dtype dtype, ct_device device) {
  return at::TensorOptions().dtype(scalar_type(dtype)).device(device_of(device));
}

template <typename Body>
int guarded(Body body) {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    set_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return 1;
}

}  // namespace jay

/// The whole body of a shim function that makes one tensor.
#define CT_RETURN(expression) return jay::guarded([&] { *out = jay::own(expression); })
