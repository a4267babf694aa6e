import Foundation

/// Texts of the development data.
enum Corpora {
  /// Bytes of each file in which the lines of its beginning start.
  private static let beginning = 8192

  /// All strings of the records of a collection's files.
  static func texts(of collection: String, isWhole: Bool) throws -> [String] {
    let folder = Fixtures.data.appendingPathComponent(collection)
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return try paths.filter { $0.hasSuffix(".jsonl.gz") }
      .sorted { $0.split(separator: "/").lexicographicallyPrecedes($1.split(separator: "/")) }
      .flatMap { try texts(of: folder.appendingPathComponent($0), isWhole: isWhole) }
  }

  private static func texts(of file: URL, isWhole: Bool) throws -> [String] {
    var texts: [String] = []
    var lines = try LineReader(file)
    while isWhole || lines.position < beginning, let line = try lines.next() {
      append(try JSONSerialization.jsonObject(with: line), to: &texts)
    }
    return texts
  }

  /// Appends the strings of a value, those of an object in the order of its keys.
  private static func append(_ value: Any, to texts: inout [String]) {
    if let text = value as? String {
      texts.append(text)
    } else if let members = value as? [String: Any] {
      for (_, member) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        append(member, to: &texts)
      }
    } else if let elements = value as? [Any] {
      for element in elements { append(element, to: &texts) }
    }
  }
}

/// The lines of a packed file, unpacked as far as they are asked for.
private struct LineReader {
  /// Bytes of the lines read.
  private(set) var position = 0
  private let output: FileHandle
  private var buffer = Data()

  init(_ url: URL) throws {
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc", url.path]
    let pipe = Pipe()
    gzip.standardOutput = pipe
    gzip.standardError = FileHandle.nullDevice
    try gzip.run()
    output = pipe.fileHandleForReading
  }

  mutating func next() throws -> Data? {
    var searched = 0
    while true {
      if let end = buffer[(buffer.startIndex + searched)...].firstIndex(of: 0x0A) {
        let line = buffer[..<end]
        position += line.count + 1
        buffer = buffer[(end + 1)...]
        if line.isEmpty { return try next() }
        return Data(line)
      }
      searched = buffer.count
      guard let more = try output.read(upToCount: 1 << 15), !more.isEmpty else { break }
      buffer = Data(buffer) + more
    }
    defer { buffer = Data() }
    return buffer.isEmpty ? nil : Data(buffer)
  }
}
