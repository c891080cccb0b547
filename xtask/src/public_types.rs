//! The packages' public types must not contain `any`: it would spread through a user's program unseen.

use std::fs;
use std::path::Path;

use crate::Result;

/// An error that names each place of `any` in the declarations below a folder. There must be some declarations.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let mut found = Vec::new();
    let count = look_into(folder, folder, &mut found)?;
    if count == 0 {
        return Err(format!("there are no declarations in {}", folder.display()).into());
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("public types contain `any`:\n{}", found.join("\n")).into())
}

fn look_into(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            count += look_into(root, &path, found)?;
            continue;
        }
        let name = path.to_string_lossy();
        if [".d.ts", ".d.mts", ".d.cts"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            count += 1;
            let text = fs::read_to_string(&path)?;
            let shown = path.strip_prefix(root).unwrap_or(&path).display();
            found.extend(lines_with_any(&text).map(|line| format!("  {shown}:{line}")));
        }
    }
    Ok(count)
}

/// The numbers of the lines with the word `any` outside of comments and texts.
fn lines_with_any(source: &str) -> impl Iterator<Item = usize> {
    let code = blank_out_comments_and_texts(source);
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let with_any: Vec<usize> = code
        .lines()
        .enumerate()
        .filter(|(_, line)| line.split(|c| !is_word(c)).any(|word| word == "any"))
        .map(|(at, _)| at + 1)
        .collect();
    with_any.into_iter()
}

fn blank_out_comments_and_texts(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if matches!(first, '"' | '\'') {
            rest.get(1..)
                .and_then(|text| text.find([first, '\n']))
                .map_or(rest.len(), |end| end + 2)
        } else {
            code.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        };
        let (blank, after) = rest.split_at(length);
        // Lines keep their numbers.
        code.extend(blank.chars().filter(|c| *c == '\n'));
        code.push(' ');
        rest = after;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<usize> {
        lines_with_any(source).collect()
    }

    #[test]
    fn any_is_found_as_a_word_of_code() {
        assert_eq!(
            lines("let a: any;\nlet b: any[];\nlet c: Map<string, any>;"),
            [1, 2, 3]
        );
        assert_eq!(lines("let many: Company; anyOf: $any;"), [0; 0]);
    }

    #[test]
    fn any_in_comments_and_texts_does_not_count() {
        assert_eq!(
            lines("/** any\n any */\n// any\ntype A = 'any' | \"any\";"),
            [0; 0]
        );
        assert_eq!(lines("/** one\n two */ let a: any;"), [2]);
        assert_eq!(lines("type A = 'é'; // it's\nlet a: any;"), [2]);
    }
}
