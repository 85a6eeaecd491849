import CSparPlugin
import SparPluginKit

/// Prefers the longer answer: a bias to measure other rankers against, and the smallest example.
final class Length: Ranker {
  enum Unit: Int { case characters, bytes, words }

  let unit: Unit
  let scale: Double

  init(unit: Unit, scale: Double) {
    self.unit = unit
    self.scale = scale
  }

  func rank(_ queries: [Query]) {
    for query in queries {
      let lengths = (0..<query.count).map { length(query.response($0)) }
      query.write(scores: lengths.map(Double.init), scale: scale)
    }
  }

  private func length(_ text: String) -> Int {
    switch unit {
    case .characters: text.unicodeScalars.count  // as Python's len, which the papers report
    case .bytes: text.utf8.count
    case .words: text.split(whereSeparator: \.isWhitespace).count
    }
  }
}

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.length", name: "Length", version: "0.1.0",
  components: [
    ranker(
      id: "length", name: "Length", doc: "Prefers the longer answer.",
      formula: "raw(i, j) = (|y_i| − |y_j|)/scale, P = σ(raw)",
      options: [
        Option(
          "unit", .choice("characters", among: ["characters", "bytes", "words"]),
          "What is counted; characters are Unicode code points."),
        Option(
          "scale", .float(100, 1e-6...1e9),
          "Difference in length that makes log-odds of 1."),
      ],
      flags: Int(
        SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR
          | SPAR_RANK_REENTRANT),
      create: { host, info, out in
        construct(host, info, out) { options, _ in
          Length(unit: .init(rawValue: options.choice(0)) ?? .characters, scale: options.float(1))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
