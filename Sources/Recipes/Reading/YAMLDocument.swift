import Yams

/// A YAML text on its way to nodes.
///
/// Yams refuses a text at its first repeated key. To report every mistake at once, the earlier of two equal
/// keys is overwritten with private-use characters, as many as it has, so that no position moves; the text
/// is read again, and the nodes get the true key back.
struct YAMLDocument {
  private var text: [Unicode.Scalar]
  private let origin: ((line: Int, column: Int)?) -> Origin
  private var trueKeys: [String: String] = [:]
  /// Aliases of aliases can stand for billions of values; no recipe has this many.
  private var valuesLeft = 100_000

  /// A text whose places are lines and columns of `file`.
  init(_ yaml: String, in file: String) {
    self.init(yaml) { place in
      place.map { .position(file: file, line: $0.line, column: $0.column) } ?? .file(file)
    }
  }

  /// A text whose every place prints as `origin`.
  init(_ yaml: String, of origin: Origin) {
    self.init(yaml) { _ in origin }
  }

  private init(_ yaml: String, origin: @escaping ((line: Int, column: Int)?) -> Origin) {
    text = Array(yaml.unicodeScalars)
    self.origin = origin
  }

  /// The tree of the one document, which is the part of the recipe at `path`; `nil` after a mistake that hides the rest.
  mutating func root(at path: String = "", into diagnostics: inout Diagnostics) -> RecipeNode? {
    while true {
      do {
        guard let node = try compose(yaml: String(String.UnicodeScalarView(text))) else {
          return RecipeNode(.scalar("", isQuoted: false), at: origin(nil))
        }
        return convert(node, at: path, into: &diagnostics)
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard rename(keys[0], at: context.mark) else {
          let problem = "the key '\(keys[0])' stands twice in one mapping"
          diagnostics.add(.syntax(problem: problem), at: origin(context.mark.place))
          return nil
        }
      } catch {
        let (problem, place) = explain(error)
        diagnostics.add(.syntax(problem: problem), at: origin(place))
        return nil
      }
    }
  }

  private mutating func convert(_ node: Node, at path: String, into diagnostics: inout Diagnostics) -> RecipeNode {
    let place = origin(node.mark?.place)
    valuesLeft -= 1
    if valuesLeft < 0 {
      let problem = "with its aliases followed, the recipe has more than 100000 values"
      if valuesLeft == -1 { diagnostics.add(.syntax(problem: problem), at: place) }
      return RecipeNode(.scalar("", isQuoted: false), at: place)
    }
    switch node {
    case .scalar(let scalar):
      let isQuoted = scalar.style != .plain && scalar.style != .any
      return RecipeNode(.scalar(scalar.string, isQuoted: isQuoted), at: place)
    case .sequence(let sequence):
      let elements = sequence.enumerated().map { convert($1, at: join(path, "\($0)"), into: &diagnostics) }
      return RecipeNode(.list(elements), at: place)
    case .mapping(let mapping):
      return RecipeNode(.mapping(entries(of: mapping, at: path, into: &diagnostics)), at: place)
    case .alias:
      // The parser resolves aliases; only trees built by hand hold them.
      return RecipeNode(.scalar("", isQuoted: false), at: place)
    }
  }

  private mutating func entries(
    of mapping: Node.Mapping, at path: String, into diagnostics: inout Diagnostics
  ) -> [RecipeNode.Entry] {
    var entries: [RecipeNode.Entry] = []
    for (keyNode, valueNode) in mapping {
      let place = origin(keyNode.mark?.place)
      guard let written = keyNode.scalar?.string else {
        diagnostics.add(.syntax(problem: "a key must be a name, not a list or mapping"), at: place)
        continue
      }
      let key = trueKeys[written] ?? written
      let value = convert(valueNode, at: join(path, key), into: &diagnostics)
      if let first = entries.first(where: { $0.key == key }) {
        diagnostics.add(.duplicateKey(key, section: path, first: first.origin), at: place)
      } else {
        entries.append(RecipeNode.Entry(key: key, origin: place, value: value))
      }
    }
    return entries
  }

  /// Overwrites the key at `mark`; false where the text there is not simply the key (an alias, an escape).
  private mutating func rename(_ key: String, at mark: Mark) -> Bool {
    let width = key.unicodeScalars.count
    guard width > 0, trueKeys.count < 1000, var start = index(of: mark),
      let placeholder = Unicode.Scalar(0xE000 + UInt32(trueKeys.count))
    else { return false }
    if text[start] == "\"" || text[start] == "'" { start += 1 }
    guard start + width <= text.count, text[start..<(start + width)].elementsEqual(key.unicodeScalars) else {
      return false
    }
    text.replaceSubrange(start..<(start + width), with: repeatElement(placeholder, count: width))
    trueKeys[String(String.UnicodeScalarView(repeatElement(placeholder, count: width)))] = key
    return true
  }

  private func index(of mark: Mark) -> Int? {
    var start = 0
    for _ in 1..<mark.line {
      guard let end = text[start...].firstIndex(where: { $0 == "\n" }) else { return nil }
      start = end + 1
    }
    let index = start + mark.column - 1
    return index < text.count ? index : nil
  }

  private func explain(_ error: any Error) -> (problem: String, place: (line: Int, column: Int)?) {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      if let index = index(of: mark), text[index] == "\t" {
        return ("a tab stands here. Indent with spaces", mark.place)
      }
      guard let context = context?.text else { return (problem, mark.place) }
      return (context.hasPrefix("while") ? "\(problem) \(context)" : "\(context) \(problem)", mark.place)
    case .reader(let problem, let offset, _, let yaml):
      guard let before = offset.map({ yaml.prefix($0).unicodeScalars }) else { return (problem, nil) }
      let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
      return (problem, (line: lines.count, column: (lines.last?.count ?? 0) + 1))
    default:
      return ("\(error)", nil)
    }
  }
}

extension Mark {
  fileprivate var place: (line: Int, column: Int) { (line, column) }
}
