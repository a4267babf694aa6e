import Continual
import Foundation
import Streams
import Tokenizers
import Torch

/// Experiences that `jay continue` appended to a run: their data are copied into the run folder, so that the run
/// stays whole when the source moves away.
enum Added {
  static func experiences(in directory: RunDirectory) throws -> [Experience] {
    try folders(in: directory).flatMap { try StreamLoader.load($0).experiences }
  }

  /// The stream folders in the order in which they were added.
  static func folders(in directory: RunDirectory) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.added.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .map { directory.added.appendingPathComponent($0) }
  }

  /// `03-tickets-april`: the number keeps the order, the name is for people.
  static func folderName(_ name: String, number: Int) -> String {
    let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return String(format: "%02d-", number) + String(letters.prefix(40))
  }

  /// Writes experiences as a stream folder of JSON lines, the same whatever they were read from.
  static func write(_ experiences: [Experience], of stream: TaskStream, to folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw FileError(action: .create, path: folder.path, code: errno) }
    let tasks = try experiences.enumerated().map { number, experience in
      let prefix = experiences.count == 1 ? "" : String(format: "%02d-", number + 1)
      for (split, dataset) in [
        ("train", experience.train), ("validation", experience.validation), ("test", experience.test),
      ]
      where !dataset.isEmpty {
        try AtomicFile.write(try lines(dataset), to: folder.appendingPathComponent("\(prefix)\(split).jsonl"))
      }
      return Description.Task(
        name: experience.name, train: "\(prefix)train.jsonl",
        validation: experience.validation.isEmpty ? nil : "\(prefix)validation.jsonl", test: "\(prefix)test.jsonl",
        pair: experience.train.examples.contains { $0.pair != nil } ? ["pair"] : nil,
        labels: experience.labels.isEmpty ? nil : experience.labels,
        answer: experience.labels.isEmpty && !experience.holdsDocuments && !experience.holdsConversations
          ? "answer" : nil,
        documents: experience.holdsDocuments ? true : nil,
        conversations: experience.holdsConversations ? true : nil, measure: experience.measure?.rawValue,
        prompt: experience.prompt == .plain ? nil : experience.prompt.template)
    }
    let description = Description(
      name: stream.name, taskLabelAtTest: stream.declaration.hasTaskLabelAtTest, sharedLabels: stream.sharesLabels,
      experiences: tasks)
    try AtomicFile.write(try JSON.encode(description), to: folder.appendingPathComponent("stream.json"))
  }

  private static func lines(_ dataset: Dataset) throws -> Data {
    try dataset.examples.reduce(into: Data()) { data, example in
      data += try JSON.line(
        Row(
          id: example.id, text: example.text, pair: example.pair,
          label: dataset.labels.isEmpty ? nil : dataset.labels[example.label],
          answer: example.answers.isEmpty ? nil : example.answers,
          messages: example.messages.isEmpty ? nil : example.messages))
    }
  }

  private struct Row: Encodable {
    let id: String
    let text: String
    let pair: String?
    let label: String?
    let answer: [String]?
    let messages: [ChatMessage]?
  }

  /// A `stream.json`.
  private struct Description: Encodable {
    struct Task: Encodable {
      let name: String
      let train: String
      let validation: String?
      let test: String
      let pair: [String]?
      let labels: [String]?
      let answer: String?
      let documents: Bool?
      let conversations: Bool?
      let measure: String?
      let prompt: String?
      var id = "id"
    }
    let name: String
    let taskLabelAtTest: Bool
    let sharedLabels: Bool
    let experiences: [Task]
  }
}
