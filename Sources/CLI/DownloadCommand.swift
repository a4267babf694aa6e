import ArgumentParser
import Foundation
import Hub

struct DownloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Fetch a model or a data set of the Hub, and print its folder.",
    discussion: """
      The cache is that of the Hub's Python library (HF_HOME), so that each file is there once. Only configuration, \
      tokenizer, safetensors and text data are fetched, each checked by its hash. What an interrupted download left is \
      the start of the next. A token is read from HF_TOKEN, or from where 'hf auth login' left it.

      EXAMPLES
        jay download sentence-transformers/all-MiniLM-L6-v2
        jay download owner/name@v1.0
        jay download owner/tickets --dataset
      """)

  @Argument(help: "owner/name, or owner/name@revision.")
  var name: String

  @Flag(help: "A data set, not a model.")
  var dataset = false

  @Option(help: "A branch, a tag or a commit. Default: main.")
  var revision: String?

  @OptionGroup var hub: HubOptions

  func run() throws {
    let repository = try HubRepository(name, kind: dataset ? .dataset : .model, revision: revision)
    let client = Here.hub(offline: hub.offline)
    print(try client.snapshot(of: repository, dataset ? .data : .model, asksFirst: true).path)
  }
}
