public import Foundation

/// Writes tensors by width of their elements (widest first, so that each lies aligned), then by name: equal values
/// give equal bytes.
/// The file is written beside its place, flushed, and renamed: a reader sees the old file or the whole new one.
public enum SafeTensorsWriter {
  /// Returns the number of bytes written.
  @discardableResult
  public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws -> Int {
    let names = tensors.sorted { ($1.value.dtype.byteWidth, $0.key) < ($0.value.dtype.byteWidth, $1.key) }.map(\.key)
    var offset = 0
    var records: [String] = []
    if !metadata.isEmpty { records.append("\"__metadata__\":\(try json(metadata))") }
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      records.append(
        "\(try json(name)):{\"dtype\":\"\(tensor.dtype.safeTensorsName)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}")
      offset += tensor.byteCount
    }
    var header = Data("{\(records.joined(separator: ","))}".utf8)
    header.append(Data(repeating: 0x20, count: (64 - (header.count + 8) % 64) % 64))
    let file = try AtomicFile(url)
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
    try header.withUnsafeBytes { try file.write($0) }
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: tensor.byteCount, alignment: 64)
      defer { buffer.deallocate() }
      tensor.copyBytes(to: buffer)
      try file.write(UnsafeRawBufferPointer(buffer))
    }
    try file.commit()
    return 8 + header.count + offset
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
