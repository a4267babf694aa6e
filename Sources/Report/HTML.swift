/// Markup that is safe to write out: text enters it only through `escape`.
struct HTML {
  let text: String

  /// Markup taken as it is; only for text that this target wrote itself.
  init(trusted text: String) { self.text = text }

  /// `text` with everything that HTML would read as markup replaced, and without control characters.
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case _ where scalar.properties.generalCategory == .control: continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Collects strings (escaped), markup and arrays of markup in order.
@resultBuilder enum HTMLBuilder {
  static func buildExpression(_ text: String) -> HTML { HTML(trusted: HTML.escape(text)) }
  static func buildExpression(_ html: HTML) -> HTML { html }
  static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML(trusted: "") }
  static func buildExpression(_ parts: [HTML]) -> HTML { buildArray(parts) }
  static func buildBlock(_ parts: HTML...) -> HTML { buildArray(parts) }
  static func buildArray(_ parts: [HTML]) -> HTML { HTML(trusted: parts.map(\.text).joined()) }
  static func buildOptional(_ html: HTML?) -> HTML { html ?? HTML(trusted: "") }
  static func buildEither(first html: HTML) -> HTML { html }
  static func buildEither(second html: HTML) -> HTML { html }
}

/// `<name attributes>content</name>`; attribute values are escaped.
func element(
  _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
  @HTMLBuilder _ content: () -> HTML = { HTML(trusted: "") }
) -> HTML {
  let list = attributes.map { " \($0.key)=\"\(HTML.escape($0.value))\"" }.joined()
  return HTML(trusted: "<\(name)\(list)>\(content().text)</\(name)>")
}

/// Several pieces of markup as one.
func fragment(@HTMLBuilder _ content: () -> HTML) -> HTML { content() }

/// A titled part of the page; `note` says how to read it.
func section(_ title: String, id: String, note: String = "", @HTMLBuilder _ content: () -> HTML) -> HTML {
  element("section", ["id": id]) {
    element("h2") { title }
    if !note.isEmpty { element("p", ["class": "note"]) { note } }
    content()
  }
}
