// What a device is asked to do, recorded once and asked for again as a whole: CUDA graphs. libtorch has an interface of them
// that devices implement, but CUDA's own stands beside it.
#include "support.h"

#if __has_include(<ATen/core/GraphImplInterface.h>)
#define JAY_GRAPHS 1
#include <ATen/core/GraphImplInterface.h>
#endif
#ifdef JAY_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/detail/CUDAHooksInterface.h>
#endif

#include <c10/core/impl/VirtualGuardImpl.h>

#include <functional>

namespace {

/// One recording, of whichever kind.
struct Graph {
  std::function<void(at::MempoolId_t)> begin;
  std::function<void()> end, replay;
  std::function<at::MempoolId_t()> pool;
};

template <typename Kind>
Graph graph_of(std::shared_ptr<Kind> kind) {
  return {[kind](at::MempoolId_t pool) { kind->capture_begin(pool); }, [kind] { kind->capture_end(); },
          [kind] { kind->replay(); }, [kind] { return kind->pool(); }};
}

bool is_supported(at::DeviceType type) {
#ifdef JAY_CUDA
  // Another version's headers may describe other classes than the library has.
  if (type == at::kCUDA) return at::hasCUDA() && at::detail::getCUDAHooks().versionCUDART() == CUDART_VERSION;
#endif
#ifdef JAY_GRAPHS
  return at::has_graph_impl(type);
#else
  return false;
#endif
}

Graph make(at::DeviceType type) {
#ifdef JAY_CUDA
  if (type == at::kCUDA) return graph_of(std::make_shared<at::cuda::CUDAGraph>());
#endif
#ifdef JAY_GRAPHS
  if (at::has_graph_impl(type)) return graph_of(std::shared_ptr<at::GraphImplInterface>(at::create_graph_impl(type)));
#endif
  TORCH_CHECK(false, "updates cannot be recorded on a device of kind ", type);
}

}  // namespace

struct ct_recording_impl {
  at::Device device;
  Graph graph;
  /// What is recorded stands on this stream, and work goes back to that before when the recording has ended.
  c10::Stream own, before;
  at::Device current;

  void leave() {
    const c10::impl::VirtualGuardImpl guard(device.type());
    guard.exchangeStream(before);
    guard.setDevice(current);
  }
};

extern "C" {

bool ct_recording_supported(ct_device device) { return is_supported(jay::device_of(device).type()); }

int ct_recording_begin(ct_device device, ct_recording shares, ct_recording *out) {
  return jay::guarded([&] {
    const at::Device on = jay::device_of(device);
    const c10::impl::VirtualGuardImpl guard(on.type());
    guard.synchronizeDevice(on.index());
    const c10::Stream own = shares ? shares->own : guard.getStreamFromGlobalPool(on);
    auto made = std::make_unique<ct_recording_impl>(
        ct_recording_impl{on, make(on.type()), own, guard.getStream(on), guard.getDevice()});
    guard.setDevice(on);
    guard.exchangeStream(own);
    try {
      made->graph.begin(shares ? shares->graph.pool() : at::MempoolId_t{0, 0});
    } catch (...) {
      made->leave();
      throw;
    }
    *out = made.release();
  });
}

int ct_recording_end(ct_recording recording) {
  return jay::guarded([&] {
    try {
      recording->graph.end();
    } catch (...) {
      recording->leave();
      throw;
    }
    recording->leave();
  });
}

int ct_recording_replay(ct_recording recording) {
  return jay::guarded([&] { recording->graph.replay(); });
}

void ct_recording_free(ct_recording recording) { delete recording; }

}  // extern "C"
