use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderValue;

use super::*;

const CLIENT: ClientAddress = ClientAddress::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
const OTHER: ClientAddress = ClientAddress::Ip(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));

/// Of the lowest cost, so that the tests are quick.
fn hash(password: impl AsRef<[u8]>, cost: u32) -> String {
    bcrypt::hash_with_salt(password, cost, [7; 16])
        .unwrap()
        .format_for_version(bcrypt::Version::TwoY)
}

fn users(users: &[(&str, String)], previous: Option<&Authenticator>) -> Authenticator {
    let spanned = |text: &String| {
        let unknown = serde_saphyr::Location::UNKNOWN;
        Spanned::new(Secret::new(text.clone()), unknown, unknown)
    };
    let users = users.iter().map(|(user, text)| ((*user).to_owned(), spanned(text))).collect();
    Authenticator::new(users, previous, &mut Diagnostics::default()).unwrap()
}

fn basic(user: &str, password: &str) -> HeaderMap {
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
}

#[tokio::test]
async fn only_the_correct_password_is_accepted() {
    let long = "x".repeat(72);
    let users = users(
        &[
            ("alice", hash("wonder:land", 4)),
            ("", hash("nobody", 4)),
            ("l", hash(&long, 4)),
            ("n", hash("a", 4)),
        ],
        None,
    );
    for (user, password, outcome) in [
        ("alice", "wonder:land", Ok(())),
        ("alice", "wonder", Err(Denied::Wrong)),
        ("alice", "", Err(Denied::Wrong)),
        ("Alice", "wonder:land", Err(Denied::Wrong)),
        ("alic", "wonder:land", Err(Denied::Wrong)),
        ("bob", "wonder:land", Err(Denied::Wrong)),
        ("", "nobody", Ok(())),
        ("l", &long, Ok(())),
        ("l", &format!("{long}x"), Err(Denied::Wrong)),
        ("n", "a\u{e4}", Err(Denied::Wrong)),
    ] {
        // Twice: the second may be remembered.
        for _ in 0..2 {
            let denied = users
                .check(&basic(user, password), CLIENT, false)
                .await
                .map(|found| assert_eq!(found, user));
            assert_eq!(denied, outcome, "{user} {password}");
        }
    }
}

#[tokio::test]
async fn invalid_headers_are_not_logins() {
    let users = users(&[("a", hash("b", 4))], None);
    for (value, outcome) in [
        ("Basic YTpi", Ok(())),
        ("basic YTpi", Ok(())),
        ("Basic  YTpi", Err(Denied::Missing)),
        ("Basic YTpi ", Err(Denied::Missing)),
        ("Basic YTp", Err(Denied::Missing)),
        ("Basic YWI=", Err(Denied::Missing)),
        ("Basic", Err(Denied::Missing)),
        ("Basic ", Err(Denied::Missing)),
        ("", Err(Denied::Missing)),
        ("Bearer YTpi", Err(Denied::Missing)),
        ("YTpi", Err(Denied::Missing)),
        ("Basic \u{fc}", Err(Denied::Missing)),
    ] {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value.clone())]);
        let denied = users.check(&headers, CLIENT, false).await.map(|_| ());
        assert_eq!(denied, outcome, "{value:?}");
    }
    let mut twice = basic("a", "b");
    twice.append(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
    assert_eq!(users.check(&twice, CLIENT, false).await, Err(Denied::Missing));
    assert_eq!(users.check(&HeaderMap::new(), CLIENT, false).await, Err(Denied::Missing));
}

#[tokio::test]
async fn passwords_need_not_be_utf8() {
    let users = users(&[("a", hash(b"\xfcber", 4))], None);
    let value = format!("Basic {}", STANDARD.encode(b"a:\xfcber"));
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
    assert_eq!(users.check(&headers, CLIENT, false).await, Ok("a"));
    assert_eq!(users.check(&basic("a", "\u{fc}ber"), CLIENT, false).await, Err(Denied::Wrong));
}

/// CVE-2022-46146: two logins whose concatenation is equal must differ.
#[tokio::test]
async fn a_remembered_login_cannot_be_forged() {
    let stored = hash("secret", 4);
    let users = users(&[("alice", stored.clone())], None);
    let poison = basic(&format!("alice{stored}"), "pw");
    assert_eq!(users.check(&poison, CLIENT, false).await, Err(Denied::Wrong));
    let decoy = hash("anything", 4);
    for password in [format!("{decoy}pw"), format!("{stored}pw"), stored.clone(), decoy] {
        assert_eq!(
            users.check(&basic("alice", &password), CLIENT, false).await,
            Err(Denied::Wrong)
        );
    }
    let login = |user: &str, password: &str| Login { user: user.into(), password: password.into() };
    let hash = Hash { text: Secret::new("h"), cost: 4 };
    let shared = Shared::new().unwrap();
    assert_ne!(shared.seal(&login("ab", "c"), &hash), shared.seal(&login("a", "bc"), &hash));
    assert_ne!(
        shared.seal(&login("a", "b"), &hash),
        Shared::new().unwrap().seal(&login("a", "b"), &hash)
    );
}

#[tokio::test]
async fn a_change_of_users_takes_effect_at_once() {
    let old = users(&[("a", hash("1", 4)), ("b", hash("2", 4))], None);
    assert_eq!(old.check(&basic("a", "1"), CLIENT, false).await, Ok("a"));
    assert_eq!(old.check(&basic("b", "2"), CLIENT, false).await, Ok("b"));
    let new = users(&[("a", hash("3", 4))], Some(&old));
    assert_eq!(new.check(&basic("a", "1"), CLIENT, false).await, Err(Denied::Wrong));
    assert_eq!(new.check(&basic("a", "3"), CLIENT, false).await, Ok("a"));
    assert_eq!(new.check(&basic("b", "2"), CLIENT, false).await, Err(Denied::Wrong));
    // Back again: a login that was correct for a hash is correct for it again, without bcrypt.
    assert_eq!(users(&[("a", hash("1", 4))], Some(&new)).shared.verified.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn remembered_logins_do_not_wait() {
    let users = Arc::new(users(&[("a", hash("1", 4)), ("slow", hash("2", 8))], None));
    assert_eq!(users.check(&basic("a", "1"), CLIENT, false).await, Ok("a"));
    let flood: Vec<_> = (0..300)
        .map(|n| {
            let users = Arc::clone(&users);
            let headers = basic("a", &format!("wrong {n}"));
            tokio::spawn(async move { users.check(&headers, CLIENT, false).await.map(|_| ()) })
        })
        .collect();
    tokio::task::yield_now().await;
    let finished = || flood.iter().filter(|task| task.is_finished()).count();
    let previous = finished();
    assert_eq!(users.check(&basic("a", "1"), CLIENT, false).await, Ok("a"));
    assert_eq!(finished(), previous, "it waited for one of the flood");
    let mut busy = 0;
    for task in flood {
        let denied = task.await.unwrap().unwrap_err();
        busy += usize::from(denied == Denied::Busy);
    }
    assert!(busy > 0, "every one of a flood got its turn");
}

/// Fairness is by address first: many user names at one address are still one address.
#[tokio::test]
async fn a_correct_login_is_remembered_if_the_client_gives_up() {
    let users = users(&[("a", hash("b", 10))], None);
    let login = basic("a", "b");
    let given_up = tokio::time::timeout(Duration::ZERO, users.check(&login, CLIENT, false)).await;
    assert!(given_up.is_err());
    for _ in 0..1000 {
        if users.remembers(&login) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    panic!("not remembered");
}

#[tokio::test]
async fn a_first_login_does_not_wait_for_a_flood_from_another_address() {
    let users = Arc::new(users(&[("a", hash("1", 4))], None));
    let done = Arc::new(AtomicUsize::new(0));
    let flood: Vec<_> = (0..120)
        .map(|n| {
            let (users, done) = (Arc::clone(&users), Arc::clone(&done));
            let headers = basic(&format!("random {n}"), "wrong");
            tokio::spawn(async move {
                let denied = users.check(&headers, OTHER, false).await.map(|_| ());
                done.fetch_add(1, Ordering::Relaxed);
                denied
            })
        })
        .collect();
    while done.load(Ordering::Relaxed) < 5 {
        tokio::task::yield_now().await;
    }
    let previous = done.load(Ordering::Relaxed);
    assert_eq!(users.check(&basic("a", "1"), CLIENT, false).await, Ok("a"));
    let meanwhile = done.load(Ordering::Relaxed) - previous;
    assert!(meanwhile <= 8, "{meanwhile} checks of the flood went first");
    for task in flood {
        assert!(task.await.unwrap().is_err());
    }
}

#[test]
fn each_failure_costs_the_same() {
    // Measured by the rounds of bcrypt, not by the clock.
    for cost in 4..14_u32 {
        let filled = (cost..14).fold(1_u64 << cost, |rounds, c| rounds + (1 << c));
        assert_eq!(filled, 1 << 14);
    }
    let users = users(&[("a", hash("1", 4)), ("b", hash("2", 6))], None);
    assert_eq!(users.cost, 6);
}

#[test]
fn invalid_hashes_are_configuration_errors() {
    let good = hash("1", 4);
    assert!(Hash::parse(&Secret::new(good.clone())).is_ok());
    let with = |prefix: &str| format!("{prefix}{}", good.get(prefix.len()..).unwrap());
    for (text, problem) in [
        (String::new(), "hashedSecret too short"),
        ("doe".into(), "hashedSecret too short"),
        (good.chars().take(59).collect(), "not a bcrypt hash"),
        (format!("{good}a"), "not a bcrypt hash"),
        (format!("{good}\n"), "not a bcrypt hash"),
        (with("$2y$03"), "cost 3 is outside"),
        (with("$2y$32"), "cost 32 is outside"),
        (with("$2y$xx"), "not a number"),
        (with("$2x$"), "broken bcrypt"),
        (with("$2z$"), "not a bcrypt prefix"),
        (with("$1y$"), "not a bcrypt prefix"),
        (with("$2y$04$!"), "base64"),
        ("\u{e4}".repeat(30), "not a bcrypt hash"),
    ] {
        let error = Hash::parse(&Secret::new(text.clone())).unwrap_err();
        assert!(error.contains(problem), "{text}: {error}");
        assert!(text.len() < 20 || !error.contains(&text), "{error}");
    }
    for prefix in ["$2a$", "$2b$", "$2y$"] {
        assert!(Hash::parse(&Secret::new(with(prefix))).is_ok(), "{prefix}");
    }
}

/// A check of this hash takes a day; without the limit, so would this test.
#[tokio::test]
async fn hashes_of_excessive_cost_are_never_checked() {
    let costly = hash("1", 4).replacen("$04$", "$31$", 1);
    let spanned = Spanned::new(
        Secret::new(costly.clone()),
        serde_saphyr::Location::UNKNOWN,
        serde_saphyr::Location::UNKNOWN,
    );
    let mut diagnostics = Diagnostics::default();
    Authenticator::new([("a".to_owned(), spanned)].into(), None, &mut diagnostics).unwrap();
    let findings = format!("{diagnostics:?}");
    assert!(findings.contains("cost 31 takes too long"), "{findings}");
    let users = users(&[("a", costly), ("b", hash("2", 4))], None);
    assert_eq!(users.check(&basic("a", "1"), CLIENT, false).await, Err(Denied::Wrong));
    assert_eq!(users.check(&basic("b", "2"), CLIENT, false).await, Ok("b"));
    assert_eq!(users.cost, 4);
}

#[test]
fn no_secret_is_printed() {
    let users = users(&[("a", hash("1", 4))], None);
    let printed = format!("{users:?}");
    assert!(!printed.contains("$2y$") && printed.contains("***"), "{printed}");
}
