/// The streams that can be asked for by name.
public enum StreamIndex {
  public struct Entry: Sendable, Hashable, Codable {
    public let name: String
    /// One line for a list.
    public let summary: String
  }

  public static let entries = [
    Entry(name: "cl15", summary: "15 public text classification tasks in six published orders; needs their folder"),
    Entry(name: "folder", summary: "any folder with a stream.json that names its tasks and files"),
    Entry(name: "meadow", summary: "five small tasks of original English texts, part of the package"),
  ]

  /// The entry of this name.
  public static func entry(_ name: String) throws(StreamError) -> Entry {
    guard let found = entries.first(where: { $0.name == name }) else {
      throw .unknownStream(name, known: entries.map(\.name))
    }
    return found
  }
}
