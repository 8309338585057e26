//! The tokens of a line.

use exporter_core::desc;

/// The rest of a line.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

/// An element between braces.
#[derive(Debug, PartialEq)]
pub(super) enum Label<'a> {
    Pair(&'a str, String),
    /// The name of the metric, in quotes.
    Name(&'a str),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Skips spaces and tabs. Returns whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest.len() < before
    }

    pub(super) fn take(&mut self, char: char) -> bool {
        let rest = self.rest.strip_prefix(char);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The text up to a space, a tab or the end.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_until(|char| matches!(char, ' ' | '\t'))
    }

    /// The name of a metric. `None` if it is invalid, and nothing is consumed.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let mut lookahead = self.clone();
        let name = lookahead
            .take_until(|char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | ':')));
        desc::is_metric_name(name).then(|| {
            *self = lookahead;
            name
        })
    }

    /// The elements up to the closing brace; the opening one was consumed.
    pub(super) fn labels(&mut self) -> Result<Vec<Label<'a>>, String> {
        let mut labels = Vec::new();
        loop {
            self.skip_blanks();
            if self.take('}') {
                return Ok(labels);
            }
            let quoted = self.rest.starts_with('"');
            let name = if quoted {
                self.quoted_name()?
            } else {
                self.take_until(|char| !(char.is_ascii_alphanumeric() || char == '_'))
            };
            self.skip_blanks();
            if self.take('=') {
                self.skip_blanks();
                if !self.take('"') {
                    return Err(self.parse_error("a value in quotes"));
                }
                labels.push(Label::Pair(name, self.quoted()?));
                self.skip_blanks();
            } else if quoted && desc::is_metric_name(name) {
                labels.push(Label::Name(name));
            } else {
                return Err(self.parse_error("an equals sign after the name of a label"));
            }
            if !self.take(',') && !self.rest.starts_with('}') {
                return Err(self.parse_error("a comma or a closing brace"));
            }
        }
    }

    /// The number at the end of a sample.
    pub(super) fn value(&mut self) -> Result<f64, String> {
        self.skip_blanks();
        let value = float(self.word()).ok_or("expected a number as the value")?;
        if self.rest.is_empty() {
            return Ok(value);
        }
        self.skip_blanks();
        let word = self.word();
        let problem = if word.parse::<i64>().is_ok() && self.rest.is_empty() {
            "a timestamp, which cannot be taken: leave it out"
        } else {
            "more than one value"
        };
        Err(problem.to_owned())
    }

    /// The rest of the line as a help text.
    pub(super) fn help(&mut self) -> Result<String, String> {
        unescaped(self.rest, false)
    }

    /// An error that shows the rest of the line.
    pub(super) fn parse_error(&self, expected: &str) -> String {
        let found: String = self.rest.chars().take(40).collect();
        format!("expected {expected}, found {found:?}")
    }

    fn take_until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        let (word, rest) = match self.rest.find(is_end) {
            Some(end) => self.rest.split_at(end),
            None => (self.rest, ""),
        };
        self.rest = rest;
        word
    }

    /// A name in quotes. A legacy name contains nothing to escape.
    fn quoted_name(&mut self) -> Result<&'a str, String> {
        let mut lookahead = self.clone();
        let name = if lookahead.take('"') { lookahead.take_until(|char| char == '"') } else { "" };
        if !desc::is_metric_name(name) || !lookahead.take('"') {
            return Err(self.parse_error("a name of letters, digits and underscores"));
        }
        *self = lookahead;
        Ok(name)
    }

    /// A value after its opening quote.
    fn quoted(&mut self) -> Result<String, String> {
        let mut escaped = false;
        let end = self.rest.find(|char| {
            let end = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            end
        });
        let value = end.and_then(|end| self.rest.split_at_checked(end));
        let (value, rest) = value.ok_or_else(|| self.parse_error("a closing quote"))?;
        self.rest = rest;
        self.take('"');
        unescaped(value, true)
    }
}

fn unescaped(text: &str, quotes: bool) -> Result<String, String> {
    let mut unescaped_text = String::with_capacity(text.len());
    let mut parts = text.split('\\');
    unescaped_text.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let mut chars = part.chars();
        match chars.next() {
            // Two consecutive escapes: the part between them is empty.
            None => match parts.next() {
                Some(next) => unescaped_text.extend(["\\", next]),
                None => return Err("a backslash at the end".to_owned()),
            },
            Some('n') => unescaped_text.extend(["\n", chars.as_str()]),
            Some('"') if quotes => unescaped_text.extend(["\"", chars.as_str()]),
            Some(other) => return Err(format!("no character is written \\{other}")),
        }
    }
    Ok(unescaped_text)
}

/// A number as parsed by Go; Rust accepts more, and parses overflow as infinity.
pub(super) fn float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_named = digits.starts_with(|char: char| char.is_ascii_alphabetic());
    let value: f64 = text.parse().ok()?;
    let is_signed_nan = value.is_nan() && digits.len() < text.len();
    (!is_signed_nan && (value.is_finite() || is_named)).then_some(value)
}
