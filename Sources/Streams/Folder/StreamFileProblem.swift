/// One thing wrong in a `stream.json`.
public enum StreamFileProblem: Sendable, Hashable, CustomStringConvertible {
  case notJSON
  case unknownKey(String, known: [String])
  case missingKey(String)
  case wrongKind(expected: String)
  case noExperiences
  case duplicateName(String)
  case duplicateLabel(String)
  case unclearFiles
  case askedDocuments, askedConversations
  case unknownMeasure(String)
  case unknownPlace(String), promptWithoutText

  public var description: String {
    switch self {
    case .notJSON: "not a JSON object; \"python3 -m json.tool FILE\" shows where it breaks"
    case .unknownKey(let key, let known):
      if let near = Nearest.name(to: key, among: known) {
        "unknown key \"\(key)\"; did you mean \"\(near)\"?"
      } else {
        "unknown key \"\(key)\"; the keys are \(quotedList(known))"
      }
    case .missingKey(let key): "no key \"\(key)\"; add it"
    case .wrongKind(let expected): "must be \(expected)"
    case .noExperiences: "the list is empty; describe at least one task"
    case .duplicateName(let name): "a task named \"\(name)\" stands above already; give every task a name of its own"
    case .duplicateLabel(let label): "label \"\(label)\" stands twice; name every label once"
    case .askedDocuments:
      "documents are texts to pretrain on, with no \"label\", \"answer\" or \"pair\"; remove these keys, or \"documents\""
    case .askedConversations:
      "conversations stand in columns of their own, with no \"label\", \"answer\", \"pair\" or \"documents\"; remove these "
        + "keys, or \"conversations\""
    case .unknownMeasure(let name):
      "unknown measure \"\(name)\"; write \(quotedList(AnswerMeasure.allCases.map(\.rawValue)))"
    case .unknownPlace(let place):
      if let near = Nearest.name(to: place, among: Prompt.places) {
        "nothing stands for \"\(place)\"; did you mean \"\(near)\"?"
      } else {
        "nothing stands for \"\(place)\"; the places are \(quotedList(Prompt.places))"
      }
    case .promptWithoutText: "no \"{text}\" in it, so all examples would read the same; put it where the text belongs"
    case .unclearFiles: "give either \"train\" and \"test\", or \"file\" and \"splitColumn\""
    }
  }
}
