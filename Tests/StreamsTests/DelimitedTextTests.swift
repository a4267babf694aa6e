import Foundation
import Testing

@testable import Streams

@Suite struct DelimitedTextTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func texts(_ contents: String, name: String = "t.csv") throws -> [String] {
    try DatasetReader().read(folder.write(contents, to: name)).examples.map(\.text)
  }

  @Test func `quoted fields hold separators, quotes and line breaks`() throws {
    let contents = "text,label\n\"a, b\",x\n\"he said \"\"so\"\"\",x\n\"two\nlines\",y\n\"\"\"\",x\n"
    #expect(try texts(contents) == ["a, b", "he said \"so\"", "two\nlines", "\""])
  }

  @Test func `line ends may be CRLF or LF, with or without one at the end`() throws {
    for contents in ["text,label\r\na,x\r\nb,y\r\n", "text,label\na,x\nb,y", "text,label\r\na,x\r\n\r\nb,y"] {
      #expect(try texts(contents) == ["a", "b"])
    }
  }

  @Test func `a line break inside quotes is kept as it is`() throws {
    #expect(try texts("text,label\r\n\"a\r\nb\",x\r\nc\rd,y\r\n") == ["a\r\nb", "c\rd"])
  }

  @Test func `a byte order mark is not part of the first name`() throws {
    #expect(try texts("\u{FEFF}text,label\na,x\nb,y\n") == ["a", "b"])
    #expect(try texts("\u{FEFF}\"text\",label\na,x\n") == ["a"])
  }

  @Test func `tabs part the fields of a .tsv file and commas are text`() throws {
    #expect(try texts("label\ttext\nx\ta, b\ny\t\"c\td\"\n", name: "t.tsv") == ["a, b", "c\td"])
  }

  @Test func `a quote inside an unquoted field is text`() throws {
    #expect(try texts("text,label\n5\" pipe,x\n") == ["5\" pipe"])
  }

  @Test(arguments: 0..<50 as Range<UInt64>) func `what is written by the rules is read back`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = ["a", "\"", ",", "\n", "\r\n", "\t", " ", "é", "\r", "\"\""]
    let rows = (0..<20).map { row in
      (0..<3).map { _ in
        "\(row)" + (0..<generator.next(below: 6)).map { _ in alphabet[generator.next(below: 10)] }.joined()
      }
    }
    func quoted(_ field: String) -> String { "\"" + field.replacing("\"", with: "\"\"") + "\"" }
    let text = rows.map { $0.map(quoted).joined(separator: ",") + (seed % 2 == 0 ? "\n" : "\r\n") }.joined()
    var parser = RecordParser(bytes: Array(text.utf8), separator: UInt8(ascii: ","))
    for row in rows {
      let record = parser.next()
      #expect(record?.problem == nil)
      #expect(record?.fields == row.map { Array($0.utf8) })
    }
    let after = parser.next()
    #expect(after?.fields == nil)
  }

  @Test func `problems name the line on which the record starts`() throws {
    let file = try folder.write(
      "text,label\n\"two\nlines\",x\na,b,c\nonly\n\"a\" b,x\nfine,x\n\"never closed,x\n", to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        "t.csv:4: 3 columns where the header has 2; put fields that hold the separator in quotes",
        "t.csv:5: 1 column where the header has 2; put fields that hold the separator in quotes",
        "t.csv:6: text after the closing quote of a field; write a quote inside a quoted field as \"\"",
        "t.csv:8: a quoted field is never closed; close it with \" and write a quote inside it as \"\"",
      ])
  }

  @Test func `a header is checked once`() throws {
    let file = try folder.write("txt,lable,lable\na,x,y\nb,x,y\n", to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        "t.csv:1: the header names \"lable\" twice; rename one",
        "t.csv:1: no field \"text\"; the nearest is \"txt\": rename it, or name that column instead",
        "t.csv:1: no field \"label\"; the nearest is \"lable\": rename it, or name that column instead",
      ])
  }

  @Test func `a column that stands thrice is named once`() throws {
    let file = try folder.write("text,label,a,a,a,b,b\n", to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) }.prefix(2) == [
        "t.csv:1: the header names \"a\" twice; rename one", "t.csv:1: the header names \"b\" twice; rename one",
      ])
  }

  @Test(arguments: [
    "text,label\ra,x\rb,y\r", "text,label\ra,x\ra,x", "\"text\",\"label\"\r\"a\nb\",\"x\"\r",
    "\u{FEFF}text,label\r\ra,x",
  ])
  func `lines that end in CR alone are named once, with the way out`(contents: String) throws {
    let file = try folder.write(contents, to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        "t.csv: the lines end in CR alone, as old spreadsheets wrote them; convert the file: tr '\\r' '\\n' < OLD > NEW"
      ])
  }

  @Test func `a CR at the end of the file or inside quotes is no line end`() throws {
    #expect(try texts("text,label\na,x\r") == ["a"])
    #expect(try texts("text,\"la\rbel\",label\na,b,x\n") == ["a"])
  }

  @Test func `control characters are spelled out`() throws {
    let file = try folder.write("text,lab\u{1B}[31mel\na,x\n", to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        #"t.csv:1: no field "label" among "text", "lab\u{1B}[31mel"; add it, or name another column"#
      ])
    #expect("a\r\n\t\u{7F}é".spellingControls == #"a\r\n\t\u{7F}é"#)
  }

  @Test func `bytes that are not UTF-8 are named by line`() throws {
    let file = try folder.write(Data("text,label\nfine,x\nna".utf8) + [0xEF] + Data("ve,x\n".utf8), to: "t.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == ["t.csv:3: not valid UTF-8; save the file as UTF-8"])
  }
}
