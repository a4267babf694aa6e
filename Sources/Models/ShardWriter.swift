public import Foundation
import Torch

/// Most bytes of tensors in one file of a checkpoint.
public struct ShardSize: Sendable, Equatable {
  /// At least 1.
  public let bytes: Int

  /// 5 GB.
  public static let standard = ShardSize(bytes: 5_000_000_000)

  private static let units = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000),
  ]

  init(bytes: Int) { self.bytes = bytes }

  /// Reads a number with a unit, `5GB` or `512 MiB`.
  /// - Throws: `ShardSizeError`.
  public init(_ text: String) throws(ShardSizeError) {
    let plain = text.filter { $0 != " " }
    guard let (unit, width) = Self.units.first(where: { plain.lowercased().hasSuffix($0.0.lowercased()) }),
      let count = Double(plain.dropLast(unit.count)), count.isFinite, count > 0,
      case let bytes = count * Double(width), bytes >= 1, bytes < 1e18
    else { throw ShardSizeError(text: text) }
    self.bytes = Int(bytes)
  }
}

/// A text that is no size.
public struct ShardSizeError: LocalizedError, CustomStringConvertible, Equatable {
  let text: String

  public var description: String {
    "'\(text)' is no size of a file. Write a number with a unit, such as 5GB or 500MB (KB, MB, GB; KiB, MiB, GiB)."
  }
  public var errorDescription: String? { description }
}

/// Writes a checkpoint as huggingface does: `model.safetensors`, or where that would be larger than a shard may be
/// `model-00001-of-0000N.safetensors` … and `model.safetensors.index.json`, which comes last.
enum ShardWriter {
  private struct Index: Encodable {
    struct Metadata: Encodable {
      let total_parameters, total_size: Int
    }
    let metadata: Metadata
    let weight_map: [String: String]
  }

  static func write(_ items: [SafeTensorsWriter.Item], to folder: URL, _ size: ShardSize) throws {
    let shards = shards(items.sorted { $0.name < $1.name }, size)
    let single = folder.appendingPathComponent("model.safetensors"), metadata = ["format": "pt"]
    guard shards.count > 1 else {
      try SafeTensorsWriter.write(items, metadata: metadata, to: single)
      return
    }
    var map: [String: String] = [:]
    for (index, shard) in shards.enumerated() {
      let name = String(format: "model-%05d-of-%05d.safetensors", index + 1, shards.count)
      try SafeTensorsWriter.write(shard, metadata: metadata, to: folder.appendingPathComponent(name))
      for item in shard { map[item.name] = name }
    }
    let index = Index(
      metadata: .init(
        total_parameters: items.reduce(0) { $0 + $1.count }, total_size: items.reduce(0) { $0 + $1.byteCount }),
      weight_map: map)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(
      try encoder.encode(index), to: folder.appendingPathComponent("model.safetensors.index.json"))
    // A reader would take an earlier whole file for this model.
    try? FileManager.default.removeItem(at: single)
  }

  /// Each as full as it may be; a tensor that is larger has one for itself.
  private static func shards(
    _ items: [SafeTensorsWriter.Item], _ size: ShardSize
  ) -> [[SafeTensorsWriter.Item]] {
    var shards: [[SafeTensorsWriter.Item]] = [], filled = 0
    for item in items {
      if shards.isEmpty || filled + item.byteCount > size.bytes {
        shards.append([])
        filled = 0
      }
      shards[shards.count - 1].append(item)
      filled += item.byteCount
    }
    return shards
  }
}
