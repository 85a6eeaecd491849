//! Compares the structs in `src/abi.rs` with the installed `spar_plugin.h`, by a C compiler.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use spar_tidy::abi;

/// `-I` of the header: SPAR_INCLUDE, else what pkg-config says.
fn include() -> String {
    match std::env::var("SPAR_INCLUDE").as_deref() {
        Err(_) | Ok("") => {}
        Ok(folder) => return format!("-I{folder}"),
    }
    let output = Command::new("pkg-config")
        .args(["--cflags", "spar"])
        .output();
    let output = output.expect("pkg-config is needed, or SPAR_INCLUDE");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
    assert!(
        !text.is_empty(),
        "spar_plugin.h is not found: set PKG_CONFIG_PATH to PREFIX/lib/pkgconfig, or SPAR_INCLUDE"
    );
    text
}

#[test]
fn every_struct_is_laid_out_as_in_the_header() {
    let mut program = String::from("#include <stddef.h>\n#include <stdio.h>\n");
    program += "#include \"spar_plugin.h\"\nint main(void) {\n";
    let mut expected = String::new();
    for layout in abi::LAYOUTS.iter().chain(abi::ranker::LAYOUTS) {
        let c = layout.name;
        writeln!(program, "printf(\"{c} %zu\\n\", sizeof({c}));").unwrap();
        writeln!(expected, "{c} {}", layout.size).unwrap();
        for (field, offset, size) in layout.fields {
            let field = field.trim_start_matches("r#");
            writeln!(
                program,
                "printf(\"{c}.{field} %zu %zu\\n\", offsetof({c}, {field}), \
                 sizeof((({c} *)0)->{field}));"
            )
            .unwrap();
            writeln!(expected, "{c}.{field} {offset} {size}").unwrap();
        }
    }
    program += "return 0;\n}\n";

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (folder.join("layout.c"), folder.join("layout"));
    std::fs::write(&source, program).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let built = Command::new(&compiler)
        .args(include().split_whitespace())
        .arg(&source)
        .arg("-o")
        .arg(&binary)
        .status();
    assert!(
        built.expect("a C compiler is needed").success(),
        "{compiler} failed"
    );
    let output = Command::new(&binary).output().unwrap();
    let actual = String::from_utf8(output.stdout).unwrap();
    assert!(expected.lines().count() > 50);
    for (ours, theirs) in expected.lines().zip(actual.lines()) {
        assert_eq!(ours, theirs, "Rust (left) differs from the header (right)");
    }
    assert_eq!(expected.lines().count(), actual.lines().count());
}
