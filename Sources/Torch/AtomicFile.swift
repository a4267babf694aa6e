public import Foundation

/// A file that appears whole or not at all: written under a temporary name in the same folder, flushed, renamed.
/// Dropped without `commit()`, it leaves nothing behind.
public final class AtomicFile {
  private let url: URL
  private let temporary: URL
  private var descriptor: Int32

  public init(_ url: URL) throws {
    self.url = url
    temporary = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(getpid()).tmp")
    descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError.current(.create, url) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary.path)
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let start = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      #if canImport(Glibc)
        let count = Glibc.write(descriptor, start + written, bytes.count - written)
      #else
        let count = Darwin.write(descriptor, start + written, bytes.count - written)
      #endif
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError.current(.write, url) }
      written += count
    }
  }

  /// Flushes to the disk and takes the final name.
  public func commit() throws {
    guard fsync(descriptor) == 0 else { throw FileError.current(.write, url) }
    close(descriptor)
    descriptor = -1
    guard rename(temporary.path, url.path) == 0 else {
      let error = FileError.current(.write, url)
      unlink(temporary.path)
      throw error
    }
  }

  /// Writes `data` in one go.
  public static func write(_ data: Data, to url: URL) throws {
    let file = try AtomicFile(url)
    try data.withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  public static func write(_ text: String, to url: URL) throws { try write(Data(text.utf8), to: url) }
}

/// A file or folder that cannot be written.
public struct FileError: LocalizedError, CustomStringConvertible {
  public enum Action: String, Sendable { case create, write }
  public let action: Action
  public let path: String
  public let code: Int32

  static func current(_ action: Action, _ url: URL) -> FileError {
    FileError(action: action, path: url.path, code: errno)
  }

  public init(action: Action, path: String, code: Int32) {
    (self.action, self.path, self.code) = (action, path, code)
  }

  public var description: String {
    let advice =
      switch code {
      case ENOSPC, EDQUOT:
        "Free some space and run the command again, an interrupted run with --resume: nothing written so far is lost."
      case EROFS, EACCES, EPERM: "Choose a folder you may write to."
      case ENOENT: "Create the folder first."
      case ENOTDIR, EISDIR: "Choose another path."
      default: "Check the disk and run the same command again."
      }
    return "cannot \(action.rawValue) \(path): \(String(cString: strerror(code))). \(advice)"
  }
  public var errorDescription: String? { description }
}
