import Foundation
import Testing

@testable import SparText

@Suite("Bounds of chat templates") struct JinjaLimitTests {
  private static func conversation(_ count: Int, bytes: Int = 100) -> JinjaValue {
    .list(
      (0..<count).map { i in
        var message = JinjaDictionary()
        message["role"] = .string(i % 2 == 0 ? "user" : "assistant")
        message["content"] = .string(String(repeating: "wörd ", count: bytes / 6) + "\(i)")
        return .dictionary(message)
      })
  }

  private static func fault(
    _ source: String, _ change: (inout JinjaLimits) -> Void = { _ in }
  ) throws -> String {
    do {
      var template = try ChatTemplate(source: source, name: "hostile")
      change(&template.limits)
      let text = try template.render(conversation(4), addGenerationPrompt: false)
      return "rendered \(text.utf8.count) bytes"
    } catch let error as JinjaError {
      return error.what
    }
  }

  @Test(
    "a hostile template meets a limit that the error names",
    arguments: [
      ("{{ 'x' * 10**9 }}", "a value of more than 67108864 bytes"),
      ("{{ [1] * 10**12 }}", "a value of more than"),
      ("{{ range(10**12) }}", "Range too big. The sandbox blocks ranges larger than MAX_RANGE"),
      ("{{ 'x'|indent(10**9) }}", "a value of more than"),
      ("{{ 'x'.ljust(10**10) }}", "a value of more than"),
      ("{{ '%999999999d' % 1 }}", "a text padded to"),
      ("{{ '{:999999999}'.format(1) }}", "a text padded to"),
      ("{{ [1]|tojson(indent=10**9) }}", "a value of more than"),
      ("{{ 'aaaa'.replace('a', 'x' * 10**6) * 90 }}", "a value of more than"),
      ("{{ ('x' * 600)|replace('', 'y' * 200000) }}", "a value of more than"),
      ("{{ '\\t\\t'.expandtabs(10**9) }}", "a value of more than"),
      ("{{ 1|round(10**18) }}{{ 10**30 }}", "an integer beyond 64 bits"),
      (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "the template takes more than 200000 steps"
      ),
      (
        "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
        "steps"
      ),
      ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "more than 1000 nested evaluations"),
      (
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "more than 1000 nested evaluations"
      ),
      (
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "steps"
      ),
      (
        "{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}"
          + "{% endfor %}", "steps"
      ),
      (
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = ns.l + ns.l %}"
          + "{% endfor %}", "steps"
      ),
      (
        "{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = [ns.l] %}"
          + "{% endfor %}", "lists nested more than 200 deep"
      ),
      (
        "{% set ns = namespace(l=[]) %}{% for a in range(9999) %}{% set ns.l = {'a': ns.l} %}"
          + "{% endfor %}", "lists nested more than 200 deep"
      ),
      (
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
          + "{% endfor %}{{ ns.l }}", "steps"
      ),
      (
        "{% set ns = namespace(l=[1], m=[1]) %}{% for a in range(99) %}"
          + "{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}"
          + "{{ ns.l == ns.m }}", "steps"
      ),
      (
        "{% set ns = namespace(l=(1,)) %}{% for a in range(99) %}{% set ns.l = (ns.l, ns.l) %}"
          + "{% endfor %}{{ {ns.l: 1} }}", "steps"
      ),
      (
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
          + "{% endfor %}{{ ns.l|tojson }}", "steps"
      ),
      ("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}", "lists nested more than 200 deep"),
      (
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "more than 1000 nested evaluations"
      ),
      ("{{ 'a' * 30000 ~ 'b' in 'a' * 60000 }}", "rendered 5 bytes"),
      ("{{ -1e300|filesizeformat }}", "an integer beyond 64 bits"),
      ("{{ '-inf'|filesizeformat }}", "cannot convert float infinity to integer"),
      ("{{ 'a'.ljust(-9223372036854775807 - 1) }}", "rendered 1 bytes"),
      ("{{ '-1'.zfill(-9223372036854775807 - 1) }}", "rendered 2 bytes"),
      ("{{ (-9223372036854775807 - 1) in range(0, -5, -1) }}", "rendered 5 bytes"),
      ("{{ range(0, 9223372036854775807, 2**62)[:] }}", "an integer beyond 64 bits"),
      (
        "{{ range(-9223372036854775807 - 1, 9223372036854775807, 9223372036854775807)|list }}",
        "rendered 47 bytes"
      ),
    ])
  func named(source: String, message: String) throws {
    let found = try Self.fault(source) { $0.steps = 200_000 }
    #expect(found.contains(message), "\(found)")
  }

  @Test("the output and all values together are bounded")
  func memory() throws {
    let writing = try Self.fault("{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}") {
      $0.outputBytes = 1 << 20
    }
    #expect(writing == "the template writes more than 1048576 bytes")
    let making = try Self.fault(
      "{% set ns = namespace(l=[]) %}{% for a in range(9999) %}"
        + "{% set ns.l = [('x' * 100000)[1:], ns.l[:1]] %}{% endfor %}"
    ) { $0.memoryBytes = 1 << 20 }
    #expect(making == "the template makes values of more than 1048576 bytes")
  }

  @Test("nesting without end in the source is refused, long chains are not")
  func source() throws {
    for opening in ["(", "[", "{1:", "not ", "-", "x if x else ", "f(", "x[", "x is in "] {
      let found = try Self.fault("{{ " + String(repeating: opening, count: 5_000))
      #expect(!found.hasPrefix("rendered"), "\(opening): \(found)")
    }
    for opening in ["{% if x %}", "{% for x in x %}", "{% filter trim %}", "{% macro f() %}"] {
      let found = try Self.fault(String(repeating: opening, count: 5_000))
      #expect(found.contains("nested tags"), "\(found)")
    }
    for link in [".a", "[0]", "()", "|trim", " is defined"] {
      let found = try Self.fault("{{ x" + String(repeating: link, count: 5_000) + " }}")
      #expect(!found.hasPrefix("rendered"), "\(found)")
    }
    let sum = Array(repeating: "1", count: 10_000).joined(separator: " + ")
    #expect(try Self.fault("{{ \(sum) }}") == "rendered 5 bytes")
    let flat = String(repeating: "{% if x %}a{% endif %}", count: 5_000)
    #expect(try Self.fault(flat) == "rendered 0 bytes")
  }

  /// Steps count everything that takes time, so that a bound per message is linear time.
  @Test(
    "work grows with the conversation, not with its square",
    arguments: [
      "{% for m in messages %}<|{{ m.role }}|>{{ m['content']|trim }}<|end|>\n{% endfor %}",
      "{% set ns = namespace(t='') %}{% for m in messages %}"
        + "{% set ns.t = ns.t + m.role + ': ' + m.content ~ '\n' %}{% endfor %}{{ ns.t }}",
      "{% set ns = namespace(t='') %}{% for m in messages %}"
        + "{% set ns.t = ns.t ~ m.content %}{% endfor %}{{ ns.t|length }}",
      "{% set rest = messages[1:] %}{% for m in rest %}{% if loop.last or not loop.first %}"
        + "{{ messages[loop.index0]['content'].split('wörd')[-1] }}{% endif %}{% endfor %}",
      "{{ messages|map(attribute='content')|join('\n') }}{{ messages|tojson }}{{ messages }}",
      "{% for m in messages|selectattr('role', 'equalto', 'user') %}{{ loop.index }}{% endfor %}",
    ])
  func linear(source: String) throws {
    var template = try ChatTemplate(source: source, name: "linear")
    template.limits.steps = 400 * 1000
    _ = try template.render(Self.conversation(1000), addGenerationPrompt: true)
    template.limits.steps = 400 * 10_000
    _ = try template.render(Self.conversation(10_000), addGenerationPrompt: true)
    // One message of a megabyte.
    template.limits.steps = 2_000_000
    _ = try template.render(
      Self.conversation(2, bytes: 1_000_000), addGenerationPrompt: true)
  }

  @Test("recursion as deep as templates need: forty levels of a schema, eighty of a loop")
  func depth() throws {
    let macro = """
      {% macro f(n) %}{% if n > 0 %}{% for i in [1] %}[{{ f(n - 1) }}]{% endfor %}{% endif %}\
      {% endmacro %}{{ f(40) }}
      """
    #expect(try Self.fault(macro) == "rendered 80 bytes")
    let loop = """
      {% set ns = namespace(n=0) %}{% for x in [1] recursive %}{% set ns.n = ns.n + 1 %}\
      {% if ns.n < 80 %}{{ loop([1]) }}{% endif %}.{% endfor %}
      """
    #expect(try Self.fault(loop) == "rendered 80 bytes")
  }
}
