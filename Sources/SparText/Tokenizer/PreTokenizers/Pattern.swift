import CPCRE2

/// A regular expression over UTF-8 text, compiled once by PCRE2 (UTF, Unicode properties, JIT).
///
/// Hugging Face runs these patterns with Oniguruma; `PatternDialect` spells them so that PCRE2
/// finds the same.
///
/// `@unchecked`: the code is never written after init, and PCRE2 allows sharing it.
final class Pattern: @unchecked Sendable {
  let source: String
  private let code: OpaquePointer
  private let isCompiledToMachineCode: Bool

  init(_ source: String, path: String) throws(TokenizerError) {
    self.source = source
    let spelled = Array(PatternDialect.translate(source).utf8)
    var status: Int32 = 0
    var offset = 0
    let options = UInt32(PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_MATCH_UNSET_BACKREF)
    guard let code = pcre2_compile_8(spelled, spelled.count, options, &status, &offset, nil) else {
      throw TokenizerError(
        .pattern(source, what: Self.message(status), offset: offset), path: path)
    }
    self.code = code
    // Without JIT (unsupported processor) PCRE2 interprets; only speed differs.
    isCompiledToMachineCode = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0
  }

  deinit { pcre2_code_free_8(code) }

  /// Characters of the shortest match, from below; 0 where it may be empty.
  var shortestMatch: Int {
    var length: UInt32 = 0
    return pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_MINLENGTH), &length) == 0 ? Int(length) : 0
  }

  private static func message(_ status: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(status, &text, text.count)
    return String(decoding: text.prefix(Int(max(0, length))), as: UTF8.self)
  }

  /// Calls `found` with every match in `text`, left to right; offsets are relative to `text`.
  ///
  /// A match that would exhaust PCRE2's limits ends the search: what is left is one piece. Only
  /// a pathological pattern such as `(a+)+$` gets there; the result stays deterministic.
  func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, scratch: MatchScratch, _ found: (Range<Int>) -> Void
  ) {
    guard let base = text.baseAddress, let data = scratch.data else { return }
    let spans = pcre2_get_ovector_pointer_8(data)
    let options = UInt32(PCRE2_NO_UTF_CHECK)
    var at = 0
    while at < text.count {
      var status =
        isCompiledToMachineCode
        ? pcre2_jit_match_8(code, base, text.count, at, options, data, nil)
        : pcre2_match_8(code, base, text.count, at, options, data, nil)
      if status == PCRE2_ERROR_JIT_STACKLIMIT {
        let interpreted = options | UInt32(PCRE2_NO_JIT)
        status = pcre2_match_8(code, base, text.count, at, interpreted, data, nil)
      }
      guard status > 0, let spans else { return }
      let start = spans[0]
      let end = spans[1]
      if end > start {
        found(start..<end)
        at = end
      } else {
        at = max(at, end) + 1
        while at < text.count, text[at] & 0xC0 == 0x80 { at += 1 }
      }
    }
  }
}

/// Room for one match; every encoding call has its own.
final class MatchScratch {
  fileprivate let data = pcre2_match_data_create_8(16, nil)

  deinit { pcre2_match_data_free_8(data) }
}
