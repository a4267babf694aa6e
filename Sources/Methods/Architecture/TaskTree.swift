/// Experiences divided by the likeness of their signatures: a K-D tree whose depth is the layer.
///
/// A node at depth l divides its experiences by the cosine of their signature of layer l with the node's mean signature:
/// those at or above the median are the first child's. Leaves hold one experience, or lie below the last layer.
struct TaskTree: Equatable {
  let experiences: [Int]
  /// The median of the cosines; nil of a leaf.
  private(set) var median: Double?
  /// None, or two.
  private(set) var children: [TaskTree] = []

  /// - Parameter signatures: of each experience and layer, of length 1 or zero.
  init(_ signatures: [[[Float]]]) { self.init(Array(signatures.indices), 0, signatures) }

  private init(_ experiences: [Int], _ layer: Int, _ signatures: [[[Float]]]) {
    self.experiences = experiences
    guard experiences.count > 1, let first = experiences.first, layer < signatures[first].count else { return }
    let vectors = experiences.map { signatures[$0][layer] }
    var mean = [Double](repeating: 0, count: vectors[0].count)
    for vector in vectors {
      for (place, value) in vector.enumerated() { mean[place] += Double(value) / Double(vectors.count) }
    }
    let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let cosines = vectors.map { vector in
      zip(vector, mean).reduce(0) { $0 + Double($1.0) * $1.1 } / max(length, .leastNormalMagnitude)
    }
    // Of an even number the lower of the two in the middle.
    let median = cosines.sorted()[(cosines.count - 1) / 2]
    var parts = [
      zip(experiences, cosines).filter { $0.1 >= median }.map(\.0),
      zip(experiences, cosines).filter { $0.1 < median }.map(\.0),
    ]
    if parts[1].isEmpty {
      let half = experiences.count / 2
      parts = [Array(experiences[..<half]), Array(experiences[half...])]
    }
    self.median = median
    children = parts.map { TaskTree($0, layer + 1, signatures) }
  }

  /// By how much the scores of an experience and of those beside it count more, once it was drawn.
  func prior(of experience: Int) -> (experiences: [Int], factor: Double)? {
    guard let child = children.first(where: { $0.experiences.contains(experience) }) else { return nil }
    return (child.experiences, min(1 + (child.median ?? 1), 1.5))
  }
}
