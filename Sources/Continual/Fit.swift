public import NN
public import Streams
public import Torch

extension Learner {
  /// Trains parameters that a method has of its own, after an experience's updates: with the batches, rates, clipping and
  /// optimizer of the trainer, but without hooks of methods, in evaluation's mode, so that what they record is silent.
  ///
  /// Processes that train together share each batch. Where the run is to stop, so does this, and nothing of it is saved.
  /// - Parameters:
  ///   - parameters: they train from now on.
  ///   - examples: those of one epoch.
  ///   - experience: the one whose training this belongs to.
  ///   - settings: a batch goes through the model in one pass, whatever `accumulation` says.
  ///   - order: shuffles each epoch, where `settings` say so.
  /// - Throws: `TrainingError.nonFiniteGradient`, and what the observer stops the run with.
  public func fit(
    _ parameters: [Parameter], to examples: [TokenizedExample], of experience: Experience, settings: TrainingSettings,
    order: Generator
  ) throws {
    let plan = TrainingPlan(examples: examples, epochs: settings.epochs)
    var sampler = Sampler(plan, settings: settings, generator: order)
    let optimizer = settings.makeOptimizer()
    let exchange = processes.map { GradientExchange($0, parameters, linears: []) }
    for parameter in parameters { parameter.isTrainable = true }
    for update in 0..<sampler.updates {
      try pause()
      let batch = sampler.batch(update), part = share(of: batch)
      exchange?.begin()
      if part.rows > 0 {
        let loss = model(deviceBatch(part), .evaluation).loss
        (part.rows < batch.rows ? loss * (Double(part.lossTerms) / Double(batch.lossTerms)) : loss).backward()
      }
      try exchange?.end()
      let rate = Rate(settings.rate(at: update, of: sampler.updates))
      let norm = optimizer.update(parameters, rate: rate, clipNorm: settings.clipNorm)
      self.parameters.clearGradients()
      guard norm.item().isFinite else {
        throw TrainingError.nonFiniteGradient(
          experience: experience.name, step: update, items: batch.examples.map(\.id))
      }
    }
  }
}

extension Optimizer {
  /// One update whose gradients have a norm of at most `clipNorm`, 0 for any.
  ///
  /// On the CPU there is none where their norm is not finite. An accelerator is not waited for: there such an update breaks
  /// the weights.
  /// - Returns: their norm before clipping, a scalar on their device.
  func update(_ parameters: [Parameter], rate: Rate, clipNorm: Double) -> Tensor {
    let gradients = parameters.compactMap(\.gradient)
    // PyTorch's clip_grad_norm_, with its 1e-6.
    if gradients.contains(where: \.device.runsBehind) {
      let norm = Tensor.deviceNorm(gradients)
      if clipNorm > 0 {
        Tensor.multiply(gradients, by: ((norm + 1e-6).reciprocal() * clipNorm).clamped(0...1))
      }
      update(parameters, rate: rate, gradientScale: 1)
      return norm
    }
    let norm = Tensor.globalNorm(gradients)
    if norm.isFinite {
      update(parameters, rate: rate, gradientScale: clipNorm > 0 ? min(1, clipNorm / (norm + 1e-6)) : 1)
    }
    return Tensor([norm], shape: [])
  }
}
