import Foundation

/// Colours of the page, made so that neither hue alone nor one kind of sight is needed to read it.
enum Palette {
  /// Series colours (after Okabe and Ito, evened out in contrast) on a light and on a dark page.
  static let series: [(light: String, dark: String)] = [
    ("#0b6fb3", "#58b0ee"), ("#cf5a00", "#ff9453"), ("#008a64", "#35c99c"), ("#b0548c", "#e59ac8"),
    ("#7a6400", "#e3cf4a"), ("#5b4fc4", "#a79ff5"), ("#2d9cc0", "#8ddcf5"), ("#5c636b", "#b9c0c8"),
  ]

  /// CSS classes of the series of one group: a colour, and a dash pattern once the colours are used up.
  static func style(_ index: Int) -> String {
    let round = index / series.count
    return "s\(index % series.count)" + (round == 0 ? "" : " d\(min(round, 3))")
  }

  /// Number of steps of the heat scale.
  static let heatSteps = 21

  /// Step of the heat scale for a value in 0...1.
  static func heatStep(_ value: Double) -> Int { Int((min(max(value, 0), 1) * Double(heatSteps - 1)).rounded()) }

  /// CSS of the heat scale: equal steps of OKLab lightness, from the page's own tone to its opposite.
  static func heatCSS(dark: Bool) -> String {
    (0..<heatSteps).map { step in
      let t = Double(step) / Double(heatSteps - 1)
      let lightness = dark ? 0.27 + 0.61 * t : 0.97 - 0.60 * t
      let fill = OKLab(
        lightness: lightness, chroma: 0.02 + 0.11 * sin(.pi * min(1, 0.18 + 0.7 * t)),
        hue: dark ? 275 - 145 * t : 115 + 150 * t
      ).hex
      return ".h\(step){fill:\(fill);background:\(fill)}.t\(step){fill:\(lightness > 0.58 ? "#10151c" : "#ffffff")}"
    }.joined()
  }
}

/// A colour by perceived lightness (0...1), chroma and hue in degrees.
///
/// Source: Ottosson, A perceptual color space for image processing, 2020 (bottosson.github.io/posts/oklab).
struct OKLab {
  var lightness: Double
  var chroma: Double
  var hue: Double

  /// `#rrggbb`; chroma gives way where sRGB cannot show it, so that lightness stays exact.
  var hex: String {
    var color = self
    while color.chroma > 1e-3 && !color.linear.allSatisfy({ (-1e-4...1.0001).contains($0) }) { color.chroma *= 0.97 }
    return "#"
      + color.linear.map { value in
        let clipped = min(max(value, 0), 1)
        let encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * pow(clipped, 1 / 2.4) - 0.055
        return String(format: "%02x", Int((encoded * 255).rounded()))
      }.joined()
  }

  /// Linear sRGB, outside 0...1 where the colour is out of gamut.
  private var linear: [Double] {
    let a = chroma * cos(hue * .pi / 180), b = chroma * sin(hue * .pi / 180)
    let l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    return [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ]
  }
}
