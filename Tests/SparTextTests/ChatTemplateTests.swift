import Foundation
import Testing

@testable import SparText

@Suite("Chat templates") struct ChatTemplateTests {
  static let data = Data(
    #"""
    {"s": "Hello, wörld! it's", "n": 7, "l": [3, 1, 2], "w": ["b", "A", "c", "a"], "none": null,
     "d": {"z": 1, "a": {"k": [1, 2]}}, "q": "it's \"q\" é", "e": [],
     "ms": [{"role": "user", "n": 2}, {"role": "tool", "n": 1}]}
    """#.utf8)

  static func render(_ source: String, limits: JinjaLimits = JinjaLimits()) throws -> String {
    var template = try ChatTemplate(source: source, name: "test")
    template.limits = limits
    return try template.render(
      .list([]), addGenerationPrompt: false,
      variables: ["v": try JinjaValue(jsonText: data, name: "data")])
  }

  /// Each pair was checked against jinja2 3.1.6 with transformers' settings.
  @Test(
    "expressions give what jinja2 gives",
    arguments: [
      (
        "{{ v.d }} {{ v.d|dictsort|first }} {{ v.d|tojson }}",
        "{'z': 1, 'a': {'k': [1, 2]}} ('a', {'k': [1, 2]}) {\"z\": 1, \"a\": {\"k\": [1, 2]}}"
      ),
      ("{{ [v.q] }} {{ v.q|tojson }}", #"['it\'s "q" é'] "it's \"q\" é""#),
      ("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1e20 }}", "-4 2 3.5 1024 1e+20"),
      (
        "{{ 1 < 2 < 3 }} {{ 'ell' in v.s }} {{ 'x' not in v.d }} {{ not v.e }}",
        "True True True True"
      ),
      (
        "{{ v.l[-1] }} {{ v.l[1:] }} {{ v.s[::-1] }} {{ v.s[-4:] }}",
        "2 [1, 2] s'ti !dlröw ,olleH it's"
      ),
      ("{{ v.ms|selectattr('role','equalto','user')|map(attribute='n')|list }}", "[2]"),
      ("{{ v.w|sort }} {{ v.w|unique|join }} {{ v.l|sum }}", "['A', 'a', 'b', 'c'] bAc 6"),
      ("{{ 'a' if v.n > 50 }}|{{ v.none }}|{{ nope }}|{{ v.nope is defined }}", "|None||False"),
      ("{{ 'a,b,c'.rsplit(',', 1) }} {{ '  x '.strip() }} {{ 'ab'.title() }}", "['a,b', 'c'] x Ab"),
      ("{{ 'a' ~ 1 ~ none }} {{ 'ab' * 3 }} {{ 1 + 2 * 3 - 4 }}", "a1None ababab 3"),
      ("{{ {'a': 1, 2: none}|tojson(indent=2) }}", "{\n  \"a\": 1,\n  \"2\": null\n}"),
      (#"{{ "\u00e9\x41\q" }}"#, #"éA\q"#),
    ])
  func expressions(source: String, expected: String) throws {
    #expect(try Self.render(source) == expected)
  }

  @Test(
    "statements give what jinja2 gives",
    arguments: [
      ("a\n  {% if true %}\n  b\n  {% endif %}\n  c\n", "a\n  b\n  c"),
      ("x {% if true -%}   \n y {%- endif +%}\n z", "x y\n z"),
      (
        "{% for x in v.l if x > 1 %}{{ loop.index }}{{ x }}{{ loop.last }};{% else %}no{% endfor %}",
        "13False;22True;"
      ),
      (
        "{% set ns = namespace(a=1) %}{% for x in v.l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}",
        "7"
      ),
      ("{% set x = 1 %}{% for i in [1] %}{% set x = 5 %}{% endfor %}{{ x }}", "1"),
      ("{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, b=3) }}", "1-2 1-3"),
      (
        "{% for x in range(9) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}"
          + "{% endif %}{{ x }}{% endfor %}", "023"
      ),
      ("{% raw %}{{ x }}{% endraw %}{# c #}{% generation %}g{% endgeneration %}", "{{ x }}g"),
      ("{% set z | upper %}abc{% endset %}{{ z }}", "ABC"),
      ("{% for a, b in v.d.items() %}{{ a }}{% endfor %}", "za"),
    ])
  func statements(source: String, expected: String) throws {
    #expect(try Self.render(source) == expected)
  }

  @Test(
    "errors tell the line and what jinja2 says",
    arguments: [
      ("a\n{{ none|length }}", 2, "object of type 'NoneType' has no len()"),
      ("{{ v.nope.x }}", 1, "'dict object' has no attribute 'nope'"),
      ("{{ nope + 1 }}", 1, "'nope' is undefined"),
      ("\n\n{{ 'a' + none }}", 3, #"can only concatenate str (not "NoneType") to str"#),
      ("{{ 1 / 0 }}", 1, "division by zero"),
      ("{{ raise_exception('Oh \"no\"!') }}", 1, "Oh \"no\"!"),
      ("{% if true %}", 1, "Unexpected end of template."),
      ("{% foo %}", 1, "Encountered unknown tag 'foo'."),
      ("x\n{{ 1", 2, "the tag is not closed"),
      ("{{ 'abc }}", 1, "an unterminated string"),
      ("{# never", 1, "Missing end of comment tag"),
      ("{% raw %} never", 1, "Missing end of raw directive"),
      ("{{ x|nofilter }}", 1, "No filter named 'nofilter'."),
      ("{{ 9223372036854775807 + 1 }}", 1, "64 bits"),
    ])
  func errors(source: String, line: Int, what: String) throws {
    let error = #expect(throws: JinjaError.self) { try Self.render(source) }
    let found = try #require(error)
    #expect(found.line == line)
    #expect(found.what.contains(what))
    #expect(found.description.hasPrefix("test:\(line): "))
  }

  @Test(
    "a template cannot run or write for ever",
    arguments: [
      "{% for a in range(999999999999) %}{% endfor %}",
      "{% for a in range(3000) %}{% for b in range(3000) %}{% endfor %}{% endfor %}",
      "{{ 'x' * 99999999999999 }}",
      "{{ [1] * 99999999999999 }}",
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% for a in range(9000) %}{{ 'x' * 1000 }}{% endfor %}",
      "{{ 'x'|indent(99999999999) }}",
      "{{ 'x'.ljust(99999999999) }}",
    ])
  func budgets(source: String) throws {
    var limits = JinjaLimits()
    limits.steps = 50_000
    limits.outputBytes = 1 << 20
    #expect(throws: JinjaError.self) { try Self.render(source, limits: limits) }
  }

  @Test("nesting without end is refused, long chains are not")
  func nesting() throws {
    let deep = String(repeating: "(", count: 10_000)
    #expect(throws: JinjaError.self) { try Self.render("{{ \(deep)1 }}") }
    let tags = String(repeating: "{% if true %}", count: 10_000)
    #expect(throws: JinjaError.self) { try Self.render(tags) }
    let not = String(repeating: "not ", count: 10_000)
    #expect(throws: JinjaError.self) { try Self.render("{{ \(not)1 }}") }
    let sum = Array(repeating: "1", count: 5_000).joined(separator: " + ")
    #expect(try Self.render("{{ \(sum) }}") == "5000")
    let elifs = String(repeating: "{% elif false %}", count: 1_000)
    #expect(try Self.render("{% if false %}\(elifs){% else %}x{% endif %}") == "x")
  }

  @Test("any prefix of a template is an error or a text, never a crash")
  func prefixes() throws {
    let source =
      "{%- for m in v.ms if m.n > 0 -%}{{ m['role'][::-1]|upper ~ \"\\n\" }}{# c #}"
      + "{% raw %}{{{% endraw %}{% set x = {'a': [1, (2,)]} %}{%- endfor %}"
    for count in 0...source.count {
      do {
        _ = try Self.render(String(source.prefix(count)))
      } catch let error as JinjaError {
        #expect(error.line == 1)
      }
    }
  }

  @Test("JSON from Foundation and from text give one value")
  func jsonValues() throws {
    let text = Data(#"{"a": [1, 2.5, true, null, "x"], "b": {}}"#.utf8)
    let any = try JSONSerialization.jsonObject(with: text)
    #expect(try JinjaValue(json: any) == JinjaValue(jsonText: text, name: "text"))
    #expect(JinjaValue(json: true) == .boolean(true))
    #expect(JinjaValue(json: true).typeName == "bool")
    #expect(JinjaValue(json: 1).typeName == "int")
    #expect(JinjaValue(json: NSNull()) == .none)
  }

  @Test("strftime_now formats today's date")
  func time() throws {
    let year = try Self.render("{{ strftime_now('%Y') }}")
    #expect(try #require(Int(year)) >= 2024)
    #expect(try Self.render("{{ strftime_now('') }}") == "")
  }
}
