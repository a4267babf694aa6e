#include "recording.h"

#include <ATen/CPUGeneratorImpl.h>

#if __has_include(<ATen/core/GraphImplInterface.h>)
#include <ATen/core/GraphImplInterface.h>
#endif

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace host_accelerator {
namespace {

// The backward pass runs on a thread of its own.
std::mutex access;
std::map<void *, size_t> blocks;
c10::CachingAllocator::Stat counted;
/// Not a number, in any floating dtype.
constexpr int broken = 0xFF;

struct Recorded {
  std::vector<std::function<void()>> work;
  /// What was allocated meanwhile. It is never freed: the processes of tests are short.
  std::vector<std::pair<void *, size_t>> own;
  /// What memory held before. Recording does nothing to it.
  std::vector<std::pair<void *, std::vector<char>>> before;
};
Recorded *current = nullptr;
int64_t recordings = 0;

c10::IValue on_host(const c10::IValue &value) {
  auto moved = [](const at::Tensor &x) { return x.defined() && x.is_privateuseone() ? host_accelerator::on_host(x) : x; };
  if (value.isTensor()) return moved(value.toTensor());
  if (value.isTensorList()) {
    c10::List<at::Tensor> all;
    for (const at::Tensor &x : value.toTensorVector()) all.push_back(moved(x));
    return all;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> all;
    for (const std::optional<at::Tensor> &x : value.toOptionalTensorVector()) all.push_back(x ? std::optional(moved(*x)) : x);
    return all;
  }
  TORCH_CHECK(!value.isDevice() || value.toDevice().is_cpu(), "an operator that names the device cannot be recorded here");
  return value;
}

/// Where a result of the replay is not yet where the recorded one was.
void put(const c10::IValue &from, const c10::IValue &to) {
  auto one = [](const at::Tensor &x, const at::Tensor &place) {
    if (place.defined() && place.data_ptr() != x.data_ptr()) place.copy_(x);
  };
  if (to.isTensor()) return one(from.toTensor(), to.toTensor());
  if (!to.isTensorList()) return;
  const auto results = from.toTensorVector(), places = to.toTensorVector();
  for (size_t i = 0; i < places.size(); ++i) one(results[i], places[i]);
}

}  // namespace

void *allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  void *memory = std::malloc(bytes);
  const std::lock_guard lock(access);
  counted.increase(bytes);
  if (current) current->own.push_back({memory, bytes});
  else blocks[memory] = bytes;
  return memory;
}

void release(void *memory) {
  const std::lock_guard lock(access);
  const auto found = blocks.find(memory);
  if (found == blocks.end()) return;
  counted.decrease(found->second);
  if (recordings > 0) std::memset(memory, broken, found->second);
  else std::free(memory);
  blocks.erase(found);
}

c10::CachingAllocator::Stat &held() { return counted; }

at::Tensor on_host(const at::Tensor &x) {
  return at::from_blob(x.data_ptr(), x.sizes(), x.strides(), at::TensorOptions().dtype(x.scalar_type()));
}

bool is_recording() {
  const std::lock_guard lock(access);
  return current;
}

void record(const c10::OperatorHandle &op, const torch::jit::Stack &inputs, const torch::jit::Stack &outputs) {
  torch::jit::Stack read, written;
  for (const c10::IValue &value : inputs) read.push_back(on_host(value));
  for (const c10::IValue &value : outputs) written.push_back(on_host(value));
  const std::lock_guard lock(access);
  current->work.push_back([op, read, written] {
    torch::jit::Stack stack = read;
    op.callBoxed(&stack);
    for (size_t i = 0; i < written.size(); ++i) put(stack[i], written[i]);
  });
}

void record_copy(const at::Tensor &from, const at::Tensor &to) {
  const at::Tensor source = on_host(from), place = on_host(to);
  const std::lock_guard lock(access);
  current->work.push_back([source, place] { place.copy_(source); });
}

#if __has_include(<ATen/core/GraphImplInterface.h>)
struct Graph final : at::GraphImplInterface {
  explicit Graph(const at::GraphImplArgs &) {}

  void capture_begin(at::MempoolId_t, at::GraphCaptureMode) override {
    draws = at::detail::getDefaultCPUGenerator().get_state();
    const std::lock_guard lock(access);
    ++recordings;
    current = &recorded;
    for (const auto &[memory, bytes] : blocks) {
      const auto *start = static_cast<char *>(memory);
      recorded.before.push_back({memory, {start, start + bytes}});
    }
  }

  void capture_end() override {
    const std::lock_guard lock(access);
    current = nullptr;
    for (const auto &[memory, values] : recorded.before)
      if (blocks.contains(memory)) std::memcpy(memory, values.data(), values.size());
    for (const auto &[memory, bytes] : recorded.own) std::memset(memory, broken, bytes);
    recorded.before.clear();
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_state(draws);
  }

  void replay() override {
    const at::NoGradGuard no_gradient;
    for (const auto &each : recorded.work) each();
  }

  void instantiate() override {}
  void reset() override {}
  at::MempoolId_t pool() const override { return {1, 0}; }
  void enable_debug_mode() override {}
  void debug_dump(const std::string &) override {}

  Recorded recorded;
  at::Tensor draws;
};
#endif

}  // namespace host_accelerator

#if __has_include(<ATen/core/GraphImplInterface.h>)
namespace at {
REGISTER_GRAPH_IMPL(HOST_ACCELERATOR, host_accelerator::Graph)
}
#endif
