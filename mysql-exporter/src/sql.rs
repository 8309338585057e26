//! Values in statements.

/// Texts as literals, separated by commas.
pub(crate) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let literals: Vec<_> = texts.into_iter().map(literal).collect();
    literals.join(", ")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn texts_are_quoted() {
        assert_eq!(list(["a", "b'c", "d\\"]), r"'a', 'b\'c', 'd\\'");
    }
}
