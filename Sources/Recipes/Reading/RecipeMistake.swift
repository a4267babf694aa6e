public import Continual
import Streams

/// The kinds of mistakes in a recipe; each prints as what is wrong and what to do.
public enum RecipeMistake: Sendable, Equatable {
  /// The text is not YAML.
  case syntax(problem: String)
  /// The document holds nothing.
  case emptyDocument
  /// A key that its section does not have.
  case unknownKey(String, section: String, keys: [String])
  /// A key that stands twice in one section.
  case duplicateKey(String, section: String, first: Origin)
  /// A key without a default that the recipe does not give.
  case missingKey(ConfigurationKey, section: String)
  /// A value of another type than the key's.
  case wrongType(path: String, expected: String, found: String)
  /// A value of the right type that the key does not take.
  case notAllowed(path: String, allowed: Allowed, found: String)
  /// A value that the section's own decoding refuses.
  case refused(path: String, reason: String)
  /// A method, model or stream that nobody knows; `listing` is the command that lists them.
  case unknownName(String, kind: String, known: [String], listing: String)
  /// An entry of a list that is neither a name nor one `name: {…}`.
  case notAnEntry(path: String, found: String)
  /// An override that names no place in the recipe.
  case override(reason: String)
}

extension RecipeMistake: CustomStringConvertible {
  /// The whole sentence, without its place.
  public var description: String {
    switch self {
    case .syntax(let problem):
      "not valid YAML: \(problem)."
    case .emptyDocument:
      "the recipe is empty. Write at least 'model:', 'stream:' and 'methods:'."
    case .unknownKey(let key, let section, let keys):
      "unknown key '\(key)' in \(title(section)).\(suggestion(key, keys)) "
        + (keys.isEmpty ? "It has no keys." : "Keys: \(keys.joined(separator: ", ")).")
    case .duplicateKey(let key, let section, let first):
      "duplicate key '\(key)' in \(title(section)), first given at \(first). Keep one of them."
    case .missingKey(let key, let section):
      "missing key '\(key.name)' in \(title(section)): \(key.summary). Add '\(key.name): …'."
    case .wrongType(let path, let expected, let found):
      "\(title(path)) must be \(expected), but found \(found)."
    case .notAllowed(let path, let allowed, let found):
      "\(title(path)) must be \(allowed), but found '\(found)'.\(suggestion(found, allowed.words))"
    case .refused(let path, let reason):
      "\(title(path)) was refused: \(reason)"
    case .unknownName(let name, let kind, let known, let listing):
      "unknown \(kind) '\(name)'.\(suggestion(name, known)) All: \(listing)."
    case .notAnEntry(let path, let found):
      "\(title(path)) must be a name or one 'name: {…}', but found \(found)."
    case .override(let reason):
      reason
    }
  }

  private func title(_ path: String) -> String {
    path.isEmpty ? "the recipe" : path
  }

  private func suggestion(_ name: String, _ candidates: [String]) -> String {
    Nearest.name(to: name, among: candidates).map { " Did you mean '\($0)'?" } ?? ""
  }
}

extension Allowed {
  fileprivate var words: [String] {
    if case .oneOf(let words) = self { words } else { [] }
  }
}
