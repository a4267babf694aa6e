import Foundation
import Testing

@Suite struct ReadmeTests {
  @Test func itsCodeIsTheCompiledSnippet() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let snippet = try String(contentsOf: root.appendingPathComponent("Snippets/Meadow.swift"), encoding: .utf8)
    #expect(readme.contains("```swift\n\(snippet)```"), "copy Snippets/Meadow.swift into the README")
    #expect(snippet.split(separator: "\n", omittingEmptySubsequences: false).count <= 31)
  }
}
