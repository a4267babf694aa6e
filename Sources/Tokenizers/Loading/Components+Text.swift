import Foundation

extension BertNormalizer {
  init(_ field: JSONField) throws {
    let lowercases = try field.member("lowercase").bool()
    self.init(
      BertNormalizer.Options(
        cleansText: try field.member("clean_text").bool(),
        spacesChinese: try field.member("handle_chinese_chars").bool(),
        stripsAccents: try field.optional("strip_accents")?.bool() ?? lowercases,
        lowercases: lowercases))
  }
}

extension Precompiled {
  init(_ field: JSONField) throws {
    let map = try field.member("precompiled_charsmap")
    guard let bytes = Data(base64Encoded: try map.string()), let precompiled = Precompiled(map: Array(bytes)) else {
      throw map.inconsistent("it is not a character map of SentencePiece in Base64")
    }
    self = precompiled
  }
}

extension Replace {
  init(_ field: JSONField) throws {
    self.init(
      pattern: try Pattern(field.member("pattern")), content: Array(try field.member("content").string().utf8))
  }
}

extension Split {
  init(_ field: JSONField) throws {
    self.init(
      pattern: try Pattern(field.member("pattern")), behavior: try field.member("behavior").choice(),
      inverts: try field.member("invert").bool())
  }
}

extension ByteLevel {
  init(_ field: JSONField) throws {
    self.init(
      addsPrefixSpace: try field.member("add_prefix_space").bool(),
      pattern: try field.optional("use_regex")?.bool() ?? true ? GPT2Scanner() : nil)
  }
}

extension Metaspace {
  init(_ field: JSONField) throws {
    let scheme: PrependScheme = try field.optional("prepend_scheme")?.choice() ?? .always
    // Older files say with a flag whether a mark is put before the text.
    let prepends = try field.optional("add_prefix_space")?.bool() ?? true
    self.init(
      replacement: try field.member("replacement").scalar(), prependScheme: prepends ? scheme : .never,
      splits: try field.optional("split")?.bool() ?? true)
  }
}

extension Pattern {
  init(_ field: JSONField) throws {
    if let literal = try field.optional("String") {
      self = .literal(Array(try literal.string().utf8))
      return
    }
    let expression = try field.member("Regex")
    guard let scanner = Pattern.scanners[try expression.string()] else {
      throw expression.unsupported(Pattern.scanners.keys.sorted())
    }
    self = .scanner(scanner)
  }

  /// The regular expressions there are scanners for.
  private static let scanners: [String: any Scanner] = [
    GPT2Scanner.pattern: GPT2Scanner(),
    CL100KScanner.pattern(digits: ""): CL100KScanner(maxDigits: 1),
    CL100KScanner.pattern(digits: "{1,3}"): CL100KScanner(maxDigits: 3),
    BlankRunScanner.pattern: BlankRunScanner(),
    CLIPScanner.pattern: CLIPScanner(findsSpecialTokens: false),
    CLIPScanner.wholePattern: CLIPScanner(findsSpecialTokens: true),
    SpaceScanner.pattern: SpaceScanner(),
  ]
}

/// Two blanks or more: ` {2,}`.
struct BlankRunScanner: Scanner {
  static let pattern = " {2,}"

  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var position = range.lowerBound
    while let start = text[position..<range.upperBound].firstIndex(of: 0x20) {
      let end = text[start..<range.upperBound].firstIndex { $0 != 0x20 } ?? range.upperBound
      if end - start >= 2 { return start..<end }
      position = end
    }
    return nil
  }
}
