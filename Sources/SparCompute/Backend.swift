import CSparPlugin
import SparTensor

/// The operations of one compute backend, with the host's own wherever it has a gap.
///
/// Wraps the C table of a plugin (or of the built-in reference).  An operation that is missing, or
/// answers UNSUPPORTED, is done by `Fallback` if the backend was made with parallel loops, and by
/// its plain twin in `Reference` where that declines too.  Calls are serial: one control thread;
/// the backend runs its own threads inside an operation.
public final class Backend: @unchecked Sendable {
  public let name: String
  /// Where tensors of this backend live.
  public let pool: MemoryPool
  public let api: spar_backend_api
  public let instance: UnsafeMutableRawPointer?
  /// Keeps alive whatever owns `instance`.
  public let owner: AnyObject?
  private let errorText: @Sendable () -> String?
  /// Addresses for the tensors of the call under way.
  private let slots = UnsafeMutablePointer<spar_tensor>.allocate(capacity: 16)
  private var usedSlots = 0
  let fallback: Fallback?

  /// `loops`: where fast fallbacks run; nil leaves the plain twins alone.
  public init(
    api: spar_backend_api, instance: UnsafeMutableRawPointer?, name: String,
    loops: ParallelLoops? = nil, owner: AnyObject? = nil,
    errorText: @escaping @Sendable () -> String? = { nil }
  ) {
    self.api = api
    self.instance = instance
    self.name = name
    pool = MemoryPool(source: BackendMemory(api, instance, owner: owner))
    self.owner = owner
    self.errorText = errorText
    let gemm = api.gemm.map { gemm in { (args: inout spar_gemm_args) in gemm(instance, &args) } }
    let memory = pool
    fallback = loops.flatMap { Fallback(parallel: $0, pool: memory, pluginGemm: gemm) }
  }

  /// The plain loops alone.
  public static func reference() -> Backend {
    Backend(api: referenceTable(), instance: nil, name: "reference")
  }

  deinit { slots.deallocate() }

  public func tensor(
    _ shape: [Int], dtype: DType = .f32, use: MemoryUse = .activations
  ) -> Tensor {
    Tensor(shape, dtype: dtype, pool: pool, use: use)
  }

  public func zeros(_ shape: [Int], use: MemoryUse = .activations) -> Tensor {
    let tensor = tensor(shape, use: use)
    tensor.zero()
    return tensor
  }

  // MARK: - Calling

  typealias Operation<Args> = (UnsafeMutableRawPointer?, UnsafePointer<Args>?) -> spar_status

  /// An address for `tensor` that holds until the call is over.
  func slot(_ tensor: Tensor?) -> UnsafeMutablePointer<spar_tensor>? {
    guard let tensor else { return nil }
    if let tell = api.buffer_write, let block = tensor.storage.takeLent() {
      BackendMemory.tell(tell, instance, block, bytes: tensor.storage.bytes)
    }
    precondition(usedSlots < 16, "an operation has at most 16 tensors")
    let place = slots + usedSlots
    usedSlots += 1
    place.initialize(to: tensor.c)
    return place
  }

  func input(_ tensor: Tensor?) -> UnsafePointer<spar_tensor>? {
    UnsafePointer(slot(tensor))
  }

  typealias Loops<Args> = (Args) throws(ReferenceGap) -> Void

  /// Runs the plugin's function, else the fast fallback, else the plain twin.
  func call<Args>(
    _ operation: StaticString, _ function: Operation<Args>?, _ args: inout Args,
    fast: Loops<Args>? = nil, twin: Loops<Args>
  ) throws(ComputeError) {
    defer { usedSlots = 0 }
    if let function {
      let status = withUnsafePointer(to: args) { function(instance, $0) }
      if status == Int32(SPAR_OK) { return }
      guard status == Int32(SPAR_UNSUPPORTED) else { throw failure(operation, status) }
    }
    if let fast {
      do {
        return try fast(args)
      } catch {
        guard error.status == Int32(SPAR_UNSUPPORTED) else {
          throw failure(operation, error.status)
        }
      }
    }
    do {
      try twin(args)
    } catch {
      throw ComputeError(
        reason: .unsupported(error.what), operation: "\(operation)", backend: name)
    }
  }

  private func failure(_ operation: StaticString, _ status: spar_status) -> ComputeError {
    ComputeError(
      reason: .plugin(status: status, text: errorText()), operation: "\(operation)", backend: name)
  }
}
