import Continual

/// Lays what a recipe says over a configuration's defaults, checking names, types and bounds.
struct ConfigurationOverlay {
  var diagnostics: Diagnostics

  mutating func section<C: ConfigurationSection>(
    _ node: RecipeNode?, over defaults: ConfigurationValue, of type: C.Type, at path: String,
    elsewhere: [ConfigurationKey] = []
  ) -> ConfigurationValue {
    guard let entries = node.map(\.entries) ?? [] else {
      note(.wrongType(path: path, expected: "a section of keys", found: node?.found ?? ""), at: node)
      return defaults
    }
    let fields = ConfigurationField.all(of: C())
    let others = elsewhere.map(\.name)
    guard case .mapping(var members) = defaults else { return defaults }
    for entry in entries where !others.contains(entry.key) {
      guard let field = fields.first(where: { $0.key.name == entry.key }) else {
        let keys = fields.map(\.key.name) + others
        diagnostics.add(.unknownKey(entry.key, section: path, keys: keys), at: entry.origin)
        continue
      }
      let here = join(path, entry.key)
      guard let value = value(entry.value, as: field.shape, over: members[entry.key] ?? .null, at: here),
        isAllowed(value, by: field.key.allowed, entry.value, at: here)
      else { continue }
      members[entry.key] = value
    }
    for key in fields.map(\.key) + elsewhere where key.isRequired && !entries.contains(where: { $0.key == key.name }) {
      note(.missingKey(key, section: path), at: node)
    }
    return .mapping(members)
  }

  /// The value that `node` gives for a shape; `nil` after noting a mistake.
  private mutating func value(
    _ node: RecipeNode, as shape: Shape, over standard: ConfigurationValue, at path: String
  ) -> ConfigurationValue? {
    if node.isNull, shape.takesNull { return .null }
    switch (shape.unwrapped, node.content) {
    case (.configuration(let type), _):
      return nested(node, type, over: standard, at: path)
    case (.list(let element), .list(let nodes)):
      return list(nodes, of: element, at: path)
    case (.any, .list(let nodes)):
      return list(nodes, of: .any, at: path)
    case (.mapping(let element), .mapping(let entries)):
      return mapping(entries, of: element, at: path)
    case (.any, .mapping(let entries)):
      return mapping(entries, of: .any, at: path)
    case (.word(let words), .scalar(let text, _)) where !node.isNull && !words.contains(text):
      note(.notAllowed(path: path, allowed: .oneOf(words), found: text), at: node)
      return nil
    case (let scalar, .scalar(let text, let isQuoted)):
      if !node.isNull, let value = scalar.value(of: text, isQuoted: isQuoted) { return value }
    default:
      break
    }
    note(.wrongType(path: path, expected: shape.expected, found: node.found), at: node)
    return nil
  }

  private mutating func nested<C: ConfigurationSection>(
    _ node: RecipeNode, _ type: C.Type, over standard: ConfigurationValue, at path: String
  ) -> ConfigurationValue {
    let defaults = standard == .null ? Recipes.mapping(ConfigurationField.all(of: C())) : standard
    return section(node, over: defaults, of: type, at: path)
  }

  private mutating func list(_ nodes: [RecipeNode], of shape: Shape, at path: String) -> ConfigurationValue? {
    var elements: [ConfigurationValue] = []
    for (index, node) in nodes.enumerated() {
      if let element = value(node, as: shape, over: .null, at: join(path, "\(index)")) { elements.append(element) }
    }
    return elements.count == nodes.count ? .list(elements) : nil
  }

  private mutating func mapping(
    _ entries: [RecipeNode.Entry], of shape: Shape, at path: String
  ) -> ConfigurationValue? {
    var members: [String: ConfigurationValue] = [:]
    for entry in entries {
      members[entry.key] = value(entry.value, as: shape, over: .null, at: join(path, entry.key))
    }
    return members.count == entries.count ? .mapping(members) : nil
  }

  private mutating func isAllowed(
    _ value: ConfigurationValue, by allowed: Allowed?, _ node: RecipeNode, at path: String
  ) -> Bool {
    guard let allowed else { return true }
    switch (value, node.content) {
    case (.list(let elements), .list(let nodes)):
      // Every element is looked at, so that every mistake is noted.
      return zip(elements, nodes).enumerated().map { index, pair in
        isAllowed(pair.0, by: allowed, pair.1, at: join(path, "\(index)"))
      }.allSatisfy { $0 }
    case (.integer(let digits), .scalar(let text, _)):
      return note(unless: Double(digits).map { allowed.contains($0) } ?? true, allowed, text, at: path, node)
    case (.number(let number), .scalar(let text, _)):
      return note(unless: allowed.contains(number), allowed, text, at: path, node)
    case (.string(let word), .scalar(let text, _)):
      return note(unless: allowed.contains(word), allowed, text, at: path, node)
    default:
      return true
    }
  }

  private mutating func note(
    unless isAllowed: Bool, _ allowed: Allowed, _ text: String, at path: String, _ node: RecipeNode
  ) -> Bool {
    if !isAllowed { note(.notAllowed(path: path, allowed: allowed, found: text), at: node) }
    return isAllowed
  }

  private mutating func note(_ mistake: RecipeMistake, at node: RecipeNode?) {
    diagnostics.add(mistake, at: node?.origin)
  }
}
