public import Foundation
public import Torch

/// Goldens written by `Tools/golden`: whole tensors of a pinned reference.
public enum Golden {
  /// The package's root folder.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// `Tests/Goldens/<path>`.
  public static func url(_ path: String) -> URL { root.appendingPathComponent("Tests/Goldens/\(path)") }

  /// Writes a copy of `bert-tiny`, which has no dropout, with this much of it.
  public static func writeDropping(_ dropout: Double, to folder: URL) throws {
    try FileManager.default.copyItem(at: url("bert-tiny"), to: folder)
    let config = folder.appendingPathComponent("config.json"), text = try String(contentsOf: config, encoding: .utf8)
    try FileManager.default.removeItem(at: config)
    try Data(text.replacingOccurrences(of: "dropout_prob\": 0.0", with: "dropout_prob\": \(dropout)").utf8)
      .write(to: config)
  }

  public static func load(_ path: String) throws -> [String: Tensor] { try SafeTensorsFile(url(path)).tensors() }

  /// Development data: `JAY_DATA`, else `../shared/data` beside the package; nil where absent.
  public static var data: URL? { folder("JAY_DATA", "../shared/data") }

  /// The MiniLM model directory: below `JAY_MODELS`, else `.models`; nil where absent.
  public static var miniLM: URL? { folder("JAY_MODELS", ".models")?.existing("minilm") }

  private static func folder(_ variable: String, _ path: String) -> URL? {
    if let named = ProcessInfo.processInfo.environment[variable] { return URL(fileURLWithPath: named) }
    let url = root.appendingPathComponent(path).standardizedFileURL
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }
}

extension URL {
  fileprivate func existing(_ name: String) -> URL? {
    let url = appendingPathComponent(name)
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }
}

/// What is wrong with `actual`, compared element by element: nil where |actual − expected| ≤ atol + rtol·|expected|.
public func difference(_ actual: Tensor, _ expected: Tensor, atol: Double, rtol: Double = 0) -> String? {
  guard actual.shape == expected.shape else { return "shape \(actual.shape), expected \(expected.shape)" }
  let a = actual.values(), e = expected.values()
  var worst: (index: Int, excess: Double)?
  for index in a.indices {
    let bound = atol + rtol * Double(e[index].magnitude)
    let gap = Double((a[index] - e[index]).magnitude)
    if !(gap <= bound), gap - bound > worst?.excess ?? -1 || gap.isNaN { worst = (index, gap - bound) }
  }
  return worst.map { "at flat index \($0.index): \(a[$0.index]), expected \(e[$0.index]) (atol \(atol), rtol \(rtol))" }
}
