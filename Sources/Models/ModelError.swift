public import Foundation

/// A model directory that cannot be used.
public enum ModelError: LocalizedError, CustomStringConvertible {
  case notADirectory(URL)
  case noConfiguration(URL)
  case badConfiguration(URL, String)
  case noWeights(URL)
  case pickle(URL)
  case unsupported(String, URL, known: [String])
  case unfit(String, URL, fitting: [String])
  case differentCopies(URL, copy: String, original: String)
  case mismatch(URL, missing: [String], misshapen: [String], extra: [String])

  /// Whether a folder has no weights that Jay reads.
  var meansNoWeights: Bool {
    switch self {
    case .noWeights, .pickle: true
    default: false
    }
  }

  public var description: String {
    switch self {
    case .notADirectory(let url):
      "\(url.path) is not a folder. Name a model directory (config.json, model.safetensors, tokenizer.json)."
    case .noConfiguration(let url):
      "\(url.path) has no config.json, so it is not a model directory in Hugging Face format."
    case .badConfiguration(let url, let detail): "\(url.path): \(detail)."
    case .noWeights(let url): "\(url.path) has no model.safetensors and no model.safetensors.index.json."
    case .pickle(let url):
      "\(url.path) is a pickle, which can run code when loaded; Jay reads safetensors only. Convert it once, in its folder: "
        + Self.conversion(url.lastPathComponent)
    case .unsupported(let type, let url, let known):
      "\(url.path) holds a '\(type)' model. Supported: \(known.joined(separator: ", "))."
    case .unfit(let type, let url, let fitting):
      "\(url.path) holds a '\(type)' model, and what is asked needs one of these: \(fitting.joined(separator: ", "))."
    case .differentCopies(let url, let copy, let original):
      "the weights in \(url.path) hold '\(copy)' with other values than '\(original)', and Jay has one weight for both. "
        + "Take out the one that is not meant."
    case .mismatch(let url, let missing, let misshapen, let extra):
      "the weights in \(url.path) do not fit its config.json."
        + Self.part("Missing", missing) + Self.part("Wrong shape", misshapen) + Self.part("Unexpected", extra)
    }
  }
  public var errorDescription: String? { description }

  private static func part(_ title: String, _ items: [String]) -> String {
    items.isEmpty ? "" : " \(title): \(items.joined(separator: "; "))."
  }

  /// The command that writes model.safetensors: every tensor under its own name, read without running what a pickle holds.
  private static func conversion(_ file: String) -> String {
    let files = file.hasPrefix("pytorch_model") ? "pytorch_model*.bin" : file
    return #"python -c 'import glob, torch; from safetensors.torch import save_file; "#
      + #"save_file({k: v.clone().contiguous() for f in glob.glob("\#(files)") for k, v in "#
      + #"torch.load(f, map_location="cpu", weights_only=True).items()}, "model.safetensors", {"format": "pt"})'"#
  }
}
