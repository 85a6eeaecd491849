import SparTensor

/// Where in the network a value is read.  With L blocks, blocks are counted from 1:
///
///     residual_0 = embedding
///     residual_i = residual_{i-1} + attention_i + mlp_i,   1 <= i <= L
///     logits     = head(finalNorm(residual_L))
///
/// This is the numbering of `hidden_states` in Hugging Face transformers, with one difference:
/// its last entry has the final norm applied, `residual_L` has not.
public enum ActivationSite: String, CaseIterable, Codable, Sendable {
  /// The residual stream [C] after the block; layer 0 is the embedding.
  case residual
  /// What attention adds to the stream [C]: the output of o_proj.
  case attention
  /// What the feed-forward part adds to the stream [C]: the output of down_proj.
  case mlp
  /// The next token's unnormalised log-probabilities [V].
  case logits
}

/// Looks at a forward pass while it runs.
///
/// Without a tap nothing is computed or kept for one.  Law: a tap reads; it must not write to the
/// values, so that a pass gives the same bits with and without one.
public protocol ActivationTap: AnyObject {
  /// Called in the order of the forward pass.
  ///
  /// - Parameters:
  ///   - layer: 0...L for `residual`, 1...L for `attention` and `mlp`.
  ///   - value: [T, C], a row for each row of the batch; its memory is used again after the call.
  func see(_ site: ActivationSite, layer: Int, _ value: Tensor) throws
}
