import SparHost
import SparModel
import SparTensor

/// Several objectives on the same forward pass: their losses, targets and gradients.
///
///     let lens = Lens(model, [.init("sppo", sppo), .init("dpo", dpo)])
///     let summary = try lens.run(groups) { index, prompt in print(prompt.readings) }
///
/// A prompt and its answers go through the model once.  Each objective is asked about the same
/// log-probabilities, and for gradients by parameters each walks the same tape backwards.  Memory:
/// the tape of one prompt, and one gradient of the model's size for each objective.
public struct Lens {
  public struct Subject {
    public var name: String
    public var objective: any TrainingObjective

    public init(_ name: String, _ objective: any TrainingObjective) {
      self.name = name
      self.objective = objective
    }
  }

  private let model: TrainableModel
  private let subjects: [Subject]
  private let withParameters: Bool

  /// `withParameters` adds the cosines between gradients by all parameters.
  public init(_ model: TrainableModel, _ subjects: [Subject], withParameters: Bool = true) {
    precondition(!subjects.isEmpty, "nothing to look at")
    self.model = model
    self.subjects = subjects
    self.withParameters = withParameters
  }

  /// Looks at every group; `observe` gets each prompt as soon as it is known.
  ///
  /// Groups must have reference log-probabilities where an objective needs them.
  public func run(
    _ groups: [TrainingGroup], progress: ProgressHandler = { _ in },
    isCancelled: () -> Bool = { false }, observe: (Int, LensPrompt) throws -> Void
  ) throws -> LensSummary {
    try check(groups)
    let count = subjects.count
    var products = InnerProducts(count)
    var losses = [Double](repeating: 0, count: count)
    let sets = withParameters ? try subjects.map { _ in try gradients() } : []
    defer { for parameter in model.architecture.parameters { parameter.gradient = nil } }
    for (index, group) in groups.enumerated() {
      if isCancelled() { throw TrainingError.lensCancelled(prompts: index) }
      let needsSquares = subjects.contains { $0.objective.needs.contains(.sumP2) }
      let pass = try model.score([group], recording: withParameters, sumP2: needsSquares)
      let looks = try subjects.map { try LensLook(group, pass, $0) }
      let vectors = looks.map(\.reading.derivatives)
      products.add(vectors)
      for (place, look) in looks.enumerated() { losses[place] += look.reading.loss }
      for (place, look) in looks.enumerated() where withParameters {
        use(sets[place])
        let gradient = Tensor(
          look.coefficients.map { Float($0 / Double(groups.count)) },
          shape: [look.coefficients.count], pool: model.backend.pool)
        // The last one takes the tape down.
        if place + 1 < count {
          try pass.graph.backwardKeepingTape(from: pass.output, gradient: gradient)
        } else {
          try pass.graph.backward(from: pass.output, gradient: gradient)
        }
      }
      var own = InnerProducts(count)
      own.add(vectors)
      let logps = looks[0].logps
      try observe(
        index,
        LensPrompt(
          logps: logps,
          logRatios: zip(group.answers, logps).map { $1 - ($0.refLogp ?? $1) },
          readings: looks.map(\.reading), cosines: own.cosines))
      progress(
        SparHost.Progress(
          stage: "lens", done: Double(index + 1), total: Double(groups.count), unit: "prompts"))
    }
    let inner = withParameters ? innerProducts(sets) : nil
    return LensSummary(
      objectives: subjects.map(\.name), prompts: groups.count,
      losses: losses.map { $0 / Double(groups.count) }, logProbCosines: products.cosines,
      parameterCosines: inner?.cosines, parameterNorms: inner?.norms)
  }

  private func check(_ groups: [TrainingGroup]) throws {
    guard !groups.isEmpty else { throw TrainingError.nothingToTrain }
    for subject in subjects {
      let needs = subject.objective.needs
      if needs.contains(.coupled) {
        throw TrainingError.objective(
          name: subject.name, problem: "ties prompts together; the lens looks at one at a time")
      }
      if !needs.contains(.answers), groups.contains(where: { $0.terms == .answers }) {
        throw TrainingError.needsPairs(subject.name)
      }
      guard needs.contains(.reference) else { continue }
      for (index, group) in groups.enumerated()
      where group.answers.contains(where: { $0.refLogp == nil }) {
        throw TrainingError.missingReference(group: index)
      }
    }
    for (index, group) in groups.enumerated() {
      if let problem = group.problem(in: model.architecture.config) {
        throw TrainingError.group(index: index, problem: problem)
      }
    }
  }

  // MARK: - Gradients by parameters

  private func gradients() throws -> [Tensor] {
    model.architecture.parameters.map { model.backend.zeros($0.value.shape) }
  }

  private func use(_ gradients: [Tensor]) {
    for (parameter, gradient) in zip(model.architecture.parameters, gradients) {
      parameter.gradient = gradient
    }
  }

  private func innerProducts(_ sets: [[Tensor]]) -> InnerProducts {
    var products = InnerProducts(sets.count)
    for parameter in model.architecture.parameters.indices {
      for i in sets.indices {
        for j in i..<sets.count {
          products.add(i, j, Self.dot(sets[i][parameter], sets[j][parameter]))
        }
      }
    }
    return products
  }

  /// Short runs in f32 lanes, their sums in f64: fast, and no long f32 sum.
  private static func dot(_ a: Tensor, _ b: Tensor) -> Double {
    let (x, y, count) = (a.floats, b.floats, a.count)
    var total = 0.0
    var place = 0
    while place < count {
      let end = min(place + 1024, count)
      var lanes = SIMD16<Float>(repeating: 0)
      while place + 16 <= end {
        let left = UnsafeRawPointer(x + place).loadUnaligned(as: SIMD16<Float>.self)
        let right = UnsafeRawPointer(y + place).loadUnaligned(as: SIMD16<Float>.self)
        lanes += left * right
        place += 16
      }
      total += Double(lanes.sum())
      while place < end {
        total += Double(x[place]) * Double(y[place])
        place += 1
      }
    }
    return total
  }
}
