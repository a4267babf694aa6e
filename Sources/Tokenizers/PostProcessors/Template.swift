/// Which special tokens stand where around one text or a pair.
struct Template: Sendable, Equatable {
  enum Piece: Sendable, Equatable {
    case first(segment: Int32)
    case second(segment: Int32)
    case special(ids: [Int32], segment: Int32)
  }

  var single: [Piece]
  var pair: [Piece]

  /// The texts as they are.
  static let bare = Template(
    single: [.first(segment: 0)], pair: [.first(segment: 0), .second(segment: 1)])

  /// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.
  static func bert(cls: Int32, sep: Int32) -> Template {
    let single: [Piece] = [
      .special(ids: [cls], segment: 0), .first(segment: 0), .special(ids: [sep], segment: 0),
    ]
    return Template(single: single, pair: single + [.second(segment: 1), .special(ids: [sep], segment: 1)])
  }

  /// `<s> A </s>` and `<s> A </s></s> B </s>`, all in segment 0.
  static func roberta(cls: Int32, sep: Int32) -> Template {
    let single: [Piece] = [
      .special(ids: [cls], segment: 0), .first(segment: 0), .special(ids: [sep], segment: 0),
    ]
    return Template(
      single: single,
      pair: single + [
        .special(ids: [sep], segment: 0), .second(segment: 0), .special(ids: [sep], segment: 0),
      ])
  }

  /// `A </s>` and `A </s> B </s>`, all in segment 0.
  static func ended(eos: Int32) -> Template {
    let end = Piece.special(ids: [eos], segment: 0)
    return Template(single: [.first(segment: 0), end], pair: [.first(segment: 0), end, .second(segment: 0), end])
  }

  /// `<s> A </s>` and `<s> A </s> <s> B </s>`, without what is `nil`.
  static func continued(bos: Int32?, eos: Int32?) -> Template {
    func around(_ text: Piece, _ segment: Int32) -> [Piece] {
      let start = bos.map { [Piece.special(ids: [$0], segment: segment)] } ?? []
      return start + [text] + (eos.map { [.special(ids: [$0], segment: segment)] } ?? [])
    }
    let single = around(.first(segment: 0), 0)
    return Template(single: single, pair: single + around(.second(segment: 1), 1))
  }

  /// How many special tokens are put in.
  func addedTokens(toPair isPair: Bool) -> Int {
    (isPair ? pair : single).reduce(0) { count, piece in
      if case .special(let ids, _) = piece { count + ids.count } else { count }
    }
  }

  /// Joins the texts' ids with the special tokens.
  func apply(_ first: [Int32], _ second: [Int32]?) -> Encoding {
    let pieces = second == nil ? single : pair
    var ids: [Int32] = []
    ids.reserveCapacity(first.count + (second?.count ?? 0) + pieces.count)
    var segments: [Int32] = []
    segments.reserveCapacity(ids.capacity)
    for piece in pieces {
      let (part, segment) =
        switch piece {
        case .first(let segment): (first, segment)
        case .second(let segment): (second ?? [], segment)
        case .special(let ids, let segment): (ids, segment)
        }
      ids += part
      segments += repeatElement(segment, count: part.count)
    }
    return Encoding(ids: ids, segments: segments)
  }

  /// Sets `nil` where special tokens stand between the texts' spans.
  func apply(spans first: [Range<Int>], _ second: [Range<Int>]?) -> [TextSpan?] {
    (second == nil ? single : pair).flatMap { piece -> [TextSpan?] in
      switch piece {
      case .first: first.map { TextSpan(isPair: false, utf8: $0) }
      case .second: (second ?? []).map { TextSpan(isPair: true, utf8: $0) }
      case .special(let ids, _): Array(repeating: nil, count: ids.count)
      }
    }
  }
}
