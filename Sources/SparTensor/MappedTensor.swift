/// Tensors on memory that is not ours: read-only, and kept by whoever lends it.
extension Tensor {
  /// A contiguous view of `bytes`, which `owner` keeps valid; nothing may write there.
  ///
  /// - Parameter bytes: exactly the tensor's size; at any address, but f32 on a multiple of 4.
  public init(mapped bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], owner: AnyObject) {
    let count = shape.reduce(1, *)
    precondition(
      (shape.last ?? 1) % dtype.block == 0 && bytes.count == dtype.bytes(count),
      "\(bytes.count) bytes for \(dtype) of shape \(shape)")
    self.init(
      storage: Storage(mapped: bytes, owner: owner), byteOffset: 0, dtype: dtype, shape: shape,
      strides: Self.contiguous(shape))
  }

  /// True for f32 in memory of our own: what an optimizer can step on.
  public var isTrainable: Bool { dtype == .f32 && !storage.isMapped }
}
