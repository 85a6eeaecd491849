/// One site at one layer: a table [rows, channels].
public struct ActivationSeries: Equatable, Hashable, Sendable {
  public var site: ActivationSite
  /// The number of blocks for `logits`.
  public var layer: Int
  public var channels: Int

  public init(site: ActivationSite, layer: Int, channels: Int) {
    self.site = site
    self.layer = layer
    self.channels = channels
  }

  /// Where the file keeps it: "residual/15", "logits".
  public var name: String { site == .logits ? site.rawValue : "\(site.rawValue)/\(layer)" }
}

/// Which activations of a model are wanted.
public struct ActivationSelection: Equatable, Sendable {
  public enum Layers: Equatable, Sendable {
    case all
    case some([Int])
  }

  /// In the order in which a forward pass makes them.
  public let series: [ActivationSeries]

  /// Every site at every layer that has it: layer 0, the embedding, has `residual` only, and
  /// `logits` come once, whatever the layers.
  ///
  /// - Throws: `ActivationError` for a layer that the model has not, and for layers of which no
  ///   site has any.
  public init(
    layers: Layers, sites: Set<ActivationSite>, config: ModelConfig
  ) throws(ActivationError) {
    let wanted: Set<Int>
    switch layers {
    case .all: wanted = Set(0...config.layers)
    case .some(let listed):
      for layer in listed where !(0...config.layers).contains(layer) {
        throw .layer(found: layer, last: config.layers)
      }
      if listed.contains(0), !sites.contains(.residual) { throw .embedding(sites: sites) }
      wanted = Set(listed)
    }
    var series: [ActivationSeries] = []
    for layer in 0...config.layers where wanted.contains(layer) {
      for site in [ActivationSite.attention, .mlp, .residual]
      where sites.contains(site) && (layer > 0 || site == .residual) {
        series.append(
          ActivationSeries(site: site, layer: layer, channels: config.hiddenSize))
      }
    }
    if sites.contains(.logits) {
      series.append(
        ActivationSeries(
          site: .logits, layer: config.layers, channels: config.vocabularySize))
    }
    self.series = series
  }

  /// Values of one row, over all series.
  public var channels: Int { series.reduce(0) { $0 + $1.channels } }
}

/// Activations that cannot be had.
public enum ActivationError: Error, Equatable, CustomStringConvertible {
  case layer(found: Int, last: Int)
  case embedding(sites: Set<ActivationSite>)
  case overflow(series: String, value: Float)
  case notFinite(series: String, value: Float)

  public var description: String {
    switch self {
    case .layer(let found, let last):
      return "the model has no layer \(found); its layers are 0 (the embedding) to \(last) (after "
        + "the last block)"
    case .embedding(let sites):
      let names = sites.map(\.rawValue).sorted().joined(separator: ", ")
      return "layer 0 is the embedding, which only residual has, not \(names); start at layer 1, "
        + "or add residual to the sites"
    case .overflow(let series, let value):
      return "\(series) holds \(value), f16 holds ±65504; use --dtype f32 (in stages: "
        + "--capture-dtype f32)"
    case .notFinite(let series, let value):
      return "\(series) holds \(value); the model's weights are damaged"
    }
  }
}
