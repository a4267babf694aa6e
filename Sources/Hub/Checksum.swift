import Crypto
import Foundation

/// The hash that a file's entity tag stands for.
enum Checksum: Equatable {
  /// Of large files.
  case sha256(String)
  /// Of small files: git's name of their contents.
  case gitBlob(String)

  /// `nil` for a tag that is no hash.
  init?(etag: String) {
    if isHex(etag, digits: 64) {
      self = .sha256(etag)
    } else if isHex(etag, digits: 40) {
      self = .gitBlob(etag)
    } else {
      return nil
    }
  }

  var expected: String {
    switch self {
    case .sha256(let text), .gitBlob(let text): text
    }
  }

  /// The hash of the same kind that a file has.
  func found(in file: URL) throws -> String {
    switch self {
    case .sha256: try Self.hash(file, SHA256())
    case .gitBlob: try Self.hash(file, Insecure.SHA1()) { Data("blob \($0)\0".utf8) }
    }
  }

  private static func hash<Function: HashFunction>(
    _ file: URL, _ start: Function, header: (UInt64) -> Data = { _ in Data() }
  ) throws -> String {
    var function = start
    let handle = try FileHandle(forReadingFrom: file)
    defer { try? handle.close() }
    function.update(data: header(try handle.seekToEnd()))
    try handle.seek(toOffset: 0)
    while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { function.update(data: piece) }
    return function.finalize().map { String(format: "%02x", $0) }.joined()
  }
}
