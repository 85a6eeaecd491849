import CSparPlugin
import Glibc
import SparCompute
import SparTensor

/// The tensors of one call, and the memory of its other arguments.
final class OperandSet {
  let age: HostAge
  let arena = GuardedArena()
  let operands: [Operand]

  init(_ specs: [OperandSpec], _ age: HostAge) {
    self.age = age
    let arena = arena
    operands = specs.map { Operand($0, arena) }
  }

  /// The tensor, or NULL where the trial has none of that name.
  subscript(name: String) -> UnsafeMutablePointer<spar_tensor>? {
    operands.first { $0.spec.name == name }?.tensor
  }

  func values(_ name: String) -> [Double] {
    operands.first { $0.spec.name == name }?.values ?? []
  }

  /// Host arrays of indices end at a guard page, too.
  func indices(_ values: [Int]) -> UnsafePointer<Int32> {
    UnsafePointer(arena.copy(values.map { Int32($0) }))
  }

  func offsets(_ values: [Int]?) -> UnsafePointer<Int64>? {
    guard let values else { return nil }
    return UnsafePointer(arena.copy(values.map { Int64($0) }))
  }

  /// Hands over the arguments as a host of this age would; nil when the operation is not offered.
  func call<Args: BitwiseCopyable>(
    _ function: ((UnsafeMutableRawPointer?, UnsafePointer<Args>?) -> spar_status)?,
    _ me: UnsafeMutableRawPointer?, _ args: Args, pastSize: Int? = nil
  ) -> spar_status? {
    guard let function else { return nil }
    return function(me, arena.structure(args, age, pastSize: pastSize))
  }
}

/// One call of an operation, and what must come out.
struct OperationTrial {
  typealias Call = (OperandSet, spar_backend_api, UnsafeMutableRawPointer?) -> spar_status?

  /// "33 × 17 × 5, b transposed".
  var label: String
  /// Of the largest of 1, the value's magnitude and `magnitude`.
  var tolerance: Double = 2e-5
  var operands: () -> [OperandSpec]
  var call: Call
  /// What the outputs must be; nil: what the plain twin makes of the same call.
  var expected: ((OperandSet) -> [String: [Double]])?

  /// Calls the backend and judges nothing; nil when it does not offer the operation.
  func run(
    on instance: LiveInstance, age: HostAge
  ) -> (outcome: Outcome, set: OperandSet)? {
    let set = OperandSet(operands(), age)
    let api = backendTable(instance)
    var offered = true
    let outcome = instance.owner.host.call {
      guard let status = call(set, api, instance.pointer) else {
        offered = false
        return spar_status(SPAR_UNSUPPORTED)
      }
      return status
    }
    return offered ? (outcome, set) : nil
  }

  enum Judgement { case agrees, unsupported, notOffered }

  /// Calls the backend and compares with the twin.
  func judge(_ instance: LiveInstance) throws -> Judgement {
    let before = OperandSet(operands(), .present)
    guard let (outcome, set) = run(on: instance, age: .present) else { return .notOffered }
    if outcome.isUnsupported {
      try requireUntouched(set, before, "UNSUPPORTED")
      try requireSteadyRefusal(instance)
      return .unsupported
    }
    try outcome.requireText(label)
    try outcome.requireOK(label)
    for (operand, old) in zip(set.operands, before.operands) {
      if let place = operand.trespass {
        throw Violation("it writes outside its output: \(place) (\(label))")
      }
      try require(
        operand.spec.role != .input || operand.image == old.image,
        "it writes into its input \(operand.spec.name) (\(label))")
    }
    try compare(set, try wanted())
    return .agrees
  }

  private func requireUntouched(
    _ set: OperandSet, _ before: OperandSet, _ answer: String
  ) throws {
    for (operand, old) in zip(set.operands, before.operands) {
      try require(
        operand.image == old.image,
        "it answers \(answer) and has written to \(operand.spec.name) (\(label))")
    }
  }

  /// UNSUPPORTED may depend on types, ranks and flags, never on values.
  private func requireSteadyRefusal(_ instance: LiveInstance) throws {
    var other = self
    let original = operands
    other.operands = {
      original().map { spec in
        var spec = spec
        spec.values = spec.values.map { 0.5 - 0.25 * $0 }
        return spec
      }
    }
    guard let (outcome, _) = other.run(on: instance, age: .present) else { return }
    try require(
      outcome.isUnsupported, "it answers UNSUPPORTED for some values only (\(label))")
  }

  /// The outputs by name, from the twin on f32 copies of what the backend was given.
  private func wanted() throws -> [String: [Double]] {
    let rounded = OperandSet(operands(), .present)
    if let expected { return expected(rounded) }
    let specs = zip(operands(), rounded.operands).map { spec, operand in
      var plain = spec
      plain.values = spec.role == .output ? spec.values : operand.values
      plain.dtype = .f32
      return plain
    }
    let twin = OperandSet(specs, .present)
    let status = call(twin, referenceTable(), nil)
    try require(
      status == spar_status(SPAR_OK), "the plain twin does not do \(label): a fault of this test")
    var outputs: [String: [Double]] = [:]
    for operand in twin.operands where operand.spec.role != .input {
      outputs[operand.spec.name] = operand.values
    }
    return outputs
  }

  private func compare(_ set: OperandSet, _ wanted: [String: [Double]]) throws {
    for operand in set.operands where operand.spec.role != .input {
      guard let values = wanted[operand.spec.name] else { continue }
      let epsilon =
        switch operand.spec.dtype {
        case .f16: 0x1p-10
        case .bf16: 0x1p-7
        default: 0.0
        }
      for (i, (found, right)) in zip(operand.values, values).enumerated() {
        if found == right || (found.isNaN && right.isNaN) { continue }
        let slack = (tolerance + epsilon) * max(1, abs(right))
        guard abs(found - right) <= slack else {
          throw Violation(
            "\(operand.nameOf(i)) is \(Float(found)), the plain twin has \(Float(right)) "
              + "(\(label))")
        }
      }
    }
  }
}

/// The adopted table of a created backend.
func backendTable(_ instance: LiveInstance) -> spar_backend_api {
  instance.owner.component.raw.api.map { adoptTable($0) } ?? spar_backend_api()
}
