import Foundation

/// A file that grows while it comes and takes its name when it is whole.
final class PartialFile {
  let url: URL
  private let descriptor: Int32
  private(set) var count: Int64

  /// Opens what an earlier download left, or begins anew.
  init(_ url: URL) throws {
    self.url = url
    descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw HubError.cannotWrite(path: url.path, code: errno) }
    count = Int64(lseek(descriptor, 0, SEEK_END))
  }

  deinit { close(descriptor) }

  func append(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      var written = 0
      while written < bytes.count {
        let result = Self.write(descriptor, start + written, bytes.count - written)
        if result < 0, errno == EINTR { continue }
        guard result > 0 else { throw HubError.cannotWrite(path: url.path, code: errno) }
        (written, count) = (written + result, count + Int64(result))
      }
    }
  }

  func startOver() throws {
    guard ftruncate(descriptor, 0) == 0 else { throw HubError.cannotWrite(path: url.path, code: errno) }
    count = Int64(lseek(descriptor, 0, SEEK_SET))
  }

  /// Flushes to the disk and takes the final name.
  func commit(as target: URL) throws {
    guard fsync(descriptor) == 0, rename(url.path, target.path) == 0 else {
      throw HubError.cannotWrite(path: target.path, code: errno)
    }
  }

  func delete() { unlink(url.path) }

  // The method's own name hides the system's.
  private static func write(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, start, count)
    #else
      Darwin.write(descriptor, start, count)
    #endif
  }
}
