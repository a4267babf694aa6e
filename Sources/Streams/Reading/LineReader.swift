import Foundation

/// Parts a file into lines without holding more of it than the longest line.
struct LineReader {
  private let reader: ByteReader
  private var buffer = [UInt8](repeating: 0, count: 1 << 18)
  private var filled = 0

  init(_ file: URL) throws(ByteReadingError) { reader = try ByteReader(file) }

  /// Calls `body` with each line's number, from 1, and its bytes without the LF that ends it.
  ///
  /// A byte order mark at the start of the file is left out.
  mutating func forEach(_ body: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
    var number = 1
    var atEnd = false
    while !atEnd {
      if filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
      let read = try buffer.withUnsafeMutableBytes { try reader.read(into: .init(rebasing: $0[filled...])) }
      atEnd = read == 0
      filled += read
      let used = try buffer.withUnsafeBytes {
        try Self.lines(UnsafeRawBufferPointer(rebasing: $0[..<filled]), atEnd: atEnd, number: &number, body)
      }
      buffer.withUnsafeMutableBytes { $0.copyMemory(from: .init(rebasing: $0[used..<filled])) }
      filled -= used
    }
  }

  /// Visits the whole lines and returns how many bytes they took.
  private static func lines(
    _ bytes: UnsafeRawBufferPointer, atEnd: Bool, number: inout Int,
    _ body: (Int, UnsafeRawBufferPointer) throws -> Void
  ) rethrows -> Int {
    var start = 0
    while start < bytes.count, let base = bytes.baseAddress {
      let lineEnd = memchr(base + start, 0x0A, bytes.count - start).map { UnsafeRawPointer($0) - base }
      guard lineEnd != nil || atEnd else { break }
      let end = lineEnd ?? bytes.count
      var line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      if number == 1, line.starts(with: byteOrderMark) { line = UnsafeRawBufferPointer(rebasing: line.dropFirst(3)) }
      try body(number, line)
      number += 1
      start = min(end + 1, bytes.count)
    }
    return start
  }
}

/// U+FEFF in UTF-8, which some spreadsheets write at the start of a file.
let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
