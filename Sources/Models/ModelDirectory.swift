public import Foundation
import Torch

/// A model directory in the Hugging Face layout: `config.json` and `model.safetensors` (or shards with an index).
/// Nothing executable is ever read from it.
public struct ModelDirectory {
  public let url: URL
  /// `model_type` of `config.json`.
  public let architecture: String
  let configuration: Data
  private(set) var files: [SafeTensorsFile]

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
    } catch let error as ModelError where !needsWeights && error.meansNoWeights {
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
      for name in map.values.sorted() where leadsOut(name) {
        throw ModelError.badConfiguration(
          index, "the key 'weight_map' names the file '\(name)', whose path leads out of the folder; do not trust it")
      }
      return try Set(map.values).sorted().map { try SafeTensorsFile(url.appendingPathComponent($0)) }
    }
    let names = ((try? manager.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    // llama2.c's tokenizers end in .bin too.
    let pickles = names.filter { name in
      [".bin", ".pt", ".pth", ".ckpt"].contains(where: name.hasSuffix) && !name.hasPrefix("tok")
    }
    if let pickle = pickles.first(where: { $0.hasPrefix("pytorch_model") }) ?? pickles.first {
      throw ModelError.pickle(url.appendingPathComponent(pickle))
    }
    throw ModelError.noWeights(url)
  }

  /// Whether a path may leave its folder.
  private static func leadsOut(_ path: String) -> Bool {
    path.split(separator: "/", omittingEmptySubsequences: false).contains { ["", ".", ".."].contains($0) }
  }

  /// Decodes `config.json` as a backbone's configuration.
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try Self.decode(type, configuration, of: url.appendingPathComponent("config.json"))
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ data: Data, of file: URL) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let DecodingError.keyNotFound(key, _) {
      throw ModelError.badConfiguration(file, "the key '\(key.stringValue)' is missing")
    } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context),
      let DecodingError.dataCorrupted(context)
    {
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      guard !key.isEmpty else { throw ModelError.badConfiguration(file, "it is not a JSON object") }
      let reason = context.debugDescription.trimmingCharacters(in: ["."])
      throw ModelError.badConfiguration(file, "the key '\(key)' cannot be used: \(reason)")
    }
  }

  /// The tokens that end a text: `eos_token_id`, a number or a list, of `generation_config.json`, else of `config.json`.
  func endTokens() throws -> [Int32] {
    struct Keys: Decodable {
      let tokens: [Int32]?
      private enum CodingKeys: String, CodingKey { case tokens = "eos_token_id" }
      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let list = try? values.decode([Int32].self, forKey: .tokens)
        tokens = try list ?? values.decodeIfPresent(Int32.self, forKey: .tokens).map { [$0] }
      }
    }
    let generation = url.appendingPathComponent("generation_config.json")
    let preferred = try FileManager.default.contents(atPath: generation.path).flatMap {
      try Self.decode(Keys.self, $0, of: generation).tokens
    }
    if let tokens = try preferred ?? decode(Keys.self).tokens { return tokens }
    throw ModelError.badConfiguration(url.appendingPathComponent("config.json"), "the key 'eos_token_id' is missing")
  }

  /// Names of all tensors.
  var names: [String] { files.flatMap { $0.entries.map(\.name) } }

  func file(of name: String) -> SafeTensorsFile? { files.first { $0.entry(name) != nil } }

  /// The directory as if it had no weights.
  var withoutWeights: ModelDirectory {
    var copy = self
    copy.files = []
    return copy
  }

  /// What Jay knows of the architecture.
  func entry() throws -> ModelIndex.Entry {
    guard let entry = ModelIndex.entries.first(where: { $0.architecture == architecture }) else {
      throw ModelError.unsupported(architecture, url, known: ModelIndex.entries.map(\.architecture))
    }
    return entry
  }

  /// `architecture`, where Jay has its model.
  /// - Throws: `ModelError.unsupported`.
  public func knownArchitecture() throws -> String { try entry().architecture }

  /// Whether the checkpoint has both tensors, and they are not the same to the bit.
  func differ(_ first: String, _ second: String) -> Bool {
    guard let one = file(of: first)?[first], let other = file(of: second)?[second] else { return false }
    return one.shape != other.shape || !(one .== other).isAllTrue()
  }
}
