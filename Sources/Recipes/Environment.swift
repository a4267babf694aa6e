import Foundation
import Torch

/// What the numbers of a run depend on besides its recipe.
enum Environment {
  static func facts(_ recipe: Recipe, processes: Int) -> [String: String] {
    [
      "jay": Version.current, "torch": Runtime.torchVersion, "device": recipe.header.device,
      "threads": String(Runtime.threads), "processes": String(processes),
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
      "processor": processor, "date": ISO8601DateFormatter().string(from: Date()),
    ]
  }

  static var processor: String {
    let text = FileManager.default.contents(atPath: "/proc/cpuinfo").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    return "\(name), \(ProcessInfo.processInfo.activeProcessorCount) cores"
  }
}

/// The version of this package.
public enum Version {
  public static let current = "0.1.0"
}
