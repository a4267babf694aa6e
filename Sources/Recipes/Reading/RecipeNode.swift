/// A part of a recipe as it was written: text, list or mapping, with the place of every key and value.
///
/// Nothing has a type yet: `no` is the text "no" until a key that takes true or false reads it.
public struct RecipeNode: Sendable, Equatable {
  /// What was written.
  public enum Content: Sendable, Equatable {
    /// A single value; quotes make it a string for certain.
    case scalar(String, isQuoted: Bool)
    /// A list.
    case list([RecipeNode])
    /// Keys with values, in their order; no key stands twice.
    case mapping([Entry])
  }

  /// One key with its value.
  public struct Entry: Sendable, Equatable {
    /// The key.
    public let key: String
    /// Where the key was written.
    public let origin: Origin
    /// Its value.
    public var value: RecipeNode
  }

  /// What was written.
  public var content: Content
  /// Where it begins.
  public var origin: Origin

  init(_ content: Content, at origin: Origin) {
    self.content = content
    self.origin = origin
  }

  /// The value of a key; `nil` when this is no mapping or lacks the key. Only a key that is there can be given another.
  public internal(set) subscript(key: String) -> RecipeNode? {
    get { entries?.first { $0.key == key }?.value }
    set {
      guard let newValue, case .mapping(var entries) = content,
        let index = entries.firstIndex(where: { $0.key == key })
      else { return }
      entries[index].value = newValue
      content = .mapping(entries)
    }
  }

  /// The entries of a mapping; a value left empty is a mapping without entries.
  public var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { isNull ? [] : nil }
  }

  /// Whether the value was left empty, or is written `null` or `~`.
  public var isNull: Bool {
    guard case .scalar(let text, isQuoted: false) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// What was found, as the end of a sentence: `'many'`, `a list`.
  var found: String {
    switch content {
    case .scalar("", isQuoted: false): "nothing"
    case .scalar(let text, isQuoted: false): "'\(text)'"
    case .scalar(let text, isQuoted: true): "the string '\(text)'"
    case .list: "a list"
    case .mapping(let entries): "a mapping with the keys \(entries.map(\.key).joined(separator: ", "))"
    }
  }
}

/// Joins the parts of a key's path: `training`, `epochs` gives `training.epochs`.
func join(_ path: String, _ key: String) -> String {
  path.isEmpty ? key : "\(path).\(key)"
}
