/// How the series of a chart look: colour by place, then a dash and another mark.
enum SeriesStyle {
  /// Colours of the style sheet; more series repeat them, dashed.
  static let colours = 8

  static func classes(_ name: String, _ series: Int) -> String {
    let dash = series / colours % 2 == 1 ? " dashed" : ""
    return "\(name) s\(series % colours)\(dash)"
  }

  /// The next round of colours starts with another mark.
  static func shape(_ series: Int) -> Int { series + series / colours }

  /// A key to the series: its mark and its name.
  static func legend(_ names: [(series: Int, name: String)]) -> String {
    guard names.count > 1 else { return "" }
    let items = names.map { series, name in
      var key = SVG(width: 26, height: 12)
      key.line(1, 6, 25, 6, class: classes("mean", series))
      key.mark(13, 6, size: 4, shape: shape(series), class: classes("dot", series))
      return "<li>\(key.markup(label: "key"))\(HTML.escape(name))</li>"
    }
    return "<ul class=\"legend\">\(items.joined())</ul>\n"
  }
}
