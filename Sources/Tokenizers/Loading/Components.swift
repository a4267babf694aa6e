/// The components of `tokenizer.json` by type; each reads its own part of the file.
enum Components {
  static func normalizer(_ field: JSONField?) throws -> (any Normalizer)? {
    try field.map { try component($0, normalizers) }
  }

  static func preTokenizer(_ field: JSONField?) throws -> (any PreTokenizer)? {
    try field.map { try component($0, preTokenizers) }
  }

  static func decoder(_ field: JSONField?) throws -> (any Decoder)? {
    try field.map { try component($0, decoders) }
  }

  static func model(_ field: JSONField) throws -> any Model {
    try component(field, models)
  }

  private typealias Table<Component> = [String: @Sendable (JSONField) throws -> Component]

  private static func component<Component>(_ field: JSONField, _ table: Table<Component>) throws -> Component {
    let type = try field.member("type")
    guard let make = table[try type.string()] else { throw type.unsupported(table.keys.sorted()) }
    return try make(field)
  }

  private static let normalizers: Table<any Normalizer> = [
    "BertNormalizer": { try BertNormalizer($0) },
    "Lowercase": { _ in Lowercase() },
    "NFC": { _ in NormalForm.composed },
    "NFD": { _ in NormalForm.decomposed },
    "NFKC": { _ in NormalForm.compatibilityComposed },
    "NFKD": { _ in NormalForm.compatibilityDecomposed },
    "Nmt": { _ in Nmt() },
    "Precompiled": { try Precompiled($0) },
    "Prepend": { Prepend(content: Array(try $0.member("prepend").string().utf8)) },
    "Replace": { try Replace($0) },
    "Sequence": { field in
      NormalizerSequence(steps: try field.member("normalizers").elements().map { try component($0, normalizers) })
    },
    "Strip": { Strip(left: try $0.member("strip_left").bool(), right: try $0.member("strip_right").bool()) },
    "StripAccents": { _ in StripAccents() },
  ]

  private static let preTokenizers: Table<any PreTokenizer> = [
    "BertPreTokenizer": { _ in BertPreTokenizer() },
    "ByteLevel": { try ByteLevel($0) },
    "Digits": { ScalarSplit.digits(individually: try $0.member("individual_digits").bool()) },
    "Metaspace": { try Metaspace($0) },
    "Punctuation": { ScalarSplit.punctuation(try $0.optional("behavior")?.choice() ?? .isolated) },
    "Sequence": { field in
      PreTokenizerSequence(
        steps: try field.member("pretokenizers").elements().map { try component($0, preTokenizers) })
    },
    "Split": { try Split($0) },
    "Whitespace": { _ in Whitespace() },
    "WhitespaceSplit": { _ in ScalarSplit.whitespace },
  ]

  private static let decoders: Table<any Decoder> = [
    "BPEDecoder": { BPEDecoder(suffix: Array(try $0.member("suffix").string().utf8)) },
    "ByteFallback": { _ in ByteFallback() },
    "ByteLevel": { _ in ByteLevel(addsPrefixSpace: false, pattern: nil) },
    "Fuse": { _ in Fuse() },
    "Metaspace": { try Metaspace($0) },
    "Replace": { try Replace($0) },
    "Sequence": { field in
      DecoderSequence(steps: try field.member("decoders").elements().map { try component($0, decoders) })
    },
    "Strip": {
      StripDecoder(
        content: try $0.member("content").scalar(), start: Int(try $0.member("start").id()),
        stop: Int(try $0.member("stop").id()))
    },
    "WordPiece": {
      WordPieceDecoder(prefix: try $0.member("prefix").string(), cleansUp: try $0.member("cleanup").bool())
    },
  ]

  private static let models: Table<any Model> = [
    "BPE": { try BPE($0) },
    "Unigram": { try Unigram($0) },
    "WordPiece": { try WordPiece($0) },
  ]
}
