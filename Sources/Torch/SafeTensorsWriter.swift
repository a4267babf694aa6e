public import Foundation

/// Writes tensors by width of their elements (widest first, so that each lies aligned), then by name: equal values
/// give equal bytes.
/// The file is written beside its place, flushed, and renamed: a reader sees the old file or the whole new one.
public enum SafeTensorsWriter {
  /// A tensor that is made when it is written, so that a file's tensors need not be held together.
  public struct Item {
    /// What it is called in the file.
    public let name: String
    /// Of its elements, in the file.
    public let dtype: DType
    /// Row-major.
    public let shape: [Int]
    private let make: () -> Tensor

    /// - Precondition: `make` gives a tensor of `dtype` and `shape`, on any device.
    public init(_ name: String, _ dtype: DType, _ shape: [Int], make: @escaping () -> Tensor) {
      (self.name, self.dtype, self.shape, self.make) = (name, dtype, shape, make)
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Size in bytes.
    public var byteCount: Int { count * dtype.byteWidth }

    fileprivate func write(to file: AtomicFile) throws {
      let tensor = make()
      precondition(
        tensor.dtype == dtype && tensor.shape == shape,
        "SafeTensorsWriter: \(name) is \(tensor.dtype) \(tensor.shape), not \(dtype) \(shape)")
      try tensor.withBytes { try file.write($0) }
    }
  }

  /// Returns the number of bytes written.
  @discardableResult
  public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws -> Int {
    try write(
      tensors.map { name, tensor in Item(name, tensor.dtype, tensor.shape) { tensor } }, metadata: metadata, to: url)
  }

  /// Returns the number of bytes written.
  @discardableResult
  public static func write(_ items: [Item], metadata: [String: String] = [:], to url: URL) throws -> Int {
    let items = items.sorted { ($1.dtype.byteWidth, $0.name) < ($0.dtype.byteWidth, $1.name) }
    var offset = 0
    var records: [String] = []
    if !metadata.isEmpty { records.append("\"__metadata__\":\(try json(metadata))") }
    for item in items {
      let shape = item.shape.map(String.init).joined(separator: ",")
      records.append(
        "\(try json(item.name)):{\"dtype\":\"\(item.dtype.safeTensorsName)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(offset + item.byteCount)]}")
      offset += item.byteCount
    }
    var header = Data("{\(records.joined(separator: ","))}".utf8)
    header.append(Data(repeating: 0x20, count: (64 - (header.count + 8) % 64) % 64))
    let file = try AtomicFile(url)
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
    try header.withUnsafeBytes { try file.write($0) }
    for item in items { try item.write(to: file) }
    try file.commit()
    return 8 + header.count + offset
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
