#include "host_accelerator.h"

#include "recording.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/NativeFunctions.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

using host_accelerator::on_host;

namespace {

constexpr auto type = c10::DeviceType::PrivateUse1;
const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

std::atomic<int64_t> waits = 0;
/// Within an operator that the CPU computes for the device; its copies are not the program's.
thread_local bool is_computing = false;

constexpr size_t room = size_t(1) << 40;

struct Memory final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t count) override {
    void *memory = host_accelerator::allocate(count);
    return {memory, memory, &host_accelerator::release, c10::Device(type, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &host_accelerator::release; }
  void copy_data(void *to, const void *from, size_t count) const override { std::memcpy(to, from, count); }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr &, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    stats.reserved_bytes[0] = stats.allocated_bytes[0] = host_accelerator::held();
    return stats;
  }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex) override {}
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
    return {room - host_accelerator::held().current, room};
  }
};
Memory memory;

/// Memory of the CPU's that the device could read by itself.
struct LockedMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t count) override {
    void *memory = count ? std::malloc(count) : nullptr;
    return {memory, memory, &std::free, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void *to, const void *from, size_t count) const override { std::memcpy(to, from, count); }
};
LockedMemory locked;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return ::type; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return c10::Device(::type, 0); }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return c10::Stream(c10::Stream::DEFAULT, getDevice()); }
  c10::Stream getNewStream(c10::Device, int) const override { return getStream(getDevice()); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return getStream(getDevice()); }
  c10::Stream exchangeStream(c10::Stream) const override { return getStream(getDevice()); }
  void record(void **, const c10::Stream &, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void *, const c10::Stream &) const override {}
  bool queryEvent(void *) const override { return true; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void synchronizeDevice(const c10::DeviceIndex) const override { ++waits; }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::Allocator *getPinnedMemoryAllocator() const override { return &locked; }
};

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>, std::optional<at::Device>,
                 std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, keys, dtype.value_or(at::kFloat), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, keys, dtype.value_or(at::kFloat));
}

at::Tensor copied(const at::Tensor &from, const at::Tensor &to, bool runs_behind) {
  if (!is_computing) {
    if (to.is_cpu() || (from.is_cpu() && !runs_behind)) ++waits;
    if (host_accelerator::is_recording()) {
      TORCH_CHECK(!to.is_cpu() && !from.is_cpu(), "a recording neither reads nor writes the program's memory");
      host_accelerator::record_copy(from, to);
    }
  }
  on_host(to).copy_(on_host(from));
  return to;
}

const at::Tensor &resized(const at::Tensor &x, at::IntArrayRef size, std::optional<at::MemoryFormat>) {
  auto *self = x.unsafeGetTensorImpl();
  self->set_sizes_contiguous(size);
  const size_t needed = (self->numel() + self->storage_offset()) * self->itemsize();
  const auto &storage = self->unsafe_storage();
  if (storage.nbytes() < needed) {
    auto larger = memory.allocate(needed);
    std::memcpy(larger.get(), storage.data(), storage.nbytes());
    storage.set_data_ptr(std::move(larger));
    storage.set_nbytes(needed);
  }
  return x;
}

at::Tensor copied_resized(const at::Tensor &from, const at::Tensor &to) {
  resized(to, from.sizes(), std::nullopt);
  return copied(from, to, false);
}

void wait() {
  ++waits;
  TORCH_CHECK(!host_accelerator::is_recording(), "a recording cannot be waited for");
}

at::Scalar item(const at::Tensor &x) {
  if (!is_computing) wait();
  return on_host(x).item();
}

/// Whether an operator's result has a shape that depends on values, so that an accelerator is waited for.
bool makes_a_shape_of_values(const c10::OperatorHandle &op, const torch::jit::Stack &inputs) {
  static const std::set<std::string> names{"aten::nonzero",  "aten::masked_select", "aten::_unique2",
                                           "aten::bincount", "aten::unique_dim",    "aten::repeat_interleave"};
  const std::string &name = op.schema().name();
  if (names.contains(name)) return true;
  if (!name.starts_with("aten::index") && !name.starts_with("aten::_index_put")) return false;
  auto is_mask = [](const std::optional<at::Tensor> &x) {
    return x && x->defined() && (x->scalar_type() == at::kBool || x->scalar_type() == at::kByte);
  };
  for (const c10::IValue &value : inputs)
    if (value.isOptionalTensorList())
      for (const std::optional<at::Tensor> &x : value.toOptionalTensorVector())
        if (is_mask(x)) return true;
  return false;
}

void compute(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  const size_t inputs = op.schema().arguments().size();
  const torch::jit::Stack read(stack->end() - inputs, stack->end());
  if (!is_computing && makes_a_shape_of_values(op, read)) wait();
  const bool was = is_computing;
  is_computing = true;
  at::native::cpu_fallback(op, stack);
  is_computing = was;
  const size_t outputs = op.schema().returns().size();
  if (!is_computing && host_accelerator::is_recording())
    host_accelerator::record(op, read, {stack->end() - outputs, stack->end()});
}

}  // namespace

void host_accelerator_register(void) {
  if (c10::is_privateuse1_backend_registered()) return;
  c10::register_privateuse1_backend("host_accelerator");
  c10::SetAllocator(type, &memory);
  static Guard guard;
  static c10::impl::DeviceGuardImplRegistrar registrar(type, &guard);
  static Hooks hooks;
  at::RegisterPrivateUse1HooksInterface(&hooks);
  static torch::Library all(torch::Library::IMPL, "_", c10::DispatchKey::PrivateUse1, __FILE__, __LINE__);
  all.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
  static torch::Library own(torch::Library::IMPL, "aten", c10::DispatchKey::PrivateUse1, __FILE__, __LINE__);
  own.impl("empty.memory_format", empty);
  own.impl("empty_strided", empty_strided);
  own.impl("_copy_from", copied);
  own.impl("_copy_from_and_resize", copied_resized);
  own.impl("resize_", resized);
  own.impl("_local_scalar_dense", item);
  own.impl("view", at::native::view);
  own.impl("as_strided", at::native::as_strided_tensorimpl);
  own.impl("_reshape_alias", at::native::_reshape_alias);
}

int64_t host_accelerator_waits(void) { return waits; }
