import SparCompute
import SparHost

/// A result with what its backend says about placement, in one JSON object.
struct Placed<Result: Encodable>: Encodable {
  var result: Result
  var placement: [PlacementRow]

  private enum Key: String, CodingKey { case placement }

  /// The result's own keys, and `placement` where there is something to say.
  func encode(to encoder: any Encoder) throws {
    try result.encode(to: encoder)
    guard !placement.isEmpty else { return }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(placement, forKey: .placement)
  }
}

extension Terminal {
  /// A benchmark's result as JSON, or its lines, and where the backend put things.
  static func result(
    _ value: some Encodable, lines: [String], of backend: Backend, json: Bool
  ) throws {
    let placement = try backend.placement(measured: true)
    if json { return try Terminal.json(Placed(result: value, placement: placement)) }
    let rows = placement.map { ["  \($0.key)", $0.text] }
    for text in lines + columns(rows) { try line(text) }
  }
}
