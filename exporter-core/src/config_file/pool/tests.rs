use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::config_file::{SMALL, Stamp};

static STARTED: AtomicUsize = AtomicUsize::new(0);

fn counted() -> io::Result<Reader> {
    STARTED.fetch_add(1, Ordering::Relaxed);
    Reader::thread()
}

#[test]
fn one_reader_serves_all_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let pool = Pool::new(Duration::from_secs(20), counted);
    assert_eq!(pool.request(&path, None).unwrap().0, Stamp::Absent);
    for size in [0, 1, 4096, SMALL] {
        let text = vec![b'x'; usize::try_from(size).unwrap()];
        std::fs::write(&path, &text).unwrap();
        let (stamp, content) = pool.request(&path, Some(SMALL)).unwrap();
        assert_eq!(content.unwrap(), text);
        assert!(matches!(stamp, Stamp::Present { size: found, .. } if found == size));
        assert_eq!(pool.request(&path, None).unwrap().0, stamp);
    }
    std::fs::write(&path, "too large").unwrap();
    let (_, content) = pool.request(&path, Some(3)).unwrap();
    assert!(content.unwrap_err().to_string().contains("larger than"));
    assert_eq!(STARTED.load(Ordering::Relaxed), 1);
}

#[test]
fn an_ended_reader_is_replaced() {
    let pool = Pool::new(Duration::from_secs(20), Reader::thread);
    let path = Path::new("/dev/null");
    pool.request(path, Some(SMALL)).unwrap().1.unwrap();
    if let Some(reader) = &pool.state().idle {
        reader.shut_down();
    }
    pool.request(path, Some(SMALL)).unwrap().1.unwrap();
}

#[test]
fn a_hanging_file_blocks_no_other_file() {
    let mut pool = Pool::new(Duration::from_millis(50), Reader::hanging);
    let (dead, other) = (Path::new("/dead"), Path::new("/dev/null"));
    for _ in 0..3 {
        let error = pool.request(dead, Some(SMALL)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("did not answer"), "{error}");
        assert_eq!(pool.state().stuck.len(), 1, "it is not tried again at once");
    }
    pool.spawn = Reader::thread;
    pool.timeout = Duration::from_secs(20);
    pool.request(other, Some(SMALL)).unwrap().1.unwrap();
    // A retry was allowed.
    pool.retry();
    assert_eq!(pool.request(dead, None).unwrap().0, Stamp::Absent);

    let mut pool = Pool::new(Duration::from_millis(1), Reader::hanging);
    for nth in 0..2 * MAX_STUCK {
        pool.request(Path::new(&format!("/dead/{nth}")), None).unwrap_err();
    }
    assert_eq!(pool.state().stuck.len(), MAX_STUCK);
    // The file system responds again, so a reader becomes free.
    for stuck in &pool.state().stuck {
        stuck.reader.shut_down();
    }
    pool.spawn = Reader::thread;
    pool.timeout = Duration::from_secs(20);
    pool.request(other, Some(SMALL)).unwrap().1.unwrap();
    assert_eq!(pool.state().stuck.len(), 0);
}
