import Evaluation
import Testing

@Suite struct AnswerScoreTests {
  /// NLTK 3.10's PorterStemmer; on the 51,461 words of four tasks of cl15 all stems agree with it.
  @Test func stemsEqualTheReference() {
    let stems = [
      "caresses": "caress", "flies": "fli", "dies": "die", "mules": "mule", "denied": "deni", "died": "die",
      "agreed": "agre", "owned": "own", "humbled": "humbl", "sized": "size", "meeting": "meet", "stating": "state",
      "itemization": "item", "sensational": "sensat", "traditional": "tradit", "reference": "refer",
      "colonizer": "colon", "plotted": "plot", "dying": "die", "skies": "sky", "news": "news",
      "rationally": "ration", "archaeology": "archaeolog", "hopping": "hop", "falling": "fall", "filing": "file",
      "say": "say", "enjoy": "enjoy", "happy": "happi", "valenci": "valenc", "conformabli": "conform",
      "radicalli": "radic", "decisiveness": "decis", "electriciti": "electr", "hopefulness": "hope",
      "adjustable": "adjust", "adoption": "adopt", "homologou": "homolog", "communism": "commun",
      "effective": "effect", "bowdlerize": "bowdler", "probate": "probat", "rate": "rate", "cease": "ceas",
      "controll": "control", "roll": "roll", "at": "at", "feed": "feed", "bed": "bed", "sing": "sing", "oed": "o",
    ]
    for (word, stem) in stems { #expect(PorterStemmer.stem(word) == stem) }
  }

  /// rouge_score 0.1.2 with `use_stemmer`.
  @Test(arguments: [
    ("The cats sat on the mat.", "A cat was sitting on a mat", 46.15384615384615),
    ("Running quickly, he fell!", "he ran quickly and fell down", 40),
    ("", "x", 0), ("Über 3 dogs", "uber three dogs 3", 28.571428571428577),
  ])
  func rougeEqualsTheReference(answer: String, accepted: String, score: Double) {
    #expect(abs(AnswerScore.rougeL(answer, accepted: [accepted]) - score) < 1e-9)
    #expect(abs(AnswerScore.rougeL(answer, accepted: ["", accepted]) - score) < 1e-9, "the best counts")
  }

  @Test(arguments: [
    ("Very  Negative.", "very negative", 100.0), ("a dog", "dog", 0), ("science/technology", "sciencetechnology", 100),
    ("Ärger", "ärger", 100), ("", "", 100),
  ])
  func exactMatchForgivesCasePunctuationAndBlanks(answer: String, accepted: String, score: Double) {
    #expect(AnswerScore.exactMatch(answer, accepted: ["other", accepted]) == score)
  }
}
