/// The names that templates may use.
enum JinjaLibrary {
  static let functions: Set<String> = [
    "range", "dict", "namespace", "raise_exception", "strftime_now", "cycler", "joiner", "lipsum",
  ]

  static let filters: Set<String> = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent",
    "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort",
    "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode",
    "wordcount",
  ]

  /// jinja2 has them, Spar does not: HTML, chance, and layouts of Python's own.
  static let refusedFilters: Set<String> = [
    "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
  ]

  static func refusal(ofFilter name: String) -> String? {
    refusedFilters.contains(name)
      ? "the filter '\(name)' is not supported in chat templates" : nil
  }

  static let tests: Set<String> = [
    "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean",
    "false", "true", "integer", "float", "lower", "upper", "string", "mapping", "number",
    "sequence", "iterable", "callable", "sameas", "escaped", "in", "==", "eq", "equalto", "!=",
    "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le",
  ]

  // MARK: Members of Python's types

  static let dictionary: Set<String> = ["items", "keys", "values", "get", "copy", "fromkeys"]
  /// The sandbox lets nothing change.
  static let mutatingDictionary: Set<String> = [
    "clear", "pop", "popitem", "setdefault", "update",
  ]
  static let list: Set<String> = ["index", "count", "copy"]
  static let mutatingList: Set<String> = [
    "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
  ]
  static let string: Set<String> = [
    "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find",
    "format", "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit",
    "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join",
    "ljust", "lower", "lstrip", "maketrans", "partition", "removeprefix", "removesuffix",
    "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split",
    "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
  ]
  static let methods = string.union(dictionary).union(list)
  static let integer: Set<String> = [
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes",
    "imag", "numerator", "real", "to_bytes",
  ]
  static let float: Set<String> = [
    "as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real",
  ]

  /// Attributes that every Python object has, which the sandbox hides.
  static func isInternal(_ name: String) -> Bool {
    [
      "__class__", "__doc__", "__init__", "__new__", "__repr__", "__str__", "__hash__", "__eq__",
      "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__getattribute__", "__setattr__",
      "__delattr__", "__dir__", "__format__", "__reduce__", "__reduce_ex__", "__sizeof__",
      "__subclasshook__", "__init_subclass__",
    ].contains(name)
  }
}
