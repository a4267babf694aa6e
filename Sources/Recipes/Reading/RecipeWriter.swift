public import Continual
import Foundation

/// Writes configurations as YAML that reads back to the same values.
///
/// Every key stands in the order of `keys`, defaults included, so equal configurations give equal bytes.
public enum RecipeWriter {
  /// A part of a recipe's top level.
  public enum Part: Sendable {
    /// The configuration's keys, at the top level itself.
    case keys(any ConfigurationSection)
    /// The configuration under a key.
    case section(String, any ConfigurationSection)
    /// Named configurations as a list under a key.
    case list(String, [(name: String, configuration: any ConfigurationSection)])
  }

  /// The YAML of one configuration; `comments` adds each key's summary.
  public static func yaml(_ value: some ConfigurationSection, comments: Bool = false) -> String {
    yaml([.keys(value)], comments: comments)
  }

  /// The YAML of a whole recipe.
  public static func yaml(_ parts: [Part], comments: Bool = false) -> String {
    var text = YAMLText(hasComments: comments)
    for part in parts {
      switch part {
      case .keys(let configuration):
        text.write(configuration, indent: "")
      case .section(let name, let configuration):
        text.section("\(name):", configuration, indent: "")
      case .list(let name, let entries) where entries.isEmpty:
        text.line("\(name): []")
      case .list(let name, let entries):
        text.line("\(name):")
        for entry in entries {
          text.section("  - \(YAMLText.word(entry.name)):", entry.configuration, indent: "    ")
        }
      }
    }
    return text.text
  }
}

extension RecipeWriter {
  /// `key value` for each key that differs between two configurations of one type.
  static func differences(_ one: any ConfigurationSection, from other: any ConfigurationSection) -> [String] {
    let lines = { (value: any ConfigurationSection) in yaml([.keys(value)]).split(separator: "\n").map(String.init) }
    return zip(lines(one), lines(other)).filter { $0 != $1 }.map { $0.0.replacingOccurrences(of: ":", with: "") }
  }
}
