import ArgumentParser
import Foundation
import Recipes

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Answer texts with the model of a run: text, JSON lines or a table in, JSON lines out.",
    discussion: """
      An input line is {"text": "…"}, with "pair" and "id" where there are such, or a conversation that ends with the \
      user's message: {"messages": [{"role": "user", "content": "…"}]}. A classifier answers with "label" and \
      "probability", a language model with "answer"; one that was pretrained says how the text goes on. A file that ends in \
      .csv or .tsv is read by its columns. With --stream the answer to --text appears as it is written, as plain text.

      EXAMPLES
        jay predict runs/meadow --task mood --text "what a day"
        jay predict runs/meadow --task mood texts.jsonl > answers.jsonl
        jay predict runs/meadow --task mood new.csv --text-column review --id-column number
        cat texts.jsonl | jay predict runs/meadow --task mood -
        jay predict runs/chat --text "Who wrote Faust?" --stream
      """)

  @Argument(help: "Folder of a run.")
  var folder: URL

  @Argument(help: "A JSONL, CSV or TSV file, or - for JSON lines from standard input.")
  var input: String?

  @Option(help: "The task, where predictions are told their task.")
  var task: String?

  @Option(help: "A text to answer.")
  var text: String?

  @Option(help: "Second text, where the task is about two.")
  var pair: String?

  @Option(parsing: .upToNextOption, help: "Column of the text in a table; several are joined. Default: text.")
  var textColumn: [String] = []

  @Option(parsing: .upToNextOption, help: "Column of the second text in a table, where the task is about two.")
  var pairColumn: [String] = []

  @Option(help: "Column of the id, which the answer gets back. Default: the table's name and line.")
  var idColumn: String?

  @Flag(help: "Write the answer to --text as it comes, as plain text.")
  var stream = false

  @OptionGroup var hub: HubOptions
  @OptionGroup var engine: ThreadOptions

  func validate() throws {
    guard (text == nil) != (input == nil) else {
      throw ValidationError("Give either --text TEXT, a JSONL, CSV or TSV file, or - for standard input.")
    }
    guard pair == nil || text != nil else {
      throw ValidationError("--pair goes with --text; in a file it is a key of each line.")
    }
    let isTable = input.map { Predictor.Input.isTable(URL(fileURLWithPath: $0)) } ?? false
    guard isTable || (textColumn.isEmpty && pairColumn.isEmpty && idColumn == nil) else {
      throw ValidationError(
        "--text-column, --pair-column and --id-column go with a CSV or TSV file; a JSON line names its parts itself.")
    }
    guard !stream || text != nil else {
      throw ValidationError("--stream goes with --text; a file is answered in lines.")
    }
  }

  func run() throws {
    engine.start()
    let predictor = try Predictor(folder, task: task, places: hub.places)
    guard stream else { return print(try predictor.lines(try inputs()), terminator: "") }
    for input in try inputs() {
      try predictor.stream(input) { FileHandle.standardOutput.write(Data($0.utf8)) }
    }
    print()
  }

  private func inputs() throws -> [Predictor.Input] {
    if let text { return [Predictor.Input(text: text, pair: pair)] }
    if let input, input != "-" {
      return try Predictor.Input.read(
        URL(fileURLWithPath: input), columns: Columns(text: textColumn, pair: pairColumn, id: idColumn))
    }
    return try Predictor.Input.read(FileHandle.standardInput.readDataToEndOfFile(), name: "standard input")
  }
}
