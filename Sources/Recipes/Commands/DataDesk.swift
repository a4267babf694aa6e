public import Foundation
import Models
public import Streams
import Tokenizers

/// Registered data: examined and shown as a model sees them.
public struct DataDesk {
  private let places: Places

  public init(places: Places) { self.places = places }

  private var registry: DataRegistry { DataRegistry(home: places.home) }

  /// Registers a folder that can be read, and reports on it.
  public func add(_ name: String, folder: URL) throws -> StreamReport {
    StreamReport(try registry.add(name, folder: folder))
  }

  /// Forgets a name; the folder stays.
  public func remove(_ name: String) throws { try registry.remove(name) }

  /// What is registered: names and folders.
  public func items() throws -> [Catalog.Item] {
    try registry.list().map { Catalog.Item(name: $0.name, group: "registered", summary: $0.path) }
  }

  public func stream(_ name: String) throws -> TaskStream {
    name == "meadow" ? try .meadow() : try registry.stream(name)
  }

  public func report(_ name: String) throws -> StreamReport { StreamReport(try stream(name)) }

  /// A few examples of each experience, as token ids are made of them: a model that answers in text reads prompts.
  /// - Parameters:
  ///   - name: the stream.
  ///   - model: whose tokenizer reads the texts.
  ///   - maxTokens: longer texts are cut, longer conversations lose their first turns.
  ///   - count: examples of each experience.
  public func samples(_ name: String, model: String, maxTokens: Int, count: Int) throws -> [Sample] {
    let folder = try places.model(model)
    let tokenizer = try TokenizerLoader.load(from: folder)
    // Without a template the words of a conversation are shown, nothing around them.
    let template = try? ChatTemplate.load(from: folder)
    let directory = try? ModelDirectory(folder, needsWeights: false)
    let isAsked = directory.map { ModelIndex.answersInText($0.architecture) } ?? false
    return try stream(name).experiences.flatMap { experience in
      experience.train.examples.prefix(count).map { example in
        if let template, let messages = readable(example.messages, template) {
          return Self.conversation(example, messages, of: experience, template, tokenizer, maxTokens: maxTokens)
        }
        return Self.text(
          example, of: experience, isAsked: isAsked && !experience.holdsDocuments, tokenizer, maxTokens: maxTokens)
      }
    }
  }

  /// A text, and perhaps its pair, or the prompt that both stand in.
  private static func text(
    _ example: Example, of experience: Experience, isAsked: Bool, _ tokenizer: any Tokenizer, maxTokens: Int
  ) -> Sample {
    let labels = experience.labels
    let text = isAsked ? experience.prompt.text(of: example, labels: labels) : example.text
    let pair = isAsked ? nil : example.pair
    let whole = tokenizer.encode(text, pair: pair)
    let seen = tokenizer.encode(text, pair: pair, maxTokens: maxTokens)
    return Sample(
      experience: experience.name, id: example.id, text: text, pair: pair,
      label: experience.train.answer(of: example), target: labels.isEmpty ? -1 : experience.classes[example.label],
      tokens: seen.ids.map { tokenizer.decode([$0], skipSpecialTokens: false) }, ids: seen.ids,
      cutTokens: whole.ids.count - seen.ids.count)
  }

  /// The messages of a conversation that a template takes.
  private func readable(_ messages: [ChatMessage], _ template: ChatTemplate) -> [ChatMessage]? {
    messages.isEmpty || (messages[0].role == .system && !template.takesSystem) ? nil : messages
  }

  /// A conversation as its template writes it; what the assistant writes stands in brackets.
  private static func conversation(
    _ example: Example, _ messages: [ChatMessage], of experience: Experience, _ template: ChatTemplate,
    _ tokenizer: any Tokenizer, maxTokens: Int
  ) -> Sample {
    let form = ConversationForm(template: template, maxTokens: maxTokens, maxPromptTokens: maxTokens)
    let (ids, isWritten, leftOut) = form.read(messages, tokenizer)
    let tokens = zip(ids, isWritten).map { id, isWritten in
      let token = tokenizer.decode([id], skipSpecialTokens: false)
      return isWritten ? "[\(token)]" : token
    }
    return Sample(
      experience: experience.name, id: example.id, text: example.turns.joined(separator: "\n"), pair: nil,
      label: experience.train.answer(of: example), target: -1, tokens: tokens, ids: ids, cutTokens: leftOut)
  }

  /// One example as a model sees it.
  public struct Sample: Encodable, Sendable, Equatable {
    public let experience: String
    public let id: String
    /// The text, or the prompt that it stands in.
    public let text: String
    public let pair: String?
    /// The label, or the answer.
    public let label: String
    /// Class among all of the stream; −1 where there are none.
    public let target: Int
    /// The text of each id, special tokens included.
    public let tokens: [String]
    public let ids: [Int32]
    /// Tokens that do not fit.
    public let cutTokens: Int

    public var lines: String {
      let cut = cutTokens > 0 ? ", \(cutTokens) more are cut" : ""
      let answer = target >= 0 ? row("label", "\(label) (class \(target))") : label.isEmpty ? "" : row("answer", label)
      return "\(experience) · \(id)" + row("text", text) + (pair.map { row("pair", $0) } ?? "")
        + row("tokens", "\(tokens.joined(separator: " "))  (\(ids.count)\(cut))") + answer
    }

    /// Further lines of a value stand below its first.
    private func row(_ name: String, _ value: String) -> String {
      "\n  \(name.padding(toLength: 8, withPad: " ", startingAt: 0))"
        + value.replacing("\n", with: "\n" + String(repeating: " ", count: 10))
    }
  }
}

extension StreamReport {
  /// Counts of every split, then what deserves a second look.
  public var text: String {
    let rows = experiences.flatMap { experience in
      [("train", experience.train), ("validation", experience.validation), ("test", experience.test)]
        .filter { $0.1.count > 0 }.map { split, report in
          [
            experience.name, split, String(report.count),
            experience.labels.isEmpty ? "–" : String(format: "%.2f", report.balance),
            zip(experience.labels, report.labelCounts).map { "\($0) \($1)" }.joined(separator: ", ").spellingControls,
          ]
        }
    }
    let number = experiences.count == 1 ? "1 experience" : "\(experiences.count) experiences"
    let title = "\(name): \(number), \(classCount) classes, \(scenario.rawValue)"
    let table = Output.table([["experience", "split", "examples", "balance", "labels"]] + rows)
    let remarks = remarks.isEmpty ? ["nothing to remark"] : remarks.map { "look: \($0)" }
    return ([title, "", table, ""] + remarks).joined(separator: "\n")
  }

  /// What may be an oversight: sentences.
  public var remarks: [String] {
    var remarks = experiences.flatMap { experience -> [String] in
      var found: [String] = []
      if experience.labels.count == 1 { found.append("has a single label, so there is nothing to learn") }
      let absent = zip(experience.labels, experience.train.labelCounts).filter { $1 == 0 }.map(\.0)
      if !absent.isEmpty { found.append("has no training example of \(absent.joined(separator: ", "))") }
      if absent.isEmpty, !experience.labels.isEmpty, experience.train.balance < 0.1 {
        found.append("has a label with less than a tenth of the examples of another")
      }
      if !experience.overlap.isEmpty {
        let ids = experience.overlap.prefix(3).joined(separator: ", ") + (experience.overlap.count > 3 ? ", …" : "")
        found.append("has \(experience.overlap.count) test texts that stand in its training data too (\(ids))")
      }
      if experience.train.repeated > 0 { found.append("repeats \(experience.train.repeated) training texts") }
      if experience.train.dropped + experience.test.dropped > 0 {
        found.append("leaves out \(experience.train.dropped + experience.test.dropped) examples without a label")
      }
      return found.map { "'\(experience.name)' \($0)" }
    }
    remarks += labelRemarks
    if mayShareLabels {
      remarks.append(
        "all experiences have the same labels; \"sharedLabels\": true in stream.json would make them one set of classes"
      )
    }
    return remarks
  }

  /// Labels that are probably meant to be one.
  var labelRemarks: [String] {
    similarLabels.map { "labels \(Self.list($0)) differ only in case or blanks" }
  }

  /// Labels in quotes, the last behind "and".
  static func list(_ labels: [String]) -> String {
    let quoted = labels.map { "'\($0.spellingControls)'" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
    return quoted.dropLast().joined(separator: ", ") + " and \(last)"
  }
}
