public import Continual
import Foundation

/// The row of a paper's table that a recipe stands for. It says nothing of how the run is trained.
public struct PaperSection: ConfigurationSection {
  public var source = ""
  public var row = ""
  public var reported: [String: Double] = [:]
  public var note = ""
  public init() {}
  public static let keys = [
    ConfigurationKey("source", "paper and table, such as \"MIGU, table 1\"", required: true),
    ConfigurationKey("row", "the row as the paper names it", required: true),
    ConfigurationKey("reported", "the paper's figures by name: \"order 1\", …; \"orders 1-3\" for a mean over orders"),
    ConfigurationKey("note", "what is not as in the paper"),
  ]
}

extension PaperSection {
  /// Whether the recipe stands for no paper's row.
  public var isEmpty: Bool { self == PaperSection() }

  /// Paper, table and row.
  public var title: String { isEmpty ? "" : "\(source): \(row)" }

  /// The figures in one line, single orders behind the mean over them: "orders 1-3 78.8 (78.3 79.8 78.3)".
  public var figures: String {
    let means = reported.keys.compactMap { name in Self.orders(name).map { (name: name, orders: $0) } }
    let singles = Set(means.flatMap { $0.orders.map { "order \($0)" } })
    let shown = reported.keys.filter { !singles.contains($0) }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    return shown.map { name in
      let parts = (Self.orders(name) ?? []).compactMap { reported["order \($0)"].map(Self.text) }
      let value = reported[name].map(Self.text) ?? ""
      return "\(name) \(value)" + (parts.isEmpty ? "" : " (\(parts.joined(separator: " ")))")
    }.joined(separator: ", ")
  }

  /// The orders of a name such as "orders 1-3"; nil for other names.
  private static func orders(_ name: String) -> [Int]? {
    guard let match = name.wholeMatch(of: /orders (\d+)-(\d+)/), let first = Int(match.1), let last = Int(match.2),
      first <= last
    else { return nil }
    return Array(first...last)
  }

  private static func text(_ figure: Double) -> String {
    "\(figure)".hasSuffix(".0") ? String("\(figure)".dropLast(2)) : "\(figure)"
  }
}
