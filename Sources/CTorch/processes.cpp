// Several processes that train together: libtorch's c10d, over Gloo and, for tensors of CUDA, NCCL. Their headers need
// Gloo's and NCCL's own, which the wheel of libtorch does not bring. Without Gloo's (Debian: libgloo-dev) everything here says
// that it is not there; without NCCL's tensors of an accelerator go through the CPU.
#include "support.h"

#if __has_include(<gloo/context.h>)
#define JAY_GLOO 1
#include <c10/util/Logging.h>

#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#if defined(JAY_CUDA) && __has_include(<nccl.h>)
#define JAY_NCCL 1
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

using jay::get;

#ifdef JAY_GLOO

namespace {

std::chrono::milliseconds milliseconds(double seconds) { return std::chrono::milliseconds(int64_t(seconds * 1000)); }

/// Whether GPUs can exchange tensors themselves. Another version's headers may describe other classes than the library has.
bool has_nccl() {
#ifdef JAY_NCCL
  constexpr uint64_t version = uint64_t(NCCL_MAJOR) << 32 | uint64_t(NCCL_MINOR) << 16 | NCCL_PATCH;
  return at::hasCUDA() && torch::cuda::nccl::version() == version;
#else
  return false;
#endif
}

}  // namespace

struct ct_processes_impl {
  c10::intrusive_ptr<c10d::Store> store;
  int32_t rank, count;
  double seconds;
  c10::intrusive_ptr<c10d::Backend> hosts;
  /// Of the devices themselves, from their first tensor on.
  c10::intrusive_ptr<c10d::Backend> devices;

  /// The group that takes tensors of this device as they are; null where there is none.
  c10d::Backend *on(const at::Device &device) {
    if (device.is_cpu()) return hosts.get();
#ifdef JAY_NCCL
    if (!device.is_cuda() || !has_nccl()) return nullptr;
    if (!devices) {
      // What another process does not answer in time is an exception here; NCCL's own way is to end the process.
      setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
      auto settings = c10d::ProcessGroupNCCL::Options::create();
      settings->timeout = milliseconds(seconds);
      devices = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, count, settings);
    }
#endif
    return devices.get();
  }

  /// Begins what `call` asks of the group for a tensor.
  template <typename Call>
  ct_exchange begin(const at::Tensor &value, const Call &call);
};

struct ct_exchange_impl {
  c10::intrusive_ptr<c10d::Work> work;
  /// What was asked for, and what travels: the same, or a copy of it on the CPU.
  at::Tensor value, travelling;
};

template <typename Call>
ct_exchange ct_processes_impl::begin(const at::Tensor &value, const Call &call) {
  c10d::Backend *group = on(value.device());
  std::vector<at::Tensor> tensors{group ? value : value.to(at::kCPU)};
  return new ct_exchange_impl{call(group ? *group : *hosts, tensors), value, tensors[0]};
}

extern "C" {

bool ct_processes_supported(void) { return true; }
bool ct_processes_use_nccl(void) { return has_nccl(); }

int ct_processes_join(const char *host, uint16_t port, bool serves, const char *interface, int32_t rank, int32_t count,
                      double meeting_seconds, double seconds, ct_processes *out) {
  return jay::guarded([&] {
    // What fails comes as an exception; c10d would print its own stack beside it.
    FLAGS_caffe2_log_level = c10::GLOG_FATAL;
    const std::string meeting = host, network = interface;
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves;
    options.numWorkers = count;
    options.waitWorkers = false;
    options.timeout = milliseconds(meeting_seconds);
    auto store = c10::make_intrusive<c10d::PrefixStore>("jay", c10::make_intrusive<c10d::TCPStore>(meeting, options));
    auto settings = c10d::ProcessGroupGloo::Options::create(milliseconds(meeting_seconds));
    using Group = c10d::ProcessGroupGloo;
    settings->devices.push_back(!network.empty()         ? Group::createDeviceForInterface(network)
                                : meeting == "127.0.0.1" ? Group::createDeviceForHostname(meeting)
                                                         : Group::createDefaultDevice());
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, count, settings);
    group->setTimeout(milliseconds(seconds));
    *out = new ct_processes_impl{std::move(store), rank, count, seconds, std::move(group), nullptr};
  });
}

void ct_processes_leave(ct_processes group) { delete group; }

int ct_sum_begin(ct_processes group, ct_tensor x, ct_exchange *out) {
  return jay::guarded([&] {
    *out = group->begin(get(x), [](c10d::Backend &on, std::vector<at::Tensor> &tensors) { return on.allreduce(tensors); });
  });
}

int ct_copy_begin(ct_processes group, ct_tensor x, int32_t from, ct_exchange *out) {
  return jay::guarded([&] {
    c10d::BroadcastOptions options;
    options.rootRank = from;
    *out = group->begin(get(x), [&](c10d::Backend &on, std::vector<at::Tensor> &tensors) { return on.broadcast(tensors, options); });
  });
}

int ct_exchange_end(ct_exchange exchange) {
  const std::unique_ptr<ct_exchange_impl> owned(exchange);
  return jay::guarded([&] {
    at::NoGradGuard no_gradient;
    owned->work->wait();
    if (!owned->travelling.is_same(owned->value)) owned->value.copy_(owned->travelling);
  });
}

}  // extern "C"

#else

extern "C" {

bool ct_processes_supported(void) { return false; }
bool ct_processes_use_nccl(void) { return false; }

int ct_processes_join(const char *, uint16_t, bool, const char *, int32_t, int32_t, double, double, ct_processes *) {
  return jay::guarded([] { TORCH_CHECK(false, "built without Gloo's headers"); });
}

void ct_processes_leave(ct_processes) {}
int ct_sum_begin(ct_processes, ct_tensor, ct_exchange *) { return 1; }
int ct_copy_begin(ct_processes, ct_tensor, int32_t, ct_exchange *) { return 1; }
int ct_exchange_end(ct_exchange) { return 1; }

}  // extern "C"

#endif
