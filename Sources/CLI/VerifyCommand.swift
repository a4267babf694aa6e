import ArgumentParser
import Foundation
import Recipes

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a run's files: recipe, matrices, metrics computed again, hashes.",
    discussion: """
      Says everything that does not fit; exit status 1 where something does not.

      EXAMPLE
        jay verify runs/meadow
      """)

  @Argument(help: "Folder of a run.")
  var folder: URL

  @OptionGroup var output: JSONOption

  func run() throws {
    let verification = try Verification(folder)
    try output.show(verification, verification.text)
    if !verification.isSound { throw ExitCode.failure }
  }
}
