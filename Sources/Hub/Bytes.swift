import Foundation

/// A number of bytes in words, `1.2 GB`.
public struct Bytes: CustomStringConvertible, Sendable {
  private let count: Int64

  public init(_ count: Int64) { self.count = count }

  public var description: String {
    let units = ["kB", "MB", "GB", "TB"]
    guard count >= 1000 else { return "\(count) bytes" }
    var value = Double(count) / 1000
    var unit = 0
    while value >= 999.95, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return String(format: "%.1f %@", value, units[unit])
  }
}
