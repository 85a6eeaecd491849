import CSparPlugin
import Glibc
import Synchronization

/// A block of host memory that goes back to its pool, or to who lent it, when the last tensor on it
/// is gone.
public final class Storage: @unchecked Sendable {
  public let pointer: UnsafeMutableRawPointer
  public let bytes: Int
  /// The backend's own name for the memory; nil for the system's.
  let handle: UnsafeMutableRawPointer?
  private let pool: MemoryPool?
  private let use: MemoryUse
  /// Keeps mapped memory alive.
  private let lender: AnyObject?
  private let wasLent = Atomic<Bool>(false)

  public init(bytes: Int, pool: MemoryPool, use: MemoryUse = .activations) {
    self.bytes = bytes
    self.pool = pool
    self.use = use
    lender = nil
    let block = pool.take(bytes, for: use)
    pointer = block.pointer
    handle = block.handle
  }

  /// Memory to read only, which `owner` keeps valid.
  init(mapped memory: UnsafeRawBufferPointer, owner: AnyObject) {
    // An empty tensor needs an address, too.
    pointer =
      UnsafeMutableRawPointer(mutating: memory.baseAddress)
      ?? Unmanaged.passUnretained(owner).toOpaque()
    bytes = memory.count
    handle = nil
    pool = nil
    use = .weights
    lender = owner
  }

  var isMapped: Bool { lender != nil }

  /// Whoever gets the address may write there.
  func lend() -> UnsafeMutableRawPointer {
    if handle != nil && use == .weights { wasLent.store(true, ordering: .relaxed) }
    return pointer
  }

  /// The backend's buffer, if these are weights that this process may have written since the last
  /// call: a backend that keeps copies of weights must be told.
  public func takeLent() -> MemoryBlock? {
    guard handle != nil, wasLent.exchange(false, ordering: .relaxed) else { return nil }
    return MemoryBlock(pointer: pointer, handle: handle)
  }

  deinit { pool?.give(MemoryBlock(pointer: pointer, handle: handle), bytes: bytes, use: use) }
}

/// A row-major view on reference-counted memory: at most four axes, the last contiguous.
public struct Tensor: @unchecked Sendable {
  public private(set) var storage: Storage
  /// Bytes from the start of the storage to element 0.
  public let byteOffset: Int
  public let dtype: DType
  public let shape: [Int]
  /// In elements.
  public let strides: [Int]

  init(storage: Storage, byteOffset: Int, dtype: DType, shape: [Int], strides: [Int]) {
    precondition((1...Int(SPAR_MAX_RANK)).contains(shape.count), "a tensor has 1 to 4 axes")
    self.storage = storage
    self.byteOffset = byteOffset
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
  }

  /// Fresh memory with undefined content.
  public init(
    _ shape: [Int], dtype: DType = .f32, pool: MemoryPool, use: MemoryUse = .activations
  ) {
    let count = shape.reduce(1, *)
    self.init(
      storage: Storage(bytes: max(dtype.bytes(count), 1), pool: pool, use: use), byteOffset: 0,
      dtype: dtype, shape: shape, strides: Self.contiguous(shape))
  }

  /// A copy of `values` in the given shape.
  public init(_ values: [Float], shape: [Int], pool: MemoryPool) {
    self.init(shape, pool: pool)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { memcpy(storage.pointer, base, bytes.count) }
    }
  }

  static func contiguous(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  public var count: Int { shape.reduce(1, *) }
  public var isContiguous: Bool { strides == Self.contiguous(shape) }
  public var data: UnsafeMutableRawPointer { storage.lend() + byteOffset }
  /// The memory as f32; contiguous tensors only read `count` elements from here.
  public var floats: UnsafeMutablePointer<Float> {
    precondition(dtype == .f32, "tensor is \(dtype), not f32")
    return data.assumingMemoryBound(to: Float.self)
  }

  /// True when no other tensor shares this memory, so writing in place harms nobody.
  public mutating func isUniquelyReferenced() -> Bool { isKnownUniquelyReferenced(&storage) }

  /// Elements in row-major order.
  public func array() -> [Float] {
    precondition(isContiguous, "array() needs a contiguous tensor")
    return Array(UnsafeBufferPointer(start: floats, count: count))
  }

  public func zero() {
    precondition(isContiguous, "zero() needs a contiguous tensor")
    memset(data, 0, dtype.bytes(count))
  }

  /// The same elements under another shape.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(isContiguous && shape.reduce(1, *) == count, "\(self.shape) is not \(shape)")
    return Tensor(
      storage: storage, byteOffset: byteOffset, dtype: dtype, shape: shape,
      strides: Self.contiguous(shape))
  }

  /// Rows `range` of the first axis.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    var shape = shape
    shape[0] = range.count
    return Tensor(
      storage: storage, byteOffset: byteOffset + dtype.bytes(range.lowerBound * strides[0]),
      dtype: dtype, shape: shape, strides: strides)
  }

  /// The first `width` elements of every row of the last axis.
  public func leading(_ width: Int) -> Tensor {
    var (shape, strides) = (shape, strides)
    let last = shape.count - 1
    precondition(width >= 0 && width <= shape[last], "\(width) of rows of \(shape[last])")
    shape[last] = width
    // An axis of extent 1 has any stride; this one lets it count as contiguous.
    for axis in (0..<last).reversed() where shape[axis] == 1 {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return Tensor(
      storage: storage, byteOffset: byteOffset, dtype: dtype, shape: shape, strides: strides)
  }

  /// The view as the plugin ABI describes it.  Borrowed: keep `self` alive during the call.
  public var c: spar_tensor {
    var view = spar_tensor(
      data: storage.pointer + byteOffset, dtype: dtype, shape: shape, strides: strides)
    view.buffer = storage.handle
    view.offset = storage.handle == nil ? 0 : UInt64(byteOffset)
    return view
  }
}

extension spar_tensor {
  /// A view of host memory with up to four axes; strides count elements.
  package init(data: UnsafeMutableRawPointer, dtype: DType, shape: [Int], strides: [Int]) {
    self.init()
    self.data = data
    self.dtype = dtype.rawValue
    rank = Int32(shape.count)
    withUnsafeMutableBytes(of: &self.shape) { bytes in
      let out = bytes.assumingMemoryBound(to: Int64.self)
      for axis in shape.indices { out[axis] = Int64(shape[axis]) }
    }
    withUnsafeMutableBytes(of: &stride) { bytes in
      let out = bytes.assumingMemoryBound(to: Int64.self)
      for axis in shape.indices { out[axis] = Int64(strides[axis]) }
    }
  }
}
