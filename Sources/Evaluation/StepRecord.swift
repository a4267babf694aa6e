/// What one training step logged.
public struct StepRecord: Codable, Sendable, Equatable {
  /// Step over the whole run, from 1.
  public var step: Int
  /// Index of the experience, from 0.
  public var experience: Int
  /// Epoch within the experience, from 0; fractions are passes under way.
  public var epoch: Double
  /// Training loss, penalties included.
  public var loss: Double
  /// Learning rate of the step.
  public var learningRate: Double
  /// Norm of the gradient before clipping.
  public var gradientNorm: Double?
  /// Tokens of the step, padding not counted.
  public var tokens: Int
  /// Tokens per second since the last record.
  public var tokensPerSecond: Double?
  /// Memory that the process holds: of the accelerator that it trains on, otherwise of the machine.
  public var residentBytes: Int?
  /// Seconds since the run began, earlier sessions of a resumed run included.
  public var wallSeconds: Double

  /// A step's record.
  public init(
    step: Int, experience: Int, epoch: Double, loss: Double, learningRate: Double, gradientNorm: Double? = nil,
    tokens: Int, tokensPerSecond: Double? = nil, residentBytes: Int? = nil, wallSeconds: Double
  ) {
    self.step = step
    self.experience = experience
    self.epoch = epoch
    self.loss = loss
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.tokens = tokens
    self.tokensPerSecond = tokensPerSecond
    self.residentBytes = residentBytes
    self.wallSeconds = wallSeconds
  }
}

/// Where an experience's time went.
public struct ExperienceTiming: Codable, Sendable, Equatable {
  /// Index of the experience, from 0.
  public var experience: Int
  /// Seconds of training, the method's own work at the boundaries included.
  public var trainSeconds: Double
  /// Seconds of evaluation on all experiences afterwards.
  public var evaluationSeconds: Double

  /// A timing.
  public init(experience: Int, trainSeconds: Double, evaluationSeconds: Double) {
    self.experience = experience
    self.trainSeconds = trainSeconds
    self.evaluationSeconds = evaluationSeconds
  }
}
