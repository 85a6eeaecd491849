import Foundation

/// One ranker of a mix, or the only one.
public struct RankerPart: Equatable, Sendable {
  public var choice: PluginChoice
  public var weight: Double
}

extension PluginChoice {
  /// Whether the name is a mix of rankers: "gpm=1,length=-0.1".
  public var isMix: Bool { name.contains("=") }

  /// The rankers that the choice names, with their own options: "gpm.tau" is `tau` of `gpm`.
  ///
  /// - Throws: `RecipeError.mix` for a weight that is no number, a ranker named twice, and an option
  ///   that names no ranker of the mix.
  public func rankers() throws(RecipeError) -> [RankerPart] {
    guard isMix else { return [RankerPart(choice: self, weight: 1)] }
    var parts: [RankerPart] = []
    for word in name.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard pair.count == 2, !pair[0].isEmpty, let weight = Double(pair[1]), weight.isFinite,
        weight != 0
      else {
        throw .mix(text: name, problem: "\"\(word)\" is no NAME=WEIGHT with a weight other than 0")
      }
      guard !parts.contains(where: { Self.key($0.choice.name) == Self.key(pair[0]) }) else {
        throw .mix(text: name, problem: "\(pair[0]) is named twice")
      }
      parts.append(RankerPart(choice: PluginChoice(pair[0]), weight: weight))
    }
    for (option, value) in options {
      let path = option.split(separator: ".", maxSplits: 1).map(String.init)
      guard path.count == 2,
        let place = parts.firstIndex(where: { Self.key($0.choice.name) == Self.key(path[0]) })
      else {
        throw .mix(
          text: name,
          problem: "option \(option) names no ranker of it; write "
            + "\(parts[0].choice.name).\(path.last ?? option)")
      }
      parts[place].choice.options[path[1]] = value
    }
    return parts
  }

  private static func key(_ name: String) -> String { name.replacing("-", with: "_") }
}
