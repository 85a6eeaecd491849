"""Random templates over the grammar, with random conversations and what jinja2 makes of them.

usage: random_templates.py SEED COUNT      one JSON line a case: the row and its "answer"
"""
import json, random, sys

class Gen:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.scope = ["messages", "add_generation_prompt", "tools", "s", "n", "f", "l", "d", "w", "e", "bos_token"]
        self.macros = []
        self.loop = 0
        self.ns = []
        self.count = 0
        self.mode = self.r.random()
    def pick(self, *xs): return self.r.choice(xs)
    def chance(self, p): return self.r.random() < p
    def name(self):
        if self.chance(0.04): return self.pick("missing", "nothing", "zz")
        return self.r.choice(self.scope)
    def text(self):
        return self.r.choice(["", "a", "b", "user", "assistant", "role", "content", "Hello wörld", " x ", "a,b,c", "é", "<|im_start|>", "it's", 'q"q', "\\n", "A b-c", "12", "1.5", "tool", "👍", "ǅ", "ΑΣ", "x\\ty", "<b>&"])
    def string(self):
        t = self.text()
        if "'" in t: return '"' + t.replace('"', '\\"') + '"'
        return "'" + t + "'"
    def number(self): return str(self.r.choice([0, 1, 2, 3, 5, 7, 10, 42, 100, 0.5, 1.5, 2.0, 1e20, 2.675]))
    def atom(self, d):
        k = self.r.random()
        if k < 0.35: return self.name()
        if k < 0.5: return self.string()
        if k < 0.62: return self.number()
        if k < 0.68: return self.pick("true", "false", "none", "True", "None")
        if d <= 0: return self.name()
        if k < 0.76: return "[" + ", ".join(self.expr(d - 1) for _ in range(self.r.randrange(4))) + "]"
        if k < 0.8: return "{" + ", ".join(self.pick(self.string(), self.number(), self.string()) + ": " + self.expr(d - 1) for _ in range(self.r.randrange(3))) + "}"
        if k < 0.84: return "(" + self.expr(d - 1) + ", " + self.expr(d - 1) + ")"
        if k < 0.88: return "range(" + ", ".join(str(self.r.randrange(-2, 6)) for _ in range(self.r.randrange(1, 3))) + ")"
        if k < 0.91 and self.loop: return "loop." + self.pick("index", "index0", "first", "last", "length", "revindex", "revindex0", "depth", "previtem", "nextitem") if self.chance(0.9) else self.pick("loop.cycle('a', 'b')", "loop.changed(%s)" % self.name())
        if k < 0.94 and self.ns: return self.pick(*self.ns) + "." + self.pick("a", "b", "c")
        if k < 0.97 and self.macros: return self.pick(*self.macros) + "(" + self.args(d - 1) + ")"
        return "(" + self.expr(d - 1) + ")"
    def args(self, d):
        out = [self.expr(d) for _ in range(self.r.randrange(3))]
        if self.chance(0.2): out.append(self.pick("a", "b", "k") + "=" + self.expr(d))
        return ", ".join(out)
    def method(self, d):
        s = self.string
        i = lambda: str(self.r.randrange(-3, 5))
        return self.r.choice([
            "strip()", "lstrip()", "rstrip()", "strip(%s)" % s(), "split()", "split(%s)" % s(), "split(%s, %s)" % (s(), i()), "rsplit(%s, 1)" % s(), "rsplit(none, 1)",
            "splitlines()", "startswith(%s)" % s(), "endswith((%s, %s))" % (s(), s()), "upper()", "lower()", "title()", "capitalize()", "swapcase()",
            "replace(%s, %s)" % (s(), s()), "replace(%s, %s, %s)" % (s(), s(), i()), "join(%s)" % self.expr(d - 1), "find(%s)" % s(), "rfind(%s)" % s(), "find(%s, %s)" % (s(), i()), "count(%s)" % s(),
            "index(%s)" % s(), "isdigit()", "isalpha()", "isalnum()", "isupper()", "islower()", "isspace()", "istitle()", "removeprefix(%s)" % s(), "removesuffix(%s)" % s(),
            "partition(%s)" % s(), "rpartition(%s)" % s(), "ljust(%s)" % i(), "center(9, '*')", "zfill(5)", "items()", "keys()", "values()", "get(%s)" % s(), "get(%s, %s)" % (s(), self.expr(d - 1)),
            "copy()", "append(1)", "update({})", "pop()", "format(%s, %s)" % (self.expr(d - 1), self.expr(d - 1)), "expandtabs(2)"])
    def filt(self, d):
        e = lambda: self.expr(d - 1)
        s = self.string
        i = lambda: str(self.r.randrange(-1, 5))
        a = lambda: "'" + self.pick("role", "content", "n", "a", "content.0", "tool_calls.0.name") + "'"
        t = lambda: "'" + self.pick("defined", "none", "string", "odd", "equalto", "eq", "in", "mapping", "number", "gt", "sequence", "notest") + "'"
        f = lambda: "'" + self.pick("upper", "string", "int", "length", "trim", "abs", "tojson", "first", "list", "nofilter") + "'"
        return self.r.choice([
            "trim", "upper", "lower", "title", "capitalize", "length", "count", "first", "last", "list", "string", "int", "float", "abs", "round", "sum", "join", "sort", "unique|list", "reverse|list", "reverse",
            "min", "max", "tojson", "items|list", "dictsort", "wordcount", "safe", "e", "escape", "default(%s)" % e(), "default(%s, true)" % e(), "d(%s)" % e(), "join(%s)" % s(), "join(', ', attribute=%s)" % a(),
            "map('%s')" % "upper" + "|list", "map(%s)|list" % f(), "map(attribute=%s)|list" % a(), "map(attribute=%s, default=%s)|list" % (a(), e()), "select|list", "select(%s)|list" % t(), "reject(%s)|list" % t(),
            "selectattr(%s)|list" % a(), "selectattr(%s, %s)|list" % (a(), t()), "selectattr(%s, %s, %s)|list" % (a(), t(), e()), "rejectattr(%s, %s)|list" % (a(), t()), "selectattr(%s)" % a(), "map('int')",
            "sort(reverse=true)", "sort(attribute=%s)" % a(), "sort(case_sensitive=true)", "groupby(%s)" % a(), "batch(%s)|list" % self.pick("1", "2", "3"), "batch(2, %s)|list" % e(), "slice(%s)|list" % self.pick("1", "2", "3"),
            "replace(%s, %s)" % (s(), s()), "replace(%s, %s, %s)" % (s(), s(), i()), "indent", "indent(%s)" % i(), "indent(2, true)", "indent(%s, blank=true)" % s(), "center(12)", "truncate(5)", "truncate(8, true, '')",
            "round(%s)" % i(), "round(1, 'floor')", "round(method='ceil')", "int(7)", "float(1.5)", "int(base=16)", "tojson(indent=2)", "tojson(sort_keys=true)", "tojson(ensure_ascii=true)", "tojson(separators=(',', ':'))",
            "dictsort(by='value')", "dictsort(reverse=true)", "attr('x')", "format(%s)" % e(), "urlencode", "filesizeformat", "sum(attribute='n')", "max(attribute='n')", "unique(attribute='role')|list", "min(case_sensitive=true)",
            "sum(start=%s)" % e(), "length > 1", "forceescape", "trim(%s)" % s(), "nofilter" if self.chance(0.05) else "trim"])
    def test(self, d):
        a = self.atom(0)
        return self.r.choice(["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false", "odd", "even", "callable", "upper", "lower", "escaped",
            "divisibleby 2", "divisibleby(3)", "in [1, 'a', 'user']", "in(%s)" % a, "eq 1", "equalto(%s)" % a, "ne(%s)" % a, "lt(%s)" % a, "gt 1", "ge(%s)" % a, "le 2", "sameas none", "sameas true", "== 1", "filter", "test"][:-3] + ["filter"])
    def S(self, d):
        r = self.r
        k = r.random()
        if d <= 0: return self.pick(self.string(), "s", "s", "bos_token", self.string())
        if k < 0.15: return self.S(0)
        if k < 0.3: return self.S(d-1) + self.pick(" + ", " ~ ") + self.S(d-1)
        if k < 0.36: return "(" + self.A(d-1) + ")|string"
        if k < 0.44: return "(" + self.A(d-1) + ")|tojson" + self.pick("", "(indent=2)", "(indent=4, ensure_ascii=true)", "(separators=(',', ':'))")
        if k < 0.66: return "(" + self.S(d-1) + ")." + self.pick("strip()", "lstrip()", "rstrip('\\n')", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "replace(%s, %s)" % (self.string(), self.string()), "replace(%s, %s, 1)" % (self.string(), self.string()), "removeprefix(%s)" % self.string(), "removesuffix(%s)" % self.string(), "center(9, '*')", "ljust(8)", "rjust(7, '-')", "zfill(6)", "expandtabs(3)", "join(%s)" % self.L(d-1, "S"), "split(%s)[0]" % self.pick("','", "' '", "'a'", "'\\n'"), "split()|join('-')", "partition('a')[2]", "rpartition(' ')[0]", "format(%s, x=%s)" % (self.A(d-1), self.A(d-1)))
        if k < 0.84: return "(" + self.S(d-1) + ")|" + self.pick("trim", "upper", "lower", "title", "capitalize", "replace('a', 'bb')", "indent", "indent(2, true)", "indent(3, blank=true)", "reverse", "center(10)", "truncate(5)", "truncate(6, true, '..')", "urlencode", "e", "safe", "string", "first", "last", "default('x')", "default('x', true)", "list|join('|')", "format(1)")
        if k < 0.9: return "(" + self.S(d-1) + ")[" + self.pick("1:", ":-1", "::-1", "1:5:2", "-3:", "0", "-1", "::2", "5:1:-1", "100:") + "]"
        if k < 0.94: return "(" + self.S(d-1) + " if " + self.B(d-1) + " else " + self.S(d-1) + ")"
        if k < 0.97: return "'%s|%5s|%-4d|%.2f|%r' % (" + self.A(d-1) + ", " + self.S(d-1) + ", " + self.N(d-1) + ", " + self.N(d-1) + ", " + self.A(d-1) + ")"
        return "'{0} {x:>6} {0!r:5}{{}}'.format(" + self.A(d-1) + ", x=" + self.S(d-1) + ")".replace("{} {x", "{0} {x")
    def N(self, d):
        k = self.r.random()
        if d <= 0: return self.pick("n", "f", self.number(), self.number(), "3", "-2")
        if k < 0.2: return self.N(0)
        if k < 0.5: return "(" + self.N(d-1) + self.pick(" + ", " - ", " * ") + self.N(d-1) + ")"
        if k < 0.6: return "(" + self.N(d-1) + self.pick(" / ", " // ", " % ") + self.pick("3", "2.5", "-4", self.N(d-1)) + ")"
        if k < 0.7: return "(" + self.pick(self.L(d-1), self.S(d-1)) + ")|length"
        if k < 0.85: return "(" + self.N(d-1) + ")|" + self.pick("abs", "int", "float", "round", "round(1)", "round(-1)", "round(2, 'floor')", "round(method='ceil')")
        if k < 0.9: return "(" + self.S(d-1) + ")." + self.pick("find('a')", "rfind('b')", "count('a')", "find('', 2)", "count('')")
        if k < 0.95: return "(" + self.S(d-1) + ")|" + self.pick("int", "float", "int(3)", "wordcount", "int(base=16)")
        return "(" + self.L(d-1, "N") + ")|" + self.pick("sum", "min", "max", "first", "last")
    def B(self, d):
        k = self.r.random()
        if d <= 0: return self.pick("true", "false", "add_generation_prompt", "n > 3", "s")
        if k < 0.2: return self.A(d-1) + " is " + self.pick("", "not ") + self.pick("defined", "none", "string", "mapping", "number", "integer", "float", "boolean", "sequence", "iterable", "true", "false", "callable", "undefined", "escaped")
        if k < 0.35: return "(" + self.A(d-1) + self.pick(" == ", " != ") + self.A(d-1) + ")"
        if k < 0.45: return "(" + self.N(d-1) + self.pick(" < ", " > ", " <= ", " >= ") + self.N(d-1) + ")"
        if k < 0.5: return "(" + self.S(d-1) + self.pick(" < ", " >= ") + self.S(d-1) + ")"
        if k < 0.65: return "(" + self.A(d-1) + self.pick(" in ", " not in ") + self.L(d-1) + ")"
        if k < 0.72: return "(" + self.S(d-1) + self.pick(" in ", " not in ") + self.S(d-1) + ")"
        if k < 0.82: return "(" + self.B(d-1) + self.pick(" and ", " or ") + self.B(d-1) + ")"
        if k < 0.88: return "not " + self.B(d-1)
        return "(" + self.S(d-1) + ")." + self.pick("startswith('a')", "endswith(('a', 'b', '>'))", "isdigit()", "isalpha()", "isupper()", "islower()", "isspace()", "istitle()", "isalnum()", "startswith('l', 1)")
    def L(self, d, kind="A"):
        k = self.r.random()
        one = {"A": self.A, "S": self.S, "N": self.N}[kind]
        if d <= 0: return self.pick("[" + ", ".join(one(0) for _ in range(self.r.randrange(4))) + "]", "w" if kind != "N" else "[3, 1, 2]", "l" if kind == "A" else "['b', 'a']" if kind == "S" else "range(4)|list")
        if k < 0.25: return "[" + ", ".join(one(d-1) for _ in range(self.r.randrange(4))) + "]"
        if k < 0.45: return "(" + self.L(d-1, kind) + ")|" + self.pick("list", "reverse|list", "unique|list" if kind != "A" else "list", "sort" if kind != "A" else "list", "sort(reverse=true)" if kind != "A" else "list", "select|list", "select('defined')|list", "reject('none')|list")
        if k < 0.6: return "(" + self.L(d-1, kind) + ")[" + self.pick("1:", ":-1", "::-1", "::2", "-2:", ":1") + "]"
        if k < 0.7: return "(" + self.L(d-1, kind) + " + " + self.L(d-1, kind) + ")"
        if kind == "S":
            if k < 0.85: return "(" + self.S(d-1) + ")." + self.pick("split(',')", "split()", "split('a', 1)", "rsplit('b', 1)", "rsplit(none, 1)", "splitlines()", "splitlines(true)", "partition(' ')")
            return "(" + self.L(d-1, "S") + ")|map('" + self.pick("upper", "trim", "length", "tojson", "title") + "')|map('string')|list"
        if kind == "N": return "range(" + self.pick("5", "1, 7, 2", "4, -1, -2", "0") + ")|" + self.pick("list", "select('odd')|list", "reject('divisibleby', 3)|list", "map('string')|map('int')|list")
        return self.pick("messages", "messages|map(attribute='role')|list", "messages|map(attribute='content')|list", "messages|selectattr('role', 'equalto', 'user')|list", "messages|rejectattr('content', 'string')|list", "messages|map(attribute='n', default=0)|list", "messages|groupby('role')", "d.items()|list", "d|dictsort", "d.keys()|list", "d.values()|list", "d|items|list", "d|list", "l|batch(2)|list", "l|batch(3, 'x')|list", "w|slice(2)|list", "l|map('string')|list", "messages|sort(attribute='role')", "messages|unique(attribute='role')|list", "messages[0].items()|list if messages else []")
    def A(self, d):
        k = self.r.random()
        if d <= 0: return self.pick("s", "n", "f", "none", "true", self.string(), self.number(), "e", "d", "l", "missing", self.r.choice(self.scope))
        if k < 0.3: return self.S(d-1)
        if k < 0.45: return self.N(d-1)
        if k < 0.55: return self.B(d-1)
        if k < 0.72: return self.L(d-1)
        if k < 0.78: return "{" + ", ".join(self.string() + ": " + self.A(d-1) for _ in range(self.r.randrange(3))) + "}"
        if k < 0.82: return "(" + self.A(d-1) + ", " + self.A(d-1) + ")"
        if k < 0.86 and self.loop: return "loop." + self.pick("index", "index0", "first", "last", "length", "revindex", "revindex0", "depth", "previtem", "nextitem")
        if k < 0.9 and self.ns: return self.pick(*self.ns) + "." + self.pick("a", "b", "c")
        if k < 0.93 and self.macros: return self.pick(*self.macros) + "(" + self.A(d-1) + ")"
        if k < 0.97: return "d." + self.pick("get('a')", "get('b', %s)" % self.A(d-1), "a", "b", "items()", "keys()")
        return self.A(d-1) + "|default(" + self.A(d-1) + self.pick("", ", true") + ")"
    def expr(self, d):
        if self.mode > 0.15: return self.A(d + 1)
        if d <= 0: return self.atom(0)
        k = self.r.random()
        if k < 0.22: return self.atom(d)
        if k < 0.34: return self.post(d)
        if k < 0.52: return self.expr(d - 1) + "|" + self.filt(d) if self.chance(0.7) else self.post(d) + "|" + self.filt(d)
        if k < 0.58: return self.atom(d - 1) + " is " + self.pick("", "", "not ") + self.test(d)
        if k < 0.68: return self.atom(d - 1) + " " + self.pick("+", "+", "-", "*", "/", "//", "%", "**", "~", "~") + " " + self.atom(d - 1)
        if k < 0.78: return self.atom(d - 1) + " " + self.pick("==", "!=", "<", ">", "<=", ">=", "in", "not in") + " " + self.atom(d - 1)
        if k < 0.86: return self.expr(d - 1) + " " + self.pick("and", "or") + " " + self.expr(d - 1)
        if k < 0.9: return "not " + self.expr(d - 1)
        if k < 0.93: return self.pick("-", "+") + self.atom(d - 1)
        if k < 0.97: return self.expr(d - 1) + " if " + self.expr(d - 1) + self.pick(" else " + self.expr(d - 1), "")
        return self.string() + " % " + self.atom(d - 1) if self.chance(0.5) else "'%s-%s' % (" + self.atom(0) + ", " + self.atom(0) + ")"
    def post(self, d):
        v = self.atom(d - 1) if self.chance(0.8) else self.post(d - 1) if d > 1 else self.name()
        if self.chance(0.5) and not v[0].isalpha() and v[0] not in "'\"[({": v = "(" + v + ")"
        k = self.r.random()
        if k < 0.2: return v + "." + self.pick("role", "content", "a", "n", "tool_calls", "zz", "name", "__class__" if self.chance(0.1) else "role")
        if k < 0.4: return v + "[" + self.pick("'role'", "'content'", "0", "-1", "1", "'a'", self.expr(d - 1)) + "]"
        if k < 0.55:
            i = lambda: self.pick("", "0", "1", "-1", "2", "-2", "none")
            return (v if v[0].isalpha() else self.name()) + "[" + i() + ":" + i() + self.pick("", "", ":" + self.pick("1", "2", "-1", "-2", "")) + "]"
        return v + "." + self.method(d)
    def new(self):
        self.count += 1
        return self.pick("v%d" % self.count, "v%d" % self.count, self.pick("s", "n", "l", "x", "bos_token"))
    def tag(self, body, kind="%"):
        if kind == "{": l, r = self.pick("{{", "{{-", "{{"), self.pick("}}", "-}}", "}}")
        else: l, r = self.pick("{%", "{%-", "{%", "{%+"), self.pick("%}", "-%}", "%}", "+%}")
        return l + " " + body + " " + r
    def data(self): return self.r.choice(["", "\n", " ", "  \n  ", "x", "\n\n", "text\n", "<|x|>", "\t", "a\n  b"])
    def body(self, d):
        n = self.r.randrange(1, 4)
        saved = list(self.scope)
        out = ""
        for _ in range(n): out += self.data() + self.stmt(d) + self.data()
        if self.chance(0.7): self.scope = saved
        return out
    def stmt(self, d):
        k = self.r.random()
        if d <= 0 or k < 0.4: return self.tag(self.expr(self.r.randrange(1, 4)), "{")
        if k < 0.52:
            v = self.new(); e = self.expr(2)
            self.scope.append(v)
            return self.tag("set %s = %s" % (v, e))
        if k < 0.64:
            out = self.tag("if " + self.expr(2)) + self.body(d - 1)
            if self.chance(0.3): out += self.tag("elif " + self.expr(2)) + self.body(d - 1)
            if self.chance(0.4): out += self.tag("else") + self.body(d - 1)
            return out + self.tag("endif")
        if k < 0.78:
            v = self.pick("m", "x", "i"); it = self.pick("messages", "messages", "l", "w", "d", "d.items()", "range(3)", "s", self.expr(2))
            target = v
            if it == "d.items()": target = "k, " + v
            self.loop += 1
            head = "for %s in %s" % (target, it)
            if self.chance(0.2): head += " if " + self.pick(v, v + " is string", "not " + v, self.expr(1))
            saved = list(self.scope); self.scope += [v, v]
            inner = self.body(d - 1)
            if self.chance(0.15): inner += self.tag("if " + self.pick("loop.first", "loop.index == 2", self.expr(1))) + self.tag(self.pick("break", "continue")) + self.tag("endif") + self.body(d - 1)
            self.scope = saved
            out = self.tag(head) + inner
            self.loop -= 1
            if self.chance(0.2): out += self.tag("else") + self.body(d - 1)
            return out + self.tag("endfor")
        if k < 0.83:
            n = self.pick("f", "g", "h"); loop = self.loop; self.loop = 0
            params = self.pick("", "a", "a, b", "a, b=2", "a=1, b=a", "a=s")
            saved = list(self.scope); self.scope += [p.split("=")[0].strip() for p in params.split(",") if p]
            extra = self.pick("", "", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller(1) }}")
            out = self.tag("macro %s(%s)" % (n, params)) + self.body(d - 1) + extra + self.tag("endmacro")
            self.scope = saved; self.loop = loop
            self.macros.append(n)
            return out
        if k < 0.87:
            n = self.pick("ns", "ns2"); self.ns.append(n)
            return self.tag("set %s = namespace(a=%s, b=%s)" % (n, self.expr(1), self.expr(1)))
        if k < 0.92 and self.ns:
            n = self.pick(*self.ns); m = self.pick("a", "b", "c")
            return self.tag("set %s.%s = %s" % (n, m, self.pick(self.expr(2), "%s.%s + %s" % (n, m, self.expr(1)), "%s.%s ~ %s" % (n, m, self.expr(1)))))
        if k < 0.935:
            v = self.new(); out = self.tag("set %s%s" % (v, self.pick("", " | upper", " | trim | replace('a', 'b')"))) + self.body(d - 1) + self.tag("endset")
            self.scope.append(v); return out
        if k < 0.95: return self.tag("filter " + self.pick("upper", "trim", "replace('a', s)", "indent(2)|title")) + self.body(d - 1) + self.tag("endfilter")
        if k < 0.96: return self.tag("with a1 = %s, b1 = %s" % (self.expr(1), self.expr(1))) + self.body(d - 1) + self.tag("endwith")
        if k < 0.97: return "{# c" + self.data() + self.pick("#}", "-#}")
        if k < 0.98: return self.pick("{% raw %}", "{%- raw -%}") + " {{ x }} " + self.pick("{% endraw %}", "{%- endraw -%}")
        if k < 0.99 and self.macros: return self.tag("call(x) %s(%s)" % (self.pick(*self.macros), self.args(1))) + self.body(d - 1) + self.tag("endcall")
        return self.tag("generation") + self.body(d - 1) + self.tag("endgeneration")
    def value(self, d):
        k = self.r.random()
        if k < 0.45 or d <= 0: return self.r.choice(["", "Hi", " héllo\n", "<b>'q'\"", "12", "a,b", "👍🏽 x", "None", "ΑΣΑΣ", "line1\nline2\n\n", "x" * 20])
        if k < 0.55: return self.r.choice([0, 1, -3, 7, 2.5, -0.5, 1e16, 12345678901])
        if k < 0.62: return self.r.choice([True, False, None])
        if k < 0.82: return [self.value(d - 1) for _ in range(self.r.randrange(4))]
        return {self.r.choice(["a", "b", "role", "n", "Z"]): self.value(d - 1) for _ in range(self.r.randrange(4))}
    def conversation(self):
        out = []
        if self.chance(0.4): out.append({"role": "system", "content": self.value(0)})
        for i in range(self.r.randrange(5)):
            m = {"role": "user" if i % 2 == 0 else "assistant", "content": self.value(0)}
            if self.chance(0.15): m["content"] = [{"type": "text", "text": self.value(0)}, {"type": "image"}]
            if self.chance(0.15): m["content"] = None
            if self.chance(0.15): m["tool_calls"] = [{"type": "function", "function": {"name": "f", "arguments": self.value(2)}}]
            if self.chance(0.3): m["n"] = self.r.randrange(5)
            if self.chance(0.05): m["role"] = "tool"
            out.append(m)
        return out
    def case(self):
        t = "".join(self.data() + self.stmt(3) for _ in range(self.r.randrange(1, 7))) + self.data()
        return {"template": t, "messages": self.conversation(), "add_generation_prompt": self.chance(0.5),
                "variables": {"s": self.value(0), "n": self.r.randrange(-3, 9), "f": self.r.choice([0.5, 2.0, -1.25, 1e-7]), "l": [self.value(1) for _ in range(self.r.randrange(5))],
                 "d": {self.r.choice("abcZ"): self.value(2) for _ in range(self.r.randrange(4))}, "w": ["b", "A", "c", "a"], "e": self.r.choice([[], {}, "", 0, None]), "bos_token": "<s>"}}


def main():
    import reference

    first, count = int(sys.argv[1]), int(sys.argv[2])
    for seed in range(first, first + count):
        row = Gen(seed).case()
        row["answer"] = reference.render(row)
        text = json.dumps(row, ensure_ascii=False)
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")


if __name__ == "__main__":
    main()
