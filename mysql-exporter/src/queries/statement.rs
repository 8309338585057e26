//! The statements that are allowed in custom queries.
//!
//! The server ensures that a query only reads: it runs in a read-only transaction, and the protocol
//! accepts one statement at a time. This check finds errors early, and rejects what a read-only
//! transaction permits but a scrape must not do: write files, take locks, and wait.

/// Keywords that do not occur in a statement that only reads.
const REJECTED_KEYWORDS: [&str; 4] = ["DELETE", "INTO", "LOCK", "UPDATE"];
/// Functions that wait, lock, write, or read files.
const REJECTED_FUNCTIONS: [&str; 14] = [
    "BENCHMARK",
    "GET_LOCK",
    "LOAD_FILE",
    "MASTER_GTID_WAIT",
    "MASTER_POS_WAIT",
    "NEXTVAL",
    "RELEASE_ALL_LOCKS",
    "RELEASE_LOCK",
    "SETVAL",
    "SLEEP",
    "SOURCE_POS_WAIT",
    "SYS_EXEC",
    "WAIT_FOR_EXECUTED_GTID_SET",
    "WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS",
];

/// Returns the statement without the `;` at its end, or a description of the error.
pub(super) fn check(text: &str) -> Result<&str, String> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let tokens = tokens(text)?;
    match tokens.iter().find(|token| !matches!(token, Token::Symbol('('))) {
        Some(Token::Word(word)) if ["SELECT", "SHOW", "WITH"].contains(&word.as_str()) => {}
        _ => return Err("expected a SELECT or SHOW statement".into()),
    }
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        match token {
            Token::Symbol(';') => {
                return Err("has a semicolon: a query is one statement".into());
            }
            Token::Word(word) if REJECTED_KEYWORDS.contains(&word.as_str()) => {
                return Err(format!("has {word}, but queries may only read"));
            }
            Token::Word(word) if word == "FOR" && next == Some(&Token::Word("SHARE".into())) => {
                return Err("has FOR SHARE, but queries may not take locks".into());
            }
            Token::Word(word) | Token::QuotedIdentifier(word)
                if REJECTED_FUNCTIONS.contains(&word.as_str())
                    && next == Some(&Token::Symbol('(')) =>
            {
                return Err(format!("calls {word}(), which queries may not"));
            }
            _ => {}
        }
    }
    Ok(text)
}

/// Whether the server can run `EXPLAIN` for the statement.
pub(super) fn is_explainable(statement: &str) -> bool {
    let word = tokens(statement).unwrap_or_default().into_iter().find_map(|token| match token {
        Token::Word(word) => Some(word),
        Token::Symbol(_) | Token::QuotedIdentifier(_) => None,
    });
    word.is_some_and(|word| word != "SHOW")
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A keyword or an identifier without quotes, in upper case.
    Word(String),
    /// An identifier in backticks, which may name a function, in upper case.
    QuotedIdentifier(String),
    Symbol(char),
}

/// The tokens of a statement, without literals and comments.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '`' => {
                let rest = skip_quoted(after, first)?;
                let name = after.get(..after.len() - rest.len() - 1).unwrap_or_default();
                tokens.push(Token::QuotedIdentifier(name.to_ascii_uppercase()));
                rest
            }
            '\'' | '"' => skip_quoted(after, first)?,
            '#' => skip_line(after),
            '-' if is_line_comment(after) => skip_line(after),
            '/' if after.starts_with("*!") || after.starts_with("*M!") => {
                return Err("has a comment that the server executes, /*! */".into());
            }
            '/' if after.starts_with('*') => {
                let end = after.find("*/").ok_or("has a comment that does not end")?;
                after.get(end + 2..).unwrap_or_default()
            }
            first if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, rest) = rest.split_at(end);
                tokens.push(Token::Word(word.to_ascii_uppercase()));
                rest
            }
            first => {
                if !first.is_whitespace() {
                    tokens.push(Token::Symbol(first));
                }
                after
            }
        };
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}

/// Whether a `-` and the text after it begin a comment: in MySQL, a space must follow `--`.
fn is_line_comment(after: &str) -> bool {
    let Some(after) = after.strip_prefix('-') else { return false };
    after.chars().next().is_none_or(|c| c.is_whitespace() || c.is_control())
}

fn skip_line(text: &str) -> &str {
    text.find('\n').and_then(|end| text.get(end..)).unwrap_or_default()
}

/// Returns the text after the closing quote. In literals, a backslash is an escape character unless
/// the server has `NO_BACKSLASH_ESCAPES`; literals whose end depends on that are rejected.
fn skip_quoted(text: &str, quote: char) -> Result<&str, String> {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        if escaped {
            escaped = false;
            if c == quote {
                return Err("has a backslash before a quote: double the quote instead".into());
            }
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            // A doubled quote is read as two adjacent literals, with the same result.
            return Ok(text.get(index + c.len_utf8()..).unwrap_or_default());
        }
    }
    Err(format!("has a {quote} without its end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_statements_are_accepted() {
        for text in [
            "SELECT 1",
            "  select `into`, 'delete; update' FROM t ; ",
            "(SELECT 1) UNION (SELECT 2)",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "SHOW TABLES",
            "SELECT update_time, sleep, 'it''s' FROM t -- not; this\nWHERE a = 1 # nor; this",
            "SELECT 1 /* INTO */ - -1",
            "SELECT '\\\\'",
            "SELECT replace(a, 'b', 'c') FROM `a``b;`",
        ] {
            assert!(check(text).is_ok(), "{text}: {:?}", check(text));
        }
        assert_eq!(check(" SELECT 1 ;\n").unwrap(), "SELECT 1");
    }

    #[test]
    fn other_statements_are_rejected() {
        for (text, problem) in [
            ("", "expected a SELECT"),
            ("DELETE FROM t", "expected a SELECT"),
            ("SET GLOBAL x = 1", "expected a SELECT"),
            ("CALL p()", "expected a SELECT"),
            ("/*! DELETE */ FROM t", "executes"),
            ("SELECT 1 /*M!100100 INTO OUTFILE 'x' */", "executes"),
            ("SELECT 1; DELETE FROM t", "semicolon"),
            ("SELECT '1\\'; DELETE FROM t; -- '", "backslash"),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", "INTO"),
            ("SELECT 1 into @a", "INTO"),
            ("SELECT * FROM t FOR UPDATE", "UPDATE"),
            ("SELECT * FROM t FOR  SHARE", "FOR SHARE"),
            ("SELECT * FROM t LOCK IN SHARE MODE", "LOCK"),
            ("WITH a AS (SELECT 1) DELETE FROM t", "DELETE"),
            ("SELECT sleep (10)", "SLEEP()"),
            ("SELECT `sleep`(10)", "SLEEP()"),
            ("SELECT source_pos_wait('x', 4)", "SOURCE_POS_WAIT()"),
            ("SELECT Get_Lock('a', 1)", "GET_LOCK()"),
            ("SELECT 'a", "without its end"),
            ("SELECT 1 /* a", "does not end"),
        ] {
            let found = check(text).unwrap_err();
            assert!(found.contains(problem), "{text}: {found}");
        }
    }

    #[test]
    fn statements_other_than_show_are_explained() {
        assert!(is_explainable("(SELECT 1)"));
        assert!(!is_explainable("show tables"));
    }
}
