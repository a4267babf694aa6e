import Foundation
import Testing

@testable import Streams

@Suite struct GzipTests {
  private let folder: TemporaryFolder
  private let lines = (0..<200).map {
    #"{"text": "line \#($0) is \#(String(repeating: "long ", count: $0))", "label": \#($0 % 3)}"#
  }

  init() throws { folder = try TemporaryFolder() }

  @Test func `compressed and plain files read the same`() throws {
    let text = lines.joined(separator: "\n")
    let plain = try DatasetReader().read(folder.write(text, to: "train.jsonl"))
    let compressed = try DatasetReader().read(folder.compress(text, to: "train.jsonl.gz"))
    #expect(plain == compressed)
    #expect(plain.count == 200)
    let csv = "text,label\n\"a, b\",x\nc,y\n"
    #expect(
      try DatasetReader().read(folder.write(csv, to: "t.csv"))
        == DatasetReader().read(folder.compress(csv, to: "t.csv.gz")))
  }

  @Test func `members set one behind another read as one file`() throws {
    var data = try Data(contentsOf: folder.compress(lines[0] + "\n", to: "a.jsonl.gz"))
    data += try Data(contentsOf: folder.compress(lines[1] + "\n", to: "b.jsonl.gz"))
    #expect(try DatasetReader().read(folder.write(data, to: "train.jsonl.gz")).count == 2)
  }

  @Test func `a line longer than the buffers is read whole`() throws {
    let long = String(repeating: "word ", count: 300_000)
    let text = "{\"text\": \"\(long)\", \"label\": 0}\n{\"text\": \"b\", \"label\": 1}"
    let read = try DatasetReader().read(folder.compress(text, to: "train.jsonl.gz"))
    #expect(read.examples.map(\.text) == [long, "b"])
  }

  @Test func `a file cut at any byte is an error, never a shorter dataset`() throws {
    let whole = try Data(contentsOf: folder.compress(lines.prefix(20).joined(separator: "\n"), to: "whole.jsonl.gz"))
    for length in 0..<whole.count {
      let file = try folder.write(whole.prefix(length), to: "cut.jsonl.gz")
      let sentences = folder.problems { _ = try DatasetReader().read(file) }
      let expected =
        length < 2
        ? "cut.jsonl.gz: not gzip although the name ends in .gz; rename it, or compress it with gzip"
        : "cut.jsonl.gz: the gzip data end too early; copy or download the file again"
      #expect(sentences.last == expected, "cut at \(length) of \(whole.count)")
    }
  }

  @Test func `a flipped byte in the data is an error`() throws {
    let whole = try Data(contentsOf: folder.compress(lines.joined(separator: "\n"), to: "whole.jsonl.gz"))
    for position in [whole.count / 2, whole.count - 6, whole.count - 2] {
      var damaged = whole
      damaged[position] ^= 0x55
      let file = try folder.write(damaged, to: "damaged.jsonl.gz")
      #expect(throws: DataError.self, "flipped at \(position)") { try DatasetReader().read(file) }
    }
  }

  @Test func `a wrong checksum is named`() throws {
    var damaged = try Data(contentsOf: folder.compress(lines[0], to: "whole.jsonl.gz"))
    damaged[damaged.count - 6] ^= 1
    let file = try folder.write(damaged, to: "damaged.jsonl.gz")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        "damaged.jsonl.gz: the gzip data are corrupt (incorrect data check); copy or download the file again"
      ])
  }
}
