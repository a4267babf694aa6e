public import Foundation

/// A `.safetensors` file, memory-mapped: tensors are read when asked for and share the file's pages.
/// Format: eight-byte little-endian header length, JSON header, raw little-endian values.
public final class SafeTensorsFile {
  public struct Entry: Sendable {
    public let name: String
    public let dtype: DType
    public let shape: [Int]
    let range: Range<Int>
  }

  public let url: URL
  /// In order of their place in the file.
  public let entries: [Entry]
  public let metadata: [String: String]
  fileprivate let mapping: Mapping
  private let byName: [String: Entry]

  public init(_ url: URL) throws {
    self.url = url
    mapping = try Mapping(url)
    let header = try Header(mapping.bytes, url)
    entries = header.entries
    metadata = header.metadata
    byName = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
  }

  public func entry(_ name: String) -> Entry? { byName[name] }

  /// The tensor of that name on the CPU, in the file's dtype, sharing the file's pages; writing to it changes
  /// this process's copy only.
  public subscript(name: String) -> Tensor? {
    guard let entry = byName[name] else { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.range])
    // libtorch wants elements aligned to their size; files by other writers may not be.
    let isAligned = Int(bitPattern: bytes.baseAddress) % entry.dtype.byteWidth == 0
    guard entry.range.count > 0, isAligned else { return Tensor(bytes: bytes, shape: entry.shape, dtype: entry.dtype) }
    return Tensor(mapped: bytes, shape: entry.shape, dtype: entry.dtype, owner: mapping)
  }

  /// All tensors, by name.
  public func tensors() -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: entries.compactMap { entry in self[entry.name].map { (entry.name, $0) } })
  }
}

extension SafeTensorsFile {
  /// Gives the file's pages back to the system; they are read again when needed.
  /// - Precondition: no tensor of the file was changed, or the change is lost.
  public func releasePages() { mapping.releasePages() }
}

/// The pages of a file, released with the last tensor that shares them.
final class Mapping {
  let bytes: UnsafeRawBufferPointer

  init(_ url: URL) throws {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SafeTensorsError.unreadable(url, String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw SafeTensorsError.unreadable(url, String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SafeTensorsError.unreadable(url, "it is not a file") }
    let length = Int(status.st_size)
    guard length >= 8 else {
      throw SafeTensorsError.truncated(url, "it has \(length) bytes, fewer than the 8 of a header length")
    }
    // Private and writable: a weight that trains gets pages of its own on its first update, the file never changes.
    guard let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw SafeTensorsError.unreadable(url, String(cString: strerror(errno)))
    }
    bytes = UnsafeRawBufferPointer(start: start, count: length)
  }

  func releasePages() {
    madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

private struct Header {
  var entries: [SafeTensorsFile.Entry] = []
  var metadata: [String: String] = [:]

  private struct Record: Decodable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }
  private enum Item: Decodable {
    case tensor(Record), metadata([String: String])
    init(from decoder: any Decoder) throws {
      if let record = try? Record(from: decoder) {
        self = .tensor(record)
      } else {
        self = .metadata(try [String: String](from: decoder))
      }
    }
  }

  init(_ bytes: UnsafeRawBufferPointer, _ url: URL) throws {
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(bytes.count - 8) else {
      throw SafeTensorsError.truncated(url, "its header claims \(length) bytes, the file has \(bytes.count)")
    }
    let start = 8 + Int(length)
    let items: [String: Item]
    do {
      items = try JSONDecoder().decode([String: Item].self, from: Data(bytes[8..<start]))
    } catch {
      throw SafeTensorsError.badHeader(url, "the JSON header cannot be read")
    }
    for (name, item) in items {
      switch item {
      case .metadata(let values) where name == "__metadata__": metadata = values
      case .metadata: throw SafeTensorsError.badHeader(url, "'\(name)' lacks dtype, shape or data_offsets")
      case .tensor(let record):
        entries.append(try Self.entry(name, record, start: start, end: bytes.count, url))
      }
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    // Tensors share the file's pages, so two in one place would change each other.
    for (first, second) in zip(entries, entries.dropFirst()) where second.range.lowerBound < first.range.upperBound {
      throw SafeTensorsError.badHeader(url, "'\(first.name)' and '\(second.name)' overlap")
    }
  }

  private static func entry(_ name: String, _ record: Record, start: Int, end: Int, _ url: URL) throws
    -> SafeTensorsFile.Entry
  {
    guard let dtype = DType(safeTensors: record.dtype) else {
      throw SafeTensorsError.unreadDType(url, tensor: name, dtype: record.dtype)
    }
    // Strides must fit too, so that a size of 0 does not hide an overflow.
    var span = dtype.byteWidth
    for size in record.shape {
      let (product, overflow) = span.multipliedReportingOverflow(by: max(size, 1))
      guard size >= 0, !overflow else {
        throw SafeTensorsError.badHeader(url, "'\(name)' has the shape \(record.shape)")
      }
      span = product
    }
    let count = record.shape.contains(0) ? 0 : span
    guard record.data_offsets.count == 2, record.data_offsets[0] >= 0, record.data_offsets[1] >= record.data_offsets[0],
      record.data_offsets[1] - record.data_offsets[0] == count
    else { throw SafeTensorsError.badHeader(url, "'\(name)' has offsets \(record.data_offsets) for \(count) bytes") }
    guard record.data_offsets[1] <= end - start else {
      throw SafeTensorsError.truncated(
        url, "'\(name)' ends at byte \(record.data_offsets[1]) of the values, which are \(end - start)")
    }
    return .init(
      name: name, dtype: dtype, shape: record.shape,
      range: start + record.data_offsets[0]..<start + record.data_offsets[1])
  }
}

/// A safetensors file that cannot be used.
public enum SafeTensorsError: LocalizedError, CustomStringConvertible {
  case unreadable(URL, String)
  case truncated(URL, String)
  case badHeader(URL, String)
  case unreadDType(URL, tensor: String, dtype: String)

  public var description: String {
    switch self {
    case .unreadable(let url, let reason): "cannot read \(url.path): \(reason). Check the path and its permissions."
    case .truncated(let url, let detail): "\(url.path) is incomplete: \(detail). Copy or download it again."
    case .badHeader(let url, let detail):
      "\(url.path) is not a valid safetensors file: \(detail). Copy or download it again."
    case .unreadDType(let url, let tensor, let dtype):
      "\(url.path) holds '\(tensor)' in \(dtype), which Jay does not read. It reads "
        + DType.safeTensorsNames.map(\.1).joined(separator: ", ")
        + ": save the model in one of them, as bfloat16, or name the one that a quantized model was made of."
    }
  }
  public var errorDescription: String? { description }
}

extension DType {
  fileprivate static let safeTensorsNames: [(DType, String)] = [
    (.float32, "F32"), (.bfloat16, "BF16"), (.float16, "F16"), (.float64, "F64"), (.int64, "I64"), (.int32, "I32"),
    (.uint8, "U8"), (.bool, "BOOL"), (.int8, "I8"), (.int16, "I16"),
  ]
  init?(safeTensors name: String) {
    guard let found = Self.safeTensorsNames.first(where: { $0.1 == name }) else { return nil }
    self = found.0
  }
  var safeTensorsName: String { Self.safeTensorsNames.first { $0.0 == self }?.1 ?? rawValue }
}
