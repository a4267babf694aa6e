import Foundation
import Testing

@testable import Hub

@Suite struct NameTests {
  @Test func namesAndRevisions() throws {
    let plain = try HubRepository("owner/name")
    #expect((plain.name, plain.revision, "\(plain)") == ("owner/name", "main", "owner/name"))
    let tagged = try HubRepository("gpt2@refs/pr/1")
    #expect((tagged.name, tagged.revision, "\(tagged)") == ("gpt2", "refs/pr/1", "gpt2@refs/pr/1"))
    #expect(try HubRepository("a/b@v1", revision: "v2").revision == "v2")
  }

  @Test(arguments: ["", "a/b/c", "/a", "a/", "a--b", "a..b", ".a", "a-", "a b", "a.git", "ä/b", "../x"])
  func whatIsNoName(_ text: String) {
    #expect(throws: HubError.badName(text)) { try HubRepository(text) }
  }

  @Test(arguments: ["", "../x", "a//b", "a/../b", "/a", "a b", ".x"])
  func whatIsNoRevision(_ text: String) {
    #expect(throws: HubError.badRevision(text, "a/b")) { try HubRepository("a/b", revision: text) }
  }

  @Test func onlyAnOwnerAndANameLookLikeOne() {
    #expect(HubRepository.looksLikeOne("owner/name") && HubRepository.looksLikeOne("owner/name@v1"))
    for path in ["name", "./name", "../models/name", "a/b/c", "/abs", "~/x"] {
      #expect(!HubRepository.looksLikeOne(path), "\(path)")
    }
  }

  @Test func sentences() {
    #expect(
      "\(HubError.badName("a b"))"
        == "'a b' is not a name on the Hub. Write owner/name, or owner/name@revision for a branch, a tag or a commit.")
    #expect(
      "\(HubError.badRevision("..", "a/b"))"
        == "'..' is not a revision of a/b. Name a branch, a tag or a commit, such as main.")
    #expect(
      "\(HubError.badEndpoint("here"))"
        == "HF_ENDPOINT is 'here', which is no address. Write one such as https://huggingface.co, or unset it.")
    #expect(
      "\(HubError.cannotWrite(path: "/c", code: ENOSPC))"
        == "cannot write /c: No space left on device. Free some space and run the same command again: it goes on where it stood."
    )
    #expect(
      "\(HubError.cannotWrite(path: "/c", code: EACCES))"
        == "cannot write /c: Permission denied. Set HF_HOME to a folder you may write to.")
    #expect(
      "\(HubError.noSpace(path: "/c", needed: 14_500_000_000, free: 2_000))"
        == "/c has 2.0 kB free, and 14.5 GB are still to come. Free some space, or set HF_HOME to a folder on a larger disk."
    )
    #expect(
      "\(HubError.interrupted)" == "the download was stopped. Run the same command again: it goes on where it stood.")
    #expect(
      "\(HubError.unsafeRedirect(url: "https://h"))"
        == "https://h leads to an address that is not encrypted, which is not followed. Check HF_ENDPOINT and your proxy."
    )
  }

  @Test func theStreamFileSentence() throws {
    #expect(
      "\(HubError.noStreamFile(try HubRepository("a/b", kind: .dataset), folder: "/c"))"
        == "a/b has no stream.json, so that its tasks are not known. Copy it, 'cp -rL /c DATA', describe its files in "
        + "DATA/stream.json, and write folder: DATA.")
  }

  @Test func bytesInWords() {
    let counts: [Int64] = [999, 1000, 999_949, 999_950, 1_200_000_000]
    #expect(counts.map { "\(Bytes($0))" } == ["999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "1.2 GB"])
  }
}
