import Adapters
import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct PEFTTests {
  private static let cases =
    ["llama-grouped", "t5-tied", "bert-tiny"].flatMap { name in
      ["lora", "ia3", "prompt", "prefix"].map { (name, $0) }
    } + [("llama-grouped", "rslora"), ("t5-tied", "prefix-apart")]

  /// A tiny model, and the states it gives for its golden's batch: scores of tokens, or the last hidden states.
  private func load(_ name: String) throws -> (store: ParameterStore, states: () -> Tensor) {
    let golden = try Golden.load("\(name)/outputs.safetensors"), url = Golden.url(name)
    let tokens = try #require(golden["input_ids"]), mask = try #require(golden["attention_mask"]).to(.float32)
    if name.hasPrefix("llama") {
      let loaded = try ModelIndex.loadCausal(url, dtype: .float32, device: .cpu, seed: 0), model = loaded.model
      return (
        loaded.parameters,
        { model.logits(model.hidden(tokens, mask: mask, cache: nil, .evaluation), .evaluation) * mask.unsqueezed(2) }
      )
    }
    if name.hasPrefix("t5") {
      let written = try #require(golden["decoder_input_ids"])
      let loaded = try ModelIndex.loadSequenceToSequence(url, dtype: .float32, device: .cpu, seed: 0)
      let model = loaded.model
      return (
        loaded.parameters,
        {
          let encoded = model.encode(tokens, mask: mask, .evaluation)
          return model.logits(
            model.decode(written, encoded: encoded, mask: mask, cache: nil, .evaluation), .evaluation)
        }
      )
    }
    let model = try Trace.model(), segments = try #require(golden["token_type_ids"])
    return (
      model.parameters,
      {
        // peft leaves the segments out where it reads a prompt or a prefix.
        let hasPrompt = model.parameters.all.contains { $0.name.contains("prefix.") || $0.name.hasPrefix("prompt.") }
        let batch = DeviceBatch(
          tokens: tokens, segments: hasPrompt ? .zeros(segments.shape, dtype: .int64) : segments, mask: mask,
          lengths: [0, 0, 0, 0], targets: [0, 0, 0, 0], experiences: [0, 0, 0, 0], candidates: [0, 0, 0, 0],
          candidateSets: [[0]])
        return model.hidden(batch, .evaluation) * mask.unsqueezed(2)
      }
    )
  }

  private func expected(_ name: String, _ kind: String) throws -> Tensor {
    let states = try #require(Golden.load("peft/\(name)-\(kind)/outputs.safetensors")["states"])
    guard !name.hasPrefix("t5") else { return states }
    return states
      * (try #require(Golden.load("\(name)/outputs.safetensors")["attention_mask"])).to(.float32)
      .unsqueezed(2)
  }

  @Test(arguments: cases) func anAdapterOfTheReferenceGivesItsStates(_ name: String, _ kind: String) throws {
    let (store, states) = try load(name)
    let set = try AdapterSet(peft: Golden.url("peft/\(name)-\(kind)"), index: 0, in: store)
    #expect(set.parameters.allSatisfy { $0.role == .adapter })
    #expect(difference(inference(states), try expected(name, kind), atol: 1e-4) == nil)
  }

  @Test(arguments: cases) func whatIsWrittenIsReadAgain(_ name: String, _ kind: String) throws {
    let (store, _) = try load(name), (other, states) = try load(name)
    _ = try AdapterSet(peft: Golden.url("peft/\(name)-\(kind)"), index: 0, in: store)
    try withFolder { folder in
      try PEFT.write(store, for: name.hasPrefix("t5") ? .encoderDecoder : .decoder, to: folder)
      _ = try AdapterSet(peft: folder, index: 0, in: other)
      #expect(difference(inference(states), try expected(name, kind), atol: 1e-4) == nil)
    }
  }

  @Test func prefixesOfAnEncoderDecoderAreWrittenInTheReferencesForm() throws {
    let (store, _) = try load("t5-tied")
    _ = try AdapterSet(peft: Golden.url("peft/t5-tied-prefix-apart"), index: 0, in: store)
    try withFolder { folder in
      try PEFT.write(store, for: .encoderDecoder, to: folder)
      let key = "prompt_embeddings", parts = [3, 8, 32]
      let read = { (folder: URL) in
        try SafeTensorsFile(folder.appendingPathComponent("adapter_model.safetensors"))[key]?.reshaped(parts)
      }
      let written = try #require(try read(folder))
      let reference = try #require(try read(Golden.url("peft/t5-tied-prefix-apart")))
      // Of each layer's four parts peft reads the first two.
      for part in [0, 1, 4, 5] {
        #expect(difference(written.at(1, part), reference.at(1, part), atol: 0) == nil, "part \(part)")
      }
      #expect([2, 3, 6, 7].allSatisfy { written.at(1, $0).values().allSatisfy { $0 == 0 } })
      let json = try Data(contentsOf: folder.appendingPathComponent("adapter_config.json"))
      let keys = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
      #expect(keys["num_layers"] as? Int == 4 && keys["num_transformer_submodules"] as? Int == 2)
    }
  }

  @Test func promptsBehindTheTextHaveNoForm() throws {
    let (store, _) = try load("t5-tied")
    _ = try AdapterSet(prompt: 3, at: .behind, index: 0, seed: 1, in: store)
    #expect(throws: PEFTError.noForm(["SoftPrompt"])) {
      try PEFT.write(store, for: .encoderDecoder, to: FileManager.default.temporaryDirectory)
    }
  }

  @Test(arguments: ["lora", "ia3"]) func mergedAdaptersGiveTheSameStates(_ kind: String) throws {
    let (store, states) = try load("bert-tiny")
    try AdapterSet(peft: Golden.url("peft/bert-tiny-\(kind)"), index: 0, in: store).merge(into: store)
    #expect(difference(inference(states), try expected("bert-tiny", kind), atol: 1e-4) == nil)
  }

  @Test func severalLoRAAreWrittenAsOne() throws {
    let (store, states) = try load("t5-tied"), (other, others) = try load("t5-tied")
    for (index, (rank, targets)) in [(2, ["q", "v"]), (3, ["q"])].enumerated() {
      let set = try AdapterSet(
        .init(rank: rank, alpha: 5, dropout: 0.1), on: targets, index: index, seed: 3, in: store)
      for lora in set.loras { lora.b.assign(.full(lora.b.shape, 0.1 * Double(index + 1))) }
    }
    try withFolder { folder in
      try PEFT.write(store, for: .encoderDecoder, to: folder)
      let set = try AdapterSet(peft: folder, index: 0, in: other)
      #expect(set.loras.allSatisfy { $0.a.shape[0] == 5 && $0.scale == 1 })
    }
    #expect(difference(inference(others), inference(states), atol: 1e-4) == nil)
  }

  // MARK: Refusals

  private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-peft-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// The sentence that refuses an adapter, its folder's path taken out.
  private func refusal(_ configuration: String?, _ tensors: [String: Tensor]? = [:]) throws -> String {
    try withFolder { folder in
      if let configuration {
        try Data(configuration.utf8).write(to: folder.appendingPathComponent("adapter_config.json"))
      }
      if let tensors {
        try SafeTensorsWriter.write(tensors, to: folder.appendingPathComponent("adapter_model.safetensors"))
      }
      let store = Layers().store, count = store.all.count
      let error = #expect(throws: (any Error).self) { try AdapterSet(peft: folder, index: 0, in: store) }
      #expect(store.all.count == count && store.linears.allSatisfy { $0.attachments.isEmpty })
      return "\(error.map { "\($0)" } ?? "")".replacing(folder.path, with: "DIR")
    }
  }

  @Test func saysWhatIsNoAdapter() throws {
    #expect(try refusal(nil) == "DIR has no adapter_config.json, so it is not an adapter in PEFT format.")
    #expect(try refusal("[]") == "DIR/adapter_config.json: it is not a JSON object.")
    #expect(try refusal("{}") == "DIR/adapter_config.json: the key 'peft_type' is missing.")
    #expect(
      try refusal(#"{"peft_type": "OFT"}"#)
        == "DIR/adapter_config.json holds an adapter of type 'OFT'. Supported: IA3, LORA, PREFIX_TUNING, PROMPT_TUNING."
    )
    #expect(
      try refusal(#"{"peft_type": "LORA"}"#, nil)
        == "DIR has no adapter_model.safetensors; a pickle (adapter_model.bin) is never read. Save the adapter again "
        + "with save_pretrained(folder, safe_serialization=True).")
  }

  @Test func listsAllFeaturesItLacks() throws {
    let configuration = #"""
      {"peft_type": "LORA", "bias": "lora_only", "use_dora": true, "alpha_pattern": {"q": 3}, "rank_pattern": {"q": 3},
       "modules_to_save": ["lm_head"], "use_qalora": false, "layer_replication": null, "target_parameters": []}
      """#
    #expect(
      try refusal(configuration)
        == "DIR/adapter_config.json asks for what Jay's adapters do not have: bias: lora_only; alpha_pattern; "
        + "modules_to_save; use_dora. Merge the adapter into its model with peft (merge_and_unload) and name that model."
    )
  }

  @Test func listsAllTensorsThatDoNotFit() throws {
    let query = "base_model.model.encoder.0.query.lora_", dense = "base_model.model.bert.encoder.1.output.dense.lora_"
    let tensors = [
      query + "A.weight": Tensor.zeros([4, 3]), query + "B.weight": .zeros([2, 5]), dense + "A.weight": .zeros([4, 3]),
      "base_model.model.encoder.9.query.lora_A.weight": .zeros([4, 3]), "other": .zeros([1]),
    ]
    #expect(
      try refusal(#"{"peft_type": "LORA", "lora_alpha": 8}"#, tensors)
        == "the adapter in DIR/adapter_model.safetensors does not fit the model. Missing: \(dense)B.weight. "
        + "Wrong shape: \(query)B.weight is [2, 5], not [2, 4]. "
        + "No layer for: base_model.model.encoder.9.query.lora_A.weight; other.")
  }

  @Test func writesOnlyWhatPEFTHasAFormFor() throws {
    let layers = Layers()
    try withFolder { folder in
      #expect(throws: PEFTError.nothingToWrite) { try PEFT.write(layers.store, for: .encoder, to: folder) }
      _ = try AdapterSet(bottleneck: 2, on: ["query"], index: 0, seed: 1, in: layers.store)
      #expect(throws: PEFTError.noForm(["Bottleneck"])) { try PEFT.write(layers.store, for: .encoder, to: folder) }
    }
    #expect(
      PEFTError.nothingToWrite.errorDescription
        == "this model has no adapter of its own: its weights are changed as a whole. Leave out --adapter.")
    #expect(
      PEFTError.noForm(["Bottleneck"]).errorDescription
        == "PEFT has no form for this model's adapters (Bottleneck). 'jay predict' and 'jay evaluate' "
        + "use the model in the run's folder; without --adapter adapters are merged in, where they can be.")
    #expect(
      PEFTError.notMergeable(folder: "DIR").errorDescription
        == "the adapter in DIR is a prompt or a prefix, which is no change of the weights. Name a LoRA or IA³ adapter, or none."
    )
  }
}
