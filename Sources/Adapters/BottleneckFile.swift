public import Foundation
public import NN
import Torch

/// The bottlenecks of a model in a file of their own, for PEFT has no form for them: `<layer>.down.weight`, `.down.bias`,
/// `.up.weight` and `.up.bias` for each adapted layer, float32.
public struct BottleneckFile {
  private let file: SafeTensorsFile
  private static let parts = ["down.weight", "down.bias", "up.weight", "up.bias"]

  /// - Throws: `SafeTensorsError`.
  public init(_ url: URL) throws { file = try SafeTensorsFile(url) }

  /// Where the bottlenecks that belong to the `place`-th experience of a run stand in the folder of a kept model.
  public static func url(_ place: Int, in folder: URL) -> URL {
    folder.appendingPathComponent("bottlenecks-\(place + 1).safetensors")
  }

  /// Whether a file of this name holds bottlenecks.
  public static func isName(_ name: String) -> Bool { name.hasPrefix("bottlenecks-") && name.hasSuffix(".safetensors") }

  /// The files that a run kept beside a model, in their order.
  /// - Throws: `BottleneckFileError.none`, `SafeTensorsError`.
  public static func kept(in folder: URL) throws -> [BottleneckFile] {
    let places = sequence(first: 0) { $0 + 1 }.lazy.map { url($0, in: folder) }
    let files = try places.prefix { FileManager.default.fileExists(atPath: $0.path) }.map { try BottleneckFile($0) }
    guard !files.isEmpty else { throw BottleneckFileError.none(folder) }
    return files
  }

  /// Writes the bottlenecks of a model that are on, their gates multiplied into the weights behind them.
  /// - Throws: `FileError`.
  public static func write(_ store: ParameterStore, to url: URL) throws {
    var tensors: [String: Tensor] = [:]
    for layer in store.linears {
      for case let bottleneck as Bottleneck in layer.attachments where bottleneck.isEnabled {
        precondition(tensors["\(layer.name).up.bias"] == nil, "BottleneckFile.write: two are on at \(layer.name)")
        let values = withoutGradient { bottleneck.ungated }
        for (part, value) in zip(parts, values) { tensors["\(layer.name).\(part)"] = value.to(device: .cpu) }
      }
    }
    try SafeTensorsWriter.write(tensors, metadata: ["format": "pt"], to: url)
  }

  /// Attaches a bottleneck to each layer of the file, with its values; `index` tells the sets of one model apart.
  /// - Throws: `BottleneckFileError` where the file does not fit the model; then nothing is attached.
  public func attach(index: Int, seed: UInt64, in store: ParameterStore) throws -> AdapterSet {
    let layers = try layers(of: store)
    let set = try AdapterSet(bottlenecksOn: layers, index: index, seed: seed, in: store)
    assign(to: set, layers.map(\.0.name))
    return set
  }

  /// Gives the bottlenecks that were attached by a file of the same layers and widths the values of this one.
  /// - Throws: `BottleneckFileError`.
  public func assign(to set: AdapterSet, in store: ParameterStore) throws {
    let layers = try layers(of: store)
    guard zip(set.adapters, layers).allSatisfy({ ($0 as? Bottleneck)?.down.shape[0] == $1.width }),
      set.adapters.count == layers.count
    else { throw BottleneckFileError.otherLayers(file.url) }
    assign(to: set, layers.map(\.0.name))
  }

  private func assign(to set: AdapterSet, _ names: [String]) {
    for case (let bottleneck as Bottleneck, let name) in zip(set.adapters, names) {
      for (parameter, part) in zip(bottleneck.parameters, Self.parts) {
        if let value = file["\(name).\(part)"] { parameter.assign(value) }
      }
    }
  }

  /// The layers that the file has bottlenecks for, in the model's order, and their widths.
  private func layers(of store: ParameterStore) throws -> [(layer: Linear, width: Int)] {
    var left = Set(file.entries.map(\.name)), wrong: [String] = []
    var found: [(layer: Linear, width: Int)] = []
    for layer in store.linears where !layer.isTied {
      let names = Self.parts.map { "\(layer.name).\($0)" }
      guard names.contains(where: left.contains) else { continue }
      let width = file.entry(names[1])?.shape.first ?? 0
      let shapes = [[width, layer.outputs], [width], [layer.outputs, width], [layer.outputs]]
      for (name, shape) in zip(names, shapes) {
        if file.entry(name)?.shape != shape || width == 0 { wrong.append(name) }
        left.remove(name)
      }
      found.append((layer, width))
    }
    guard wrong.isEmpty, left.isEmpty, !found.isEmpty else {
      throw BottleneckFileError.doesNotFit(file.url, names: wrong + left.sorted())
    }
    return found
  }
}

extension Bottleneck {
  /// The float32 weights of the bottleneck that does the same without gates, in the order of `parameters`.
  fileprivate var ungated: [Tensor] {
    let values = parameters.map(\.current)
    guard let gates else { return values }
    let hidden = gates.hidden.to(.float32), output = gates.output.to(.float32)
    return [values[0], values[1], values[2] * output.unsqueezed(1) * hidden.unsqueezed(0), values[3] * output]
  }
}

/// A file of bottlenecks that is not one of this model.
public enum BottleneckFileError: LocalizedError, CustomStringConvertible, Equatable {
  case doesNotFit(URL, names: [String])
  case otherLayers(URL)
  case none(URL)

  public var description: String {
    switch self {
    case .doesNotFit(let url, let names):
      "\(url.relativePath) does not hold bottlenecks of this model"
        + (names.isEmpty ? "." : ": \(names.prefix(4).joined(separator: ", "))\(names.count > 4 ? ", …" : "").")
        + " Name the folder of a model that a run of 'adapter', 'hat' or 'demix' kept, and the same model."
    case .otherLayers(let url):
      "\(url.relativePath) has bottlenecks on other layers or of another width than the first file of its folder. Keep the "
        + "files of one run together."
    case .none(let folder):
      "\(folder.relativePath) has no bottlenecks-1.safetensors. Name the folder of a model that a run of 'adapter', 'hat' or "
        + "'demix' kept (training.keepModels: true)."
    }
  }
  public var errorDescription: String? { description }
}
