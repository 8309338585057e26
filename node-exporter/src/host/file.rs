//! The content of files, and their lines.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::str::{FromStr, SplitAsciiWhitespace};

use exporter_core::collector::Error;
use exporter_core::file;

/// The maximum size of a sysfs attribute.
pub(crate) type Page = [u8; 4096];

pub(crate) const EMPTY_PAGE: Page = [0; 4096];

/// The content of a file, with its path for errors.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// Reads without blocking: a FIFO or device in place of a file is an error or empty.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Error> {
        let read = file::read(&path);
        Self::new(path, read)
    }

    /// Reads an open file that is usually smaller than a page, with one system call: a short read
    /// means the end of the file.
    pub(super) fn read_small(path: PathBuf, opened: &OwnedFd) -> Result<Self, Error> {
        let mut page = EMPTY_PAGE;
        let read = rustix::io::retry_on_intr(|| rustix::io::read(opened, &mut page[..]));
        let read = read.map(|length| page.get(..length).unwrap_or_default());
        Self::of_page(path, read.map_err(io::Error::from))
    }

    /// Uses the first `page` of a file if it is the whole file; otherwise, reads the file again.
    pub(super) fn of_page(path: PathBuf, page: io::Result<&[u8]>) -> Result<Self, Error> {
        match page {
            Ok(bytes) if bytes.len() == size_of::<Page>() => Self::read(path),
            page => Self::new(path, page.map(<[u8]>::to_vec)),
        }
    }

    pub(super) fn new(path: PathBuf, read: io::Result<Vec<u8>>) -> Result<Self, Error> {
        match read {
            Ok(bytes) => {
                // Names may be invalid UTF-8; the numbers in the same line are still valid.
                let text = String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                Ok(Self { path, text })
            }
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    #[cfg(test)]
    pub(crate) fn from_text(text: &str) -> Self {
        Self { path: PathBuf::from("test"), text: text.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text, with U+FFFD for invalid UTF-8.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text without surrounding white space, as needed for most files of sysfs.
    pub(crate) fn trimmed(&self) -> &str {
        self.text.trim()
    }

    /// The whole file as one number.
    pub(crate) fn number<T: FromStr>(&self, expected: &'static str) -> Result<T, Error> {
        self.trimmed().parse().map_err(|_| self.parse_error(expected))
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = Fields<'_>> {
        self.text.lines().map(|line| Fields::new(&self.path, line))
    }

    /// The fields of the first line; no fields if the file is empty.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.path, self.text.lines().next().unwrap_or_default())
    }

    /// An error that names this file and shows its beginning.
    pub(crate) fn parse_error(&self, expected: &'static str) -> Error {
        let found = self.text.lines().next().unwrap_or_default().to_owned();
        Error::Parse { path: self.path.clone(), expected, found: truncated(&found) }
    }
}

/// The fields of a line, consumed from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    path: &'a Path,
    line: &'a str,
    rest: SplitAsciiWhitespace<'a>,
}

impl<'a> Fields<'a> {
    fn new(path: &'a Path, line: &'a str) -> Self {
        Self { path, line, rest: line.split_ascii_whitespace() }
    }

    #[cfg(test)]
    pub(crate) fn from_line(line: &'a str) -> Self {
        Self::new(Path::new("test"), line)
    }

    /// The whole line, including the consumed fields.
    pub(crate) fn line(&self) -> &'a str {
        self.line
    }

    pub(crate) fn skip(&mut self, fields: usize) {
        self.rest.by_ref().take(fields).for_each(drop);
    }

    /// The next field, or `None` at the end of the line.
    pub(crate) fn optional(&mut self) -> Option<&'a str> {
        self.rest.next()
    }

    /// All remaining fields.
    pub(crate) fn words(self) -> SplitAsciiWhitespace<'a> {
        self.rest
    }

    pub(crate) fn word(&mut self, expected: &'static str) -> Result<&'a str, Error> {
        self.rest.next().ok_or_else(|| self.parse_error(expected))
    }

    pub(crate) fn number<T: FromStr>(&mut self, expected: &'static str) -> Result<T, Error> {
        self.word(expected)?.parse().map_err(|_| self.parse_error(expected))
    }

    /// A number written in hexadecimal, without a prefix.
    pub(crate) fn hex(&mut self, expected: &'static str) -> Result<u64, Error> {
        u64::from_str_radix(self.word(expected)?, 16).map_err(|_| self.parse_error(expected))
    }

    /// The next number, or `None` at the end of the line: for fields that older kernels do not
    /// have.
    pub(crate) fn optional_number<T: FromStr>(
        &mut self,
        expected: &'static str,
    ) -> Result<Option<T>, Error> {
        self.rest.clone().next().map(|_| self.number(expected)).transpose()
    }

    /// An error that names the file and shows the line.
    pub(crate) fn parse_error(&self, expected: &'static str) -> Error {
        Error::Parse { path: self.path.to_owned(), expected, found: truncated(self.line) }
    }
}

/// The beginning of a line, for an error message.
pub(super) fn truncated(line: &str) -> String {
    const MOST: usize = 120;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    #[test]
    fn fuzz_fields() {
        testing::fuzz(testing::corpus(env!("CARGO_MANIFEST_DIR"), "fields"), |bytes| {
            let file = File::from_text(&String::from_utf8_lossy(bytes));
            let _ = file.number::<u64>("a number");
            for fields in file.lines().chain([file.fields()]) {
                let mut rest = fields.clone();
                rest.skip(1);
                let _ = rest.number::<u64>("a number");
                let _ = rest.optional_number::<f64>("a number");
                let _ = rest.hex("a number");
                let _ = rest.word("a word");
                assert_eq!(fields.clone().words().count(), {
                    let mut rest = fields;
                    std::iter::from_fn(|| rest.optional()).count()
                });
            }
            let shown = file.parse_error("another").to_string();
            assert!(shown.len() < 1000 && shown.lines().count() == 1, "{shown}");
        });
    }
}
