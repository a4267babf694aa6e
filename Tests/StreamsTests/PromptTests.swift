import Testing

@testable import Streams

@Suite struct PromptTests {
  private let labels = ["World", "Sports"]

  @Test func placesAreFilled() {
    let prompt = Prompt("Topic?\nOption: {options} \n{text}\nAnswer:")
    let example = Example(id: "1", text: "A match.", label: 1)
    #expect(prompt.text(of: example, labels: labels) == "Topic?\nOption: World, Sports \nA match.\nAnswer:")
  }

  @Test func linesOfEmptyPlacesAreLeftOut() {
    #expect(Prompt.plain.text(of: Example(id: "1", text: "a", answers: ["b"]), labels: []) == "a\nAnswer:")
    #expect(
      Prompt.plain.text(of: Example(id: "1", text: "a", pair: "p", label: 0), labels: labels)
        == "a\np\nOptions: World, Sports\nAnswer:")
  }

  @Test func wordsBesideAnEmptyPlaceStay() {
    let alone = Example(id: "1", text: "a", answers: ["b"])
    func text(_ template: String) -> String { Prompt(template).text(of: alone, labels: []) }
    #expect(text("{text} {pair}") == "a ")
    #expect(text("Is this so? {pair}\n{text}") == "Is this so? \na")
    #expect(text("{text}\nContext: {pair} \n{pair}{options}\n\nOutput: ") == "a\n\nOutput: ")
  }

  @Test func aTextWithBracesStaysAsItIs() {
    let example = Example(id: "1", text: "{options} {x} {", label: 0)
    #expect(Prompt("{text}|{y}").text(of: example, labels: labels) == "{options} {x} {|{y}")
  }
}
