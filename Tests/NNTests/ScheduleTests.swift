import NN
import TestSupport
import Testing
import Torch

@Suite struct ScheduleTests {
  @Test(arguments: Schedule.allCases) func ratesEqualTheReference(_ schedule: Schedule) throws {
    let expected = try #require(try Golden.load("optimizers/schedules.safetensors")[schedule.rawValue])
    // The reference's constant schedule has no warm-up.
    let warmup = schedule == .constant ? 0 : 10
    let rates = (0..<50).map { Float(2e-3 * schedule.factor(step: $0, warmup: warmup, total: 50)) }
    #expect(difference(Tensor(rates), expected, atol: 1e-9) == nil)
  }

  @Test(arguments: Schedule.allCases) func factorsStayBetweenZeroAndOne(_ schedule: Schedule) {
    for (warmup, total) in [(0, 0), (0, 1), (5, 5), (7, 3), (3, 20)] {
      for step in 0..<30 {
        let factor = schedule.factor(step: step, warmup: warmup, total: total)
        #expect(factor.isFinite && factor >= 0 && factor <= 1, "\(warmup) of \(total), step \(step)")
      }
    }
    #expect(schedule.factor(step: 2, warmup: 8, total: 20) == 0.25)
  }
}
