/// Where a method or a definition comes from.
public struct Citation: Codable, Sendable, Equatable {
  /// Authors, short title, venue and year.
  public let text: String
  /// Page of the source, empty when there is none.
  public let url: String

  /// A source by its text and page.
  public init(_ text: String, url: String = "") {
    self.text = text
    self.url = url
  }
}
