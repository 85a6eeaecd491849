import SparCompute
import SparTensor

/// LoRA on a model: which linear layers get an adapter, and of what rank.
public struct LowRankOptions: Equatable, Sendable, Codable {
  public var rank: Int
  /// The adapter's product is multiplied by α/r.
  public var alpha: Double
  /// Endings of layer names ("q_proj"); empty = every linear layer but the head.
  public var targets: [String]

  public init(rank: Int = 16, alpha: Double = 16, targets: [String] = []) {
    self.rank = rank
    self.alpha = alpha
    self.targets = targets
  }
}

extension Architecture {
  /// Gives linear layers adapters; the embedding and the head are left alone.
  ///
  /// - Throws: `LowRankError` when a target names no layer.
  public func attachAdapters(
    _ options: LowRankOptions, seed: UInt64, backend: Backend
  ) throws(LowRankError) -> [Parameter] {
    let layers = parameters.filter { parameter in
      parameter.value.shape.count == 2 && parameter !== head
        && !parameter.name.hasSuffix("embed_tokens.weight")
        && !parameter.name.hasSuffix("word_embeddings.weight")
    }
    return try layers.attachAdapters(options, seed: seed, backend: backend)
  }

  /// Adds every adapter to its weight, W += scale · B A, and takes it off.
  public func mergeAdapters(_ backend: Backend) throws { try parameters.mergeAdapters(backend) }
}

extension DebertaV2 {
  /// Gives linear layers adapters; the tables of words and of positions are left alone.
  ///
  /// - Throws: `LowRankError` when a target names no layer.
  public func attachAdapters(
    _ options: LowRankOptions, seed: UInt64, backend: Backend
  ) throws(LowRankError) -> [Parameter] {
    let layers = parameters.filter {
      $0.value.shape.count == 2 && !$0.name.hasSuffix("embeddings.weight")
    }
    return try layers.attachAdapters(options, seed: seed, backend: backend)
  }
}

extension [Parameter] {
  /// Gives these layers adapters, A uniform in ±1/√in (as PEFT draws it), B zero; returns A and B
  /// of each, in the order of the layers.
  fileprivate func attachAdapters(
    _ options: LowRankOptions, seed: UInt64, backend: Backend
  ) throws(LowRankError) -> [Parameter] {
    let layers = self
    let names = Set(layers.map { $0.layerName })
    if let unknown = options.targets.first(where: { !names.contains($0) }) {
      throw LowRankError(target: unknown, known: names.sorted())
    }
    var attached: [Parameter] = []
    for (index, layer) in layers.enumerated()
    where options.targets.isEmpty || options.targets.contains(layer.layerName) {
      let (out, width) = (layer.value.shape[0], layer.value.shape[1])
      let a = backend.tensor([options.rank, width], use: .weights)
      var random = Random(seed: seed, stage: .initialise, item: index)
      let bound = 1 / Double(width).squareRoot()
      for i in 0..<a.count { a.floats[i] = Float((random.uniform() * 2 - 1) * bound) }
      let b = backend.zeros([out, options.rank], use: .weights)
      let base = layer.name.hasSuffix(".weight") ? String(layer.name.dropLast(7)) : layer.name
      let adapter = LowRankAdapter(
        a: Parameter(name: base + ".lora_A.weight", value: a),
        b: Parameter(name: base + ".lora_B.weight", value: b),
        scale: options.alpha / Double(options.rank))
      layer.adapter = adapter
      attached += [adapter.a, adapter.b]
    }
    return attached
  }

  /// Adds every adapter to its weight, W += scale · B A, and takes it off.
  public func mergeAdapters(_ backend: Backend) throws {
    for parameter in self {
      guard let adapter = parameter.adapter else { continue }
      guard parameter.value.isTrainable else {
        throw ModelError(.mappedWeight(name: parameter.name), path: "merging adapters")
      }
      try backend.gemm(
        adapter.b.value, adapter.a.value, into: parameter.value, alpha: adapter.scale, beta: 1)
      parameter.adapter = nil
    }
  }
}

extension Parameter {
  /// "q_proj" of "model.layers.3.self_attn.q_proj.weight".
  fileprivate var layerName: String {
    let parts = name.split(separator: ".")
    return String(parts.last == "weight" ? parts.dropLast().last ?? "" : parts.last ?? "")
  }
}

/// A target that is no layer of the model.
public struct LowRankError: Error, Equatable, Sendable, CustomStringConvertible {
  public var target: String
  public var known: [String]

  public init(target: String, known: [String]) {
    self.target = target
    self.known = known
  }

  public var description: String {
    "the model has no linear layer \"\(target)\"; its layers: \(known.joined(separator: ", "))"
  }
}
