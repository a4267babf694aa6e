/// An entry of a list such as `methods`: a name alone, or a name with its configuration.
public struct NamedEntry: Sendable, Equatable {
  /// The name.
  public let name: String
  /// Where the name was written.
  public let origin: Origin
  /// What follows the name; `nil` where all defaults hold.
  public let configuration: RecipeNode?
  /// The path to read the configuration at, such as `methods.migu`.
  public let path: String
}

extension ConfigurationReader {
  /// The entries of a list of names; one entry may stand without the list.
  public static func entries(
    from node: RecipeNode?, at path: String, into diagnostics: inout Diagnostics
  ) -> [NamedEntry] {
    guard let node else { return [] }
    guard case .list(let elements) = node.content else {
      return [entry(node, at: path, under: path, into: &diagnostics)].compactMap { $0 }
    }
    return elements.enumerated().compactMap { index, element in
      entry(element, at: join(path, "\(index)"), under: path, into: &diagnostics)
    }
  }

  private static func entry(
    _ node: RecipeNode, at path: String, under parent: String, into diagnostics: inout Diagnostics
  ) -> NamedEntry? {
    switch node.content {
    case .scalar(let name, _) where !node.isNull:
      return NamedEntry(name: name, origin: node.origin, configuration: nil, path: join(parent, name))
    case .mapping(let entries) where entries.count == 1:
      let (name, origin) = (entries[0].key, entries[0].origin)
      return NamedEntry(name: name, origin: origin, configuration: entries[0].value, path: join(parent, name))
    default:
      diagnostics.add(.notAnEntry(path: path, found: node.found), at: node.origin)
      return nil
    }
  }
}
