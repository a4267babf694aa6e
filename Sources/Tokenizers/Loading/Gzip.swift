import CZlib
import Foundation

/// Files packed by gzip.
enum Gzip {
  /// All of a file, unpacked.
  static func read(_ url: URL) throws(TokenizerError) -> [UInt8] {
    errno = 0
    guard let file = gzopen(url.path, "rb") else { throw unreadable(url) }
    defer { gzclose_r(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 17)
    while true {
      let count = gzread(file, &chunk, UInt32(chunk.count))
      guard count > 0 else { break }
      bytes += chunk[..<Int(count)]
    }
    var status: Int32 = Z_OK
    gzerror(file, &status)
    if status == Z_ERRNO { throw unreadable(url) }
    // zlib hands out files that are not packed as they are.
    guard status == Z_OK || status == Z_STREAM_END, gzdirect(file) == 0 else {
      throw .inconsistent(file: url.path, path: "the archive", problem: "it is not gzip, or damaged or cut short")
    }
    return bytes
  }

  private static func unreadable(_ url: URL) -> TokenizerError {
    .unreadable(file: url.path, reason: String(cString: strerror(errno)))
  }
}
