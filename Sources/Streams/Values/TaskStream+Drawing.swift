/// The most examples that each split of a task may have; `nil` for all.
public struct Caps: Sendable, Hashable, Codable {
  /// Cap of each training split.
  public var train: Int?
  /// Cap of each validation split.
  public var validation: Int?
  /// Cap of each test split.
  public var test: Int?

  /// Caps for the splits that are named.
  public init(train: Int? = nil, validation: Int? = nil, test: Int? = nil) {
    self.train = train
    self.validation = validation
    self.test = test
  }
}

extension TaskStream {
  /// The stream with no more examples in each task than `caps` says, drawn class by class.
  ///
  /// A draw depends on the seed and the dataset's name only, not on the order of the stream.
  public func capped(_ caps: Caps, seed: UInt64) -> TaskStream {
    func draw(_ dataset: Dataset, _ cap: Int?) -> Dataset { cap.map { dataset.prefix(cap: $0, seed: seed) } ?? dataset }
    return with(
      experiences.map {
        $0.replacing(
          train: draw($0.train, caps.train), validation: draw($0.validation, caps.validation),
          test: draw($0.test, caps.test))
      })
  }

  /// The stream with a validation split held out of train in every task that has none.
  public func holdingOut(_ holdout: Holdout, seed: UInt64) -> TaskStream {
    with(
      experiences.map { experience in
        guard experience.validation.isEmpty else { return experience }
        let (train, held) = experience.train.split(validation: holdout, seed: seed)
        let validation = Dataset(name: "\(experience.name)/validation", labels: held.labels, examples: held.examples)
        return experience.replacing(train: train, validation: validation, test: experience.test)
      })
  }
}
