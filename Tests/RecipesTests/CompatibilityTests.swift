import Foundation
import Testing

@testable import Recipes

@Suite struct CompatibilityTests {
  @Test func aMethodOnHeadsIsRefusedForModelsThatAnswerInText() {
    #expect(
      "\(CompatibilityError.needsHeads(method: "probe", architecture: "t5"))"
        == "'probe' works on classification heads, and there are none: a model of type t5 answers in text, and pre-training "
        + "predicts tokens. Choose another method, or an encoder with training.objective: task.")
  }

  @Test func aMethodOnEncoderDecodersIsRefusedElsewhere() {
    #expect(
      "\(CompatibilityError.needsEncoderDecoder(method: "lfpt5", architecture: "llama"))"
        == "'lfpt5' learns tasks with an encoder that reads and a decoder that writes, and here a model of type llama is "
        + "trained or pre-trained. Choose another method, or a T5 with training.objective: task.")
  }

  @Test func twoMethodsThatFreezeTheModelAreRefused() throws {
    let texts = try TextScratch()
    var recipe = try texts.recipe()
    recipe.methods = try Recipe(yaml: "stream: meadow\nmethods: [lora, l2p]", name: "two").methods
    #expect(
      texts.sentence(recipe)
        == "lora and l2p each train what they add to the model and freeze all else, each other's included. Keep one.")
  }

  @Test func documentsNeedAnObjectiveOfTheModel() {
    #expect(
      "\(CompatibilityError.nothingAsked(experience: "news", architecture: "bert"))"
        == "experience 'news' holds documents, in which nothing is asked. Pretrain on them: training.objective: masked."
    )
    #expect(
      "\(CompatibilityError.objective("masked", architecture: "llama", instead: "causal"))"
        == "a model of type llama cannot be pretrained with the objective 'masked'. Set training.objective: causal.")
    #expect(
      "\(CompatibilityError.packed("spans"))"
        == "the objective 'spans' takes rows of running text. Set training.packing: stream, or none.")
  }

  @Test func aTokenizerMustHaveWhatTheObjectiveWrites() {
    let folder = URL(fileURLWithPath: "/m")
    #expect(
      "\(PretrainingError.noMaskToken(folder))"
        == "the tokenizer in /m has no mask token, so no token can be hidden. Set training.objective: causal for a decoder, "
        + "or use the tokenizer of a BERT or RoBERTa.")
    #expect(
      "\(PretrainingError.noSentinels(folder))"
        == "the tokenizer in /m has no <extra_id_0> and no end token, which span corruption writes. Use the tokenizer of a "
        + "T5.")
    #expect(
      "\(PretrainingError.noEnd(folder))"
        == "the tokenizer in /m has no end token, which prefix language modelling writes. Use the tokenizer of a T5.")
  }

  @Test func freeAnswersNeedALanguageModelAndAScore() {
    #expect(
      "\(CompatibilityError.needsText(experience: "qa", architecture: "bert"))"
        == "experience 'qa' asks for free texts, but a model of type bert answers with a class. Choose a language model "
        + "(jay list models).")
    #expect(
      "\(CompatibilityError.notScored(experience: "qa"))"
        == "experience 'qa' has no classes that could be scored: its answers are free texts. Set evaluation.answers: "
        + "rougeL, or exactMatch.")
  }
}
