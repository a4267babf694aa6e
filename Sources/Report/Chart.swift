import Foundation

/// Lines, bands and marks over two axes, drawn as SVG.
///
/// Colours come from CSS classes, so that one drawing serves light and dark.
struct Chart {
  struct Point {
    var x: Double
    var y: Double
  }

  let x: Axis
  let y: Axis
  var width = 540.0
  var height = 260.0
  var left = 52.0
  var bottom = 34.0
  var top = 14.0
  var right = 14.0
  var xTitle = ""
  var yTitle = ""

  /// The whole figure: frame below, `marks` above, described for those who cannot see it.
  func svg(_ description: String, @HTMLBuilder _ marks: () -> HTML) -> HTML {
    element(
      "svg",
      [
        "class": width > 400 ? "chart wide" : "chart",
        "viewBox": "0 0 \(Self.coordinate(width)) \(Self.coordinate(height))", "role": "img",
        "aria-label": description,
      ]
    ) {
      frame
      marks()
    }
  }

  func horizontal(_ value: Double) -> Double { left + x.position(value) * (width - left - right) }
  func vertical(_ value: Double) -> Double {
    height - bottom - min(max(y.position(value), 0), 1) * (height - top - bottom)
  }

  private var frame: HTML {
    fragment {
      for tick in y.ticks {
        rule("tick", left, vertical(tick), width - right, vertical(tick))
        label(y.label(tick), left - 7, vertical(tick) + 4, anchor: "end")
      }
      for tick in x.ticks { label(x.label(tick), horizontal(tick), height - bottom + 17) }
      rule("axis", left, height - bottom, width - right, height - bottom)
      if !xTitle.isEmpty { label(xTitle, left + (width - left - right) / 2, height - 2, style: "axis-title") }
      if !yTitle.isEmpty { label(yTitle, 2, 10, anchor: "start", style: "axis-title") }
    }
  }

  /// A polyline; NaN breaks it.
  func line(_ points: [Point], _ style: String) -> HTML {
    var path = "", isDown = false
    for point in points {
      guard point.y.isFinite else { isDown = false; continue }
      path += "\(isDown ? "L" : "M")\(Self.coordinate(horizontal(point.x))) \(Self.coordinate(vertical(point.y)))"
      isDown = true
    }
    return element("path", ["class": "line \(style)", "d": path])
  }

  /// The area between two lines over the same x.
  func band(_ low: [Point], _ high: [Point], _ style: String) -> HTML {
    let corners = high + low.reversed()
    let path = corners.map { "\(Self.coordinate(horizontal($0.x))) \(Self.coordinate(vertical($0.y)))" }
    return element("path", ["class": "band \(style)", "d": "M\(path.joined(separator: "L"))Z"])
  }

  /// A dot that tells its value when pointed at.
  func dot(_ point: Point, radius: Double, _ style: String, hint: String) -> HTML {
    element(
      "circle",
      [
        "class": style, "cx": Self.coordinate(horizontal(point.x)), "cy": Self.coordinate(vertical(point.y)),
        "r": Self.coordinate(radius),
      ]
    ) { element("title") { hint } }
  }

  /// A vertical rule over the whole height at a value of x.
  func marker(at value: Double, _ style: String) -> HTML {
    rule(style, horizontal(value), top, horizontal(value), height - bottom)
  }

  func rule(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> HTML {
    element(
      "line",
      [
        "class": style, "x1": Self.coordinate(x1), "y1": Self.coordinate(y1), "x2": Self.coordinate(x2),
        "y2": Self.coordinate(y2),
      ])
  }

  func label(_ text: String, _ x: Double, _ y: Double, anchor: String = "middle", style: String = "") -> HTML {
    svgText(text, x, y, anchor: anchor, style: style)
  }

  /// Drawing units to a tenth: enough for the eye, and half the bytes.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(format: "%.1f", tenths)
  }
}

/// Text at a position of an SVG drawing.
func svgText(_ text: String, _ x: Double, _ y: Double, anchor: String = "middle", style: String = "") -> HTML {
  element(
    "text", ["class": style, "x": Chart.coordinate(x), "y": Chart.coordinate(y), "text-anchor": anchor]
  ) { text }
}
