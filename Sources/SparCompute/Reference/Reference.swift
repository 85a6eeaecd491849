import CSparPlugin

/// The plain twin of every operation: loops over f32 with f64 sums, nothing clever.
///
/// These functions are the definition.  Fast kernels and plugins must agree with them.
enum Reference {}

/// Something the host does not do: other element types than f32, mostly.
struct ReferenceGap: Error {
  var what: String
  /// Another status when a plugin's operation failed inside a composite.
  var status = spar_status(SPAR_UNSUPPORTED)
}

/// A tensor of the ABI as rows of f32.
struct Rows {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  let width: Int
  let stride: Int

  /// `tensor` with its last `inner` axes as one row; they must be contiguous.
  init(_ tensor: UnsafePointer<spar_tensor>?, inner: Int = 1) throws(ReferenceGap) {
    guard let tensor else { throw ReferenceGap(what: "a missing tensor") }
    let view = tensor.pointee
    guard view.dtype == Int32(SPAR_F32), let data = view.data else {
      throw ReferenceGap(what: "element type \(view.dtype) (f32 in host memory is needed)")
    }
    let rank = Int(view.rank)
    let shape = Rows.four(view.shape)
    let strides = Rows.four(view.stride)
    var width = 1
    for axis in max(rank - inner, 0)..<rank {
      width *= shape[axis]
    }
    for axis in max(rank - inner, 0)..<max(rank - 1, 0)
    where strides[axis] != strides[axis + 1] * shape[axis + 1] {
      throw ReferenceGap(what: "rows with gaps inside")
    }
    let outer = rank - inner
    guard outer <= 1 else { throw ReferenceGap(what: "rank \(rank)") }
    base = data.assumingMemoryBound(to: Float.self)
    self.width = width
    count = outer == 1 ? shape[0] : 1
    stride = outer == 1 ? strides[0] : width
  }

  /// Rows one after another.
  init(base: UnsafeMutablePointer<Float>, count: Int, width: Int) {
    self.base = base
    self.count = count
    self.width = width
    stride = width
  }

  private init(absent: Void) {
    base = UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
    count = 0
    width = 0
    stride = 0
  }

  private static var absent: Rows { Rows(absent: ()) }

  init(optional tensor: UnsafePointer<spar_tensor>?, inner: Int = 1) throws(ReferenceGap) {
    self = tensor == nil ? .absent : try Rows(tensor, inner: inner)
  }

  var isPresent: Bool { stride > 0 || count > 0 }

  subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * stride }

  static func four(_ t: (Int64, Int64, Int64, Int64)) -> [Int] {
    [Int(t.0), Int(t.1), Int(t.2), Int(t.3)]
  }
}
