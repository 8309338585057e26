//! Text for HTML.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, SystemTime};

/// Text that stays text inside HTML, quoted attributes included.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let special = part.chars().next_back().and_then(|last| match last {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                _ => None,
            });
            match special {
                None => f.write_str(part)?,
                Some(entity) => {
                    f.write_str(part.get(..part.len() - 1).unwrap_or_default())?;
                    f.write_str(entity)?;
                }
            }
        }
        Ok(())
    }
}

/// A duration in its largest unit.
#[derive(Debug)]
pub(super) struct Age(pub(super) Duration);

impl Age {
    /// From one time to another; none if the clock was set back.
    pub(super) fn between(from: SystemTime, to: SystemTime) -> Self {
        Self(to.duration_since(from).unwrap_or_default())
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..120 => write!(f, "{seconds} s"),
            120..7200 => write!(f, "{} min", seconds / 60),
            7200..172_800 => write!(f, "{} h", seconds / 3600),
            _ => write!(f, "{} days", seconds / 86400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        let text = Escaped("<a href='x'>\"&\"</a>ü").to_string();
        assert_eq!(text, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;ü");
        assert_eq!(Escaped("").to_string(), "");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")]
        {
            assert_eq!(Age(Duration::from_secs(seconds)).to_string(), text);
        }
    }
}
