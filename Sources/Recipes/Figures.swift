public import Evaluation
import Foundation

/// What the recipes of a folder came to here: `figures.json` beside them, written by `jay compare --figures`.
public struct Figures: Codable, Sendable, Equatable {
  /// Mean and sample deviation over the seeds, to three decimals.
  public struct Value: Codable, Sendable, Equatable {
    public let mean: Double
    /// nil for one seed.
    public let deviation: Double?

    init?(_ summary: Summary?) {
      guard let summary else { return nil }
      let rounded = { (value: Double) in (value * 1000).rounded() / 1000 }
      (mean, deviation) = (rounded(summary.mean), summary.standardDeviation.map(rounded))
    }

    var text: String {
      let format = { (value: Double) in String(format: "%.1f", value) }
      return format(mean) + (deviation.map { " ± " + format($0) } ?? "")
    }
  }

  /// One recipe on one order of its tasks, or the mean over several.
  public struct Row: Codable, Sendable, Equatable {
    /// The recipe's file without its ending.
    public var recipe: String
    /// The values of `stream.order`; several where the row is the mean over them.
    public var orders: [Int]
    /// The rate that is quoted, one for each order where they differ.
    public var learningRates: [Double]
    public var rateChosenBy: RunGroup.RateChoice
    public var seeds: [Int]
    /// Percent at the end, just after each experience was learned, and lost since.
    public var accuracy, learningAccuracy, forgetting: Value?
    /// Nats a token at the end, and the rise since each experience was learned.
    public var loss, lossRise: Value?
    /// Settings of the runs that are not the recipe's, apart from rate, seed and order.
    public var changed: [String]
  }

  public var rows: [Row] = []

  public static let fileName = "figures.json"

  /// Those beside the recipes of a folder; none where the file is missing or is something else.
  static func beside(_ folder: URL) -> Figures {
    let file = folder.appendingPathComponent(fileName)
    return (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Figures.self, from: $0) } ?? Figures()
  }

  /// The rows of a recipe, those over most orders first.
  func rows(of recipe: String) -> [Row] {
    rows.filter { $0.recipe == recipe }.sorted { $0.orders.count > $1.orders.count }
  }
}

extension Figures.Row {
  /// The figure in one line, with what it rests on; `singles` are the rows of its orders.
  func text(singles: [Figures.Row] = []) -> String {
    var text = orders.count > 1 ? "orders \(orders.map(String.init).joined(separator: ", ")) " : ""
    if orders.count == 1, let order = orders.first, order > 0 { text += "order \(order) " }
    text += loss.map { String(format: "loss %.3f", $0.mean) } ?? accuracy?.text ?? "–"
    let parts = singles.compactMap { $0.accuracy.map { String(format: "%.1f", $0.mean) } }
    if orders.count > 1, !parts.isEmpty { text += " (\(parts.joined(separator: " ")))" }
    let rates = learningRates.map { String(format: "%g", $0) }.joined(separator: ", ")
    text += "; \(seeds.count) seed\(seeds.count == 1 ? "" : "s")" + (rates.isEmpty ? "" : ", rate \(rates)")
    return text + (changed.isEmpty ? "" : "; with \(changed.joined(separator: ", "))")
  }
}
