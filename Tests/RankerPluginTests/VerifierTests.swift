import Foundation
import SparHost
import Testing

@Suite("Verifier") struct VerifierTests {
  /// v of each answer: by how much it beats an answer without a word, whose v is 0.
  private func verdicts(
    _ options: [String: String], _ answers: [String], row: String? = nil
  ) throws -> [Double] {
    let options = options.merging(["scale": "1"]) { given, _ in given }
    let table = try ranker("verifier", options).compare([
      query("q", answers + [" "], row: row)
    ])[0]
    let k = answers.count + 1
    return answers.indices.map { table.values[$0 * k + k - 1] }
  }

  @Test("the final number, as GSM8K is marked") func exact() throws {
    let answers = [
      "so 1,000 + 234 = 1,234\n#### 1,234", "#### 1234.00", "It is $1,234.", "1234", "#### 1235",
      "#### 1,234 apples", "12,34", "The answer is 1234, not 7", "-1234", "I do not know", "",
      "####", "1234%",
    ]
    let expected: [Double] = [1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    for row in [
      "{\"answer\":\"first …\\n#### 1,234\"}", "{\"answer\":1234}", "{\"answer\":\"1234\"}",
    ] {
      #expect(try verdicts(["rule": "exact"], answers, row: row) == expected, "\(row)")
    }
    #expect(
      try verdicts(
        ["rule": "exact", "column": "target"], ["Paris.", "paris", "Lyon"],
        row: "{\"target\":\"#### Paris\"}") == [1, 1, 0])
    #expect(
      try verdicts(
        ["rule": "exact"], ["#### 90071992547409930", "#### 90071992547409931"],
        row: "{\"answer\":\"90071992547409931\"}") == [0, 1])
  }

  @Test("a prompt without the column is an error, not a wrong answer") func missing() throws {
    #expect { try verdicts(["rule": "exact"], ["1"]) } throws: {
      "\($0)".contains("has no row with column answer")
    }
    #expect { try verdicts(["rule": "exact"], ["1"], row: "{\"other\":1}") } throws: {
      "\($0)".contains("has no column answer")
    }
    #expect { try verdicts(["rule": "constraints"], ["1"], row: "{}") } throws: {
      "\($0)".contains("instruction_id_list")
    }
  }

  @Test("patterns") func patterns() throws {
    let answers = ["abc", "xabcx", "ABC", ""]
    #expect(try verdicts(["rule": "regex", "pattern": "b+c"], answers) == [1, 1, 0, 0])
    #expect(
      try verdicts(["rule": "regex", "pattern": "[a-c]+", "whole": "true"], answers)
        == [1, 0, 0, 0])
    #expect { try verdicts(["rule": "regex", "pattern": "("], answers) } throws: {
      "\($0)".contains("no regular expression")
    }
    #expect { try verdicts(["rule": "json", "pattern": "x"], answers) } throws: {
      "\($0)".contains("belongs to the rule regex")
    }
  }

  @Test("JSON by the letter, alone or in a fence") func json() throws {
    let answers = [
      "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\ud83d\\ude00\"]}", " 3 ", "```json\n{}\n```",
      "\"x\"", "{a: 1}", "[1,]", "01", "{\"a\":1} trailing", "", "nul", "[1", "\"\n\"", "+1", "1.",
      String(repeating: "[", count: 100_000),
    ]
    let expected: [Double] = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(try verdicts(["rule": "json"], answers) == expected)
  }

  @Test(
    "instructions as in IFEval: what follows, and what does not",
    arguments: [
      ("keywords:existence", "{\"keywords\":[\"Cat\",\"dog\"]}", "a DOG, a cat", "a cat"),
      ("keywords:forbidden_words", "{\"forbidden_words\":[\"cat\"]}", "category", "a Cat."),
      (
        "keywords:frequency", "{\"keyword\":\"ha\",\"frequency\":3,\"relation\":\"at least\"}",
        "ha Ha ha", "ha ha"
      ),
      (
        "keywords:letter_frequency",
        "{\"letter\":\"e\",\"let_frequency\":2,\"let_relation\":\"less than\"}", "one", "eel"
      ),
      (
        "length_constraints:number_words", "{\"num_words\":3,\"relation\":\"less than\"}",
        "two words", "three words here"
      ),
      (
        "length_constraints:number_sentences", "{\"num_sentences\":2,\"relation\":\"at least\"}",
        "One. Two.", "One, 3.5 of it."
      ),
      ("length_constraints:number_paragraphs", "{\"num_paragraphs\":2}", "a\n***\nb", "a\n\nb"),
      (
        "detectable_content:number_placeholders", "{\"num_placeholders\":2}", "[name] [place]",
        "[name]"
      ),
      ("detectable_content:postscript", "{\"postscript_marker\":\"P.S.\"}", "x\np.s. y", "x"),
      ("detectable_format:number_bullet_lists", "{\"num_bullets\":2}", "* a\n- b", "* a\n* b\n* c"),
      (
        "detectable_format:number_highlighted_sections", "{\"num_highlights\":1}", "a *b* c", "a b"
      ),
      ("detectable_format:title", "{}", "<<My day>>\nx", "My day"),
      ("detectable_format:json_format", "{}", "```json\n{}\n```", "{"),
      ("detectable_format:constrained_response", "{}", "My answer is no.", "no"),
      ("change_case:english_lowercase", "{}", "all small", "Not"),
      ("change_case:english_capital", "{}", "ALL BIG", "Not"),
      (
        "change_case:capital_word_frequency",
        "{\"capital_frequency\":2,\"capital_relation\":\"at least\"}", "BIG and LOUD", "BIG and"
      ),
      ("punctuation:no_comma", "{}", "none", "one, two"),
      ("startend:end_checker", "{\"end_phrase\":\"The end.\"}", "x the end.", "the end. x"),
      ("startend:quotation", "{}", "\"x\"", "x"),
      ("combination:two_responses", "{}", "a\n******\nb", "a"),
      ("combination:repeat_prompt", "{\"prompt_to_repeat\":\"Say hi\"}", "say hi: hi", "hi"),
    ])
  func constraints(name: String, arguments: String, good: String, bad: String) throws {
    let row = "{\"instruction_id_list\":[\"\(name)\"],\"kwargs\":[\(arguments)]}"
    #expect(try verdicts(["rule": "constraints"], [good, bad, " "], row: row) == [1, 0, 0])
  }

  @Test("the share that is followed; an unknown instruction is an error") func shares() throws {
    let row =
      "{\"instruction_id_list\":[\"punctuation:no_comma\",\"change_case:english_lowercase\"],"
      + "\"kwargs\":[{},{}]}"
    #expect(try verdicts(["rule": "constraints"], ["a", "a,", "A,"], row: row) == [1, 0.5, 0])
    let other = "{\"instruction_id_list\":[\"language:response_language\"],\"kwargs\":[{}]}"
    #expect { try verdicts(["rule": "constraints"], ["a"], row: other) } throws: {
      "\($0)".contains("language:response_language")
    }
    let odd =
      "{\"instruction_id_list\":[\"keywords:existence\"],\"kwargs\":[{\"keywords\":[1]}]}"
    #expect { try verdicts(["rule": "constraints"], ["a"], row: odd) } throws: {
      "\($0)".contains("of another type")
    }
    let lacking = "{\"instruction_id_list\":[\"keywords:existence\"],\"kwargs\":[{}]}"
    #expect { try verdicts(["rule": "constraints"], ["a"], row: lacking) } throws: {
      "\($0)".contains("lack keywords")
    }
  }
}
