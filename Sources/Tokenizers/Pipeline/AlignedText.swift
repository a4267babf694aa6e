/// Text on its way to tokens: UTF-8, and where asked for, which part of the original each byte stands for.
struct AlignedText: Sendable {
  private(set) var bytes: [UInt8]
  /// For each byte a range of the original text; `nil` where nobody asks.
  private(set) var origins: [Range<Int>]?

  /// - Parameters:
  ///   - start: where in the original text `bytes` begin.
  ///   - tracks: whether anybody will ask where a byte comes from.
  init(_ bytes: [UInt8], at start: Int = 0, tracks: Bool = false) {
    self.bytes = bytes
    guard tracks else { return }
    var origins: [Range<Int>] = []
    origins.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let scalar = position
      _ = bytes.scalar(at: &position)
      let origin = (start + scalar)..<(start + position)
      for _ in scalar..<position { origins.append(origin) }
    }
    self.origins = origins
  }

  private init(bytes: [UInt8], origins: [Range<Int>]?) {
    self.bytes = bytes
    self.origins = origins
  }

  /// The part of the text in `range`.
  subscript(range: Range<Int>) -> AlignedText {
    if range == bytes.indices { return self }
    return AlignedText(bytes: Array(bytes[range]), origins: origins.map { Array($0[range]) })
  }

  /// The part of the original that `range` stands for; an empty one lies where the next byte comes from.
  func origin(of range: Range<Int>) -> Range<Int> {
    guard let origins, !origins.isEmpty else { return 0..<0 }
    guard !range.isEmpty else { return origins[min(range.lowerBound, origins.count - 1)] }
    let lower = origins[range.lowerBound].lowerBound
    return lower..<max(lower, origins[range.upperBound - 1].upperBound)
  }

  /// Drops what lies before and behind `range`.
  mutating func keepOnly(_ range: Range<Int>) {
    if range != bytes.indices { self = self[range] }
  }

  /// Writes the text anew: `body` puts into a rewriter what stays and what is put in its place.
  mutating func rewrite(_ body: (inout Rewriter) -> Void) {
    var rewriter = Rewriter(self)
    body(&rewriter)
    bytes = rewriter.bytes
    origins = rewriter.origins
  }

  /// Collects the parts of a new text.
  struct Rewriter {
    let source: AlignedText
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate var origins: [Range<Int>]?

    fileprivate init(_ source: AlignedText) {
      self.source = source
      bytes.reserveCapacity(source.bytes.count + source.bytes.count / 8 + 8)
      origins = source.origins == nil ? nil : []
    }

    /// Keeps a part of the source as it is.
    mutating func keep(_ range: Range<Int>) {
      bytes.append(contentsOf: source.bytes[range])
      if let kept = source.origins?[range] { origins?.append(contentsOf: kept) }
    }

    /// Puts new bytes where `range` of the source was.
    mutating func put(_ new: some Collection<UInt8>, for range: Range<Int>) {
      bytes.append(contentsOf: new)
      if origins != nil { origins?.append(contentsOf: repeatElement(source.origin(of: range), count: new.count)) }
    }

    /// Puts a byte where one of the source was.
    mutating func put(_ byte: UInt8, for position: Int) {
      bytes.append(byte)
      if let origin = source.origins?[position] { origins?.append(origin) }
    }

    /// Takes back all but the first `count` bytes.
    mutating func truncate(to count: Int) {
      bytes.removeSubrange(count...)
      origins?.removeSubrange(count...)
    }
  }
}
