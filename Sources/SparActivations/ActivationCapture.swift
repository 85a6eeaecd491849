import Foundation
import SparModel
import SparStore

/// Runs texts through a model and keeps what is asked for, pass by pass, in activations.h5.
///
/// Killed and started again with the same settings, it goes on after the last finished pass.  The
/// file appears under its name only when it is complete.
public final class ActivationCapture {
  public let options: CaptureOptions
  public let output: String
  private let selection: ActivationSelection
  private let key: String
  /// Nil where the complete file is there already.
  private let spool: ActivationsSpool?

  /// - Parameters:
  ///   - model: whose shape and name count; every `add` may bring other weights.
  ///   - inputs: digests and settings that the texts depend on.
  ///   - record: root attributes beside those of model and options.
  public init(
    _ model: LanguageModel, _ options: CaptureOptions, inputs: [String], output: String,
    record: [String: AttributeValue] = [:]
  ) throws {
    self.options = options
    self.output = output
    selection = try ActivationSelection(
      layers: options.layers, sites: options.sites, config: model.config)
    let names = selection.series.map(\.name)
    var digest = SHA256()
    let identity =
      [
        model.digest, model.storedTokenizer?.digest ?? "", model.backend.name,
        options.positions.rawValue,
      ]
      + [options.precision.rawValue] + names + inputs
    digest.update([UInt8](identity.joined(separator: "\n").utf8))
    key = digest.hexDigest()
    if try ActivationsFile.isComplete(output, key: key) {
      spool = nil
      return
    }
    var attributes = record
    attributes["model"] = .string(model.path)
    attributes["model_digest"] = .string(model.digest)
    attributes["tokenizer_digest"] = model.storedTokenizer.map { .string($0.digest) }
    attributes["backend"] = .string(model.backend.name)
    attributes["model_layers"] = .int(Int64(model.config.layers))
    attributes["positions"] = .string(options.positions.rawValue)
    attributes["series"] = .strings(names)
    spool = try ActivationsSpool(
      output: output,
      ActivationsFile.Description(
        series: selection.series.map { .init(name: $0.name, channels: $0.channels) },
        type: options.precision == .f16 ? .f16 : .f32, key: key, attributes: attributes))
  }

  /// The file of exactly this capture is there; nothing is left to do.
  public var isComplete: Bool { spool == nil }
  /// Texts in finished passes, those of an earlier run included.
  public var samples: Int { spool?.samples ?? 0 }
  public var rows: Int { spool?.rows ?? 0 }

  /// Whether the pass with that number is finished, in this run or an earlier one.
  public func contains(order: Int) -> Bool { spool?.contains(order: order) ?? true }

  /// One pass over `groups`; in the file, passes stand in the order of their numbers.
  public func add(
    _ groups: [CaptureGroup], order: Int, under model: LanguageModel
  ) throws {
    guard let spool, !spool.contains(order: order) else { return }
    for group in groups {
      let longest = group.answers.map(\.ids.count).max() ?? 0
      guard group.prompt.count + longest <= model.config.maxPositions else {
        throw ModelError(
          .promptTooLong(tokens: group.prompt.count + longest, limit: model.config.maxPositions),
          path: model.path)
      }
    }
    let pass = CapturePass(groups, positions: options.positions)
    try spool.add(
      order: order, samples: pass.samples, positions: pass.rowPositions, tokens: pass.rowTokens
    ) { write in
      guard !pass.rows.isEmpty else { return }
      try model.readActivations(pass.batch, rows: pass.rows, of: selection) { series, values in
        try write(options.precision.encode(values, of: series))
      }
    }
  }

  /// Gives the capture up and removes journal and values.
  public func discard() throws {
    try spool?.discard()
  }

  /// Writes the file and removes journal and values beside it.
  public func finish(progress: (Double) -> Void = { _ in }) throws {
    try spool?.finish(progress: progress)
  }
}
