//! Makes what uniffi generates for Kotlin invisible to users: top-level declarations are public there, and ours are not to be.

/// What a top-level declaration begins with, modifiers aside.
const DECLARATIONS: [&str; 8] = [
    "class ",
    "interface ",
    "object ",
    "fun ",
    "val ",
    "var ",
    "typealias ",
    "const val ",
];

/// Modifiers that may stand before a declaration.
const MODIFIERS: [&str; 9] = [
    "abstract ",
    "annotation ",
    "data ",
    "enum ",
    "external ",
    "inline ",
    "open ",
    "sealed ",
    "suspend ",
];

/// The generated source with all that is public at the top level made internal.
pub(crate) fn kotlin(source: &str) -> String {
    let mut changed = String::with_capacity(source.len() + source.len() / 16);
    for line in source.lines() {
        let declared = line.strip_prefix("public ").unwrap_or(line);
        if is_declaration(declared) {
            changed.push_str("internal ");
            changed.push_str(declared);
        } else {
            changed.push_str(line);
        }
        changed.push('\n');
    }
    changed
}

/// Whether a line begins a declaration at the top level. Below it, lines are indented.
fn is_declaration(line: &str) -> bool {
    let mut rest = line;
    while let Some(after) = MODIFIERS
        .iter()
        .find_map(|modifier| rest.strip_prefix(modifier))
    {
        rest = after;
    }
    // `fun<T>` is how some of them are written.
    rest.starts_with("fun<") || DECLARATIONS.iter().any(|begins| rest.starts_with(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_at_the_top_level_changes() {
        for (generated, wanted) in [
            (
                "class Port: Disposable {",
                "internal class Port: Disposable {",
            ),
            ("public object A {", "internal object A {"),
            ("open class B(", "internal open class B("),
            (
                "sealed class C: kotlin.Exception() {",
                "internal sealed class C: kotlin.Exception() {",
            ),
            ("data class D(", "internal data class D("),
            ("fun<T> e(", "internal fun<T> e("),
            ("private fun f() {}", "private fun f() {}"),
            ("internal object G {", "internal object G {"),
            ("    fun inside() {}", "    fun inside() {}"),
            ("package dev.gatewright", "package dev.gatewright"),
        ] {
            assert_eq!(kotlin(generated), format!("{wanted}\n"));
        }
    }
}
