/// Walks UTF-8 by grapheme cluster.
///
/// Most scalars never join a neighbour of their kind, so that a cluster is known at a glance; only where another
/// scalar comes near is Swift's segmentation asked.
struct GraphemeClusters {
  private let text: [UInt8]
  private var position: Int
  /// Ends of the clusters of a stretch that had to be segmented, the last first.
  private var ends: [Int] = []

  init(_ text: [UInt8], from start: Int = 0) {
    self.text = text
    position = start
  }

  /// The next cluster.
  mutating func next() -> Range<Int>? {
    guard position < text.count else { return nil }
    let start = position
    if let end = ends.popLast() {
      position = end
      return start..<end
    }
    let first = text.scalar(at: &position)
    if GraphemeClusters.standsAlone(first), isBoundary(position, after: first) { return start..<position }
    segment(from: start)
    guard let end = ends.popLast() else { return nil }
    position = end
    return start..<end
  }

  /// Whether what follows a scalar that stands alone does so too.
  private func isBoundary(_ position: Int, after scalar: Unicode.Scalar) -> Bool {
    guard position < text.count else { return true }
    var next = position
    let following = text.scalar(at: &next)
    return GraphemeClusters.standsAlone(following) && !(scalar == "\r" && following == "\n")
  }

  private mutating func segment(from start: Int) {
    var end = start
    var previous = text.scalar(at: &end)
    while end < text.count, !(GraphemeClusters.standsAlone(previous) && isBoundary(end, after: previous)) {
      previous = text.scalar(at: &end)
    }
    var clusterEnd = start
    for cluster in String(decoding: text[start..<end], as: UTF8.self) {
      clusterEnd += cluster.utf8.count
      ends.append(clusterEnd)
    }
    ends.reverse()
  }

  /// Scalars between which there is always a boundary (CR before LF apart).
  static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0xA9, 0xB0..<0x300, 0x370..<0x483, 0x48A..<0x530, 0x2010...0x2027, 0x2581, 0x3041...0x3096,
      0x30A1...0x30FA, 0x3400...0x9FFF, 0xAC00...0xD7A3:
      true
    default: false
    }
  }
}
