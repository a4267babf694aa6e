extension [Float] {
  /// The element that sorting would put at `place`; it stands there afterwards, none that is larger before it and none that
  /// is smaller behind it. Hoare's selection: every layer's quantile is asked for in every update.
  mutating func select(_ place: Int) -> Float {
    withUnsafeMutableBufferPointer { x in
      var low = 0, high = x.count - 1
      while low < high {
        let pivot = x[(low + high) / 2]
        var i = low, j = high
        while i <= j {
          while i <= high, x[i] < pivot { i += 1 }
          while j >= low, x[j] > pivot { j -= 1 }
          guard i <= j else { break }
          x.swapAt(i, j)
          (i, j) = (i + 1, j - 1)
        }
        if place <= j { high = j } else if place >= i { low = i } else { break }
      }
      return x[place]
    }
  }
}
