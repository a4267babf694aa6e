public import Foundation

/// Domains of plain text, for continual pre-training.
///
/// The folder holds `domains.json` and, for each domain, `train.jsonl.gz` and `valid.jsonl.gz` with a document a line;
/// a domain is measured on its `valid` file.
public enum Corpora {
  /// The named domains in this order; all of them where none is named.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(_ folder: URL, domains: [String] = []) throws -> TaskStream {
    struct Entry: Decodable { let domain: String }
    let known: [Entry] = try CL15.decode("domains.json", in: folder)
    var log = ProblemLog()
    let wanted = domains.isEmpty ? known.map(\.domain) : domains
    let experiences = known.filter { wanted.contains($0.domain) }.map { entry in
      let place = folder.appendingPathComponent(entry.domain)
      let splits = DatasetReader(columns: ColumnMap(text: "text", target: .none, id: "id")).read(
        train: place.appendingPathComponent("train.jsonl.gz"), validation: nil,
        test: place.appendingPathComponent("valid.jsonl.gz"), name: entry.domain, log: &log)
      return Experience(name: entry.domain, splits: splits)
    }
    try log.check()
    if let stranger = wanted.first(where: { name in !known.contains { $0.domain == name } }) {
      throw StreamError.unknownExperience(stranger, known: known.map(\.domain), stream: "corpora")
    }
    // Nobody says of a text which domain it belongs to.
    return try TaskStream(
      name: "corpora", declaration: StreamDeclaration(hasTaskLabelAtTest: false), experiences: experiences
    ).subset(names: wanted)
  }
}
