import NN
import Torch

/// What changes the scores of the next token before one is chosen, in the order and with the results of transformers
/// 5.23 (`generation/logits_process.py`): float32 `[rows, vocabulary]` to the same, −inf where a token is out.
enum ScoreFilters {
  /// Temperature, then the `topK` likeliest tokens, then the likeliest that reach `topP` together.
  ///
  /// Tokens as likely as the last that passes pass too.
  static func filtered(_ scores: Tensor, _ sampling: GenerationSettings.Sampling) -> Tensor {
    var kept = sampling.temperature == 1 ? scores : scores / sampling.temperature
    if let count = sampling.topK, count < scores.size(1) {
      kept = kept.masked(where: kept .< kept.top(count).values.narrowed(1, count - 1..<count), by: -.infinity)
    }
    guard sampling.topP < 1 else { return kept }
    let sorted = kept.sorted(1).values
    let isOut = sorted.softmax(1).cumulativeSum(1) .<= Tensor.full([], 1 - sampling.topP, device: scores.device)
    // The least likely token that stays; the likeliest one always does.
    let least = sorted.masked(where: isOut, by: .infinity).min(1, keep: true)
      .minimum(sorted.narrowed(1, sorted.size(1) - 1..<sorted.size(1)))
    return kept.masked(where: kept .< least, by: -.infinity)
  }

  /// Scores of tokens where `isPresent` (bool `[rows, vocabulary]`) divided by the penalty if positive, else multiplied.
  static func penalised(_ scores: Tensor, _ isPresent: Tensor, penalty: Double) -> Tensor {
    let zero = Tensor.zeros([], device: scores.device)
    return .select(isPresent, .select(scores .< zero, scores * penalty, scores / penalty), scores)
  }
}
