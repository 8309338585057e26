//! HTTP basic authentication by `basic_auth_users`.
//!
//! A correct password is checked with bcrypt only once, and then remembered by a keyed hash. Wrong
//! passwords are not remembered. Checks with bcrypt wait in a queue, and take the same time whether
//! the user exists or not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{BcryptError, HashParts};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_saphyr::Spanned;

use self::check_queue::CheckQueue;
use super::client_address::ClientAddress;
use super::config::diagnostics::Diagnostics;
use crate::config_file::yaml::line_of;
use crate::config_file::{Fault, Secret};

mod check_queue;

/// The `WWW-Authenticate` header of a 401 response.
pub(crate) const CHALLENGE: &str = "Basic";

/// The maximum length in bytes; bcrypt ignores the rest.
const MAX_PASSWORD: usize = 72;

/// The highest bcrypt cost that is checked: about four seconds. Each step doubles the time, and a
/// check cannot be cancelled: a few requests for a user with a hash of cost 31 would stop all logins.
const MAX_COST: u32 = 16;

/// How to create a valid hash.
const NEW_HASH: &str = "make one with --hash-password";

/// A hash of a higher cost than this works, but each first login takes seconds.
const SLOW_COST: u32 = 13;

/// The number of correct logins that are remembered.
const MAX_REMEMBERED: usize = 256;

/// The configured users, and the logins that were correct.
#[derive(Debug)]
pub(crate) struct Authenticator {
    users: HashMap<String, Hash>,
    /// The bcrypt cost of every failed check: the highest of all users.
    cost: u32,
    /// Shared with the authenticators before and after this one: a remembered login includes the
    /// hash that it was checked against.
    shared: Arc<Shared>,
}

/// Why a request is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// 401: no credentials, or malformed ones.
    Missing,
    /// 401: an unknown user or a wrong password.
    Wrong,
    /// 503: too many other checks are waiting.
    Busy,
}

#[derive(Debug)]
struct Shared {
    key: hmac::Key,
    verified: Mutex<HashSet<[u8; 32]>>,
    queue: CheckQueue,
}

/// A bcrypt hash in a valid format.
#[derive(Clone, Debug)]
struct Hash {
    text: Secret,
    cost: u32,
}

/// Credentials as sent. As in Go, a password is bytes and need not be UTF-8. Must not be printed.
struct Login {
    user: String,
    password: Vec<u8>,
}

impl Authenticator {
    pub(super) fn new(
        users: BTreeMap<String, Spanned<Secret>>,
        previous: Option<&Self>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Fault> {
        let mut hashes = HashMap::with_capacity(users.len());
        for (user, text) in users {
            let key = format!("basic_auth_users.{user}");
            if user.contains(':') {
                let problem = "no client can send a name with a colon in it; choose another";
                return Err(Fault::new(key, line_of(&text), problem));
            }
            let hash = Hash::parse(&text.value)
                .map_err(|problem| Fault::new(key.clone(), line_of(&text), problem))?;
            if hash.cost > MAX_COST {
                let cost = hash.cost;
                let finding = format!(
                    "refused: a hash of cost {cost} takes too long to check, {MAX_COST} is the \
                     highest allowed, and this user cannot log in; {NEW_HASH}"
                );
                diagnostics.warning(&key, finding);
                continue;
            }
            if hash.cost > SLOW_COST {
                let finding =
                    format!("a hash of cost {} takes seconds to check; use 10 to 12", hash.cost);
                diagnostics.warning(&key, finding);
            }
            hashes.insert(user, hash);
        }
        let users = hashes;
        diagnostics.note("basic_auth_users", format!("{} known", users.len()));
        let cost = users.values().map(|hash| hash.cost).max().unwrap_or(0);
        let shared = match previous {
            Some(previous) => Arc::clone(&previous.shared),
            None => Arc::new(Shared::new()?),
        };
        Ok(Self { users, cost, shared })
    }

    /// Whether `headers` contain a login that was correct before.
    pub(crate) fn remembers(&self, headers: &HeaderMap) -> bool {
        let Some(login) = Login::of(headers) else { return false };
        let hash = self.users.get(&login.user);
        self.shared.remembers(hash.map(|hash| self.shared.seal(&login, hash)))
    }

    /// The user whose name and password are in `headers`. Checks of different addresses take turns.
    /// `is_known` is true for an address that has sent a correct password before.
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        address: ClientAddress,
        is_known: bool,
    ) -> Result<&str, Denied> {
        let login = Login::of(headers).ok_or(Denied::Missing)?;
        if login.password.len() > MAX_PASSWORD {
            return Err(Denied::Wrong);
        }
        let user = self.users.get_key_value(&login.user);
        let seal = user.map(|(_, hash)| self.shared.seal(&login, hash));
        if let Some((user, _)) = user
            && self.shared.remembers(seal)
        {
            return Ok(user);
        }
        let queue = &self.shared.queue;
        let permit = queue.acquire(address, is_known, &login.user).await.ok_or(Denied::Busy)?;
        // Another request with the same login may have been checked while this one was waiting.
        if let Some((user, _)) = user
            && self.shared.remembers(seal)
        {
            return Ok(user);
        }
        let hash = user.map(|(_, hash)| hash.clone());
        let (cost, password) = (self.cost, login.password);
        let shared = Arc::clone(&self.shared);
        let is_correct = tokio::task::spawn_blocking(move || {
            // Dropped when the check is done, even if no request waits for it any more.
            let _permit = permit;
            let is_correct = is_correct(&password, hash.as_ref(), cost);
            if let Some(seal) = seal.filter(|_| is_correct) {
                // Even if the client has given up: otherwise, a scraper with a short timeout could
                // never log in while the processors are busy.
                shared.remember(seal);
            }
            is_correct
        });
        match (is_correct.await, user) {
            (Ok(true), Some((user, _))) => Ok(user),
            _ => Err(Denied::Wrong),
        }
    }
}

/// Every failed check takes the rounds of `cost`, so that its duration does not reveal whether the
/// user exists: bcrypt with cost c has 2^c rounds, and 2^c + 2^c + 2^(c+1) + ... + 2^(cost-1) is
/// 2^cost.
fn is_correct(password: &[u8], hash: Option<&Hash>, cost: u32) -> bool {
    let decoy = |cost| {
        let _ = std::hint::black_box(bcrypt::hash_with_salt(password, cost, [0x5a; 16]));
    };
    let Some(hash) = hash else {
        decoy(cost);
        return false;
    };
    let is_correct = bcrypt::verify(password, hash.text.expose()).unwrap_or(false);
    if !is_correct {
        (hash.cost..cost).for_each(decoy);
    }
    is_correct
}

impl Hash {
    /// Parses a hash. The error does not show it.
    fn parse(text: &Secret) -> Result<Self, String> {
        let hash = text.expose();
        if hash.len() < 59 {
            return Err(format!(
                "crypto/bcrypt: hashedSecret too short to be a bcrypted password; {NEW_HASH}"
            ));
        }
        // The prefix of crypt_blowfish before 1.1, which had a bug; no password would match.
        if hash.starts_with("$2x$") {
            return Err(format!("$2x$ is the prefix of a broken bcrypt; {NEW_HASH}"));
        }
        let parts: HashParts = hash.parse().map_err(|error| match error {
            BcryptError::InvalidHash(problem) => {
                format!("not a bcrypt hash: {problem}; {NEW_HASH}")
            }
            _ => format!("not a bcrypt hash; {NEW_HASH}"),
        })?;
        let cost = parts.get_cost();
        if !(4..=31).contains(&cost) {
            return Err(format!(
                "crypto/bcrypt: cost {cost} is outside allowed inclusive range 4..31; {NEW_HASH}"
            ));
        }
        Ok(Self { text: text.clone(), cost })
    }
}

impl Login {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let (scheme, encoded) = value.as_bytes().split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let login = STANDARD.decode(encoded).ok()?;
        let (user, password) = login.split_at(login.iter().position(|byte| *byte == b':')?);
        let user = str::from_utf8(user).ok()?.to_owned();
        Some(Self { user, password: password.get(1..)?.to_vec() })
    }
}

impl Shared {
    fn new() -> Result<Self, Fault> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| {
            Fault::new("basic_auth_users", None, "the system cannot provide random numbers")
        })?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            verified: Mutex::default(),
            queue: CheckQueue::new(),
        })
    }

    /// Each part is preceded by its length, so that no two logins have the same bytes.
    fn seal(&self, login: &Login, hash: &Hash) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [login.user.as_bytes(), &login.password, hash.text.expose().as_bytes()] {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut seal = [0; 32];
        for (to, from) in seal.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        seal
    }

    fn remembers(&self, seal: Option<[u8; 32]>) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        seal.is_some_and(|seal| verified.contains(&seal))
    }

    fn remember(&self, seal: [u8; 32]) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_REMEMBERED {
            // Logins in use are remembered again after one check each.
            verified.clear();
        }
        verified.insert(seal);
    }
}

#[cfg(test)]
mod tests;
