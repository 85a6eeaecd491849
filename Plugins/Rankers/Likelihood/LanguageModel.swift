import CSparPlugin
import SparPluginKit

/// A causal model of the host's, lent through its extension "spar.language-model/1".
final class LanguageModel {
  private let calls: spar_lm_ext
  private let model: UnsafeMutableRawPointer?

  /// Throws when the host has no such extension, or cannot open `path`.
  init(path: String, host: PluginHostLink) throws {
    guard let offered = host.extension(SPAR_LANGUAGE_MODEL_EXT) else {
      throw PluginFailure(
        "this host offers no \(SPAR_LANGUAGE_MODEL_EXT), which scores text under a model",
        status: Int(SPAR_UNSUPPORTED))
    }
    var calls = spar_lm_ext()
    spar_adopt(&calls, MemoryLayout<spar_lm_ext>.size, offered)
    guard let open = calls.open, calls.score != nil else {
      throw PluginFailure("the host's \(SPAR_LANGUAGE_MODEL_EXT) lacks open or score")
    }
    var model: UnsafeMutableRawPointer?
    let status = open(host.table, path, &model)
    guard status == spar_status(SPAR_OK) else { throw PluginFailure(alreadyReported: status) }
    self.calls = calls
    self.model = model
  }

  deinit {
    calls.close?(model)
  }

  /// Fills `sum` and `n_tokens` of every item in one call, so that the host can batch them all.
  func score(_ items: [spar_lm_item]) throws {
    let status = calls.score(model, items, Int64(items.count))
    guard status == spar_status(SPAR_OK) else { throw PluginFailure(alreadyReported: status) }
  }
}
