import Torch

/// The least milliseconds that `body` takes, the mean of twenty calls in each of eight turns.
private func least(_ body: () -> Tensor) -> Double {
  (0..<8).map { _ in
    let start = ContinuousClock.now
    for _ in 0..<20 { _ = body() }
    return elapsed(since: start) * 50
  }.min() ?? 0
}

/// x·weightᵀ of bfloat16 as Jay's layers multiply, and by libtorch's own product, at numbers of rows that are round and not.
func timeProducts() {
  print("| rows | inputs | outputs | Jay, ms | libtorch, ms | ratio |\n|---|---|---|---|---|---|")
  var random = Generator(seed: 1)
  inference {
    for rows in [480, 481, 1901] {
      for (inputs, outputs) in [(384, 384), (384, 1536), (1536, 384), (512, 2048), (768, 3072)] {
        let x = Tensor.normal([rows, inputs], &random).to(.bfloat16)
        let weight = Tensor.normal([outputs, inputs], &random).to(.bfloat16)
        let own = least { x.linear(weight, nil) }, theirs = least { x.matmul(weight.t) }
        func ms(_ value: Double) -> String { String((value * 1000).rounded() / 1000) }
        print("| \(rows) | \(inputs) | \(outputs) | \(ms(own)) | \(ms(theirs)) | \((theirs / own * 100).rounded() / 100) |")
      }
    }
  }
}
