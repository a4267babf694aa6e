import Evaluation
import Foundation

/// Numbers as readers see them, with a true minus sign.
enum Format {
  static func number(_ value: Double, decimals: Int = 1) -> String {
    let text = String(format: "%.\(decimals)f", value)
    // "-0.0" would claim a direction that the digits do not show.
    let isZero = !text.contains { ("1"..."9").contains($0) }
    return isZero ? text.replacingOccurrences(of: "-", with: "") : text.replacingOccurrences(of: "-", with: "−")
  }

  /// As many digits as the number needs, up to four: for axes.
  static func tick(_ value: Double) -> String {
    String(format: "%.4g", value).replacingOccurrences(of: "-", with: "−")
  }

  static func signed(_ value: Double, decimals: Int = 1) -> String {
    let text = number(value, decimals: decimals)
    return value > 0 && text.contains { ("1"..."9").contains($0) } ? "+" + text : text
  }

  /// "68.3 ± 1.2", without the spread for one value.
  static func plusMinus(_ summary: Summary, decimals: Int = 1) -> String {
    number(summary.mean, decimals: decimals)
      + (summary.standardDeviation.map { " ± " + number($0, decimals: decimals) } ?? "")
  }

  /// A learning rate: "1e-4", "2.5e-5".
  static func rate(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return tick(value) }
    let exponent = Int(floor(log10(value) + 1e-9))
    let mantissa = String(format: "%.3g", value / pow(10, Double(exponent)))
    return "\(mantissa)e\(exponent)"
  }

  static func p(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value < 0.001 ? "< 0.001" : number(value, decimals: 3)
  }

  static func seconds(_ value: Double) -> String {
    guard value >= 10, value.isFinite else { return number(value) + " s" }
    let whole = Int(value.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// "943 MB", in powers of 1000.
  static func bytes(_ value: Double) -> String { scaled(value, ["B", "kB", "MB", "GB", "TB"]) }

  /// "7.8 k".
  static func count(_ value: Double) -> String {
    scaled(value, ["", "k", "M", "G", "T"]).trimmingCharacters(in: .whitespaces)
  }

  /// Three significant digits and a unit.
  private static func scaled(_ value: Double, _ units: [String]) -> String {
    var value = value, index = 0
    while abs(value) >= 999.5 && index < units.count - 1 { (value, index) = (value / 1000, index + 1) }
    return String(format: "%.3g", value).replacingOccurrences(of: "-", with: "−") + " " + units[index]
  }

  /// At most `limit` characters, the cut marked.
  static func short(_ text: String, limit: Int) -> String {
    text.count <= limit ? text : text.prefix(max(1, limit - 1)).trimmingCharacters(in: .whitespaces) + "…"
  }

  /// "a", "a and b", "a, b and c".
  static func list(_ names: [String]) -> String {
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }
}
