import Foundation

/// The contents of a `stream.json`.
struct StreamFile {
  /// Where the examples of an experience lie, as paths relative to the folder.
  enum Files {
    case splits(train: String, validation: String?, test: String)
    case one(String, splitColumn: String)
  }

  struct Entry {
    let name: String
    let files: Files
    let columns: ColumnMap
    let labels: [String]?
    let prompt: Prompt?
    let measure: AnswerMeasure?
  }

  static let name = "stream.json"

  let name: String
  let taskLabelAtTest: Bool
  let sharedLabels: Bool
  let experiences: [Entry]

  /// What the object says, or `nil` when so much is wrong that nothing can be read; every problem goes to the log.
  init?(_ data: Data, file: String, log: inout ProblemLog) {
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      log.add(.stream(key: "", .notJSON), file: file)
      return nil
    }
    let keys = KeyReader(object, at: "", file: file)
    keys.refuseUnknown(StreamFileKey.stream.map(\.name), log: &log)
    name = keys.string("name", log: &log) ?? ""
    _ = keys.optionalString("description", log: &log)
    taskLabelAtTest = keys.bool("taskLabelAtTest", log: &log) ?? true
    sharedLabels = keys.bool("sharedLabels", log: &log) ?? false
    let entries = keys.objects("experiences", log: &log) ?? []
    var names = Set<String>()
    experiences = entries.compactMap { entry in
      let read = Self.entry(entry, log: &log)
      if let read, !names.insert(read.name).inserted { entry.add(.duplicateName(read.name), log: &log) }
      return read
    }
  }

  private static func entry(_ keys: KeyReader, log: inout ProblemLog) -> Entry? {
    keys.refuseUnknown(StreamFileKey.experience.map(\.name), log: &log)
    let name = keys.string("name", log: &log)
    let text = keys.strings("text", log: &log) ?? ["text"]
    let pair = keys.strings("pair", log: &log) ?? []
    let label = keys.optionalString("label", log: &log)
    let id = keys.optionalString("id", log: &log)
    let answer = keys.optionalString("answer", log: &log)
    let holdsDocuments = keys.bool("documents", log: &log) ?? false
    let holdsConversations = keys.bool("conversations", log: &log) ?? false
    if holdsConversations, label != nil || answer != nil || !pair.isEmpty || holdsDocuments {
      keys.add(.askedConversations, log: &log)
    }
    if holdsDocuments, label != nil || answer != nil || !pair.isEmpty { keys.add(.askedDocuments, log: &log) }
    let labels = keys.strings("labels", log: &log)
    for (position, label) in (labels ?? []).enumerated() where labels?.prefix(position).contains(label) == true {
      keys.add(.duplicateLabel(label), at: "labels", log: &log)
    }
    guard let files = files(keys, log: &log), let name, !text.isEmpty else { return nil }
    let columns = ColumnMap(
      text: text, pair: pair,
      target: holdsConversations
        ? .conversation
        : holdsDocuments ? .none : answer.map(ColumnMap.Target.answers) ?? .label(label ?? "label"), id: id)
    return Entry(
      name: name, files: files, columns: columns, labels: labels, prompt: prompt(keys, log: &log),
      measure: measure(keys, log: &log))
  }

  private static func prompt(_ keys: KeyReader, log: inout ProblemLog) -> Prompt? {
    guard let prompt = keys.optionalString("prompt", log: &log).map(Prompt.init) else { return nil }
    for place in prompt.unknownPlaces { keys.add(.unknownPlace(place), at: "prompt", log: &log) }
    if !prompt.template.contains("{text}") { keys.add(.promptWithoutText, at: "prompt", log: &log) }
    return prompt
  }

  private static func measure(_ keys: KeyReader, log: inout ProblemLog) -> AnswerMeasure? {
    guard let name = keys.optionalString("measure", log: &log) else { return nil }
    let measure = AnswerMeasure(rawValue: name)
    if measure == nil { keys.add(.unknownMeasure(name), at: "measure", log: &log) }
    return measure
  }

  private static func files(_ keys: KeyReader, log: inout ProblemLog) -> Files? {
    let train = keys.optionalString("train", log: &log)
    let validation = keys.optionalString("validation", log: &log)
    let test = keys.optionalString("test", log: &log)
    let file = keys.optionalString("file", log: &log)
    let column = keys.optionalString("splitColumn", log: &log)
    switch (train, validation, test, file, column) {
    case (let train?, let validation, let test?, nil, nil):
      return .splits(train: train, validation: validation, test: test)
    case (nil, nil, nil, let file?, let column): return .one(file, splitColumn: column ?? "split")
    default:
      keys.add(.unclearFiles, log: &log)
      return nil
    }
  }
}
