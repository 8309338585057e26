//! The memory of responses that are not sent yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The responses of all connections that are complete but not sent. Responses that share a page
/// count once.
#[derive(Debug)]
pub(crate) struct UnsentResponses {
    limit: usize,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    bytes: usize,
    /// The maximum since [`UnsentResponses::take_peak`].
    peak: usize,
    /// The number of responses that share a page, by its address in memory.
    shared: HashMap<usize, usize>,
}

/// An unsent response; dropping it removes it.
#[derive(Debug)]
pub(crate) struct UnsentResponse {
    answers: Arc<UnsentResponses>,
    page: usize,
    bytes: usize,
}

impl UnsentResponses {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, pages: Mutex::default() })
    }

    /// Adds a response with this body, and returns the number of bytes above the limit. A single
    /// response never exceeds it.
    pub(crate) fn add(self: &Arc<Self>, body: &Bytes) -> (UnsentResponse, usize) {
        let (page, bytes) = (body.as_ptr() as usize, body.len());
        let mut pages = self.pages();
        let answers = pages.shared.entry(page).or_default();
        *answers += 1;
        if *answers == 1 {
            pages.bytes += bytes;
            pages.peak = pages.peak.max(pages.bytes);
        }
        let excess = pages.bytes.saturating_sub(self.limit.max(bytes.saturating_mul(2)));
        (UnsentResponse { answers: Arc::clone(self), page, bytes }, excess)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pages().bytes
    }

    /// The maximum since the last call.
    pub(crate) fn take_peak(&self) -> usize {
        let mut pages = self.pages();
        let now = pages.bytes;
        std::mem::replace(&mut pages.peak, now)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnsentResponse {
    fn drop(&mut self) {
        let mut pages = self.answers.pages();
        let is_last = match pages.shared.get_mut(&self.page) {
            Some(answers) => {
                *answers -= 1;
                *answers == 0
            }
            None => false,
        };
        if is_last {
            pages.shared.remove(&self.page);
            pages.bytes = pages.bytes.saturating_sub(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_pages_count_once() {
        let answers = UnsentResponses::new(100);
        let page = Bytes::from(vec![0; 60]);
        let (first, excess) = answers.add(&page);
        assert_eq!((answers.bytes(), excess), (60, 0));
        let (second, excess) = answers.add(&page.clone());
        assert_eq!((answers.bytes(), excess), (60, 0));
        let other = Bytes::from(vec![0; 50]);
        let (third, excess) = answers.add(&other);
        assert_eq!((answers.bytes(), excess), (110, 10));
        drop((first, third));
        assert_eq!(answers.bytes(), 60);
        drop(second);
        assert_eq!(answers.bytes(), 0);
        assert_eq!((answers.take_peak(), answers.take_peak()), (110, 0));
    }

    #[test]
    fn one_large_page_is_within_the_limit() {
        let answers = UnsentResponses::new(100);
        // They stay in memory, as the bodies of unsent responses do: pages are told apart by address.
        let pages = [(); 3].map(|()| Bytes::from(vec![0; 150]));
        let added = pages.each_ref().map(|page| answers.add(page));
        assert_eq!(added.each_ref().map(|(_, excess)| *excess), [0, 0, 150]);
    }
}
