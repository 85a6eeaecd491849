import CSparPlugin

/// A zeroed C struct filled once, that never moves and is never freed: what the ABI asks of
/// descriptors and tables.
public func forever<T: BitwiseCopyable>(_ fill: (inout T) -> Void) -> UnsafePointer<T> {
  foreverArray(count: 1) { fill(&$0[0]) }
}

/// As `forever`, for `count` elements side by side.
public func foreverArray<T: BitwiseCopyable>(
  count: Int, _ fill: (UnsafeMutableBufferPointer<T>) -> Void
) -> UnsafePointer<T> {
  let bytes = MemoryLayout<T>.stride * max(count, 1)
  let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  let typed = raw.assumingMemoryBound(to: T.self)
  fill(UnsafeMutableBufferPointer(start: typed, count: count))
  return UnsafePointer(typed)
}

/// A NUL-terminated copy of `text` that is never freed.
public func foreverText(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  return foreverArray(count: bytes.count) { copy in
    for (i, byte) in bytes.enumerated() { copy[i] = byte }
  }
}

/// A NULL-terminated list of texts, or NULL for an empty one.
func foreverTexts(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?>? {
  guard !texts.isEmpty else { return nil }
  return foreverArray(count: texts.count + 1) { list in
    for (i, text) in texts.enumerated() { list[i] = foreverText(text) }
  }
}
