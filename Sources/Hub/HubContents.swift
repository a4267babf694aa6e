import Foundation

/// What is wanted of a repository. Never anything that runs when loaded: no pickles, no Python.
public enum HubContents: Sendable {
  /// Configuration, tokenizer and safetensors.
  case model
  /// Configuration and tokenizer.
  case tokenizer
  /// `stream.json` and the files it names; without one, all data files.
  case data

  /// Files that hold a tokenizer's vocabulary, in the order in which one is looked for.
  static let vocabularies = [
    "tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model",
    "sentencepiece.model", "vocab.txt",
  ]
  /// How files of tokenizers are named.
  public static let tokenizerFiles =
    [
      "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "added_tokens.json",
      "chat_template.json", "merges.txt",
    ] + vocabularies
  /// In the order of fetching: a snapshot with a vocabulary has all that is read with it.
  static let descriptions = ["config.json", "generation_config.json"] + tokenizerFiles
  static let weights = "model.safetensors"
  static let weightIndex = "model.safetensors.index.json"
  static let streamFile = "stream.json"

  /// The files of a listing to fetch first. An index is one of them, since it names others.
  func firstFiles(of files: [String], in repository: HubRepository) throws -> [String] {
    let listed = Set(files)
    let descriptions = Self.descriptions.filter(listed.contains)
    switch self {
    case .tokenizer:
      guard descriptions.contains(where: Self.vocabularies.contains) else { throw HubError.noTokenizer(repository) }
      return descriptions
    case .model:
      // Last, so that a snapshot with weights has all the rest.
      if listed.contains(Self.weights) { return descriptions + [Self.weights] }
      if listed.contains(Self.weightIndex) { return descriptions + [Self.weightIndex] }
      let pickle = files.first { [".bin", ".pt", ".pth", ".ckpt"].contains(where: $0.hasSuffix) }
      throw pickle.map { HubError.onlyPickle(repository, $0) } ?? .noWeights(repository)
    case .data:
      if listed.contains(Self.streamFile) { return [Self.streamFile] }
      let data = files.filter(Self.isData)
      guard data.isEmpty else { return data }
      let parquet = files.first { $0.hasSuffix(".parquet") }
      throw parquet.map { HubError.onlyParquet(repository, $0) } ?? .noData(repository)
    }
  }

  /// The files that the index in a snapshot names: shards of weights, or the data of `stream.json`.
  /// `nil` where there is an index that cannot be read.
  func namedFiles(in snapshot: URL) -> [String]? {
    switch self {
    case .tokenizer: return []
    case .model:
      struct Index: Decodable { let weight_map: [String: String] }
      guard let data = try? Data(contentsOf: snapshot.appendingPathComponent(Self.weightIndex)),
        !Self.exists(Self.weights, in: snapshot)
      else { return [] }
      return (try? JSONDecoder().decode(Index.self, from: data)).map { Set($0.weight_map.values).sorted() }
    case .data:
      guard let data = try? Data(contentsOf: snapshot.appendingPathComponent(Self.streamFile)) else { return [] }
      return (try? JSONDecoder().decode(StreamFileNames.self, from: data))?.files
    }
  }

  /// What a snapshot still lacks, as far as the snapshot itself tells, and what is known to be in no snapshot of the commit.
  func missing(in snapshot: URL, knownAbsent: (String) -> Bool) -> [String] {
    let hasTokenizer = Self.vocabularies.contains { Self.exists($0, in: snapshot) }
    let tokenizer = hasTokenizer || self == .model && Self.vocabularies.allSatisfy(knownAbsent) ? [] : ["a tokenizer"]
    let required: [String]
    switch self {
    case .tokenizer: return tokenizer
    case .model:
      required = ["config.json"] + (Self.exists(Self.weightIndex, in: snapshot) ? [] : [Self.weights])
    case .data: required = [Self.streamFile]
    }
    let absent = (required + (namedFiles(in: snapshot) ?? [])).filter { !Self.exists($0, in: snapshot) }
    return absent + (self == .model ? tokenizer : [])
  }

  /// Files to note as absent: without that, a model whose repository has no tokenizer would never be whole.
  func absent(of files: [String]) -> [String] {
    self == .model && !files.contains(where: Self.vocabularies.contains) ? Self.vocabularies : []
  }

  private static func isData(_ name: String) -> Bool {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    return [".jsonl", ".csv", ".tsv"].contains(where: plain.hasSuffix)
  }

  private static func exists(_ file: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path)
  }
}

/// The files that a `stream.json` names; what else is wrong in it is for its reader to say.
private struct StreamFileNames: Decodable {
  struct Entry: Decodable { let train, validation, test, file: String? }
  let experiences: [Entry]

  var files: [String] {
    Set(experiences.flatMap { [$0.train, $0.validation, $0.test, $0.file].compactMap { $0 } }).sorted()
  }
}
