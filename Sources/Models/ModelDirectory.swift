public import Foundation
import NN
import Torch

/// A model directory in the Hugging Face layout: `config.json` and `model.safetensors` (or shards with an index).
/// Nothing executable is ever read from it.
public struct ModelDirectory {
  public let url: URL
  /// `model_type` of `config.json`.
  public let architecture: String
  let configuration: Data
  let files: [SafeTensorsFile]

  /// Opens a directory; without `needsWeights` one that has none is taken too: `config.json` is enough to draw them anew.
  public init(_ url: URL, needsWeights: Bool = true) throws {
    self.url = url
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue else {
      throw ModelError.notADirectory(url)
    }
    let file = url.appendingPathComponent("config.json")
    guard let data = FileManager.default.contents(atPath: file.path) else { throw ModelError.noConfiguration(url) }
    guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw ModelError.badConfiguration(file, "it is not a JSON object")
    }
    guard let type = json["model_type"] as? String else {
      throw ModelError.badConfiguration(file, "the key 'model_type' is missing")
    }
    (architecture, configuration) = (type, data)
    do {
      files = try Self.weights(in: url)
    } catch ModelError.noWeights where !needsWeights {
      files = []
    }
  }

  private static func weights(in url: URL) throws -> [SafeTensorsFile] {
    let manager = FileManager.default
    let single = url.appendingPathComponent("model.safetensors")
    if manager.fileExists(atPath: single.path) { return [try SafeTensorsFile(single)] }
    let index = url.appendingPathComponent("model.safetensors.index.json")
    if let data = manager.contents(atPath: index.path) {
      struct Index: Decodable { let weight_map: [String: String] }
      guard let map = try? JSONDecoder().decode(Index.self, from: data).weight_map else {
        throw ModelError.badConfiguration(index, "the key 'weight_map' is missing")
      }
      return try Set(map.values).sorted().map { try SafeTensorsFile(url.appendingPathComponent($0)) }
    }
    let names = (try? manager.contentsOfDirectory(atPath: url.path)) ?? []
    if let pickle = names.sorted().first(where: { $0.hasSuffix(".bin") || $0.hasSuffix(".pt") }) {
      throw ModelError.pickle(url.appendingPathComponent(pickle))
    }
    throw ModelError.noWeights(url)
  }

  /// Decodes `config.json` as a backbone's configuration.
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let file = url.appendingPathComponent("config.json")
    do {
      return try JSONDecoder().decode(type, from: configuration)
    } catch let DecodingError.keyNotFound(key, _) {
      throw ModelError.badConfiguration(file, "the key '\(key.stringValue)' is missing")
    } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context),
      let DecodingError.dataCorrupted(context)
    {
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      let reason = context.debugDescription.trimmingCharacters(in: ["."])
      throw ModelError.badConfiguration(file, "the key '\(key)' cannot be used: \(reason)")
    }
  }

  /// The tokens that end a text: `eos_token_id`, a number or a list.
  func endTokens() throws -> [Int32] {
    struct Keys: Decodable {
      let tokens: [Int32]
      private enum CodingKeys: String, CodingKey { case tokens = "eos_token_id" }
      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        tokens = try (try? values.decode([Int32].self, forKey: .tokens)) ?? [values.decode(Int32.self, forKey: .tokens)]
      }
    }
    return try decode(Keys.self).tokens
  }

  /// Names of all tensors.
  var names: [String] { files.flatMap { $0.entries.map(\.name) } }

  func file(of name: String) -> SafeTensorsFile? { files.first { $0.entry(name) != nil } }
}

/// A checkpoint's tensors under the names that a model's parameters have; notes what does not fit.
final class CheckpointSource: WeightSource {
  private let directory: ModelDirectory
  /// Leading part of the checkpoint's names that the model's names lack (`bert.`).
  private let prefix: String
  /// Leading part of the model's names that stand outside the prefix in the checkpoint (`cls.`).
  private let outside: String?
  private let dtype: DType
  /// Whether the checkpoint has any name outside the prefix.
  private let hasOutside: Bool
  private(set) var missing: [String] = []
  private(set) var misshapen: [String] = []
  private(set) var used: Set<String> = []

  /// - Parameter dtype: the model's compute dtype.
  init(_ directory: ModelDirectory, prefix: String, outside: String? = nil, dtype: DType) {
    (self.directory, self.prefix, self.outside, self.dtype) = (directory, prefix, outside, dtype)
    hasOutside = outside.map { outside in directory.names.contains { $0.hasPrefix(outside) } } ?? false
  }

  func weight(_ name: String, shape: [Int]) -> Tensor? {
    let full = outside.map(name.hasPrefix) ?? false ? name : prefix + name
    guard let file = directory.file(of: full), let entry = file.entry(full) else {
      // An encoder without its pre-training head gets a fresh one.
      if let outside, name.hasPrefix(outside), !hasOutside { return nil }
      missing.append(full)
      return placeholder(shape)
    }
    used.insert(full)
    guard entry.shape == shape else {
      misshapen.append("\(full) is \(entry.shape), not \(shape)")
      return placeholder(shape)
    }
    return file[full]
  }

  /// One number seen as the whole shape: a wrong config.json may ask for more than the memory holds, and `verify`
  /// throws before anyone reads it.
  private func placeholder(_ shape: [Int]) -> Tensor { Tensor.zeros([], dtype: dtype).expanded(shape) }

  /// Throws one error that lists everything that does not fit.
  func verify(ignoring isIgnored: (String) -> Bool) throws {
    let extra = directory.names.filter { !used.contains($0) && !isIgnored($0) }.sorted()
    guard missing.isEmpty, misshapen.isEmpty, extra.isEmpty else {
      throw ModelError.mismatch(directory.url, missing: missing, misshapen: misshapen, extra: extra)
    }
  }
}

/// A model directory that cannot be used.
public enum ModelError: LocalizedError, CustomStringConvertible {
  case notADirectory(URL)
  case noConfiguration(URL)
  case badConfiguration(URL, String)
  case noWeights(URL)
  case pickle(URL)
  case unsupported(String, URL, known: [String])
  case mismatch(URL, missing: [String], misshapen: [String], extra: [String])

  public var description: String {
    switch self {
    case .notADirectory(let url):
      "\(url.path) is not a folder. Name a model directory (config.json, model.safetensors, tokenizer.json)."
    case .noConfiguration(let url):
      "\(url.path) has no config.json, so it is not a model directory in Hugging Face format."
    case .badConfiguration(let url, let detail): "\(url.path): \(detail)."
    case .noWeights(let url): "\(url.path) has no model.safetensors and no model.safetensors.index.json."
    case .pickle(let url):
      "\(url.path) is a pickle, which can run code when loaded; Jay reads safetensors only. Convert it once in Python: "
        + "AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)."
    case .unsupported(let type, let url, let known):
      "\(url.path) holds a '\(type)' model. Supported: \(known.joined(separator: ", "))."
    case .mismatch(let url, let missing, let misshapen, let extra):
      "the weights in \(url.path) do not fit its config.json."
        + Self.part("Missing", missing) + Self.part("Wrong shape", misshapen) + Self.part("Unexpected", extra)
    }
  }
  public var errorDescription: String? { description }

  private static func part(_ title: String, _ items: [String]) -> String {
    items.isEmpty ? "" : " \(title): \(items.joined(separator: "; "))."
  }
}
