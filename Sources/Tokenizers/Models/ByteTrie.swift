/// Byte strings with a value each, found by walking one byte at a time.
///
/// A double-array trie: the child of `node` for a byte lies at `base ^ byte` and is real when it names `node` as
/// its parent, so that a step costs one load. Swift strings are no keys here: they are equal when canonically
/// equivalent, and a vocabulary may hold both the composed and the decomposed form of a word.
struct ByteTrie: Sendable {
  private struct Node {
    var base: Int32 = 0
    var parent: Int32 = Node.free
    var value: Int32 = Node.none

    static let free: Int32 = -1
    static let none: Int32 = -1
  }

  private var nodes: [Node]

  /// Where every walk starts.
  static let root: Int32 = 0

  /// - Parameter entries: keys with non-negative values; the last of equal keys wins.
  init(_ entries: [(key: [UInt8], value: Int32)]) {
    nodes = Array(repeating: Node(), count: 256)
    nodes[0].parent = Node.none - 1
    let sorted = ByteTrie.sortedUnique(entries)
    guard !sorted.isEmpty else { return }
    var firstFree = 1
    // Not recursive: the depth is the length of the longest key, which a file decides.
    var pending = [(node: ByteTrie.root, entries: 0..<sorted.count, depth: 0)]
    while let (node, range, depth) = pending.popLast() {
      var rest = range
      if sorted[rest.lowerBound].key.count == depth {
        nodes[Int(node)].value = sorted[rest.lowerBound].value
        rest.removeFirst()
      }
      let children = ByteTrie.groups(of: sorted, in: rest, at: depth)
      guard !children.isEmpty else { continue }
      let base = place(children.map(\.byte), under: node, firstFree: &firstFree)
      for child in children {
        pending.append((base ^ Int32(child.byte), child.entries, depth + 1))
      }
    }
  }

  /// The node one byte further, or `nil` where no key goes on so.
  func child(of node: Int32, _ byte: UInt8) -> Int32? {
    let index = nodes[Int(node)].base ^ Int32(byte)
    return nodes[Int(index)].parent == node ? index : nil
  }

  /// The value of the key that ends at this node.
  func value(at node: Int32) -> Int32? {
    let value = nodes[Int(node)].value
    return value == Node.none ? nil : value
  }

  /// The node reached by all of `bytes`.
  func node(_ bytes: some Sequence<UInt8>, from start: Int32 = ByteTrie.root) -> Int32? {
    var node = start
    for byte in bytes {
      guard let next = child(of: node, byte) else { return nil }
      node = next
    }
    return node
  }

  /// The value of a whole key.
  subscript(key: some Sequence<UInt8>) -> Int32? {
    node(key).flatMap(value)
  }

  /// The value of the key that is all of `text[range]`.
  func value(of text: [UInt8], _ range: Range<Int>) -> Int32? {
    var node = ByteTrie.root
    for index in range {
      guard let next = child(of: node, text[index]) else { return nil }
      node = next
    }
    return value(at: node)
  }

  /// Calls `body` with end and value of each key, of at least one byte, that starts `text[range]`, the shortest first.
  func forEachMatch(in text: [UInt8], _ range: Range<Int>, _ body: (_ end: Int, _ value: Int32) -> Void) {
    var node = ByteTrie.root
    for index in range {
      guard let next = child(of: node, text[index]) else { return }
      node = next
      if let value = value(at: node) { body(index + 1, value) }
    }
  }

  /// The longest key, of at least one byte, that starts `text[range]`.
  func longestMatch(in text: [UInt8], _ range: Range<Int>, from start: Int32) -> (end: Int, value: Int32)? {
    var node = start
    var match: (end: Int, value: Int32)?
    for index in range {
      guard let next = child(of: node, text[index]) else { break }
      node = next
      if let value = value(at: node) { match = (index + 1, value) }
    }
    return match
  }
}

extension ByteTrie {
  private typealias Entry = (key: [UInt8], value: Int32)

  private static func sortedUnique(_ entries: [Entry]) -> [Entry] {
    // The sort of the standard library is stable, so that the last of equal keys stays last.
    let sorted = entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return sorted.indices.filter { $0 + 1 == sorted.count || sorted[$0].key != sorted[$0 + 1].key }.map { sorted[$0] }
  }

  private static func groups(
    of entries: [Entry], in range: Range<Int>, at depth: Int
  ) -> [(byte: UInt8, entries: Range<Int>)] {
    var groups: [(byte: UInt8, entries: Range<Int>)] = []
    for index in range {
      let byte = entries[index].key[depth]
      if let last = groups.last, last.byte == byte {
        groups[groups.count - 1].entries = last.entries.lowerBound..<(index + 1)
      } else {
        groups.append((byte, index..<(index + 1)))
      }
    }
    return groups
  }

  /// Finds room for the children of a node and takes it.
  private mutating func place(_ bytes: [UInt8], under node: Int32, firstFree: inout Int) -> Int32 {
    while nodes[firstFree].parent != Node.free {
      firstFree += 1
      growIfNeeded(for: firstFree)
    }
    var candidate = firstFree
    while true {
      growIfNeeded(for: candidate)
      let base = Int32(candidate) ^ Int32(bytes[0])
      if bytes.allSatisfy({ nodes[Int(base ^ Int32($0))].parent == Node.free }) {
        for byte in bytes { nodes[Int(base ^ Int32(byte))].parent = node }
        nodes[Int(node)].base = base
        return base
      }
      candidate += 1
    }
  }

  /// Keeps whole blocks of 256, the reach of an exclusive or with a byte.
  private mutating func growIfNeeded(for index: Int) {
    if index >= nodes.count { nodes.append(contentsOf: repeatElement(Node(), count: 256)) }
  }
}
