public import Streams
public import Torch

/// Masked language modelling: a share of the tokens must be predicted; of these 80 % are replaced by the mask token, 10 %
/// by a token drawn at random, and 10 % are left as they are.
///
/// Each token is chosen by itself, special tokens never; a row in which none was chosen gets one. With a new generator for
/// each step the choice is dynamic, as in RoBERTa.
/// Source: Devlin et al. 2019, §3.1 (arXiv 1810.04805); Liu et al. 2019, §4.1 (arXiv 1907.11692).
public struct MaskedTokens: Objective {
  /// The token that stands for a hidden one.
  public let mask: Int32
  /// Tokens that are never chosen.
  public let special: Set<Int32>
  /// Random tokens are drawn below this.
  public let vocabularySize: Int
  /// Share of the tokens that must be predicted.
  public let share: Double

  public init(mask: Int32, special: Set<Int32>, vocabularySize: Int, share: Double = 0.15) {
    (self.mask, self.special, self.vocabularySize, self.share) = (mask, special, vocabularySize, share)
  }

  public func document(_ ids: [Int32]) -> [Int32] { ids }
  public func rowLength(reading maxTokens: Int) -> Int { maxTokens }

  /// Special tokens alone hide nothing.
  public func teaches(_ row: TokenizedExample) -> Bool { !row.tokens.allSatisfy(special.contains) }

  public func pose(_ row: TokenizedExample, using generator: inout Generator) -> TokenizedExample {
    var posed = row
    let ordinary = row.tokens.indices.filter { !special.contains(row.tokens[$0]) }
    var chosen = ordinary.filter { _ in generator.uniform() < share }
    if chosen.isEmpty, !ordinary.isEmpty { chosen = [ordinary[generator.index(below: ordinary.count)]] }
    for place in chosen {
      let draw = generator.uniform()
      if draw < 0.8 {
        posed.tokens[place] = mask
      } else if draw < 0.9 {
        posed.tokens[place] = Int32(generator.index(below: vocabularySize))
      }
    }
    posed.places = chosen.map(Int32.init)
    posed.answer = chosen.map { row.tokens[$0] }
    return posed
  }
}
