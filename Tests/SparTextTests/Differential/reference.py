"""Renders templates with jinja2, set up as transformers does it for chat templates.

stdin: JSON lines {"template", "messages", "variables", "add_generation_prompt"}
stdout: {"rendered": …}, {"syntax": …} for a template that does not compile, {"error": …}
"""
import datetime
import json
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime.fromtimestamp(1_700_000_000)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_support")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _support(self, context, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class TemplateDict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class TemplateNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        members = dict(*args, **kwargs)
        for name in members:
            TemplateNamespace._check(name)
        jinja2.utils.Namespace.__init__(self, members)

    def __setitem__(self, name, value):
        TemplateNamespace._check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def _check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(
                "Chat templates cannot store underscore-prefixed attributes on a namespace, "
                f"but got {name!r}. Please rename the attribute.")


TemplateNamespace.__module__ = "transformers.utils.chat_template_utils"

environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals.update(
    raise_exception=raise_exception, strftime_now=lambda format: NOW.strftime(format),
    dict=TemplateDict(), namespace=TemplateNamespace)


def render(row):
    try:
        template = environment.from_string(row["template"])
    except Exception as error:
        return {"syntax": getattr(error, "message", None) or str(error)}
    try:
        return {"rendered": template.render(
            messages=row.get("messages"), add_generation_prompt=row.get("add_generation_prompt", False),
            **{"tools": None, "documents": None, **row.get("variables", {})})}
    except Exception as error:
        return {"error": str(error)}


def main():
    for line in sys.stdin:
        answer = json.dumps(render(json.loads(line)), ensure_ascii=False)
        sys.stdout.write(answer.encode("utf-8", "replace").decode() + "\n")


if __name__ == "__main__":
    main()
