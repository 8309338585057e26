//! Whether an error in a YAML file is probably one of indentation.

/// Whether the line, counted from 1, or the one before or after it is indented by a tab, deeper than
/// a line that has no block below it, less than one that has an empty block, or to a depth that no
/// line above has.
pub(super) fn is_wrong_near(text: &str, line: u64) -> bool {
    let mut open = vec![0];
    let mut before = "";
    for (nth, current) in (1_u64..).zip(text.lines()) {
        let content = current.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let blank = current.len() - current.trim_start().len();
        let is_tab = current.get(..blank).is_some_and(|blank| blank.contains('\t'));
        let depth = open.last().copied().unwrap_or(0);
        let is_opened = before.ends_with([':', '|', '>', '{', '[', ',']) || before.starts_with('-');
        let is_wrong = if blank > depth {
            !before.is_empty() && !is_opened
        } else {
            open.retain(|outer| *outer <= blank);
            let is_unknown = open.last() != Some(&blank);
            let is_empty_block = before.ends_with(':') && !content.starts_with('-');
            is_unknown || (blank == depth && is_empty_block)
        };
        if (is_tab || is_wrong) && nth.abs_diff(line) <= 1 {
            return true;
        }
        if open.last() != Some(&blank) {
            open.push(blank);
        }
        before = content;
    }
    false
}
