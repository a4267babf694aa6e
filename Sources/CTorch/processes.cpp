// Several processes that train together: libtorch's c10d over Gloo. Its header needs Gloo's own, which the wheel of
// libtorch does not bring; without them (Debian: libgloo-dev) everything here says that it is not there.
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
#endif

using jay::get;

#ifdef JAY_GLOO

struct ct_processes_impl {
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group;
};

struct ct_exchange_impl {
  c10::intrusive_ptr<c10d::Work> work;
  at::Tensor value;
};

extern "C" {

bool ct_processes_supported(void) { return true; }

int ct_processes_join(const char *host, uint16_t port, bool serves, const char *interface, int32_t rank, int32_t count,
                      double meeting_seconds, double seconds, ct_processes *out) {
  return jay::guarded([&] {
    auto milliseconds = [](double seconds) { return std::chrono::milliseconds(int64_t(seconds * 1000)); };
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
    *out = new ct_processes_impl{std::move(group)};
  });
}

void ct_processes_leave(ct_processes group) { delete group; }

int ct_sum_begin(ct_processes group, ct_tensor x, ct_exchange *out) {
  return jay::guarded([&] {
    std::vector<at::Tensor> tensors{get(x)};
    *out = new ct_exchange_impl{group->group->allreduce(tensors), get(x)};
  });
}

int ct_copy_begin(ct_processes group, ct_tensor x, int32_t from, ct_exchange *out) {
  return jay::guarded([&] {
    std::vector<at::Tensor> tensors{get(x)};
    c10d::BroadcastOptions options;
    options.rootRank = from;
    *out = new ct_exchange_impl{group->group->broadcast(tensors, options), get(x)};
  });
}

int ct_exchange_end(ct_exchange exchange) {
  const std::unique_ptr<ct_exchange_impl> owned(exchange);
  return jay::guarded([&] { owned->work->wait(); });
}

}  // extern "C"

#else

extern "C" {

bool ct_processes_supported(void) { return false; }

int ct_processes_join(const char *, uint16_t, bool, const char *, int32_t, int32_t, double, double, ct_processes *) {
  return jay::guarded([] { TORCH_CHECK(false, "built without Gloo's headers"); });
}

void ct_processes_leave(ct_processes) {}
int ct_sum_begin(ct_processes, ct_tensor, ct_exchange *) { return 1; }
int ct_copy_begin(ct_processes, ct_tensor, int32_t, ct_exchange *) { return 1; }
int ct_exchange_end(ct_exchange) { return 1; }

}  // extern "C"

#endif
