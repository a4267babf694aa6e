import CZlib
import Foundation

/// A file read from front to back, inflated on the way where it is gzip.
final class ByteReader {
  private let handle: gzFile
  private let mustBeGzip: Bool
  private var checkedKind = false

  init(_ file: URL) throws(ByteReadingError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else { throw .absent }
    guard !isFolder.boolValue else { throw .isFolder }
    errno = 0
    guard let handle = gzopen(file.path, "rb") else { throw .unreadable(String(cString: strerror(errno))) }
    self.handle = handle
    mustBeGzip = file.pathExtension.lowercased() == "gz"
    gzbuffer(handle, 1 << 17)
  }

  deinit { gzclose_r(handle) }

  /// Fills the buffer from its start and returns how many bytes were read, 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ByteReadingError) -> Int {
    let count = gzread(handle, buffer.baseAddress, UInt32(min(buffer.count, Int(Int32.max))))
    if !checkedKind {
      checkedKind = true
      if mustBeGzip && gzdirect(handle) == 1 { throw .notGzip }
    }
    if count > 0 { return Int(count) }
    var status: Int32 = Z_OK
    let detail = gzerror(handle, &status).map { String(cString: $0) } ?? ""
    switch status {
    case Z_OK, Z_STREAM_END: return 0
    // zlib reports an early end only once, behind the bytes that it could still inflate.
    case Z_BUF_ERROR: throw .truncated
    case Z_ERRNO: throw .unreadable(String(cString: strerror(errno)))
    default: throw .corrupt(detail.split(separator: ": ").last.map(String.init) ?? detail)
    }
  }

  /// All bytes that are left.
  func readAll() throws(ByteReadingError) -> [UInt8] {
    var bytes: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 1)
    defer { chunk.deallocate() }
    while true {
      let count = try read(into: chunk)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}

enum ByteReadingError: Error {
  case absent, isFolder, unreadable(String), notGzip, truncated, corrupt(String)

  var problem: DataProblem.Kind {
    switch self {
    case .absent: .absent
    case .isFolder: .isFolder
    case .unreadable(let reason): .unreadable(reason: reason)
    case .notGzip: .notGzip
    case .truncated: .truncatedGzip
    case .corrupt(let detail): .corruptGzip(detail: detail)
    }
  }
}
