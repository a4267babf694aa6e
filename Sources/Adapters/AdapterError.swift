public import Foundation

/// Adapters that cannot be attached.
public enum AdapterError: LocalizedError, CustomStringConvertible, Equatable {
  /// Ends of names that no layer has (none where no targets were given), and the layers there are.
  case noTarget([String], layers: [String])
  /// A layer that has this adapter already.
  case taken(String)

  public var description: String {
    switch self {
    case .noTarget(let suffixes, let layers):
      (suffixes.isEmpty
        ? "targets is empty."
        : "no layer's name ends in \(suffixes.map { "'\($0)'" }.joined(separator: " or ")).")
        + " Set targets to the ends of some of these names, or to [all]: \(layers.joined(separator: ", "))."
    case .taken(let adapter):
      "two methods of the recipe make the adapter '\(adapter)'. Keep one of them, or give them different targets."
    }
  }
  public var errorDescription: String? { description }
}
