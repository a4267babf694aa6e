extension WordPiece {
  init(_ field: JSONField) throws {
    let vocabulary = try Vocabulary(field.member("vocab"))
    self.init(
      vocabulary, unknown: try vocabulary.id(of: field.member("unk_token")),
      continuingPrefix: try field.member("continuing_subword_prefix").string(),
      maxScalarsPerWord: Int(try field.member("max_input_chars_per_word").id()))
  }
}

extension BPE {
  init(_ field: JSONField) throws {
    if let dropout = try field.optional("dropout"), dropout.value != .number(0) { throw dropout.unsupported(["null"]) }
    let vocabulary = try Vocabulary(field.member("vocab"))
    let options = Options(
      fusesUnknown: try field.optional("fuse_unk")?.bool() ?? false,
      fallsBackToBytes: try field.optional("byte_fallback")?.bool() ?? false,
      ignoresMerges: try field.optional("ignore_merges")?.bool() ?? false,
      continuingPrefix: try field.optional("continuing_subword_prefix")?.string() ?? "",
      endSuffix: try field.optional("end_of_word_suffix")?.string() ?? "")
    let list = try field.member("merges").elements()
    var merges = MergeTable(capacity: list.count)
    for (rank, merge) in list.enumerated() {
      let (left, right) = try BPE.pair(merge)
      guard merges.insert(left, right, rank: rank, in: vocabulary, prefix: options.continuingPrefix) else {
        throw merge.inconsistent("the vocabulary lacks \"\(left)\", \"\(right)\" or the two merged")
      }
    }
    let unknown = try field.optional("unk_token").map { try vocabulary.id(of: $0) }
    self.init(vocabulary, merges: merges, unknown: unknown, options: options)
  }

  /// A merge is a list of two tokens, in older files a text with a blank between them.
  private static func pair(_ field: JSONField) throws -> (left: String, right: String) {
    if case .string(let text) = field.value {
      let parts = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw field.unexpected("two tokens with a blank between them") }
      return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
    }
    let elements = try field.elements()
    guard elements.count == 2 else { throw field.unexpected("a list of two tokens") }
    return (try elements[0].string(), try elements[1].string())
  }
}

extension MergeTable {
  /// Adds the merge of two tokens; `false` where the vocabulary lacks one of them or what they make.
  mutating func insert(
    _ left: String, _ right: String, rank: Int, in vocabulary: Vocabulary, prefix: String
  ) -> Bool {
    let whole = Array(left.utf8) + right.utf8.dropFirst(prefix.utf8.count)
    guard let first = vocabulary.id(of: left), let second = vocabulary.id(of: right),
      let merged = vocabulary.trie[whole]
    else { return false }
    insert(first, second, Merge(rank: UInt32(rank), id: merged))
    return true
  }
}

extension Unigram {
  init(_ field: JSONField) throws {
    let pieces = try field.member("vocab").elements().map { piece in
      let elements = try piece.elements()
      guard elements.count == 2 else { throw piece.unexpected("a list of a token and its score") }
      return (token: try elements[0].string(), score: try elements[1].number())
    }
    let unknown = try field.optional("unk_id")
    let id = try unknown?.id()
    if let unknown, let id, id >= pieces.count {
      throw unknown.inconsistent("the vocabulary has only \(pieces.count) tokens")
    }
    self.init(pieces, unknown: id, fallsBackToBytes: try field.optional("byte_fallback")?.bool() ?? false)
  }
}

extension Vocabulary {
  /// An object of tokens and their ids.
  init(_ field: JSONField) throws {
    self.init(try field.members().map { (token: $0.key, id: try $0.field.id(upTo: Vocabulary.largestID)) })
  }

  /// The id of a token a file names.
  fileprivate func id(of field: JSONField) throws -> Int32 {
    if let id = id(of: try field.string()) { return id }
    throw field.inconsistent("the vocabulary has no token \(field.value.description)")
  }
}
