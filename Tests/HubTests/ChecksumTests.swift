import Foundation
import Testing

@testable import Hub

@Suite struct ChecksumTests {
  @Test func hashesOfFiles() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("checksum-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("abc".utf8).write(to: file)
    #expect(
      try Checksum.sha256("").found(in: file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    // printf abc | git hash-object --stdin
    #expect(try Checksum.gitBlob("").found(in: file) == "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f")
    try Data().write(to: file)
    #expect(try Checksum.gitBlob("").found(in: file) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
  }

  @Test func theTagSaysWhichHash() {
    let sha1 = String(repeating: "a", count: 40), sha256 = String(repeating: "0", count: 64)
    #expect(Checksum(etag: sha1) == .gitBlob(sha1))
    #expect(Checksum(etag: sha256) == .sha256(sha256))
    #expect(Checksum(etag: "abc-5") == nil && Checksum(etag: String(repeating: "A", count: 40)) == nil)
  }
}
