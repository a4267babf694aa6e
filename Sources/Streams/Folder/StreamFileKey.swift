/// A key of a `stream.json`.
public struct StreamFileKey: Sendable, Hashable {
  public let name: String
  /// What stands for the key where it is absent; empty where nothing does.
  public let value: String
  /// One line: what it says.
  public let summary: String

  private init(_ name: String, or value: String = "", _ summary: String) {
    (self.name, self.value, self.summary) = (name, value, summary)
  }

  /// The keys at the top.
  public static let stream = [
    StreamFileKey("name", "the stream's name; needed"),
    StreamFileKey("description", "a sentence for people"),
    StreamFileKey("taskLabelAtTest", or: "true", "whether predictions are told their task"),
    StreamFileKey("sharedLabels", or: "false", "whether labels of one name are one class in all tasks"),
    StreamFileKey("experiences", "the tasks in their order, each an object with the keys below; needed"),
  ]

  /// The keys of each of the `experiences`.
  public static let experience = [
    StreamFileKey("name", "the task's name; needed"),
    StreamFileKey("train", "the file to learn from: .jsonl, .csv, .tsv or (documents) .txt, each also .gz"),
    StreamFileKey("test", "the file to measure on"),
    StreamFileKey("validation", "the file to choose settings by; without it the recipe holds out a share of train"),
    StreamFileKey("file", "one file of all splits, in place of the three"),
    StreamFileKey("splitColumn", or: "split", "its column that says train, validation or test"),
    StreamFileKey("text", or: "text", "the column of the text; several in a list are joined by line breaks"),
    StreamFileKey("pair", "the column of a second text, or several"),
    StreamFileKey("label", or: "label", "the column of the label"),
    StreamFileKey("id", "the column of the example's id; without it the file's name and the line"),
    StreamFileKey("labels", "the labels in the order of their classes; without it those of train, sorted"),
    StreamFileKey("answer", "the column of a free text to answer with, in place of a label"),
    StreamFileKey(
      "prompt", or: Prompt.plain.template.spellingControls,
      "how a model that answers in text is asked; {text} must stand in it, {pair} and {options} may"),
    StreamFileKey("documents", or: "false", "whether the texts are only read, to pretrain on"),
    StreamFileKey(
      "conversations", or: "false",
      "whether a line is a conversation: messages, or prompt and completion, or instruction, input and output"),
    StreamFileKey(
      "measure",
      "how answers in text are measured: "
        + AnswerMeasure.allCases.map(\.rawValue).joined(separator: ", ") + "; without it as the recipe says"),
  ]
}
