import Foundation

/// A drawing in the making: elements in order, coordinates in CSS pixels at the phone's width.
struct SVG {
  let width: Double
  let height: Double
  private var body = ""

  init(width: Double = 360, height: Double) {
    self.width = width
    self.height = height
  }

  /// How a text lies at its point.
  enum Anchor: String { case start, middle, end }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String
  ) {
    body +=
      "<line class=\"\(name)\" x1=\"\(Self.at(x1))\" y1=\"\(Self.at(y1))\" x2=\"\(Self.at(x2))\" "
      + "y2=\"\(Self.at(y2))\"/>"
  }

  /// Nothing for fewer than two points.
  mutating func path(_ points: [(x: Double, y: Double)], class name: String) {
    guard points.count > 1 else { return }
    let steps = points.map { "\(Self.at($0.x)) \(Self.at($0.y))" }
    body += "<path class=\"\(name)\" d=\"M\(steps.joined(separator: "L"))\"/>"
  }

  /// The shape tells series apart where colours do not.
  mutating func mark(
    _ x: Double, _ y: Double, size: Double, shape: Int, class name: String, hint: String = ""
  ) {
    let title = hint.isEmpty ? "" : "<title>\(HTML.escape(hint))</title>"
    switch shape % 4 {
    case 0:
      body +=
        "<circle class=\"\(name)\" cx=\"\(Self.at(x))\" cy=\"\(Self.at(y))\" "
        + "r=\"\(Self.at(size))\">\(title)</circle>"
    case 1:
      let side = size * 0.9
      body +=
        "<rect class=\"\(name)\" x=\"\(Self.at(x - side))\" y=\"\(Self.at(y - side))\" "
        + "width=\"\(Self.at(2 * side))\" height=\"\(Self.at(2 * side))\">\(title)</rect>"
    case 2:
      polygon([(0, -1.25), (1.15, 0.9), (-1.15, 0.9)], x, y, size, name, title)
    default:
      polygon([(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)], x, y, size, name, title)
    }
  }

  private mutating func polygon(
    _ corners: [(Double, Double)], _ x: Double, _ y: Double, _ size: Double, _ name: String,
    _ title: String
  ) {
    let points = corners.map { "\(Self.at(x + size * $0.0)),\(Self.at(y + size * $0.1))" }
    body +=
      "<polygon class=\"\(name)\" points=\"\(points.joined(separator: " "))\">\(title)</polygon>"
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, class name: String = ""
  ) {
    body +=
      "<text x=\"\(Self.at(x))\" y=\"\(Self.at(y))\" text-anchor=\"\(anchor.rawValue)\""
      + (name.isEmpty ? "" : " class=\"\(name)\"") + ">\(HTML.escape(text))</text>"
  }

  /// - Parameter label: what the drawing shows, for those who do not see it.
  func markup(label: String) -> String {
    "<svg viewBox=\"0 0 \(Self.at(width)) \(Self.at(height))\" role=\"img\" "
      + "aria-label=\"\(HTML.escape(label))\">\(body)</svg>"
  }

  /// The drawing as a file of its own, with its style.
  func document(label: String) -> String {
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.at(width))\" "
      + "height=\"\(Self.at(height))\" viewBox=\"0 0 \(Self.at(width)) \(Self.at(height))\" "
      + "role=\"img\" aria-label=\"\(HTML.escape(label))\">\n<style>\(StyleSheet.document)</style>\n"
      + "\(body)</svg>\n"
  }

  /// Tenths of a pixel are finer than anyone sees.
  private static func at(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    let short = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    return short == "-0" ? "0" : short
  }

  /// About the width of a text of the charts' size.
  static func width(of text: String) -> Double { 6.4 * Double(text.count) }
}
