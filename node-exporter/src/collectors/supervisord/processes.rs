//! The answer of `supervisor.getAllProcessInfo`: an array of structs.

use xmlparser::{ElementEnd, Token, Tokenizer};

use super::State;

pub(super) const REQUEST_BODY: &str = concat!(
    "<?xml version=\"1.0\"?><methodCall>",
    "<methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>",
);

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) state: State,
}

/// The processes in a response, or an error.
pub(super) fn parse(text: &str) -> Result<Vec<Process>, String> {
    let mut processes = Vec::new();
    let mut process = Process::default();
    let (mut member, mut value) = (String::new(), String::new());
    let (mut is_response, mut is_fault) = (false, false);
    for token in Tokenizer::from(text) {
        let token = token.map_err(|error| format!("the answer is not XML: {error}"))?;
        match token {
            Token::ElementStart { local, .. } => {
                value.clear();
                match local.as_str() {
                    "fault" => is_fault = true,
                    "struct" => process = Process::default(),
                    _ => {}
                }
            }
            Token::Text { text } => value.push_str(&unescaped(text.as_str())),
            Token::Cdata { text, .. } => value.push_str(text.as_str()),
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => match local.as_str() {
                "name" => value.trim().clone_into(&mut member),
                "value" => {
                    if is_fault && member == "faultString" {
                        return Err(format!("it refuses: {}", truncated(value.trim())));
                    }
                    process.set(&member, value.trim())?;
                }
                "struct" => processes.push(std::mem::take(&mut process)),
                "methodResponse" => is_response = true,
                _ => {}
            },
            _ => {}
        }
    }
    match (is_response, is_fault) {
        (true, false) => Ok(processes),
        (_, true) => Err("it refuses without saying why".to_owned()),
        (false, _) => Err("the answer is not a whole one of XML-RPC".to_owned()),
    }
}

impl Process {
    fn set(&mut self, member: &str, value: &str) -> Result<(), String> {
        let number = || {
            let number = value.parse();
            number.map_err(|_| {
                format!("expected a number for {member}, found {:?}", truncated(value))
            })
        };
        match member {
            "name" => value.clone_into(&mut self.name),
            "group" => value.clone_into(&mut self.group),
            "state" => self.state.number = number()?,
            "exitstatus" => self.state.exit_status = number()?,
            "start" => self.state.start = number()?,
            _ => {}
        }
        Ok(())
    }
}

/// The part that is shown in an error.
fn truncated(text: &str) -> String {
    text.chars().take(120).collect()
}

/// A text with its entities replaced. Unknown entities are unchanged.
fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        unescaped.push_str(before);
        let replaced = after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        let (letter, after) = replaced.unwrap_or(('&', after));
        unescaped.push(letter);
        rest = after;
    }
    unescaped.push_str(rest);
    unescaped
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_replaced() {
        for (text, expected) in [
            ("a &amp; b", "a & b"),
            ("&lt;&#65;&#x42;&gt;&quot;&apos;", "<AB>\"'"),
            ("a & b &none; &#1114112; &", "a & b &none; &#1114112; &"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }

    #[test]
    fn values_without_a_type_are_strings() {
        let text = "<methodResponse><params><param><value><array><data><value><struct>\
            <member><name>name</name><value>a&amp;b</value></member>\
            <member><name>state</name><value> <i4>20</i4> </value></member>\
            </struct></value></data></array></value></param></params></methodResponse>";
        let state = State { number: 20, ..State::default() };
        let process = Process { name: "a&b".to_owned(), group: String::new(), state };
        assert_eq!(parse(text).unwrap(), [process]);
    }

    #[test]
    fn invalid_responses_are_errors() {
        let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name>\
            <value><int>1</int></value></member><member><name>faultString</name>\
            <value><string>UNKNOWN_METHOD</string></value></member></struct></value></fault>\
            </methodResponse>";
        let wrong = "<methodResponse><value><struct><member><name>state</name>\
            <value>up</value></member></struct></value></methodResponse>";
        for (text, problem) in [
            ("", "not a whole one"),
            ("<html></html>", "not a whole one"),
            ("<methodResponse", "not a whole one"),
            ("<methodResponse><params>", "not a whole one"),
            ("404 not found", "not XML"),
            (fault, "it refuses: UNKNOWN_METHOD"),
            ("<methodResponse><fault></fault></methodResponse>", "it refuses without saying why"),
            (wrong, "expected a number for state, found \"up\""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
