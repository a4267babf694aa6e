public import ArgumentParser
public import Foundation
import Recipes

/// The only place that reads the environment.
enum Here {
  static let environment = ProcessInfo.processInfo.environment

  static var places: Places { places(offline: false) }

  /// - Parameter offline: whether models and data sets of the Hub come from its cache alone.
  static func places(offline: Bool) -> Places {
    let home = URL(fileURLWithPath: environment["JAY_HOME"] ?? userFolder.path + "/.jay")
    return Places(
      models: folder("JAY_MODELS", home.appendingPathComponent("models")),
      data: folder("JAY_DATA", home.appendingPathComponent("data")), home: home,
      runs: URL(fileURLWithPath: "runs"), hub: hub(offline: offline))
  }

  /// The user's folder. The name service, which `NSHomeDirectory` asks, is reached through a socket.
  static var userFolder: URL { URL(fileURLWithPath: environment["HOME"] ?? NSHomeDirectory()) }

  /// Folder of recipes.
  static var recipes: URL { folder("JAY_RECIPES", URL(fileURLWithPath: "Recipes")) }

  private static func folder(_ variable: String, _ fallback: URL) -> URL {
    environment[variable].map { URL(fileURLWithPath: $0) } ?? fallback
  }

  /// Remarks go to standard error, so that standard output stays for programs.
  static func note(_ notes: [String]) {
    for note in notes { FileHandle.standardError.write(Data("\(note)\n".utf8)) }
  }
}

/// Columns of a file of examples.
struct ColumnOptions: ParsableArguments {
  @Option(parsing: .upToNextOption, help: "Column of the text; several are joined.")
  var text: [String] = []

  @Option(parsing: .upToNextOption, help: "Column of the second text, where there is one.")
  var pair: [String] = []

  @Option(help: "Column of the label, or of the answers where they are free texts. Default: label, or answer.")
  var label: String?

  var columns: Columns { Columns(text: text, pair: pair, label: label) }
}

struct ThreadOptions: ParsableArguments {
  @Option(help: "Threads. Default: all cores.")
  var threads: Int?

  func validate() throws { try Self.check(threads) }

  func start() { Engine.start(threads: threads) }

  /// More threads than that are a slip of the finger, and would take long to start.
  static func check(_ threads: Int?) throws {
    guard (1...1024).contains(threads ?? 1) else {
      throw ValidationError("--threads takes a whole number from 1 to 1024")
    }
  }
}

extension CommandLine {
  /// The command that runs, with more options, as a shell takes it.
  static func again(_ options: [String]) -> String {
    let isPlain = { (word: String) in
      !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:@+".contains($0) }
    }
    let words = (arguments.dropFirst() + options).map { word in
      isPlain(word) ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
    return (["jay"] + words).joined(separator: " ")
  }
}

struct JSONOption: ParsableArguments {
  @Flag(help: "Print JSON, for programs.")
  var json = false

  /// Prints the value as JSON where that was asked for, else the text.
  func show(_ value: some Encodable, _ text: String) throws { print(json ? try Output.json(value) : text) }
}

extension URL: @retroactive ExpressibleByArgument {
  public init?(argument: String) { self.init(fileURLWithPath: argument) }
  public static var defaultCompletionKind: CompletionKind { .file() }
}
