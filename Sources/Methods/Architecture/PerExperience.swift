extension [Double] {
  /// The value of an experience, the last one going on; `usual` where the list is empty.
  func value(of experience: Int, usual: Double) -> Double {
    isEmpty ? usual : self[Swift.min(experience, count - 1)]
  }
}
