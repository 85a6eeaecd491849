import ArgumentParser
import SparPipeline

/// What a stage captures of its model on the side.
struct CaptureFlags: ParsableArguments {
  static let options: Set = [
    "capture", "capture-layers", "capture-sites", "capture-positions", "capture-dtype",
    "capture-rows",
  ]

  @Option(
    help: ArgumentHelp(
      "Also write activations of the stage's model on its answers to this file; changes no result.",
      valueName: "file"),
    completion: .file())
  var capture: String?

  @Option(help: "all, or layers from 0 (the embedding), such as 0,15,29. (default: all)")
  var captureLayers: String?

  @Option(help: "Some of residual, attention, mlp, logits, with commas. (default: residual)")
  var captureSites: String?

  @Option(help: "Tokens of an answer to keep: all, last, or completion. (default: completion)")
  var capturePositions: String?

  @Option(help: "f32 or f16. (default: f32)")
  var captureDtype: String?

  @Option(help: "all, or rows of the prompts from 0, such as 0,5,10-20. (default: all)")
  var captureRows: String?

  func validate() throws {
    let others = [
      ("layers", captureLayers), ("sites", captureSites), ("positions", capturePositions),
      ("dtype", captureDtype), ("rows", captureRows),
    ]
    if capture == nil, let (name, _) = others.first(where: { $0.1 != nil }) {
      throw ValidationError("--capture-\(name) says how to capture, but there is no --capture FILE")
    }
  }

  /// Nil without --capture.
  func request() throws -> CaptureRequest? {
    guard let capture else { return nil }
    return CaptureRequest(
      output: capture,
      options: try CaptureChoice(
        layers: captureLayers ?? "all", sites: captureSites ?? "residual",
        positions: capturePositions ?? "completion", dtype: captureDtype ?? "f32",
        prefix: "capture-"
      ).options(), rows: try CaptureRows(captureRows ?? "all", flag: "capture-rows"))
  }
}
