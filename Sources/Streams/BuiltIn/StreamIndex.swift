/// The streams that can be asked for by name.
public enum StreamIndex {
  /// One kind of stream.
  public struct Entry: Sendable, Hashable, Codable {
    /// The name to ask for it by.
    public let name: String
    /// One line for a list.
    public let summary: String
  }

  /// All kinds of stream, by name.
  public static let entries = [
    Entry(name: "cl15", summary: "15 public text classification tasks in six published orders; needs their folder"),
    Entry(name: "corpora", summary: "domains of plain text to pretrain on; needs their folder"),
    Entry(name: "endtasks", summary: "classification tasks of those domains; needs their folder"),
    Entry(name: "folder", summary: "any folder with a stream.json that names its tasks and files"),
    Entry(name: "instructions", summary: "code, sums and questions as conversations; needs their folder"),
    Entry(name: "meadow", summary: "five small tasks of original English texts, part of the package"),
    Entry(name: "superni15", summary: "15 public tasks with free answers in two published orders; needs their folder"),
  ]

  /// The entry of this name.
  public static func entry(_ name: String) throws(StreamError) -> Entry {
    guard let found = entries.first(where: { $0.name == name }) else {
      throw .unknownStream(name, known: entries.map(\.name))
    }
    return found
  }
}
