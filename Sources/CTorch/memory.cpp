// Memory of large tensors. A training step frees and asks for large blocks whose sizes follow the texts of its batch, and
// fresh pages cost more than the arithmetic on them, so what was freed is kept. In the C library's heap small blocks that
// stay between the large ones keep it from joining what was freed; here large blocks have addresses to themselves.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "support.h"

#if defined(__unix__) || defined(__APPLE__)

namespace {

constexpr size_t smallest = 32 << 10;
/// Addresses, not memory: pages come when they are first written.
constexpr size_t room = size_t(1) << 40;

/// Blocks of one range of addresses: the smallest free one that fits is cut, neighbours that are free are joined.
class Arena final : public c10::Allocator {
 public:
  /// Whether the system gave the addresses.
  bool open() {
    void *start = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return false;
    begin_ = static_cast<char *>(start);
    add_free(begin_, room);
    return true;
  }

  c10::DataPtr allocate(size_t count) override {
    // Whole pages, so that those of a free block can be given back.
    static const size_t page = sysconf(_SC_PAGESIZE);
    void *data = count < smallest ? nullptr : take((count + page - 1) / page * page);
    if (!data) data = c10::alloc_cpu(count);
    return {data, data, &release, at::Device(at::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void *to, const void *from, size_t count) const override { default_copy_data(to, from, count); }

  /// Gives the pages of free blocks back to the system.
  void trim() {
    const std::lock_guard lock(mutex_);
    for (const auto &[size, start] : by_size_) {
      // Beyond the highest block that was ever used nothing was written.
      const size_t used = start < highest_ ? std::min<size_t>(size, highest_ - start) : 0;
      if (used > 0) madvise(start, used, MADV_DONTNEED);
    }
    highest_ = by_size_.empty() ? highest_ : std::min(highest_, std::prev(free_.end())->first);
  }

 private:
  static void release(void *data);

  void *take(size_t size) {
    const std::lock_guard lock(mutex_);
    const auto found = by_size_.lower_bound({size, nullptr});
    if (found == by_size_.end()) return nullptr;
    const auto [whole, start] = *found;
    remove_free(start, whole);
    if (whole > size) add_free(start + size, whole - size);
    used_[start] = size;
    highest_ = std::max(highest_, start + size);
    return start;
  }

  void put(char *start) {
    const std::lock_guard lock(mutex_);
    const auto known = used_.find(start);
    size_t size = known->second;
    used_.erase(known);
    const auto after = free_.lower_bound(start);
    if (after != free_.end() && after->first == start + size) {
      size += after->second;
      remove_free(after->first, after->second);
    }
    const auto behind = free_.lower_bound(start);
    if (behind != free_.begin()) {
      const auto before = std::prev(behind);
      if (before->first + before->second == start) {
        start = before->first;
        size += before->second;
        remove_free(before->first, before->second);
      }
    }
    add_free(start, size);
  }

  void add_free(char *start, size_t size) { free_[start] = size, by_size_.insert({size, start}); }
  void remove_free(char *start, size_t size) { free_.erase(start), by_size_.erase({size, start}); }

  bool holds(void *data) const { return data >= begin_ && data < begin_ + room; }

  std::mutex mutex_;
  char *begin_ = nullptr, *highest_ = nullptr;
  std::map<char *, size_t> free_, used_;
  std::set<std::pair<size_t, char *>> by_size_;
};

/// Never destroyed: tensors that live until the process ends come back to it.
Arena *arena = nullptr;

void Arena::release(void *data) {
  if (arena->holds(data)) arena->put(static_cast<char *>(data));
  else c10::free_cpu(data);
}

}  // namespace

extern "C" {

bool ct_keep_freed_memory(void) {
  static const bool is_open = [] {
    // libtorch and oneDNN each keep the plans of the last 1024 products, a quarter of a megabyte apiece. Texts of new
    // lengths need new plans with every batch, so that only those of the batch itself are worth keeping.
    for (const char *cache : {"LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}) setenv(cache, "64", 0);
    arena = new Arena;
    if (!arena->open()) return false;
    c10::SetAllocator(c10::DeviceType::CPU, arena, 1);
    return true;
  }();
  return is_open;
}

void ct_release_freed_memory(void) {
  if (arena) arena->trim();
}

}  // extern "C"

#else

extern "C" {

bool ct_keep_freed_memory(void) { return false; }
void ct_release_freed_memory(void) {}

}  // extern "C"

#endif
