import Streams
import Testing

@Suite struct NearestTests {
  @Test(arguments: [
    ("treshold", "threshold"), ("thershold", "threshold"), ("tresholds", "threshold"), ("o_lora", "o-lora"),
    ("olora", "o-lora"), ("learning_rate", "learningRate"), ("LEARNINGRATE", "learningRate"), ("lra", "lr"),
  ])
  func aSlipFindsItsName(name: String, meant: String) {
    #expect(Nearest.name(to: name, among: ["lr", "learningRate", "threshold", "o-lora"]) == meant)
  }

  @Test(arguments: ["color", "", "x", "ab", "-"])
  func aStrangerFindsNothing(name: String) {
    #expect(Nearest.name(to: name, among: ["learningRate", "threshold", "y"]) == nil)
  }

  @Test func theCloserNameWinsAndThenTheEarlier() {
    #expect(Nearest.name(to: "band", among: ["brand", "hand", "land"]) == "brand")
    #expect(Nearest.name(to: "lands", among: ["hands", "land", "lands"]) == "lands")
    #expect(Nearest.name(to: "name", among: []) == nil)
  }
}
