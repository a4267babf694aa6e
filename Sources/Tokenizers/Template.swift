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
}

/// How many ids of each text to keep so that both fit in `room`: the longer gives way first, and when neither fits
/// beside the other each gets half, the longer the odd one.
func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
  guard first + second > room else { return (first, second) }
  let shorter = min(first, second)
  let kept = shorter > room / 2 ? (room / 2, room - room / 2) : (shorter, room - shorter)
  return first > second ? (kept.1, kept.0) : kept
}
