import ArgumentParser
import Foundation
import Recipes

struct ContinueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "continue", abstract: "Teach one more experience to the model of a finished run.",
    discussion: """
      Copies the data into the run and trains on it as the run's recipe says. The matrices gain a row and a column; \
      what stands in them already stays. Without test data a fifth of the data is held out. A stopped one goes on \
      with 'jay run --resume --out RUN'.

      EXAMPLES
        jay continue runs/meadow --data tickets-may.jsonl
        jay continue runs/meadow --data may.csv --test may-test.csv --name may --text title body --label topic
      """)

  @Argument(help: "Folder of a finished run.")
  var folder: URL

  @Option(help: "File of examples (.jsonl, .csv, .tsv, also .gz), or a folder with train.*, test.* or a stream.json.")
  var data: URL

  @Option(help: "File of test examples.")
  var test: URL?

  @Option(help: "Name of the new experience. Default: that of the file.")
  var name: String?

  @OptionGroup var columns: ColumnOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var engine: ThreadOptions

  @Flag(help: "Say nothing while training.")
  var quiet = false

  func run() throws {
    Interrupt.install()
    engine.start()
    var runner = Runner(places: hub.places)
    runner.isQuiet = quiet
    let addition = Addition(data: data, test: test, name: name, columns: columns.columns)
    try runner.extend(folder, with: addition, note: { Here.note([$0]) })
    print(try Outcome.text(folder))
  }
}
