import Foundation

@testable import SparText

extension FuzzTarget {
  static let json = FuzzTarget(
    name: "json",
    seeds: {
      [
        Data(#"{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":[]}}"#.utf8),
        Data("[]".utf8),
      ]
    },
    run: { data in
      let node = try JSONParser.parse(data)
      // What was read is written and read again, equal but for the spelling of numbers.
      let text = JSONWriter.text(node)
      guard try JSONParser.parse(Data(text.utf8)) == node || text.contains("nan") else {
        preconditionFailure("another value after writing: \(text)")
      }
    })

  /// A tokenizer.json of each kind of model.
  static let tokenizer = FuzzTarget(
    name: "tokenizer-json",
    seeds: {
      let added =
        #"[{"id":6,"content":"<s>","single_word":false,"lstrip":false,"rstrip":true,"normalized":false,"special":true}]"#
      let bytePair =
        #"{"type":"BPE","unk_token":null,"byte_fallback":false,"vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"1":4,"Ã":5},"merges":["a b"]}"#
      let sequence =
        #"{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\d"},"behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}"#
      let normalizer = #"{"type":"Sequence","normalizers":[{"type":"NFC"}]}"#
      return [
        Data(
          "{\"version\":\"1.0\",\"added_tokens\":\(added),\"normalizer\":\(normalizer),\"pre_tokenizer\":\(sequence),\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\"},\"model\":\(bytePair)}"
            .utf8),
        Data(
          "{\"added_tokens\":[],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},\"model\":\(bytePair)}"
            .utf8),
      ] + tokenizerSeeds
    },
    run: { data in
      let tokenizer = try Tokenizer(tokenizerJSON: data, path: "tokenizer.json", config: nil)
      for text in ["", "ab 12 <s> ä👍\n", "aaaaabbbb"] {
        let ids = tokenizer.encode(text, special: true)
        _ = tokenizer.decode(ids)
        _ = tokenizer.decode(ids, skipSpecial: true)
      }
    })

  static let tokenizerConfig = FuzzTarget(
    name: "tokenizer-config",
    seeds: {
      [
        Data(
          #"{"bos_token":"<s>","eos_token":{"content":"</s>"},"add_bos_token":true,"chat_template":[{"name":"default","template":"{{ x }}"}],"eos_token_id":[1,2]}"#
            .utf8)
      ]
    },
    run: { data in
      var config = try TokenizerConfig(tokenizerConfig: data, path: "tokenizer_config.json")
      try config.add(specialTokensMap: data, path: "special_tokens_map.json")
      try config.add(generationConfig: data, path: "generation_config.json")
    })

  private static var limits: JinjaLimits {
    var limits = JinjaLimits()
    limits.steps = 100_000
    limits.outputBytes = 1 << 20
    return limits
  }

  private static let messages = Data(
    #"""
    [{"role":"system","content":"be brief"},{"role":"user","content":"Hé?","n":[1,2.5,null,true]},
    {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}]
    """#.utf8)

  static let template = FuzzTarget(
    name: "template", seeds: { TemplateSeeds.all.map { Data($0.utf8) } },
    run: { data in
      var template = try ChatTemplate(
        source: String(decoding: data, as: UTF8.self), name: "template")
      template.limits = limits
      _ = try template.render(
        JinjaValue(jsonText: messages, name: "messages"), addGenerationPrompt: true,
        variables: ["bos_token": .string("<s>")])
    })

  /// A fixed template that looks at everything in a conversation that may be any JSON.
  static let conversation = FuzzTarget(
    name: "conversation", seeds: { [messages] },
    run: { data in
      var template = try ChatTemplate(
        source: """
          {{ messages }}{{ messages|tojson(indent=2) }}{% for m in messages %}{{ m['role'] }}
          {{ m.content|trim|upper|title }}{{ m.content[1:-1:2] if m.content }}{{ m.items()|list }}{% endfor %}
          """, name: "conversation")
      template.limits = limits
      _ = try template.render(
        JinjaValue(jsonText: data, name: "messages"), addGenerationPrompt: false)
    })
}
