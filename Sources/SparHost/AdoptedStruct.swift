import CSparPlugin

/// A [grows] struct of a plugin of any age, as this host knows it: members that the plugin's
/// compiler did not know are zero.  Never read such a struct through its own pointer.
package func adopt<T: BitwiseCopyable>(_ source: UnsafeRawPointer, as type: T.Type) -> T {
  withUnsafeTemporaryAllocation(byteCount: MemoryLayout<T>.size, alignment: 16) { copy in
    let base = copy.baseAddress
    spar_adopt(base, MemoryLayout<T>.size, source)
    return copy.load(as: T.self)
  }
}

/// The size that the writer of a [grows] struct compiled.
package func declaredSize(_ source: UnsafeRawPointer) -> UInt64 {
  source.loadUnaligned(as: UInt64.self)
}
