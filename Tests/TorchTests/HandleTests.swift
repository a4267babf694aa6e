import Foundation
import Testing
import Torch

/// Each test counts in a process of its own: the counter belongs to the whole process.
@Suite(.serialized) struct HandleTests {
  @Test func aScopeReleasesItsTensors() async {
    await #expect(processExitsWith: .success) {
      let before = Runtime.liveHandles
      for _ in 0..<3 {
        let x = Tensor.ones([4, 4])
        x.setRequiresGradient(true)
        var generator = Generator(seed: 0)
        let y = x.matmul(x).dropout(0.5, &generator).gelu() + Tensor.normal([4], &generator)
        _ = y.sorted()
        _ = y.detached().singularValues()
        let loss = y.sum()
        _ = loss.gradients(of: [x, Tensor.ones([1])].dropLast(), keepGraph: true)
        loss.backward()
        _ = x.gradient
        x.gradient = nil
      }
      precondition(Runtime.liveHandles == before, "\(Runtime.liveHandles - before) handles leaked")
    }
  }

  @Test func aTensorIsOneHandleHoweverOftenItIsCopied() async {
    await #expect(processExitsWith: .success) {
      let before = Runtime.liveHandles
      let x = Tensor.ones([2])
      let copies = [x, x, x]
      precondition(Runtime.liveHandles == before + 1)
      withExtendedLifetime(copies) {}
    }
  }

  @Test func errorsReleaseWhatWasMade() async {
    await #expect(processExitsWith: .success) {
      struct Interruption: Error {}
      let before = Runtime.liveHandles
      try? withoutGradient {
        let x = Tensor.ones([2])
        try inference {
          _ = x * 2
          throw Interruption()
        }
      }
      precondition(Runtime.liveHandles == before)
    }
  }
}

/// A caller's bug stops the process with operation and operands.
@Suite struct TrapTests {
  private func expect(_ text: String, in result: ExitTest.Result?) {
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains(text), "\(output.prefix(400))")
  }

  @Test func operatorsNameTheirOperands() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([2, 3]).matmul(Tensor.ones([2, 3], dtype: .float32))
    }
    expect("matmul(float32 [2, 3], float32 [2, 3]): ", in: result)
  }

  @Test func valuesMustFillTheShape() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3] as [Float], shape: [2, 2])
    }
    expect("Tensor: 3 values do not fill the shape [2, 2]", in: result)
  }

  @Test func scalarsMustHaveTheElementType() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1] as [Float]).scalars(Int64.self)
    }
    expect("scalars: the tensor holds float32, not int64", in: result)
  }

  @Test func itemNeedsOneElement() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([2]).item()
    }
    expect("item() of a tensor of shape [2]", in: result)
  }
}
