import Foundation
import Testing

@testable import SparHost

/// C source of a plugin with pieces to spoil.
private func source(
  id: String = "fix", plugin: String, generation: String = "1", params: String = "",
  component: String = "", api: String = ".evaluate = evaluate", probe: String = "",
  pluginFields: String = "", create: String = "*self = 0; return SPAR_OK;", tables: String = ""
) -> String {
  """
  #include "spar_plugin.h"
  static const spar_host *host;
  static spar_status init(const spar_host *h) { host = h; return SPAR_OK; }
  static spar_status evaluate(void *self, spar_objective_batch *b) {
    (void)self;
    for (int64_t i = 0; i < b->n; i++) b->loss[i] = (double)b->struct_size;
    return SPAR_OK;
  }
  static const spar_objective_api api = { .struct_size = sizeof api, \(api) };
  static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
    (void)h; (void)info; \(create)
  }
  static void destroy(void *self) { (void)self; }
  \(probe)
  static const char *choices[] = {"one", "two", 0};
  static const spar_param params[] = {
    { .struct_size = sizeof(spar_param), .name = "first", .doc = "One.", .default_text = "one",
      .type = SPAR_T_ENUM, .choices = choices }, \(params) };
  \(tables.isEmpty ? """
    static const spar_component components[] = {{
      .struct_size = sizeof(spar_component), .kind = SPAR_KIND_OBJECTIVE, .id = "\(id)",
      .name = "fixture", .doc = "A fixture.", .create = create, .destroy = destroy, .api = &api,
      .params = params, .n_params = sizeof params / sizeof *params, \(component) }};
    static const spar_plugin plugin = {
      .struct_size = sizeof plugin, .generation = \(generation), .id = "\(plugin)",
      .name = "fixture", .version = "1", .components = components, .n_components = 1,
      .init = init, \(pluginFields) };
    """ : tables)
  SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void) {
    (void)host; (void)init; (void)params; (void)create; (void)destroy; (void)api;
    return (const spar_plugin *)&plugin; }
  """
}

/// A plugin and what its problem must say.
struct Spoilt: Sendable, CustomTestStringConvertible {
  var source: String
  var testDescription: String

  init(_ source: String, _ expected: String) {
    self.source = source
    testDescription = expected
  }
}

private func load(_ source: String, _ body: (PluginHost) throws -> Void) throws {
  let folder = try Folder()
  try folder.library("libspar-x.so", source)
  try body(PluginHost(search: search([folder.path]), threads: 3))
}

@Suite("Descriptors") struct DescriptorTests {
  @Test(
    "that break the rules are told apart",
    arguments: [
      Spoilt(source(plugin: "d.1", generation: "7"), "generation 7"),
      Spoilt(source(plugin: ""), "no id"),
      Spoilt(source(id: "Not_kebab", plugin: "d.2"), "outside [a-z0-9-]"),
      Spoilt(source(plugin: "d.3", component: ".kind = 9"), "unknown kind 9"),
      Spoilt(source(plugin: "d.4", component: ".destroy = 0"), "lacks create, destroy or api"),
      Spoilt(source(plugin: "d.5", api: ".needs = 0"), "lacks evaluate"),
      Spoilt(source(plugin: "d.6", component: ".struct_size = 0"), "says that it has 0 bytes"),
      Spoilt(source(plugin: "d.7", pluginFields: ".struct_size = 13"), "says that it has 13 bytes"),
      Spoilt(source(plugin: "d.8", pluginFields: ".components = 0"), "offers 1 components"),
      Spoilt(
        source(
          plugin: "d.9",
          params: """
            { .struct_size = sizeof(spar_param), .name = "x", .doc = "X.", .type = SPAR_T_FLOAT,
              .default_text = "2", .flags = SPAR_P_RANGE, .min = 0, .max = 1 }
            """), "has a default that it refuses"
      ),
      Spoilt(
        source(
          plugin: "d.10",
          params: """
            { .struct_size = sizeof(spar_param), .name = "first", .doc = "X.",
              .type = SPAR_T_BOOL, .default_text = "true" }
            """), "option first twice"
      ),
      Spoilt(
        source(
          plugin: "d.11",
          params: """
            { .struct_size = sizeof(spar_param), .name = "x", .doc = "X.", .type = SPAR_T_ENUM,
              .default_text = "a" }
            """), "enum without choices"
      ),
    ])
  func faults(spoilt: Spoilt) throws {
    try load(spoilt.source) { host in
      #expect(host.components(.objective).isEmpty)
      try #require(host.problems.count == 1)
      #expect("\(host.problems[0])".contains(spoilt.testDescription), "\(host.problems[0])")
    }
  }

  @Test("of an entry that returns NULL are bad")
  func null() throws {
    try load(
      """
      #include "spar_plugin.h"
      SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void) { return 0; }
      """
    ) { host in #expect("\(host.problems)".contains("returned NULL")) }
  }

  @Test("of an older revision, with shorter structs, work")
  func older() throws {
    let tables = """
      typedef struct { uint64_t struct_size; uint32_t kind, flags; const char *id, *name, *doc;
        const spar_param *params; uint64_t n_params; void *probe, *create, *destroy;
        const void *api; } old_component;
      static const old_component components[] = {
        { sizeof(old_component), SPAR_KIND_OBJECTIVE, 0, "old-a", "a", "A.", 0, 0, 0, create,
          destroy, &api },
        { sizeof(old_component), SPAR_KIND_OBJECTIVE, 0, "old-b", "b", "B.", params, 1, 0, create,
          destroy, &api } };
      typedef struct { uint64_t struct_size; uint32_t generation, revision; const char *id, *name,
        *version, *vendor, *license, *url; const old_component *components;
        uint64_t n_components; } old_plugin;
      static const old_plugin plugin = { sizeof plugin, 1, 0, "d.old", "old", "0", 0, 0, 0,
        components, 2 };
      """
    try load(source(plugin: "", tables: tables)) { host in
      #expect(host.problems.isEmpty, "\(host.problems)")
      #expect(host.components(.objective).map(\.id) == ["old-a", "old-b"])
      let objective = try host.makeObjective("old-b", options: ["first": "two"])
      #expect(try objective.evaluate(plainBatch(logp: [1])).loss[0] > 0)
    }
  }

  @Test("of a newer revision, with longer structs, work")
  func newer() throws {
    let tables = """
      typedef struct { spar_param now; uint64_t later[5]; } new_param;
      static const new_param new_params[] = {
        { { .struct_size = sizeof(new_param), .name = "a", .doc = "A.", .type = SPAR_T_INT,
            .default_text = "1" }, { ~0ull, ~0ull, ~0ull, ~0ull, ~0ull } },
        { { .struct_size = sizeof(new_param), .name = "b", .doc = "B.", .type = SPAR_T_INT,
            .default_text = "2" }, { ~0ull, ~0ull, ~0ull, ~0ull, ~0ull } } };
      typedef struct { spar_component now; uint64_t later[3]; } new_component;
      static const new_component components[] = {
        { { .struct_size = sizeof(new_component), .kind = SPAR_KIND_OBJECTIVE, .id = "new-a",
            .name = "a", .doc = "A.", .create = create, .destroy = destroy, .api = &api },
          { ~0ull, ~0ull, ~0ull } },
        { { .struct_size = sizeof(new_component), .kind = SPAR_KIND_OBJECTIVE, .id = "new-b",
            .name = "b", .doc = "B.", .create = create, .destroy = destroy, .api = &api,
            .params = (const spar_param *)new_params, .n_params = 2 },
          { ~0ull, ~0ull, ~0ull } } };
      typedef struct { spar_plugin now; uint64_t later[2]; } new_plugin;
      static const new_plugin plugin = { { .struct_size = sizeof plugin, .generation = 1,
        .id = "d.new", .name = "new", .version = "9",
        .components = (const spar_component *)components, .n_components = 2, .init = init },
        { ~0ull, ~0ull } };
      """
    try load(source(plugin: "", tables: tables)) { host in
      #expect(host.problems.isEmpty, "\(host.problems)")
      #expect(host.components(.objective).map(\.id) == ["new-a", "new-b"])
      let checked = try host.component(.objective, "new-b").check(["b": "5"])
      #expect(checked.map(\.value) == [.int(1), .int(5)])
      #expect(
        try host.makeObjective("new-b", options: [:]).evaluate(plainBatch(logp: [1])).loss[0] > 0)
    }
  }

  @Test("with errors in create name the component, the status and the text")
  func createFails() throws {
    try load(
      source(
        id: "sick", plugin: "d.sick",
        create: "h->set_error(h, \"no luck today\"); *self = 0; return SPAR_E_NOMEM;")
    ) { host in
      let error = #expect(throws: PluginError.self) {
        try host.makeObjective("sick", options: [:])
      }
      let text = "\(try #require(error))"
      #expect(text.contains("sick") && text.contains("failed in create: no luck today"))
      #expect(text.contains("[SPAR_E_NOMEM]") && text.contains("libspar-x.so"))
    }
  }

  @Test("whose probe says no are known but unusable, with the reason")
  func probeFails() throws {
    let probe = """
      static spar_status probe(const spar_host *h, int32_t *score) {
        h->set_error(h, "needs AVX-1024"); *score = 0; return SPAR_OK; }
      """
    try load(
      source(id: "picky", plugin: "d.picky", component: ".probe = probe", probe: probe)
    ) { host in
      let error = #expect(throws: PluginError.self) {
        try host.makeObjective("picky", options: [:])
      }
      #expect("\(error as Any)".contains("cannot work on this machine: needs AVX-1024"))
    }
  }
}
