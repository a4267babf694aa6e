import Foundation
import Testing
import Torch

@Suite struct AtomicFileTests {
  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func aCommittedFileHoldsWhatWasWritten() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.txt")
      try AtomicFile.write("old", to: url)
      let file = try AtomicFile(url)
      try Data("new ".utf8).withUnsafeBytes { try file.write($0) }
      try Data("text".utf8).withUnsafeBytes { try file.write($0) }
      try Data().withUnsafeBytes { try file.write($0) }
      #expect(try String(contentsOf: url, encoding: .utf8) == "old", "until the commit")
      try file.commit()
      #expect(try String(contentsOf: url, encoding: .utf8) == "new text")
      #expect(try names(folder) == ["a.txt"])
    }
  }

  @Test func aFileThatIsNotCommittedLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.txt")
      try AtomicFile.write("old", to: url)
      #expect(throws: Interruption.self) {
        let file = try AtomicFile(url)
        try Data("half".utf8).withUnsafeBytes { try file.write($0) }
        throw Interruption()
      }
      #expect(try names(folder) == ["a.txt"])
      #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    }
  }

  @Test func aFailedCommitKeepsTheOldAndLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("taken")
      try FileManager.default.createDirectory(at: url.appendingPathComponent("full"), withIntermediateDirectories: true)
      #expect(
        sentence { try AtomicFile.write("x", to: url) }
          == "cannot write \(url.path): Is a directory. Choose another path.")
      #expect(try names(folder) == ["taken"])
      #expect(try names(url) == ["full"])
    }
  }

  @Test func foldersThatCannotHoldAFileAreNamed() throws {
    try withTemporaryFolder { folder in
      let missing = folder.appendingPathComponent("missing/a.txt")
      #expect(
        sentence { try AtomicFile.write("x", to: missing) }
          == "cannot create \(missing.path): No such file or directory. Create the folder first.")
      try AtomicFile.write("x", to: folder.appendingPathComponent("file"))
      let below = folder.appendingPathComponent("file/a.txt")
      #expect(
        sentence { try AtomicFile.write("x", to: below) }
          == "cannot create \(below.path): Not a directory. Choose another path.")
    }
  }

  @Test(arguments: [
    (
      FileError.Action.write, ENOSPC,
      "No space left on device. Free some space and run the command again, an interrupted run with --resume: nothing written so far is lost."
    ),
    (.create, EACCES, "Permission denied. Choose a folder you may write to."),
    (.create, EROFS, "Read-only file system. Choose a folder you may write to."),
    (.write, EIO, "Input/output error. Check the disk and run the same command again."),
  ])
  func sentencesSayWhatToDo(_ action: FileError.Action, _ code: Int32, _ rest: String) {
    let error = FileError(action: action, path: "/runs/a", code: code)
    #expect(error.description == "cannot \(action.rawValue) /runs/a: \(rest)")
    #expect(error.localizedDescription == error.description)
  }

  @Test func aWriterThatFailsKeepsTheOldTensors() throws {
    try withTemporaryFolder { folder throws in
      let url = folder.appendingPathComponent("missing/a.safetensors")
      #expect(throws: FileError.self) { try SafeTensorsWriter.write(["a": .ones([1])], to: url) }
      #expect(try names(folder) == [])
    }
  }
}
