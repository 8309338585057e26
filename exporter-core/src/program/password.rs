//! `--hash-password`: makes a hash for `basic_auth_users`.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The bcrypt cost of new hashes: about 0.1 s.
const COST: u32 = 10;

/// bcrypt ignores further bytes.
const MAX_PASSWORD_LENGTH: usize = 72;

/// Prompts for a password on the terminal, or reads the first line of standard input, and returns
/// the hash.
pub(super) fn hash() -> Result<String, String> {
    let stdin = io::stdin();
    let password = if stdin.is_terminal() {
        let password = prompt_for("Password: ")?;
        if prompt_for("Once more: ")? != password {
            return Err("the two passwords differ".into());
        }
        password
    } else {
        read()?
    };
    hash_of(&password)
}

fn hash_of(password: &str) -> Result<String, String> {
    if password.is_empty() {
        return Err("the password is empty".into());
    }
    if password.len() > MAX_PASSWORD_LENGTH {
        let length = password.len();
        return Err(format!(
            "the password has {length} bytes, and bcrypt takes {MAX_PASSWORD_LENGTH} at most"
        ));
    }
    bcrypt::hash(password, COST).map_err(|error| format!("no hash can be made: {error}"))
}

fn prompt_for(prompt: &str) -> Result<String, String> {
    let failed = |error: io::Error| format!("the terminal cannot be used: {error}");
    let _echo_off = EchoOff::new().map_err(failed)?;
    let mut terminal = io::stderr();
    write!(terminal, "{prompt}").and_then(|()| terminal.flush()).map_err(failed)?;
    let password = read();
    // The line feed of the user was not echoed.
    let _ = writeln!(terminal);
    password
}

fn read() -> Result<String, String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| format!("standard input cannot be read: {error}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Disables the echo of the terminal until it is dropped.
struct EchoOff(Termios);

impl EchoOff {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_verifies_its_password() {
        let hash = hash_of("open sesame").unwrap();
        assert!(hash.starts_with("$2b$10$"), "{hash}");
        assert!(bcrypt::verify("open sesame", &hash).unwrap());
        assert!(hash_of("").unwrap_err().contains("empty"));
        assert!(hash_of(&"x".repeat(73)).unwrap_err().contains("73 bytes"));
    }
}
