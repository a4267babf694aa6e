/// The pattern of GPT-2: contractions, words, numbers and marks, each with a blank before it, and white space.
///
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
struct GPT2Scanner: Scanner {
  static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    guard let first = range.first else { return nil }
    var cursor = TextCursor(text, range)
    if let end = cursor.contraction(ignoresCase: false) { return first..<end }
    if text[first] == 0x20 { cursor.advance() }
    let kind = cursor.kind
    if let kind, kind != .space {
      cursor.skip(kind)
      return first..<cursor.position
    }
    cursor = TextCursor(text, range)
    return first..<cursor.endOfSpace()
  }
}

/// The pattern of Llama 3 and of Qwen 2, which differ in how many digits stay together.
///
/// Llama 3's: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` and
/// `|\s*[\r\n]+|\s+(?!\S)|\s+`; Qwen 2 has `\p{N}` in the middle.
struct CL100KScanner: Scanner {
  let maxDigits: Int

  /// The pattern, with what follows `\p{N}` in it.
  static func pattern(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    guard let first = range.first else { return nil }
    var cursor = TextCursor(text, range)
    if let end = cursor.contraction(ignoresCase: true) { return first..<end }
    switch cursor.kind {
    case .letter: cursor.skip(.letter)
    case .number: cursor.skip(.number, atMost: maxDigits)
    default:
      let isLineBreak = text[first] == 0x0D || text[first] == 0x0A
      var next = cursor
      next.advance()
      if !isLineBreak, next.kind == .letter {
        cursor = next
        cursor.skip(.letter)
      } else if cursor.kind == .other || (text[first] == 0x20 && next.kind == .other) {
        if text[first] == 0x20 { cursor = next }
        cursor.skip(.other)
        cursor.skipLineBreaks()
      } else {
        return first..<(cursor.endOfLineBreaks() ?? cursor.endOfSpace())
      }
    }
    return first..<cursor.position
  }
}

/// The pattern of CLIP, for text in lower case: contractions, words, single numbers and marks; white space is in none.
///
/// `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`, in newer files with the special tokens before it.
struct CLIPScanner: Scanner {
  let findsSpecialTokens: Bool

  /// The pattern without special tokens.
  static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
  /// The pattern with special tokens.
  static let wholePattern = #"<\|startoftext\|>|<\|endoftext\|>|"# + pattern

  private static let specialTokens = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.utf8) }

  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var cursor = TextCursor(text, range)
    cursor.skip(.space)
    guard let kind = cursor.kind else { return nil }
    let start = cursor.position
    let rest = text[start..<range.upperBound]
    if findsSpecialTokens, let token = CLIPScanner.specialTokens.first(where: { rest.starts(with: $0) }) {
      return start..<(start + token.count)
    }
    if let end = cursor.contraction(ignoresCase: false) { return start..<end }
    cursor.skip(kind, atMost: kind == .number ? 1 : .max)
    return start..<cursor.position
  }
}

/// White space: `\s+`.
struct SpaceScanner: Scanner {
  static let pattern = #"\s+"#

  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var cursor = TextCursor(text, range)
    while let kind = cursor.kind, kind != .space { cursor.skip(kind) }
    let start = cursor.position
    cursor.skip(.space)
    return start < cursor.position ? start..<cursor.position : nil
  }
}

/// A place in a text, with the steps that patterns of words are made of.
struct TextCursor {
  private let text: [UInt8]
  private let end: Int
  private(set) var position: Int
  private let kinds: [CharacterKind]

  init(_ text: [UInt8], _ range: Range<Int>) {
    self.text = text
    position = range.lowerBound
    end = range.upperBound
    kinds = CharacterKind.basicPlane
  }

  /// Kind of the next character, `nil` at the end.
  var kind: CharacterKind? {
    guard position < end else { return nil }
    var next = position
    return kind(at: &next)
  }

  private func kind(at position: inout Int) -> CharacterKind {
    let byte = text[position]
    if byte < 0x80 {
      position += 1
      return kinds[Int(byte)]
    }
    let scalar = text.scalar(at: &position)
    return scalar.value < 0x10000 ? kinds[Int(scalar.value)] : CharacterKind.of(scalar)
  }

  mutating func advance() { position += UTF8.width(startingWith: text[position]) }

  /// Moves over characters of one kind.
  mutating func skip(_ kind: CharacterKind, atMost limit: Int = .max) {
    var count = 0
    while position < end, count < limit {
      var next = position
      guard self.kind(at: &next) == kind else { return }
      position = next
      count += 1
    }
  }

  mutating func skipLineBreaks() {
    while position < end, text[position] == 0x0D || text[position] == 0x0A { position += 1 }
  }

  /// End of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` here.
  func contraction(ignoresCase: Bool) -> Int? {
    guard text[position] == 0x27, position + 1 < end else { return nil }
    func letter(_ offset: Int) -> UInt8? {
      guard position + offset < end else { return nil }
      let byte = text[position + offset]
      return ignoresCase && (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }
    guard let first = letter(1) else { return nil }
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"): return letter(2) == UInt8(ascii: "e") ? position + 3 : nil
    case UInt8(ascii: "l"): return letter(2) == UInt8(ascii: "l") ? position + 3 : nil
    // The long s is an s to a pattern that ignores case.
    case 0xC5: return ignoresCase && letter(2) == 0xBF ? position + 3 : nil
    default: return nil
    }
  }

  /// End of `\s*[\r\n]+` here: behind the last line break of the white space.
  func endOfLineBreaks() -> Int? {
    var space = self
    space.skip(.space)
    return text[position..<space.position].lastIndex { $0 == 0x0D || $0 == 0x0A }.map { $0 + 1 }
  }

  /// End of `\s+(?!\S)|\s+` here: the last white space before something else is left to it, unless it is the only one.
  func endOfSpace() -> Int {
    var space = self
    space.skip(.space)
    guard space.position < end else { return space.position }
    var last = space.position - 1
    while text[last] & 0xC0 == 0x80 { last -= 1 }
    return last > position ? last : space.position
  }
}
