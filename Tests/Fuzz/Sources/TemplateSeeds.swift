/// Templates that together use every tag, operator, filter, test and method.
enum TemplateSeeds {
  static let all = [
    """
    {{ bos_token }}{%- for m in messages if m.role != 'x' -%}
      {% if loop.first and m['role'] == 'system' %}{% continue %}{% elif loop.last %}{% break %}
      {% else %}{{ '<|' + m.role ~ '|>' }}{% endif %}{{ loop.index0 }}{{ loop.previtem }}
    {% else %}none{%- endfor %}
    """,
    """
    {% macro f(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{{ caller() }}{% endmacro %}
    {% call(x) f(1, 2, 3, c=4) %}y{% endcall %}{% filter upper|trim %}abc{% endfilter %}
    {% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{% set t %}b{% endset %}
    {% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% generation %}g{% endgeneration %}
    """,
    "{{ messages|map(attribute='role')|list }}{{ messages|selectattr('role','eq','user')|first }}",
    "{{ 1 + 2 * 3 - 4 / 5 // 6 % 7 ** 2 }}{{ 1 < 2 <= 3 != 4 }}{{ not 1 in [1, (2,), {'a': 1}] }}",
    "{{ 'abc'[::-1]|replace('a', 'b')|indent(2)|center(9)|wordcount }}{{ messages.y is defined }}",
    "{{ '%s %d %.2f'|format('a', 1, 2.5) }}{{ '{} {x}'.format(1, x=2) }}{{ 'a,b'.split(',', 1) }}",
    "{{ {'b': 1, 'a': [1, 2.5, none, true]}|tojson(indent=2) }}{{ [3, 1]|sort(reverse=true) }}",
    "{{ raise_exception('no') if false else strftime_now('%Y') }}{{ range(3)|batch(2)|list }}",
    "{% raw %}{{ x }}{% endraw %}{# c #}{{ 'x' if y is none else \"\\u00e9\\n\" }}{{ -1|abs }}",
    "{% for a, b in {'x': 1}.items() recursive %}{{ loop.cycle('a', 'b') }}{{ loop.changed(a) }}"
      + "{% endfor %}{{ 'aB c'.title().strip('a').startswith(('x', 'A')) }}",
    "{{ [1, 2, 3]|sum }}{{ [1, 2]|join(', ') }}{{ 'x'|default('y', true) }}{{ messages|length }}",
    "{{ messages|groupby('role')|list }}{{ [1, 1]|unique|list }}{{ {'a': 1}|dictsort }}{{ 1.5|round }}",
  ]
}
