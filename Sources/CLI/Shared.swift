import ArgumentParser
import Foundation
import Recipes

/// The only place that reads the environment.
enum Here {
  static var places: Places {
    let environment = ProcessInfo.processInfo.environment
    let home = URL(fileURLWithPath: environment["JAY_HOME"] ?? "\(NSHomeDirectory())/.jay")
    func folder(_ variable: String, _ fallback: URL) -> URL {
      environment[variable].map { URL(fileURLWithPath: $0) } ?? fallback
    }
    return Places(
      models: folder("JAY_MODELS", home.appendingPathComponent("models")),
      data: folder("JAY_DATA", home.appendingPathComponent("data")), home: home,
      runs: URL(fileURLWithPath: "runs"))
  }
}
