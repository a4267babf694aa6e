import Continual
import Evaluation
import NN
import Streams
import Torch

/// Trains for some more updates after each experience, as a method does that has training of its own.
final class Fitter: ContinualMethod {
  static let card = MethodCard(name: "fitter", summary: "trains on", family: .reference, paper: Citation("none"))
  var state = MethodState()

  init(_ configuration: NoConfiguration, learner: Learner) {}

  func didEnd(_ experience: Experience, learner: Learner) throws {
    var settings = TrainingSettings()
    (settings.optimizer, settings.learningRate, settings.batchSize, settings.maxUpdates) = (.sgd, 1e-2, 3, 4)
    try learner.fit(
      learner.parameters.trainable, to: learner.data(of: experience).train, of: experience, settings: settings,
      order: learner.generator.derived("fitter.\(experience.index)"))
  }
}
