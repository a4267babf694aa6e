public import Continual
import Evaluation
public import NN
public import Streams
import Torch

/// Experience replay: every batch is the current rows and as many stored ones, one mean loss over all.
///
/// The current rows are offered to the buffer after the step, so a batch never replays itself; the buffer is drawn
/// from as soon as it holds anything. Every pass over the data offers its rows anew, as in Mammoth.
/// Source: Chaudhry et al. 2019, algorithm 1 (arXiv 1902.10486); reservoir sampling as in Riemer et al., ICLR 2019.
public final class ER: ContinualMethod {
  public enum Policy: String, Codable, Sendable, CaseIterable { case reservoir, ring, balanced }

  public struct Configuration: ConfigurationSection {
    public var size = 200
    public var policy = Policy.reservoir
    public init() {}
    public static let keys = [
      ConfigurationKey("size", "examples in the buffer", allowed: .atLeast(1)),
      ConfigurationKey(
        "policy", "what the buffer keeps: reservoir, ring (newest of each class) or balanced (classes alike)"),
    ]
  }

  public static let card = MethodCard(
    name: "er", summary: "join every batch with as many examples from a buffer", family: .replay,
    paper: Citation(
      "Chaudhry et al., On Tiny Episodic Memories in Continual Learning, 2019",
      url: "https://arxiv.org/abs/1902.10486"),
    keeps: "a buffer of examples")
  public var state: MethodState {
    get {
      var state = MethodState()
      buffer.save(in: &state)
      return state
    }
    set { buffer.restore(from: newValue) }
  }
  private var buffer: ReplayBuffer
  private var current: [TokenizedExample] = []

  public init(_ configuration: Configuration, learner: Learner) {
    let policy: ReplayBuffer.Policy =
      switch configuration.policy {
      case .reservoir: .reservoir(size: configuration.size)
      case .ring: .ring(size: configuration.size)
      case .balanced: .balanced(size: configuration.size)
      }
    buffer = ReplayBuffer(policy)
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    current = batch.examples
    var random = step.generator("er.draw")
    return Batch(batch.examples + buffer.draw(batch.rows, using: &random))
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) {
    var random = step.generator("er.insert")
    buffer.insert(current, using: &random)
    current = []
  }
}
