import Foundation

@testable import Tokenizers

/// The tokenizers of `Goldens/Families`, each to be had from a `tokenizer.json` and most from older files.
///
/// The goldens are written by `Tools/golden/tokenizers_families.py`.
struct Family: Sendable, CustomStringConvertible {
  let name: String
  /// Folder of the data with the vocabulary.
  let source: String
  /// Names of files there, and those they get.
  let files: [String: String]
  /// What stands beside the older files; `nil` where they cannot say what this tokenizer does.
  let settings: [String: String]?

  var description: String { name }

  private static let byteLevel = ["vocab.json": "vocab.json", "merges.txt": "merges.txt"]
  private static let llama = ["tokenizer.model": "tokenizer.model"]

  static let all = [
    Family(name: "gpt2", source: "gpt2", files: byteLevel, settings: [:]),
    Family(name: "roberta", source: "roberta", files: byteLevel, settings: [:]),
    Family(
      name: "qwen2", source: "gpt2", files: byteLevel, settings: ["config.json": #"{"model_type": "qwen2"}"#]),
    Family(name: "llama3", source: "gpt2", files: byteLevel, settings: nil),
    Family(name: "llama2", source: "llama", files: llama, settings: nil),
    Family(
      name: "llama2-legacy", source: "llama", files: llama,
      settings: ["tokenizer_config.json": #"{"tokenizer_class": "LlamaTokenizer", "legacy": true}"#]),
    Family(name: "t5", source: "t5", files: ["spiece.model": "spiece.model"], settings: [:]),
    Family(name: "t5-spm", source: "t5", files: ["spiece.model": "spiece.model"], settings: nil),
    Family(
      name: "xlm-roberta", source: "t5", files: ["spiece.model": "sentencepiece.bpe.model"], settings: [:]),
    Family(name: "clip", source: "clip", files: [CLIPFile.name: CLIPFile.name], settings: [:]),
  ]

  /// The tokenizer of the older files.
  func fromOlderFiles() throws -> any Tokenizer {
    try Family.olderFiles[name]?.get() ?? makeFromOlderFiles()
  }

  /// The tokenizer of the golden `tokenizer.json`, its vocabulary put back in.
  func fromTokenizerFile() throws -> any Tokenizer {
    try Family.tokenizerFiles[name]?.get() ?? makeFromTokenizerFile()
  }

  /// Made once: a large vocabulary takes a second in a debug build.
  private static let olderFiles = Dictionary(
    uniqueKeysWithValues: all.filter { $0.settings != nil }
      .map { family in (family.name, Result { try family.makeFromOlderFiles() }) })

  private static let tokenizerFiles = Dictionary(
    uniqueKeysWithValues: all.map { family in (family.name, Result { try family.makeFromTokenizerFile() }) })

  private func makeFromOlderFiles() throws -> any Tokenizer {
    try Fixtures.withFolder(settings ?? [:]) { folder in
      for (name, new) in files {
        try FileManager.default.createSymbolicLink(
          at: folder.appendingPathComponent(new), withDestinationURL: data(name))
      }
      return try TokenizerLoader.load(from: folder)
    }
  }

  private func makeFromTokenizerFile() throws -> any Tokenizer {
    var json = try Fixtures.goldenText("Families/\(name).json")
    for (placeholder, content) in try parts() {
      json = json.replacingOccurrences(of: "\"\(placeholder)\"", with: content)
    }
    return try Fixtures.tokenizer(["tokenizer.json": json])
  }

  private func data(_ name: String) -> URL {
    Fixtures.data.appendingPathComponent("tokenizers/\(source)/\(name)")
  }

  /// The vocabulary, and what goes with it, by the names that stand for them.
  private func parts() throws -> [String: String] {
    if source == "clip" { return try clipParts() }
    return try files["vocab.json"] == nil ? sentencePieceParts() : byteLevelParts()
  }

  private func clipParts() throws -> [String: String] {
    let text = String(decoding: try Gzip.read(data(CLIPFile.name)), as: UTF8.self)
    let merges = text.utf8.split(separator: 0x0A)[1...48894].map { $0.split(separator: 0x20).map { Array($0) } }
    // The bytes' own characters first, then those that stand for hidden bytes.
    let characters: [Int] = [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF, 0x100...0x143].flatMap { Array($0) }
    let bytes = characters.compactMap { Unicode.Scalar($0).map { Array(String($0).utf8) } }
    let end = Array("</w>".utf8)
    var pieces = bytes + bytes.map { $0 + end }
    pieces += merges.map { $0[0] + $0[1] }
    pieces += ["<|startoftext|>", "<|endoftext|>"].map { Array($0.utf8) }
    let vocabulary = pieces.enumerated().map { "\(Family.quoted($1)):\($0)" }
    let pairs = merges.map { "[\(Family.quoted($0[0])),\(Family.quoted($0[1]))]" }
    return [
      "VOCABULARY": "{" + vocabulary.joined(separator: ",") + "}", "MERGES": "[" + pairs.joined(separator: ",") + "]",
    ]
  }

  private func byteLevelParts() throws -> [String: String] {
    let merges = try String(contentsOf: data("merges.txt"), encoding: .utf8).utf8.split(separator: 0x0A)
      .filter { !$0.starts(with: "#version".utf8) }
    return [
      "VOCABULARY": try String(contentsOf: data("vocab.json"), encoding: .utf8),
      "MERGES": "[" + merges.map { Family.quoted($0) }.joined(separator: ",") + "]",
    ]
  }

  private func sentencePieceParts() throws -> [String: String] {
    let name = source == "llama" ? "tokenizer.model" : "spiece.model"
    let model = try SentencePieceModel(JSONField.bytes(of: data(name)))
    var pieces = model.pieces.map { ($0.text, $0.score) }
    if self.name.hasPrefix("t5") { pieces += (0..<100).reversed().map { ("<extra_id_\($0)>", 0) } }
    if self.name == "xlm-roberta" {
      pieces.replaceSubrange(..<3, with: ["<s>", "<pad>", "</s>", "<unk>"].map { ($0, 0) })
      pieces.append(("<mask>", 0))
    }
    if source == "llama" {
      let vocabulary = pieces.enumerated().map { "\(Family.quoted($1.0.utf8)):\($0)" }
      return ["VOCABULARY": "{" + vocabulary.joined(separator: ",") + "}", "MERGES": Family.merges(pieces)]
    }
    return [
      "VOCABULARY": "[" + pieces.map { "[\(Family.quoted($0.0.utf8)),\($0.1)]" }.joined(separator: ",") + "]",
      "CHARSMAP": "\"" + Data(model.characterMap).base64EncodedString() + "\"",
    ]
  }

  /// All ways to cut a piece into two: the best score first, then the longest left side, then the longest right side.
  private static func merges(_ pieces: [(String, Double)]) -> String {
    typealias Order = (Double, Int, Int, Int, Int)
    let ids = Dictionary(uniqueKeysWithValues: pieces.enumerated().map { (Array($1.0.utf8), $0) })
    let merges = pieces.flatMap { text, score in
      let bytes = Array(text.utf8)
      return bytes.indices.dropFirst().compactMap { cut -> (order: Order, json: String)? in
        let (left, right) = (Array(bytes[..<cut]), Array(bytes[cut...]))
        guard let first = ids[left], let second = ids[right] else { return nil }
        let lengths = [left, right].map { String(decoding: $0, as: UTF8.self).unicodeScalars.count }
        return ((-score, -lengths[0], -lengths[1], first, second), "[\(quoted(left)),\(quoted(right))]")
      }
    }
    let sorted = merges.sorted { $0.order < $1.order }
    return "[" + sorted.map(\.json).joined(separator: ",") + "]"
  }

  /// A string of JSON.
  private static func quoted(_ text: some Sequence<UInt8>) -> String {
    let escaped = text.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
      case 0..<0x20: Array("\\u00".utf8) + Array((byte < 0x10 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
      default: [byte]
      }
    }
    return "\"" + String(decoding: escaped, as: UTF8.self) + "\""
  }
}
