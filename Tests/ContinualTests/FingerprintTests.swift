import Continual
import Foundation
import Streams
import Testing

@Suite struct FingerprintTests {
  private func stream(
    train: [(String, String?)] = [("a", nil), ("b", nil)], test: [(String, String?)] = [("c", nil)],
    labels: [String] = ["no", "yes"], knowsTask: Bool = true, shared: Bool = false
  ) -> TaskStream {
    func data(_ rows: [(String, String?)]) -> Dataset {
      Dataset(name: "d", labels: labels, examples: rows.map { Example(id: $0.0, text: $0.0, pair: $0.1, label: 0) })
    }
    return TaskStream(
      name: "s", declaration: StreamDeclaration(hasTaskLabelAtTest: knowsTask), sharesLabels: shared,
      experiences: [Experience(name: "e", train: data(train), test: data(test))])
  }

  @Test func anyChangeOfTheDataShows() {
    let all = [
      stream(), stream(train: [("b", nil), ("a", nil)]), stream(train: [("a", ""), ("b", nil)]),
      stream(train: [("a", nil)], test: [("b", nil), ("c", nil)]), stream(labels: ["n", "oyes"]),
      stream(knowsTask: false), stream(shared: true), stream(test: []),
    ].map { Fingerprint.stream($0) }
    #expect(Set(all).count == all.count)
    #expect(Fingerprint.stream(stream()) == all[0])
  }

  @Test func textsAndFilesHashAlike() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("text")
    try Data("abc".utf8).write(to: file)
    #expect(try Fingerprint.file(file) == Fingerprint.text("abc"))
    #expect(Fingerprint.text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test(arguments: [
    (
      JSONFileError.missing(URL(fileURLWithPath: "/run/matrix.json")),
      "/run/matrix.json is missing. Name the folder of a run that 'jay run' wrote."
    ),
    (
      .broken(URL(fileURLWithPath: "/run/matrix.json")),
      "/run/matrix.json is not the JSON that Jay writes. Run 'jay verify' on the folder, or restore the file."
    ),
  ])
  func errorsSayWhatToDo(error: JSONFileError, sentence: String) { #expect("\(error)" == sentence) }
}
