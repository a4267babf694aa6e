#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include "support.h"

namespace jay {

std::atomic<int64_t> live_handles{0};
static thread_local std::string last_error;
void set_error(const char *message) { last_error = message; }

at::ScalarType scalar_type(ct_dtype dtype) {
  switch (dtype) {
    case CT_FLOAT32: return at::kFloat;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_FLOAT16: return at::kHalf;
    case CT_FLOAT64: return at::kDouble;
    case CT_INT64: return at::kLong;
    case CT_INT32: return at::kInt;
    case CT_UINT8: return at::kByte;
    case CT_BOOL: return at::kBool;
    case CT_INT8: return at::kChar;
    case CT_INT16: return at::kShort;
  }
  TORCH_CHECK(false, "unknown dtype number ", static_cast<int>(dtype));
}

ct_dtype dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return CT_FLOAT32;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kHalf: return CT_FLOAT16;
    case at::kDouble: return CT_FLOAT64;
    case at::kLong: return CT_INT64;
    case at::kInt: return CT_INT32;
    case at::kByte: return CT_UINT8;
    case at::kBool: return CT_BOOL;
    case at::kChar: return CT_INT8;
    case at::kShort: return CT_INT16;
    default: TORCH_CHECK(false, "dtype ", c10::toString(type), " is not used by Jay");
  }
}

at::Device device_of(ct_device device) {
  switch (device.kind) {
    case CT_CPU: return at::Device(at::kCPU);
    case CT_CUDA: return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index));
    case CT_MPS: return at::Device(at::kMPS);
    case CT_CUSTOM: return at::Device(at::kPrivateUse1, static_cast<c10::DeviceIndex>(device.index));
  }
  TORCH_CHECK(false, "unknown device number ", static_cast<int>(device.kind));
}

}  // namespace jay

extern "C" {

const char *ct_last_error(void) { return jay::last_error.c_str(); }
const char *ct_torch_version(void) { return TORCH_VERSION; }
int64_t ct_live_handles(void) { return jay::live_handles.load(std::memory_order_relaxed); }

bool ct_device_available(ct_device_kind kind) {
  switch (kind) {
    case CT_CPU: return true;
    case CT_CUDA: return at::hasCUDA();
    case CT_MPS: return at::hasMPS();
    case CT_CUSTOM: return c10::is_privateuse1_backend_registered();
  }
  return false;
}

void ct_set_threads(int32_t count) { at::set_num_threads(count); }
int32_t ct_threads(void) { return at::get_num_threads(); }

int ct_synchronize(ct_device device) {
  return jay::guarded([&] {
    if (device.kind == CT_CPU) return;
    c10::impl::VirtualGuardImpl(jay::device_of(device).type()).synchronizeDevice(static_cast<c10::DeviceIndex>(device.index));
  });
}

int ct_device_memory(ct_device device, ct_memory *out, bool *known) {
  return jay::guarded([&] {
    *known = false;
    const at::Device on = jay::device_of(device);
    auto *allocator = on.is_cpu() ? nullptr : dynamic_cast<c10::DeviceAllocator *>(c10::GetAllocator(on.type()));
    if (!allocator || !allocator->initialized()) return;
    try {
      const auto stats = allocator->getDeviceStats(on.index());
      constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
      const auto &held = stats.reserved_bytes[all];
      const int64_t cached = held.current - stats.allocated_bytes[all].current;
      *out = {held.current, held.peak, static_cast<int64_t>(allocator->getMemoryInfo(on.index()).first) + cached};
      *known = true;
    } catch (const c10::NotImplementedError &) {
      // Not every device counts.
    }
  });
}

bool ct_set_gradient_mode(bool enabled) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return before;
}

void *ct_begin_inference(void) { return new c10::InferenceMode(true); }
void ct_end_inference(void *guard) { delete static_cast<c10::InferenceMode *>(guard); }
void ct_set_deterministic(bool enabled) { at::globalContext().setDeterministicAlgorithms(enabled, false); }

}  // extern "C"
