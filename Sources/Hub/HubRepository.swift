/// A model or a data set of the Hub at one revision: `owner/name`, `name` or `owner/name@revision`.
public struct HubRepository: Sendable, Hashable, CustomStringConvertible {
  /// What a repository holds.
  public enum Kind: String, Sendable {
    case model, dataset

    /// As the Hub's paths and the cache's folders begin.
    var plural: String { rawValue + "s" }
    /// As sentences name it.
    var noun: String { self == .model ? "model" : "data set" }
  }

  public let kind: Kind
  public let name: String
  /// A branch, a tag or a commit.
  public let revision: String

  /// Reads `text`; `revision` takes the place of one behind an `@`, and without either it is `main`.
  public init(_ text: String, kind: Kind = .model, revision: String? = nil) throws(HubError) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    self.kind = kind
    name = parts[0]
    self.revision = revision ?? (parts.count > 1 ? parts[1] : "main")
    guard Self.isName(name) else { throw .badName(text) }
    guard Self.isRevision(self.revision) else { throw .badRevision(self.revision, name) }
  }

  /// Whether a text has the form `owner/name` or `owner/name@revision`.
  public static func looksLikeOne(_ text: String) -> Bool {
    (try? HubRepository(text))?.name.contains("/") ?? false
  }

  public var description: String { revision == "main" ? name : "\(name)@\(revision)" }

  /// The command that fetches it.
  var command: String { "jay download \(self)\(kind == .dataset ? " --dataset" : "")" }

  /// Whether the revision is a commit, which never changes.
  var isPinned: Bool { isCommit(revision) }

  /// The Hub's rule: letters, digits, `-`, `_`, `.`; no `--`, no `..`, neither `-` nor `.` at the ends.
  private static func isName(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), name.utf8.count <= 96, !name.hasSuffix(".git") else { return false }
    guard !name.contains("--"), !name.contains("..") else { return false }
    return parts.allSatisfy { part in
      guard let first = part.first, let last = part.last else { return false }
      return !"-.".contains(first) && !"-.".contains(last) && part.utf8.allSatisfy(isWord)
    }
  }

  /// A revision is also a path below `refs/`, so that it must not lead out of there.
  private static func isRevision(_ revision: String) -> Bool {
    let parts = revision.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("..") && $0.utf8.allSatisfy(isRefByte) }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func isRefByte(_ byte: UInt8) -> Bool { isWord(byte) || byte == UInt8(ascii: "+") }
}

/// Whether a text is a full commit hash.
func isCommit(_ text: String) -> Bool { isHex(text, digits: 40) }

func isHex(_ text: String, digits: Int) -> Bool {
  text.utf8.count == digits
    && text.utf8.allSatisfy {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
    }
}
