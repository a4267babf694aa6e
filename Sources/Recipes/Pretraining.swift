import Continual
public import Foundation
import NN
import Tokenizers

/// The objectives of pre-training, made for a model and its tokenizer.
enum Pretraining {
  /// The objective that a recipe names; nil where tasks are learned.
  static func objective(
    _ training: TrainingSettings, _ tokenizer: any Tokenizer, _ model: any TaskModel, folder: URL
  ) throws -> (any Objective)? {
    let special = tokenizer.specialTokens
    switch training.objective {
    case .task: return nil
    case .causal: return NextToken(end: special.eos)
    case .masked:
      guard let mask = special.mask else { throw PretrainingError.noMaskToken(folder) }
      let all = [special.pad, special.cls, special.sep, special.unk, special.mask, special.bos, special.eos]
      let size = (model as? any PredictsTokens)?.vocabularySize ?? tokenizer.vocabularySize
      return MaskedTokens(
        mask: mask, special: Set(all.compactMap { $0 }), vocabularySize: min(size, tokenizer.vocabularySize),
        share: training.maskShare)
    case .spans:
      let sentinels = sentinels(tokenizer)
      guard !sentinels.isEmpty, let end = special.eos else { throw PretrainingError.noSentinels(folder) }
      return SpanCorruption(sentinels: sentinels, end: end, density: training.maskShare)
    case .prefix:
      guard let end = special.eos else { throw PretrainingError.noEnd(folder) }
      return PrefixLanguageModelling(end: end)
    }
  }

  /// The ids of `<extra_id_0>`, `<extra_id_1>`, …, as T5's tokenizers have them.
  private static func sentinels(_ tokenizer: any Tokenizer) -> [Int32] {
    var found: [Int32] = []
    while true {
      let ids = tokenizer.encodeWithSpans("<extra_id_\(found.count)>")
      let own = zip(ids.encoding.ids, ids.spans).filter { $0.1 != nil }.map(\.0)
      guard let id = own.last, tokenizer.decode([id], skipSpecialTokens: false) == "<extra_id_\(found.count)>" else {
        return found
      }
      found.append(id)
    }
  }
}

/// A model that cannot be pretrained as asked.
public enum PretrainingError: LocalizedError, CustomStringConvertible, Equatable {
  case noMaskToken(URL)
  case noSentinels(URL)
  case noEnd(URL)

  public var description: String {
    switch self {
    case .noMaskToken(let folder):
      "the tokenizer in \(folder.path) has no mask token, so no token can be hidden. Set training.objective: causal for a "
        + "decoder, or use the tokenizer of a BERT or RoBERTa."
    case .noSentinels(let folder):
      "the tokenizer in \(folder.path) has no <extra_id_0> and no end token, which span corruption writes. Use the "
        + "tokenizer of a T5."
    case .noEnd(let folder):
      "the tokenizer in \(folder.path) has no end token, which prefix language modelling writes. Use the tokenizer of a T5."
    }
  }
  public var errorDescription: String? { description }
}
