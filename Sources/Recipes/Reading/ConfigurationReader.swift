public import Continual
import Foundation

/// Reads sections of a recipe into their types, noting every mistake and stopping at none.
public enum ConfigurationReader {
  /// The section at `path`: the defaults of `type` with the node's values laid over them.
  ///
  /// A value with a mistake keeps its default. Where the section is absent, all values do. `elsewhere` are further keys
  /// of the same mapping, which another call reads.
  public static func read<C: ConfigurationSection>(
    _ type: C.Type, from node: RecipeNode?, at path: String, elsewhere: [ConfigurationKey] = [],
    into diagnostics: inout Diagnostics
  ) -> C {
    let defaults = mapping(ConfigurationField.all(of: C()))
    var overlay = ConfigurationOverlay(diagnostics: diagnostics)
    let values = overlay.section(node, over: defaults, of: type, at: path, elsewhere: elsewhere)
    diagnostics = overlay.diagnostics
    let section = decode(type, values, defaults: defaults, from: node, at: path, into: &diagnostics)
    if let conflict = section.conflict {
      let place = node?[conflict.key] ?? node
      diagnostics.add(.refused(path: join(path, conflict.key), reason: conflict.reason), at: place?.origin)
    }
    return section
  }

  /// Decodes; a key whose value the type itself refuses is noted and returns to its default.
  private static func decode<C: ConfigurationSection>(
    _ type: C.Type, _ values: ConfigurationValue, defaults: ConfigurationValue, from node: RecipeNode?, at path: String,
    into diagnostics: inout Diagnostics
  ) -> C {
    guard case .mapping(var members) = values else { return C() }
    while true {
      do {
        return try JSON.decode(type, from: .mapping(members))
      } catch let error as DecodingError {
        let (keys, reason) = error.place
        let place = keys.reduce(node) { $0?[$1] } ?? node
        diagnostics.add(.refused(path: keys.reduce(path, join), reason: reason), at: place?.origin)
        guard let key = keys.first, let value = defaults[key], value != members[key] else { return C() }
        members[key] = value
      } catch {
        diagnostics.add(.refused(path: path, reason: "\(error)"), at: node?.origin)
        return C()
      }
    }
  }
}

/// The values of fields by name.
func mapping(_ fields: [ConfigurationField]) -> ConfigurationValue {
  .mapping(Dictionary(fields.map { ($0.key.name, $0.value) }) { first, _ in first })
}

/// The way from a checked value to its Swift type.
private enum JSON {
  static func decode<T: Decodable>(_ type: T.Type, from value: ConfigurationValue) throws -> T {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: ".inf", negativeInfinity: "-.inf", nan: ".nan")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: ".inf", negativeInfinity: "-.inf", nan: ".nan")
    return try decoder.decode(type, from: encoder.encode(value))
  }
}

extension DecodingError {
  /// The names of the keys on the way to the refused value, and the reason.
  fileprivate var place: (keys: [String], reason: String) {
    switch self {
    case .keyNotFound(let key, let context):
      ((context.codingPath + [key]).map(\.stringValue), context.debugDescription)
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      (context.codingPath.map(\.stringValue), context.debugDescription)
    @unknown default: ([], "\(self)")
    }
  }
}
