import Foundation

extension HubError {
  public var description: String {
    switch self {
    case .badName(let text):
      "'\(text)' is not a name on the Hub. Write owner/name, or owner/name@revision for a branch, a tag or a commit."
    case .badRevision(let revision, let name):
      "'\(revision)' is not a revision of \(name). Name a branch, a tag or a commit, such as main."
    case .badEndpoint(let text):
      "HF_ENDPOINT is '\(text)', which is no address. Write one such as https://huggingface.co, or unset it."
    case .noSpace(let path, let needed, let free):
      "\(path) has \(Bytes(free)) free, and \(Bytes(needed)) are still to come. Free some space, or set HF_HOME to a folder "
        + "on a larger disk."
    case .cannotWrite(let path, let code):
      "cannot write \(path): \(String(cString: strerror(code))). "
        + (code == ENOSPC || code == EDQUOT
          ? "Free some space and run the same command again: it goes on where it stood."
          : "Set HF_HOME to a folder you may write to.")
    case .offline(let repository, let cache, let missing):
      "the \(repository.kind.noun) \(repository) is not whole in \(cache) (missing: \(missing.joined(separator: ", "))), and "
        + "offline nothing is fetched. Where there is a network, run '\(repository.command)'."
    case .interrupted: "the download was stopped. Run the same command again: it goes on where it stood."
    default: answerSentence ?? wireSentence ?? contentsSentence
    }
  }

  /// What the Hub answers.
  private var answerSentence: String? {
    switch self {
    case .notShown(let repository, let endpoint, let hasToken):
      "the Hub does not show the \(repository.kind.noun) \(repository.name) to \(hasToken ? "this token" : "everyone") (401). "
        + "Check its name at \(repository.page(endpoint)). If it is private or gated, accept its conditions there and set "
        + "HF_TOKEN to a token that may read it; if you meant a folder, check its path."
    case .gated(let repository, let endpoint, let hasToken):
      "the \(repository.kind.noun) \(repository.name) is gated (403). Accept its conditions at \(repository.page(endpoint))"
        + (hasToken ? ", with the account of this token." : " and set HF_TOKEN to a token of your account.")
    case .noRepository(let repository, let endpoint):
      "there is no \(repository.kind.noun) \(repository.name) at \(endpoint) (404). Check the name, and whether it is a "
        + (repository.kind == .model ? "data set (--dataset)" : "model (no --dataset)")
        + "; if you meant a folder, check its path."
    case .noRevision(let repository, let known):
      "the \(repository.kind.noun) \(repository.name) has no revision '\(repository.revision)' (404). "
        + (known.isEmpty ? "Try main." : "It has: \(known.joined(separator: ", ")).")
    case .noFile(let file, let repository):
      "\(repository) lists \(file) but does not give it (404). Run the same command again; if that does not help, name "
        + "another revision."
    case .tooManyRequests(let seconds, let hasToken):
      "the Hub asks to wait \(seconds) s (429, too many requests). Run the same command again then: it goes on where it stood."
        + (hasToken ? "" : " With HF_TOKEN set, the limits are higher.")
    case .unexpectedStatus(let status, let url):
      "\(url) answers \(status). Run the same command again later; what has come so far is kept."
    case .notAHub(let url, let reason):
      "\(url) does not answer as the Hub does: \(reason). Check HF_ENDPOINT and your proxy."
    case .tooManyRedirects(let url): "\(url) leads in circles. Check HF_ENDPOINT and your proxy."
    case .unsafeRedirect(let url):
      "\(url) leads to an address that is not encrypted, which is not followed. Check HF_ENDPOINT and your proxy."
    default: nil
    }
  }

  /// What happens on the way.
  private var wireSentence: String? {
    switch self {
    case .unreachable(let url, let reason):
      "cannot reach \(url): \(reason). Check the network and run the same command again; --offline uses what is in the cache."
    case .cut(let file, let repository, let bytes, let reason):
      "the download of \(file) of \(repository) broke off at \(Bytes(bytes)): \(reason). Run the same command again: it goes "
        + "on where it stood."
    case .wrongSize(let file, let repository, let expected, let found):
      "\(file) of \(repository) should have \(expected) bytes, and \(found) come. The copy is deleted; run the same "
        + "command again."
    case .wrongHash(let file, let repository, let expected, let found):
      "\(file) of \(repository) came damaged: its hash is \(found), not \(expected). The copy is deleted; run the same "
        + "command again."
    case .unsafePath(let file, let repository):
      "\(repository) names a file '\(file)', whose path leads out of its folder. Nothing more is fetched; do not trust it."
    default: nil
    }
  }

  /// What the repository holds.
  private var contentsSentence: String {
    switch self {
    case .onlyPickle(let repository, let file):
      "\(repository) has its weights only as a pickle (\(file)), which can run code when loaded; Jay reads safetensors only. "
        + "Fetch it, 'hf download \(repository.name) --local-dir FOLDER', and name FOLDER as the model: Jay then says how "
        + "to convert it."
    case .noWeights(let repository):
      "\(repository) has no model.safetensors and no model.safetensors.index.json. Name a model in Hugging Face format."
    case .noTokenizer(let repository):
      "\(repository) has no tokenizer file (tokenizer.json, vocab.txt, spiece.model). Name another in model.tokenizer."
    case .onlyParquet(let repository, let file):
      "\(repository) has its data only as parquet (\(file)), which Jay does not read. Convert each file once in Python, "
        + "pandas.read_parquet(\"x.parquet\").to_json(\"x.jsonl\", orient=\"records\", lines=True), and describe them in a "
        + "stream.json beside them."
    case .noData(let repository):
      "\(repository) has no data that Jay reads: .jsonl, .csv or .tsv, also .gz. Name another data set."
    case .noStreamFile(let repository, let folder):
      "\(repository) has no stream.json, so that its tasks are not known. Copy it, 'cp -rL \(folder) DATA', describe its files "
        + "in DATA/stream.json, and write folder: DATA."
    case .badIndex(let file, let repository):
      "\(file) of \(repository) cannot be read, or names files that are not there. Name another revision."
    default: preconditionFailure("HubError: a case has no sentence")
    }
  }
}

extension HubRepository {
  /// Its page for people.
  fileprivate func page(_ endpoint: String) -> String { "\(endpoint)/\(kind == .dataset ? "datasets/" : "")\(name)" }
}
